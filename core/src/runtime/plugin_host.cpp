#include "runtime/plugin_host.hpp"

#include <fmt/ranges.h>

#include <cstdlib>
#include <patchioner/log.hpp>

#include "checkpoint/state_dict.hpp"
#include "config/paths.hpp"
#include "runtime/plugin_library.hpp"
#include "support/nearest_name.hpp"
#include "support/program_layout.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSearchVariable = "PATCHIONER_PLUGIN_PATH";

void add_libraries(const fs::path& directory, int depth, std::vector<fs::path>& files) {
  std::vector<fs::path> entries;
  std::error_code failure;
  for (auto entry = fs::directory_iterator(directory, failure); !failure && entry != fs::directory_iterator();
       entry.increment(failure)) {
    entries.push_back(entry->path());
  }
  std::sort(entries.begin(), entries.end());  // the order of a directory is chance
  for (const fs::path& entry : entries) {
    if (fs::is_directory(entry, failure)) {
      if (depth > 1) {
        add_libraries(entry, depth - 1, files);
      }
    } else if (entry.extension() == ".so") {
      files.push_back(entry);
    }
  }
}

std::string plugin_name(PluginKind kind, const Value& section) {
  const std::string where = section.origin().to_string();
  if (section.is_text()) {
    throw Error(ErrorKind::config,
                "{}: '{}' must be a map with the key plugin, found the text '{}'; write {}: {{plugin: {}}}",
                where, to_string(kind), section.as_text(), to_string(kind), section.as_text());
  }
  if (!section.is_map()) {
    throw Error(ErrorKind::config, "{}: '{}' must be a map with the key plugin, found {}", where,
                to_string(kind), to_string(section.type()));
  }
  const Value* name = section.find("plugin");
  if (name == nullptr || name->is_null()) {
    throw Error(ErrorKind::config,
                "{}: '{}' does not say which plugin; add plugin: NAME (`patchioner plugins list` shows what "
                "there is)",
                where, to_string(kind));
  }
  if (!name->is_text()) {
    throw Error(ErrorKind::config, "{}: '{}.plugin' must be text, found {}", name->origin().to_string(),
                to_string(kind), to_string(name->type()));
  }
  return name->as_text();
}

Value options_of(const Value& section) {
  Value options = section;
  options.erase("plugin");
  return options;
}

/// What a parameter names a file with; null where it names none: another type, no text, or one of its words.
Value* file_named_by(const Parameter& parameter, Value& options) {
  Value* value = options.find(parameter.name);
  if (parameter.type != ParameterType::path || value == nullptr || !value->is_text()) {
    return nullptr;
  }
  const std::vector<std::string>& words = parameter.choices;
  return std::find(words.begin(), words.end(), value->as_text()) == words.end() ? value : nullptr;
}

/// Paths as the plugin gets them; with `fetch`, "hf:" names become files of the local cache.
void resolve_paths(const PluginRecord& record, Value& options, bool fetch) {
  for (const Parameter& parameter : record.parameters) {
    Value* value = file_named_by(parameter, options);
    if (value == nullptr) {
      continue;
    }
    const Origin origin = value->origin();
    std::string path = resolve_path(*value);
    if (fetch && path.starts_with("hf:")) {
      try {
        path = resolve_weights(path).string();
      } catch (const Error& error) {
        throw error.within(
            fmt::format("{}: '{}.{}'", origin.to_string(), to_string(record.kind), parameter.name));
      }
    }
    *value = Value(std::move(path)).set_origin(origin);
  }
}

/// Behind a failure: which files the options name that are not there, and where one reads about them.
std::string absent_files_hint(const PluginRecord& record, Value& options) {
  std::vector<std::string> absent;
  for (const Parameter& parameter : record.parameters) {
    const Value* value = file_named_by(parameter, options);
    std::error_code ignored;
    if (value != nullptr && !value->as_text().empty() && !fs::exists(value->as_text(), ignored)) {
      absent.push_back(parameter.name + " " + value->as_text());
    }
  }
  return absent.empty() ? ""
                        : fmt::format(
                              " (not there: {}; docs/weights.md says where published files come from, "
                              "PATCHIONER_WEIGHTS names their folder)",
                              fmt::join(absent, ", "));
}

/// Whether a library in that folder can be of that kind: only where the folder is called after another kind
/// ("decoders"), it cannot.
bool may_be(PluginKind kind, const fs::path& file) {
  const std::string folder = file.parent_path().filename().string();
  for (const PluginKind other :
       {PluginKind::backbone, PluginKind::aggregator, PluginKind::gap, PluginKind::decoder}) {
    if (folder.starts_with(to_string(other))) {
      return other == kind;
    }
  }
  return true;
}

}  // namespace

struct PluginHost::State {
  std::vector<fs::path> directories;
  std::map<fs::path, PluginLibrary> libraries;                               ///< what was opened so far
  std::map<std::pair<PluginKind, std::string>, const PluginLibrary*> found;  ///< by find() so far
  std::set<std::string> made;                                                ///< since it was asked for

  std::vector<fs::path> files() const {
    std::vector<fs::path> files;
    for (const fs::path& directory : directories) {
      if (fs::is_regular_file(directory)) {
        files.push_back(directory);  // a config may name a single library
      } else {
        add_libraries(directory, 2, files);
      }
    }
    return files;
  }

  const PluginLibrary& open(const fs::path& file) {
    auto found = libraries.find(file);
    if (found == libraries.end()) {
      found = libraries.emplace(file, open_plugin_library(file)).first;
    }
    return found->second;
  }

  /// The first usable library of that kind and name among `files`; later ones and refused ones are reported.
  const PluginLibrary* first_match(const std::vector<fs::path>& files, PluginKind kind,
                                   const std::string& name) {
    const PluginLibrary* match = nullptr;
    for (const fs::path& file : files) {
      const PluginLibrary& library = open(file);
      if (!library.record.usable()) {
        if (file.stem() == name) {
          warn_once(fmt::format("{} was refused: {}", file.string(), library.record.refusal));
        }
      } else if (library.record.kind == kind && library.record.name == name) {
        if (match == nullptr) {
          match = &library;
        } else if (!fs::equivalent(match->record.file, file)) {
          warn_once(fmt::format("{} '{}' is in {} and in {}; the first one is used", to_string(kind), name,
                                match->record.file.string(), file.string()));
        }
      }
    }
    return match;
  }

  /// Opens only libraries that are called `name`.so or that the config names one by one.
  const PluginLibrary& find(PluginKind kind, const std::string& name, const Origin* origin) {
    const auto known = found.find({kind, name});
    if (known != found.end()) {
      return *known->second;
    }
    const std::vector<fs::path> all = files();
    std::vector<fs::path> named;
    std::copy_if(all.begin(), all.end(), std::back_inserter(named), [&](const fs::path& file) {
      return file.stem() == name ||
             std::find(directories.begin(), directories.end(), file) != directories.end();
    });
    if (const PluginLibrary* match = first_match(named, kind, name)) {
      found[{kind, name}] = match;
      return *match;
    }
    throw not_found(kind, name, all, named, origin);
  }

  Error not_found(PluginKind kind, const std::string& name, const std::vector<fs::path>& all,
                  const std::vector<fs::path>& opened, const Origin* origin) {
    std::string other;
    std::string refused;
    for (const fs::path& file : opened) {
      const PluginRecord& record = open(file).record;
      if (!record.usable()) {
        refused += fmt::format("; {} was refused: {}", file.string(), record.refusal);
      } else if (record.name == name) {
        other = fmt::format("; there is {} {} of this name",
                            record.kind == PluginKind::aggregator ? "an" : "a", to_string(record.kind));
      }
    }
    std::vector<std::string> candidates;  // by file name: what is inside is nobody's business yet
    for (const fs::path& file : all) {
      if (may_be(kind, file) && file.stem() != name) {
        candidates.push_back(file.stem().string());
      }
    }
    std::sort(candidates.begin(), candidates.end());
    std::vector<std::string> places;
    for (const fs::path& directory : directories) {
      places.push_back(directory.string());
    }
    const std::string place = origin == nullptr ? "" : origin->to_string() + ": ";
    const std::string advice = !refused.empty()     ? refused
                               : !other.empty()     ? other
                               : candidates.empty() ? "; there is no plugin of this kind"
                                                    : suggestion(name, candidates);
    return Error(ErrorKind::plugin, "{}no {} plugin is called '{}'{} (looked in {})", place, to_string(kind),
                 name, advice, fmt::join(places, ", "));
  }

  Value options(const PluginLibrary& library, const Value& section) const {
    return validate(library.record.parameters, options_of(section),
                    std::string(to_string(library.record.kind)));
  }

  const PluginLibrary& find_for(PluginKind kind, const Value& section) {
    const std::string name = plugin_name(kind, section);
    return find(kind, name, &section.at("plugin").origin());
  }

  template <class Interface>
  std::shared_ptr<Interface> make(PluginKind kind, const Value& section, const PluginContext& context);
};

template <class Interface>
std::shared_ptr<Interface> PluginHost::State::make(PluginKind kind, const Value& section,
                                                   const PluginContext& context) {
  const PluginLibrary& library = find_for(kind, section);
  Value validated = options(library, section);
  resolve_paths(library.record, validated, true);
  const std::string what = fmt::format("{}: {} '{}'", section.at("plugin").origin().to_string(),
                                       to_string(kind), library.record.name);
  void* object = nullptr;
  try {
    object = library.descriptor->create(&validated, &context);
  } catch (const Error& error) {
    const std::string hint = absent_files_hint(library.record, validated);
    throw Error(error.kind(), "{}: {}{}", what, error.what(), hint);
  } catch (const c10::Error& error) {
    throw Error(ErrorKind::plugin, "{} ({}): LibTorch refused an operation: {}", what,
                library.record.file.string(), error.what_without_backtrace());
  } catch (const std::exception& error) {
    throw Error(ErrorKind::plugin, "{} ({}) could not be made: {}", what, library.record.file.string(),
                error.what());
  } catch (...) {
    throw Error(ErrorKind::plugin, "{} ({}) could not be made: it threw something that is no exception", what,
                library.record.file.string());
  }
  if (object == nullptr) {
    throw Error(ErrorKind::plugin, "{} ({}) made nothing", what, library.record.file.string());
  }
  made.insert(fmt::format("{}/{}", to_string(kind), library.record.name));
  // The deleter's copy of the handle keeps the code of the destructor in memory for as long as anybody has
  // the object.
  return std::shared_ptr<Interface>(static_cast<Interface*>(object),
                                    [handle = library.handle](Interface* owned) { delete owned; });
}

PluginHost::PluginHost(std::vector<fs::path> directories) : state_(std::make_unique<State>()) {
  state_->directories = std::move(directories);
  if (const char* variable = std::getenv(kSearchVariable)) {
    std::istringstream stream(variable);
    for (std::string directory; std::getline(stream, directory, ':');) {
      if (!directory.empty()) {
        if (!fs::exists(directory)) {
          warn_once(fmt::format("{} names {}, which does not exist", kSearchVariable, directory));
        }
        state_->directories.emplace_back(directory);
      }
    }
  }
  state_->directories.push_back(program_layout().plugins);
}

PluginHost::~PluginHost() = default;

std::vector<PluginRecord> PluginHost::list() {
  std::vector<PluginRecord> records;
  for (const fs::path& file : state_->files()) {
    std::error_code ignored;
    if (std::any_of(records.begin(), records.end(), [&](const PluginRecord& earlier) {
          return fs::equivalent(earlier.file, file, ignored);
        })) {
      continue;  // two places lead to it
    }
    PluginRecord record = state_->open(file).record;
    for (const PluginRecord& earlier : records) {
      if (record.usable() && earlier.usable() && earlier.kind == record.kind && earlier.name == record.name) {
        record.refusal = fmt::format("{} '{}' was found before, in {}, which is used", to_string(record.kind),
                                     record.name, earlier.file.string());
      }
    }
    records.push_back(std::move(record));
  }
  return records;
}

PluginRecord PluginHost::describe(PluginKind kind, const std::string& name) {
  return state_->find(kind, name, nullptr).record;
}

std::shared_ptr<Backbone> PluginHost::backbone(const Value& section, const PluginContext& context) {
  return state_->make<Backbone>(PluginKind::backbone, section, context);
}

std::shared_ptr<Aggregator> PluginHost::aggregator(const Value& section, const PluginContext& context) {
  return state_->make<Aggregator>(PluginKind::aggregator, section, context);
}

std::shared_ptr<Gap> PluginHost::gap(const Value& section, const PluginContext& context) {
  return state_->make<Gap>(PluginKind::gap, section, context);
}

std::shared_ptr<Decoder> PluginHost::decoder(const Value& section, const PluginContext& context) {
  return state_->make<Decoder>(PluginKind::decoder, section, context);
}

std::vector<std::string> PluginHost::take_made() {
  const std::set<std::string> made = std::exchange(state_->made, {});
  return {made.begin(), made.end()};
}

Value PluginHost::resolve(PluginKind kind, const Value& section) {
  const PluginLibrary& library = state_->find_for(kind, section);
  Value validated = state_->options(library, section);
  resolve_paths(library.record, validated, false);
  Value::Map map{{"plugin", section.at("plugin")}};
  for (auto& entry : validated.as_map()) {
    map.push_back(std::move(entry));
  }
  return Value(std::move(map)).set_origin(section.origin());
}

}  // namespace patchioner
