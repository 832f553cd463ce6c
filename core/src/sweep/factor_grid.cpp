#include "sweep/factor_grid.hpp"

#include <fmt/ranges.h>

#include <patchioner/error.hpp>
#include <set>

#include "config/config.hpp"
#include "support/nearest_name.hpp"
#include "sweep/sweep_sections.hpp"

namespace patchioner {
namespace {

constexpr const char* kConfigKey = "config";

/// A scalar, or a list of words, as an override has it behind its '='.
std::string text_of(const Value& value) {
  if (value.is_text()) {
    return value.as_text();
  }
  if (value.is_list()) {
    std::vector<std::string> words;
    for (const Value& entry : value.as_list()) {
      words.push_back(text_of(entry));
    }
    return fmt::format("[{}]", fmt::join(words, ","));
  }
  return write_json(value, 0);
}

/// How a value is called in names of rows.
std::string name_of(const Value& value) {
  if (value.is_list()) {
    std::vector<std::string> words;
    for (const Value& entry : value.as_list()) {
      words.push_back(name_of(entry));
    }
    return fmt::format("{}", fmt::join(words, "+"));
  }
  const std::string text = text_of(value);
  return text.substr(text.rfind('/') + 1);
}

/// `text` with {key} replaced; "${...}" is a config's own reference.
std::string filled_in(const std::string& text, const std::map<std::string, std::string>& words,
                      const Origin& origin) {
  std::string filled;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t end = text.find('}', i);
    const bool begins = text[i] == '{' && (i == 0 || text[i - 1] != '$') && end != std::string::npos;
    const std::string key = begins ? text.substr(i + 1, end - i - 1) : std::string();
    const bool is_word = !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char letter) {
      return std::isalnum(letter) != 0 || letter == '_';
    });
    if (!is_word) {
      filled += text[i];
      continue;
    }
    const auto found = words.find(key);
    if (found == words.end()) {
      std::vector<std::string> names;
      for (const auto& [name, word] : words) {
        names.push_back(name);
      }
      throw Error(ErrorKind::config, "{}: '{}' has {{{}}}, which no value of this row gives under 'with'{}",
                  origin.to_string(), text, key, names.empty() ? "" : suggestion(key, names));
    }
    filled += found->second;
    i = end;
  }
  return filled;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> words_of(const Value& map, const std::string& what) {
  std::vector<std::pair<std::string, std::string>> words;
  if (map.is_null()) {
    return words;
  }
  if (!map.is_map()) {
    throw Error(ErrorKind::config, "{}: '{}' is a map of words, found {}", map.origin().to_string(), what,
                to_string(map.type()));
  }
  for (const auto& [key, value] : map.as_map()) {
    if (value.is_map() || value.is_list() || value.is_null()) {
      throw Error(ErrorKind::config, "{}: '{}.{}' is a word or a number, found {}",
                  value.origin().to_string(), what, key, to_string(value.type()));
    }
    words.emplace_back(key, text_of(value));
  }
  return words;
}

FactorGrid::FactorGrid(const Value& grid, const Value& exclude) : origin_(grid.origin()) {
  if (!grid.is_map() || grid.as_map().empty()) {
    throw Error(ErrorKind::config, "{}: 'grid' is a map of overrides to lists of values",
                origin_.to_string());
  }
  for (const auto& [key, values] : grid.as_map()) {
    if (!values.is_list() || values.as_list().empty()) {
      throw Error(ErrorKind::config, "{}: 'grid.{}' is a list of at least one value",
                  values.origin().to_string(), key);
    }
    Factor factor{key, {}};
    std::set<std::string> names;
    for (const Value& value : values.as_list()) {
      factor.levels.push_back(read_level(key, value));
      if (!names.insert(factor.levels.back().name).second) {
        throw Error(ErrorKind::config,
                    "{}: two values of 'grid.{}' are called '{}'; give one a name: {{name: ..., set: [...]}}",
                    value.origin().to_string(), key, factor.levels.back().name);
      }
    }
    factors_.push_back(std::move(factor));
  }
  if (!exclude.is_null() && !exclude.is_list()) {
    throw Error(ErrorKind::config,
                "{}: 'exclude' is a list of maps, such as [{{backbone: clip, gap: none}}]; found {}",
                exclude.origin().to_string(), to_string(exclude.type()));
  }
  if (!exclude.is_null()) {
    for (const Value& entry : exclude.as_list()) {
      read_exclusion(entry);
    }
  }
}

FactorGrid::Level FactorGrid::read_level(const std::string& key, const Value& value) {
  Level level;
  level.origin = value.origin();
  if (value.is_map()) {
    const auto read = read_options<FactorSection>(value, "grid." + key);
    level.name = read.name;
    level.overrides = read.set;
    level.with = words_of(read.with, "with");
    level.labels = words_of(read.labels, "labels");
    return level;
  }
  if (value.is_null()) {
    throw Error(ErrorKind::config, "{}: 'grid.{}' has a value that is nothing", value.origin().to_string(),
                key);
  }
  level.name = name_of(value);
  if (key == kConfigKey) {
    if (!value.is_text()) {
      throw Error(ErrorKind::config, "{}: 'grid.config' is a list of configs' names, found {}",
                  value.origin().to_string(), to_string(value.type()));
    }
    level.config = value.as_text();
  } else {
    level.overrides = {key + "=" + text_of(value)};
  }
  return level;
}

void FactorGrid::read_exclusion(const Value& entry) {
  Exclusion exclusion;
  if (!entry.is_map() || entry.as_map().empty()) {
    throw Error(ErrorKind::config,
                "{}: an entry of 'exclude' is a map of keys of the grid to names of values",
                entry.origin().to_string());
  }
  for (const auto& [key, names] : entry.as_map()) {
    const auto factor = std::find_if(factors_.begin(), factors_.end(),
                                     [&, name = key](const Factor& one) { return one.key == name; });
    if (factor == factors_.end()) {
      std::vector<std::string> keys;
      for (const Factor& one : factors_) {
        keys.push_back(one.key);
      }
      throw Error(ErrorKind::config, "{}: '{}' is no key of the grid{}", names.origin().to_string(), key,
                  suggestion(key, keys));
    }
    std::vector<size_t> meant;
    for (const Value& name : names.is_list() ? names.as_list() : Value::List{names}) {
      const auto level = std::find_if(factor->levels.begin(), factor->levels.end(),
                                      [&](const Level& one) { return one.name == name_of(name); });
      if (level == factor->levels.end()) {
        std::vector<std::string> known;
        for (const Level& one : factor->levels) {
          known.push_back(one.name);
        }
        throw Error(ErrorKind::config, "{}: 'grid.{}' has no value '{}'{}", name.origin().to_string(), key,
                    name_of(name), suggestion(name_of(name), known));
      }
      meant.push_back(static_cast<size_t>(level - factor->levels.begin()));
    }
    exclusion.levels.emplace_back(static_cast<size_t>(factor - factors_.begin()), std::move(meant));
  }
  exclusions_.push_back(std::move(exclusion));
}

size_t FactorGrid::combinations() const {
  size_t count = 1;
  for (const Factor& factor : factors_) {
    if (count > SIZE_MAX / factor.levels.size()) {
      return SIZE_MAX;
    }
    count *= factor.levels.size();
  }
  return count;
}

std::vector<SweepRow> FactorGrid::rows() const {
  std::vector<SweepRow> rows;
  std::vector<size_t> chosen(factors_.size(), 0);
  for (;;) {
    if (!is_excluded(chosen)) {
      rows.push_back(row_of(chosen));
    }
    size_t place = factors_.size();
    while (place > 0 && ++chosen[place - 1] == factors_[place - 1].levels.size()) {
      chosen[--place] = 0;
    }
    if (place == 0) {
      return rows;
    }
  }
}

bool FactorGrid::is_excluded(const std::vector<size_t>& chosen) const {
  return std::any_of(exclusions_.begin(), exclusions_.end(), [&](const Exclusion& exclusion) {
    return std::all_of(exclusion.levels.begin(), exclusion.levels.end(), [&](const auto& meant) {
      return std::find(meant.second.begin(), meant.second.end(), chosen[meant.first]) != meant.second.end();
    });
  });
}

SweepRow FactorGrid::row_of(const std::vector<size_t>& chosen) const {
  SweepRow row;
  row.origin = origin_;
  std::map<std::string, std::string> words;
  for (size_t i = 0; i < factors_.size(); ++i) {
    const Level& level = factors_[i].levels[chosen[i]];
    row.name += (i == 0 ? "" : "-") + level.name;
    row.factors.emplace_back(factors_[i].key, level.name);
    if (level.labels.empty()) {
      row.labels.emplace_back(factors_[i].key, level.name);
    } else {
      row.labels.insert(row.labels.end(), level.labels.begin(), level.labels.end());
    }
    if (!level.config.empty()) {
      row.config = level.config;
    }
    row.overrides.insert(row.overrides.end(), level.overrides.begin(), level.overrides.end());
    words.insert(level.with.begin(), level.with.end());
  }
  for (std::string& text : row.overrides) {
    text = filled_in(text, words, origin_);
  }
  return row;
}

}  // namespace patchioner
