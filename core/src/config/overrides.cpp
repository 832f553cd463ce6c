#include "config/overrides.hpp"

#include <charconv>
#include <optional>
#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "config/merge.hpp"
#include "config/scalar.hpp"
#include "config/sections.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

const Origin kCommandLine{"command line", 0, 0};

void set_origin_everywhere(Value& value, const Origin& origin) {
  value.set_origin(origin);
  if (value.is_map()) {
    for (auto& [key, entry] : value.as_map()) {
      set_origin_everywhere(entry, origin);
    }
  } else if (value.is_list()) {
    for (Value& entry : value.as_list()) {
      set_origin_everywhere(entry, origin);
    }
  }
}

[[noreturn]] void refuse(const std::string& text, const std::string& sentence) {
  throw Error(ErrorKind::config, "command line: '{}': {}", text, sentence);
}

/// Lists, maps and quoted texts are YAML; everything else is one unquoted scalar, whatever characters it has.
Value parse_value(const std::string& text, const std::string& whole) {
  Value value;
  if (text.empty()) {
    value = Value("");
  } else if (text.find_first_of("[{'\"") == 0) {
    try {
      value = parse_yaml(text, "command line");
    } catch (const Error& error) {
      refuse(whole, error.what());
    }
  } else {
    value = parse_plain_scalar(text, kCommandLine);
  }
  set_origin_everywhere(value, kCommandLine);
  return value;
}

std::optional<size_t> list_index(const std::string& step) {
  size_t index = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
  return error == std::errc() && end == step.data() + step.size() ? std::optional(index) : std::nullopt;
}

std::vector<std::string> split_key(const std::string& key, const std::string& whole) {
  std::vector<std::string> steps;
  std::istringstream stream(key + ".");
  for (std::string step; std::getline(stream, step, '.');) {
    if (step.empty()) {
      refuse(whole, "the key has an empty part");
    }
    steps.push_back(step);
  }
  if (steps.empty()) {
    refuse(whole, "a key is missing in front of '='");
  }
  return steps;
}

std::vector<std::string> keys_of(const Value& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map.as_map()) {
    keys.push_back(key);
  }
  return keys;
}

/// The entry that a step leads to; `create` adds what a map lacks.
Value* step_into(Value& value, const std::string& step, bool create, const std::string& walked,
                 const std::string& whole) {
  if (value.is_list()) {
    const auto index = list_index(step);
    Value::List& list = value.as_list();
    if (!index) {
      refuse(whole, fmt::format("'{}' is a list of {}; count its entries from 0, as in {}.0", walked,
                                list.size(), walked));
    }
    if (create && *index == list.size()) {
      list.emplace_back();
    }
    if (*index >= list.size()) {
      refuse(whole, fmt::format("'{}' has {} entries, counted from 0", walked, list.size()));
    }
    return &list[*index];
  }
  if (value.is_null() && create) {
    value = Value(Value::Map()).set_origin(kCommandLine);
  }
  if (!value.is_map()) {
    refuse(whole, fmt::format("'{}' is {}, and has no keys", walked, to_string(value.type())));
  }
  if (Value* present = value.find(step)) {
    return present;
  }
  if (list_index(step) && value.find("plugin") != nullptr) {
    refuse(whole, fmt::format("'{}' is one plugin here, not a list; leave out .{}", walked, step));
  }
  if (!create) {
    return nullptr;
  }
  value.set(step, Value());
  return value.find(step);
}

void apply_removal(Value& document, const Override& change) {
  const std::vector<std::string> steps = split_key(change.key, change.text);
  Value* parent = &document;
  std::string walked;
  for (size_t i = 0; i + 1 < steps.size() && parent != nullptr; ++i) {
    parent = step_into(*parent, steps[i], false, walked, change.text);
    walked += (walked.empty() ? "" : ".") + steps[i];
  }
  if (parent != nullptr && parent->is_list()) {
    Value* entry = step_into(*parent, steps.back(), false, walked, change.text);
    parent->as_list().erase(parent->as_list().begin() + (entry - parent->as_list().data()));
    return;
  }
  if (parent == nullptr || !parent->erase(steps.back())) {
    const std::vector<std::string> keys =
        parent != nullptr && parent->is_map() ? keys_of(*parent) : std::vector<std::string>();
    refuse(change.text, "there is nothing to remove" + (keys.empty() ? "" : suggestion(steps.back(), keys)));
  }
}

void apply_assignment(Value& document, const Override& change) {
  const std::vector<std::string> steps = split_key(change.key, change.text);
  Value* target = &document;
  Value* parent = nullptr;
  std::string walked;
  bool created = false;
  for (const std::string& step : steps) {
    parent = target;
    const size_t before =
        target->is_map() ? target->as_map().size() : (target->is_list() ? target->as_list().size() : 0);
    target = step_into(*target, step, true, walked, change.text);
    const size_t after = parent->is_map() ? parent->as_map().size() : parent->as_list().size();
    created = created || after != before;
    walked += (walked.empty() ? "" : ".") + step;
  }
  if (change.kind == Override::Kind::add && !created) {
    refuse(change.text, fmt::format("'{}' is there already; write {}=, or ++{}= for either case", change.key,
                                    change.key, change.key));
  }
  if (steps.back() == "plugin" && parent->is_map() && !created && !(*target == change.value)) {
    *parent = Value(Value::Map{{"plugin", change.value}})
                  .set_origin(kCommandLine);  // the options were the other plugin's
    return;
  }
  merge(*target, change.value, change.key);
}

}  // namespace

Override parse_override(const std::string& text) {
  Override change;
  change.text = text;
  std::string rest = text;
  if (rest.starts_with("~")) {
    change.kind = Override::Kind::remove;
    change.key = rest.substr(1);
    if (change.key.find('=') != std::string::npos) {
      refuse(text, "a removal has no value; write ~key");
    }
  } else {
    if (rest.starts_with("++")) {
      change.kind = Override::Kind::force;
      rest = rest.substr(2);
    } else if (rest.starts_with("+")) {
      change.kind = Override::Kind::add;
      rest = rest.substr(1);
    }
    const size_t equals = rest.find('=');
    if (equals == std::string::npos) {
      refuse(text, "this changes nothing; write key=value, group=choice, +key=value or ~key");
    }
    change.key = rest.substr(0, equals);
    change.value = parse_value(rest.substr(equals + 1), text);
  }
  const std::string first = split_key(change.key, text).front();
  if (find_section(first) == nullptr) {
    std::vector<std::string> names;
    for (const Section& section : sections()) {
      names.push_back(section.name);
    }
    refuse(text, fmt::format("unknown section '{}'{}", first, suggestion(first, names)));
  }
  const bool assigns = change.kind != Override::Kind::remove;
  const auto is_text = [](const Value& entry) { return entry.is_text() && !entry.as_text().empty(); };
  if (assigns && first == change.key && first != "variables") {
    if (is_text(change.value)) {
      change.kind = Override::Kind::choice;
      change.choices = {change.value.as_text()};
    } else if (change.value.is_list() && !change.value.as_list().empty() &&
               std::all_of(change.value.as_list().begin(), change.value.as_list().end(), is_text)) {
      change.kind = Override::Kind::choice;
      for (const Value& entry : change.value.as_list()) {
        change.choices.push_back(entry.as_text());
      }
    }
  }
  return change;
}

void apply_overrides(Value& document, const std::vector<Override>& overrides) {
  const auto sets_plugin = [](const Override& change) {
    return change.kind != Override::Kind::remove &&
           (change.key == "plugin" || change.key.ends_with(".plugin"));
  };
  for (const bool plugins : {true, false}) {
    for (const Override& change : overrides) {
      if (change.kind == Override::Kind::choice || sets_plugin(change) != plugins) {
        continue;
      }
      if (change.kind == Override::Kind::remove) {
        apply_removal(document, change);
      } else {
        apply_assignment(document, change);
      }
    }
  }
}

}  // namespace patchioner
