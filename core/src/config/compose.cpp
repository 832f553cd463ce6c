// Defaults in order, then the file's own keys, then the command line; then references are replaced and the
// sections checked.
#include <fmt/ranges.h>

#include <map>
#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "config/interpolation.hpp"
#include "config/merge.hpp"
#include "config/overrides.hpp"
#include "config/sections.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostFiles = 1000;

fs::path& directory_of_configs() {
  static fs::path directory;
  return directory;
}

/// What was read while a ConfigsReadOnce lives.
struct ReadFiles {
  int users = 0;
  std::map<fs::path, Value> documents;
  std::map<std::string, Value>
      composed;  ///< before interpolation and other changes than choices, by file and choices
};

ReadFiles& read_files() {
  thread_local ReadFiles files;
  return files;
}

Value read_config(const fs::path& file) {
  ReadFiles& files = read_files();
  if (files.users == 0) {
    return read_yaml(file);
  }
  const auto known = files.documents.find(file);
  return known != files.documents.end() ? known->second
                                        : files.documents.emplace(file, read_yaml(file)).first->second;
}

std::string without_extension(const std::string& name) {
  return name.ends_with(".yaml") ? name.substr(0, name.size() - 5) : name;
}

/// The folders in which `group/choice.yaml` is looked for, for a file that lies in `folder`.
std::vector<fs::path> search_folders(const fs::path& file) {
  std::vector<fs::path> folders;
  const auto add = [&](const fs::path& folder) {
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) {
      folders.push_back(folder);
    }
  };
  const fs::path own = fs::absolute(file).lexically_normal().parent_path();
  add(own);
  if (find_section(own.filename().string()) != nullptr) {
    add(own.parent_path());  // a choice names its neighbours in the same group
  }
  for (fs::path parent = own; parent != parent.root_path(); parent = parent.parent_path()) {
    if (fs::is_directory(parent / "configs")) {
      add(parent / "configs");
    }
  }
  if (!config_directory().empty()) {
    add(config_directory());
  }
  return folders;
}

/// The names that could have been written instead of one that was not found.
std::vector<std::string> names_in(const std::vector<fs::path>& folders, const std::string& group) {
  std::set<std::string> names;
  for (const fs::path& folder : folders) {
    std::error_code failure;
    for (auto entry = fs::directory_iterator(folder / group, failure);
         !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
      if (entry->path().extension() == ".yaml") {
        names.insert(entry->path().stem().string());
      }
    }
  }
  return {names.begin(), names.end()};
}

fs::path find_config(const std::string& group, const std::string& name, const fs::path& asker,
                     const Origin& origin) {
  const std::vector<fs::path> folders = search_folders(asker);
  for (const fs::path& folder : folders) {
    const fs::path candidate = folder / group / (without_extension(name) + ".yaml");
    if (fs::is_regular_file(candidate)) {
      return candidate;
    }
  }
  std::vector<std::string> places;
  for (const fs::path& folder : folders) {
    places.push_back((folder / group).string());
  }
  const std::vector<std::string> names = names_in(folders, group);
  throw Error(ErrorKind::config, "{}: there is no {}{}{} (looked in {})", origin.to_string(),
              group.empty() ? "" : group + "/", name + ".yaml", names.empty() ? "" : suggestion(name, names),
              fmt::join(places, ", "));
}

/// One entry of a defaults list: choices of a group, or (without a group) another whole document.
struct DefaultEntry {
  std::string group;
  std::vector<std::string> names;
  Origin origin;
};

DefaultEntry parse_default(const Value& entry, const std::string& own_group) {
  DefaultEntry parsed;
  parsed.origin = entry.origin();
  const std::string where = entry.origin().to_string();
  if (entry.is_text()) {
    const std::string& text = entry.as_text();
    if (text == "_self_") {
      throw Error(ErrorKind::config,
                  "{}: _self_ is not needed; a file's own keys always come after its defaults", where);
    }
    const size_t slash = text.find('/');
    const std::string first = text.substr(0, slash);
    if (slash != std::string::npos && find_section(first) != nullptr) {
      parsed.group = first;
      parsed.names = {text.substr(slash + 1)};
    } else {
      parsed.group = own_group;
      parsed.names = {text};
    }
  } else if (entry.is_map() && entry.as_map().size() == 1) {
    const auto& [group, choice] = entry.as_map().front();
    if (find_section(group) == nullptr) {
      std::vector<std::string> names;
      for (const Section& section : sections()) {
        names.push_back(section.name);
      }
      throw Error(ErrorKind::config, "{}: unknown group '{}'{}", choice.origin().to_string(), group,
                  suggestion(group, names));
    }
    parsed.group = group;
    parsed.origin = choice.origin();
    if (choice.is_text()) {
      parsed.names = {choice.as_text()};
    } else if (choice.is_list() && !choice.as_list().empty()) {
      for (const Value& name : choice.as_list()) {
        parsed.names.push_back(name.as_text());
      }
    }
  }
  if (parsed.names.empty()) {
    throw Error(ErrorKind::config,
                "{}: an entry of defaults is group/choice, {{group: choice}}, {{group: [choice, choice]}} or "
                "the name of a config",
                where);
  }
  if (!own_group.empty() && parsed.group != own_group) {
    throw Error(ErrorKind::config,
                "{}: a choice of the group '{}' can only build on choices of its own group, not on '{}'",
                where, own_group, parsed.group);
  }
  for (std::string& name : parsed.names) {
    if (!parsed.group.empty() && name.starts_with(parsed.group + "/")) {
      name = name.substr(parsed.group.size() + 1);
    }
  }
  return parsed;
}

class Composer {
 public:
  /// The document of `file` before interpolation. For the groups in `chosen`, the defaults' entries are
  /// passed over and the given ones stand in their place.
  Value document(const fs::path& file, const std::vector<Override>& chosen) {
    chosen_ = &chosen;
    Value document = Value::Map();
    for (const Override& choice : chosen) {
      document.set(choice.key, section(choice, file));
    }
    add_document(file, document);
    return document;
  }

  /// What the choices of an override stand for.
  Value section(const Override& choice, const fs::path& file) {
    return choices({choice.key, choice.choices, Origin{"command line", 0, 0}}, file);
  }

 private:
  /// Reads a file, takes its defaults out and keeps the chain of files that are being read, to see circles.
  Value open(const fs::path& file, const Origin& origin, std::vector<Value>& defaults) {
    const fs::path canonical = fs::weakly_canonical(file);
    if (const auto start = std::find(open_.begin(), open_.end(), canonical); start != open_.end()) {
      std::string chain;
      for (auto entry = start; entry != open_.end(); ++entry) {
        chain += entry->filename().string() + " -> ";
      }
      throw Error(ErrorKind::config, "{}: defaults go in a circle: {}{}", origin.to_string(), chain,
                  canonical.filename().string());
    }
    if (++files_ > kMostFiles) {
      throw Error(ErrorKind::config, "{}: the defaults lead to more than {} files", origin.to_string(),
                  kMostFiles);
    }
    open_.push_back(canonical);
    Value value = read_config(file);
    if (Value* list = value.find("defaults")) {
      if (!list->is_list()) {
        throw Error(ErrorKind::config, "{}: 'defaults' must be a list, found {}", list->origin().to_string(),
                    to_string(list->type()));
      }
      // Only environment variables can be named here: the document does not exist yet.
      for (const Value& entry : list->as_list()) {
        defaults.push_back(interpolate(entry));
      }
      value.erase("defaults");
    }
    return value;
  }

  bool is_chosen(const std::string& group) const {
    return std::any_of(chosen_->begin(), chosen_->end(),
                       [&](const Override& choice) { return choice.key == group; });
  }

  void add_document(const fs::path& file, Value& document, const Origin& origin = {}) {
    std::vector<Value> defaults;
    Value own = open(file, origin, defaults);
    const std::string folder = fs::absolute(file).lexically_normal().parent_path().filename().string();
    if (own.is_list() || own.find("plugin") != nullptr) {
      // The file of a single choice, given directly.
      open_.pop_back();
      const Section* section = find_section(folder);
      if (section == nullptr || !section->plugin) {
        throw Error(ErrorKind::config,
                    "{}: this file describes a single plugin, but its folder '{}' is none of backbone, "
                    "aggregator, gap, decoder, so "
                    "nothing says which kind it is",
                    own.origin().to_string(), folder);
      }
      Value wrapped = Value::Map();
      wrapped.set(folder, choice_file(file, folder, origin));
      merge(document, wrapped);
      return;
    }
    if (!own.is_map() && !own.is_null()) {
      throw Error(ErrorKind::config, "{}: a config is a map of sections, found {}", own.origin().to_string(),
                  to_string(own.type()));
    }
    for (const Value& entry : defaults) {
      const DefaultEntry parsed = parse_default(entry, "");
      if (parsed.group.empty()) {
        const size_t slash =
            parsed.names.front().rfind('/');  // "experiment/emoji": a folder without a section
        const std::string folder = slash == std::string::npos ? "" : parsed.names.front().substr(0, slash);
        const std::string name = parsed.names.front().substr(slash == std::string::npos ? 0 : slash + 1);
        add_document(find_config(folder, name, file, parsed.origin), document, parsed.origin);
      } else if (!is_chosen(parsed.group)) {
        Value wrapped = Value::Map();
        wrapped.set(parsed.group, choices(parsed, file));
        merge(document, wrapped);
      }
    }
    if (own.is_map()) {
      merge(document, own);
    }
    open_.pop_back();
  }

  /// One choice is a section, several are a list of sections.
  Value choices(const DefaultEntry& entry, const fs::path& asker) {
    Value::List list;
    for (const std::string& name : entry.names) {
      const std::string bare =
          name.starts_with(entry.group + "/") ? name.substr(entry.group.size() + 1) : name;
      Value content =
          choice_file(find_config(entry.group, bare, asker, entry.origin), entry.group, entry.origin);
      if (entry.names.size() > 1 && content.is_list()) {
        list.insert(list.end(), content.as_list().begin(), content.as_list().end());
      } else {
        list.push_back(std::move(content));
      }
    }
    if (entry.names.size() == 1) {
      return std::move(list.front());
    }
    if (entry.group != "gap") {
      throw Error(ErrorKind::config, "{}: only gap takes several choices; '{}' takes one",
                  entry.origin.to_string(), entry.group);
    }
    return Value(std::move(list)).set_origin(entry.origin);
  }

  Value choice_file(const fs::path& file, const std::string& group, const Origin& origin) {
    std::vector<Value> defaults;
    Value own = open(file, origin, defaults);
    const bool may_be_list = group == "gap" && defaults.empty();
    if (!own.is_map() && !own.is_null() && !(may_be_list && own.is_list())) {
      throw Error(ErrorKind::config, "{}: a choice of '{}' is a map of options, found {}",
                  own.origin().to_string(), group, to_string(own.type()));
    }
    Value content = Value(Value::Map()).set_origin(own.origin());
    for (const Value& entry : defaults) {
      merge(content, choices(parse_default(entry, group), file), group);
    }
    if (!own.is_null()) {
      merge(content, own, group);
    }
    open_.pop_back();
    return content;
  }

  const std::vector<Override>* chosen_ = nullptr;
  std::vector<fs::path> open_;
  size_t files_ = 0;
};

/// A chosen section keeps what the file says about it only while the plugin stays the one that the file was
/// written for; what a file says about its data set belongs to that one alone.
void drop_options_of_other_plugins(Value& document, const fs::path& file,
                                   const std::vector<Override>& chosen) {
  std::optional<Value> original;
  for (const Override& choice : chosen) {
    Value alone = Composer().section(choice, file);
    if (*document.find(choice.key) == alone) {
      continue;
    }
    if (!original) {
      original = Composer().document(file, {});
    }
    const Value* before = original->find(choice.key);
    const bool comparable = before != nullptr && before->is_map() && alone.is_map();
    if (choice.key == "dataset" || !comparable || changes_plugin(*before, alone)) {
      document.set(choice.key, std::move(alone));
    }
  }
}

/// The file's document with these choices in the place of its own.
Value with_choices(const fs::path& file, const std::vector<Override>& chosen) {
  ReadFiles& read = read_files();
  std::string key = file.string();
  for (const Override& choice : chosen) {
    key += "\n" + choice.text;
  }
  if (const auto known = read.composed.find(key); known != read.composed.end()) {
    return known->second;
  }
  Value document = Composer().document(file, chosen);
  drop_options_of_other_plugins(document, file, chosen);
  if (read.users > 0) {
    read.composed.emplace(std::move(key), document);
  }
  return document;
}

}  // namespace

ConfigsReadOnce::ConfigsReadOnce() {
  ++read_files().users;
}

ConfigsReadOnce::~ConfigsReadOnce() {
  if (--read_files().users == 0) {
    read_files().documents.clear();
    read_files().composed.clear();
  }
}

void set_config_directory(fs::path directory) {
  directory_of_configs() = std::move(directory);
}

const fs::path& config_directory() {
  return directory_of_configs();
}

bool is_config_name(const std::string& name) {
  const size_t slash = name.find('/');
  return slash != std::string::npos && slash > 0 && name.front() != '.' && !config_directory().empty() &&
         fs::is_directory(config_directory() / name.substr(0, slash));
}

fs::path find_config_file(const fs::path& file) {
  if (fs::exists(file) || config_directory().empty()) {
    return file;
  }
  for (const fs::path& candidate :
       {config_directory() / file, config_directory() / (file.string() + ".yaml")}) {
    if (fs::is_regular_file(candidate)) {
      return candidate;
    }
  }
  if (is_config_name(file.string())) {
    const std::string group = file.parent_path().string();
    throw Error(
        ErrorKind::config, "there is no config {}{} (neither a file nor among the program's in {})",
        file.string(),
        suggestion(without_extension(file.filename().string()), names_in({config_directory()}, group)),
        config_directory().string());
  }
  return file;
}

Value compose(const fs::path& file, const std::vector<std::string>& overrides) {
  std::vector<Override> changes;
  std::vector<Override> chosen;
  for (const std::string& text : overrides) {
    changes.push_back(parse_override(text));
    if (changes.back().kind == Override::Kind::choice) {
      std::erase_if(chosen, [&](const Override& earlier) { return earlier.key == changes.back().key; });
      chosen.push_back(changes.back());
    }
  }
  const fs::path found = find_config_file(file);
  Value document = with_choices(found, chosen);
  apply_overrides(document, changes);
  check_sections(document);
  Value resolved = interpolate(in_section_order(document));
  return std::move(resolved.set_origin(Origin{found.string(), 0, 0}));  // for messages about what it lacks
}

}  // namespace patchioner
