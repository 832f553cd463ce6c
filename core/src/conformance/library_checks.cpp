#include "conformance/library_checks.hpp"

#include <fmt/ranges.h>

#include <set>

#include "runtime/elf_file.hpp"
#include "runtime/private_symbols.hpp"
#include "support/identifier.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

std::string is_there(LibrarySubject& subject) {
  const fs::path absolute = fs::absolute(subject.file()).lexically_normal();
  std::error_code failure;
  if (!fs::exists(absolute, failure)) {
    throw CheckFailed("there is no file {}", absolute.string());
  }
  if (!fs::is_regular_file(absolute, failure)) {
    throw CheckFailed("{} is {}, not a library", absolute.string(),
                      fs::is_directory(absolute, failure) ? "a folder" : "no regular file");
  }
  return subject.file().is_absolute() ? "" : "it is " + absolute.string();
}

ElfFile read_elf(const fs::path& file) {
  try {
    return ElfFile::read(file);
  } catch (const Error& error) {
    throw CheckFailed("{}", error.what());
  }
}

std::string is_library(LibrarySubject& subject) {
  (void)read_elf(subject.file());
  return "";
}

std::string has_dependencies(LibrarySubject& subject) {
  std::vector<std::string> missing;
  const std::vector<Dependency> all = dependencies_of(read_elf(subject.file()));
  for (const Dependency& dependency : all) {
    if (!dependency.found()) {
      missing.push_back(
          fmt::format("{} (needed by {}; {})", dependency.name, dependency.needed_by, dependency.how));
    }
  }
  if (!missing.empty()) {
    throw CheckFailed("{} not found: {}; install what is missing, or link with an RPATH that leads to it",
                      missing.size() == 1 ? "a library was" : "libraries were", fmt::join(missing, ", "));
  }
  return fmt::format("{} libraries", all.size());
}

std::string has_symbol(LibrarySubject& subject) {
  const ElfFile elf = read_elf(subject.file());
  if (!elf.has_symbol_table) {
    throw CheckSkipped("the file has no section table; whether the symbol is there shows when it is opened");
  }
  if (std::find(elf.functions.begin(), elf.functions.end(), kDescriptorSymbol) == elf.functions.end()) {
    throw CheckFailed("it does not export the function {}; PATCHIONER_PLUGIN defines it, once a library",
                      kDescriptorSymbol);
  }
  return "";
}

/// Fails when the library was refused at one of these steps. What an earlier step refuses is that one's
/// failure, and behind it nothing is run.
void expect_passed(LibrarySubject& subject, std::initializer_list<PluginStep> steps) {
  const PluginLibrary& library = subject.opened();
  if (!library.record.usable() && std::find(steps.begin(), steps.end(), library.step) != steps.end()) {
    throw CheckFailed("{}", library.record.refusal);
  }
}

std::string opens(LibrarySubject& subject) {
  expect_passed(subject, {PluginStep::file, PluginStep::library, PluginStep::symbol, PluginStep::dependencies,
                          PluginStep::opening});
  return "";
}

std::string fits_sdk(LibrarySubject& subject) {
  expect_passed(subject, {PluginStep::sdk});
  return fmt::format("SDK {}", PATCHIONER_SDK_VERSION);
}

std::string fits_build(LibrarySubject& subject) {
  expect_passed(subject, {PluginStep::build});
  return PATCHIONER_BUILD_FINGERPRINT;
}

std::string has_name(LibrarySubject& subject) {
  expect_passed(subject, {PluginStep::name});
  const PluginRecord& record = subject.opened().record;
  std::vector<std::string> lacks;
  if (record.version.empty()) {
    lacks.emplace_back("version");
  }
  if (record.summary.empty()) {
    lacks.emplace_back("summary");
  }
  if (!lacks.empty()) {
    throw CheckFailed("its {} empty; PATCHIONER_PLUGIN takes both, and `plugins list` shows them",
                      lacks.size() == 1 ? lacks.front() + " is" : "version and summary are");
  }
  if (record.summary.find('\n') != std::string::npos) {
    throw CheckFailed("its summary has several lines; it is one line of a table");
  }
  return fmt::format("{} '{}' {}", to_string(record.kind), record.name, record.version);
}

void expect_sound(const Parameter& parameter) {
  const std::string& name = parameter.name;
  if (!is_identifier(name)) {
    throw CheckFailed("the parameter '{}' is not named by letters, digits and '_'", name);
  }
  if (name == "plugin") {
    throw CheckFailed("a parameter is called 'plugin', the key that names the plugin itself; rename it");
  }
  if (parameter.help.empty() || parameter.help.find('\n') != std::string::npos) {
    throw CheckFailed("the parameter '{}' has {} of help; one line is what users see", name,
                      parameter.help.empty() ? "no line" : "several lines");
  }
  const bool is_number = parameter.type == ParameterType::integer || parameter.type == ParameterType::number;
  if ((parameter.minimum || parameter.maximum) && !is_number) {
    throw CheckFailed("the parameter '{}' is of type {} and has a range, which only numbers have", name,
                      to_string(parameter.type));
  }
  if (parameter.minimum && parameter.maximum && *parameter.minimum > *parameter.maximum) {
    throw CheckFailed("the range of the parameter '{}' is empty: {} to {}", name, *parameter.minimum,
                      *parameter.maximum);
  }
  if (parameter.default_value.is_null()) {
    return;
  }
  try {
    (void)validate({parameter}, Value(Value::Map{{name, parameter.default_value}}), "default");
  } catch (const Error& error) {
    throw CheckFailed("the parameter '{}' does not allow its own default: {}", name, error.what());
  }
}

std::string declares_parameters(LibrarySubject& subject) {
  expect_passed(subject, {PluginStep::declaration});
  std::set<std::string> names;
  for (const Parameter& parameter : subject.opened().record.parameters) {
    if (!names.insert(parameter.name).second) {
      throw CheckFailed("two parameters are called '{}'", parameter.name);
    }
    expect_sound(parameter);
  }
  return fmt::format("{} parameter{}", names.size(), names.size() == 1 ? "" : "s");
}

std::string has_notes(LibrarySubject& subject) {
  const PluginRecord& record = subject.opened().record;
  std::set<std::string> topics;
  for (const PluginNote& note : record.notes) {
    if (note.topic.empty() || note.text.empty() || note.text.find('\n') != std::string::npos) {
      throw CheckFailed("the note '{}' is not one line of text under a topic", note.topic);
    }
    topics.insert(note.topic);
  }
  std::vector<std::string> missing;
  if (record.kind == PluginKind::backbone) {
    for (const char* topic : {"features", "space", "input", "files", "source"}) {
      if (!topics.contains(topic)) {
        missing.emplace_back(topic);
      }
    }
  }
  return missing.empty() ? ""
                         : fmt::format(
                               "a backbone's page has columns for the notes {} too; add them with "
                               "list.note(topic, text)",
                               fmt::join(missing, ", "));
}

std::string uses_the_sdk_alone(LibrarySubject& subject) {
  if (const std::string use = private_use(read_elf(subject.file())); !use.empty()) {
    throw CheckFailed("{}", use);
  }
  return "";
}

/// How a config has to name the file, where a search by name does not lead to it.
std::string how_to_name(const fs::path& file) {
  return fmt::format("plugins.path=[{}]", fs::absolute(file).lexically_normal().string());
}

std::string is_found(LibrarySubject& subject) {
  const PluginRecord& record = subject.opened().record;
  const std::string kind(to_string(record.kind));
  const std::string other_name =
      subject.file().stem() == record.name
          ? ""
          : fmt::format("; in folders it is looked for as {}.so, and this file is {}", record.name,
                        subject.file().filename().string());
  fs::path first;
  try {
    first = PluginHost(subject.directories()).describe(record.kind, record.name).file;
  } catch (const Error&) {
    return fmt::format("a config finds it by {}{}", how_to_name(subject.file()), other_name);
  }
  std::error_code failure;
  if (fs::equivalent(first, subject.file(), failure)) {
    return fmt::format("a config finds it as {}: {{plugin: {}}}", kind, record.name);
  }
  return fmt::format(
      "of two plugins of one name the first found is used: {0}: {{plugin: {1}}} is {2}, and "
      "this file only where a config names it by {3}{4}",
      kind, record.name, first.string(), how_to_name(subject.file()), other_name);
}

constexpr CheckOf<LibrarySubject> kLibraryChecks[] = {
    {"file", "the file is there; a relative path counts from the current folder", is_there},
    {"library", "it is a whole shared library for this machine", is_library},
    {"dependencies", "every library that it needs, directly or not, is found", has_dependencies},
    {"symbol", "it exports patchioner_plugin_descriptor", has_symbol},
    {"opening", "the dynamic linker opens it, nothing that it calls is missing, and it gives a descriptor",
     opens},
    {"sdk", "it is a Patchioner plugin, built with this program's version of the SDK", fits_sdk},
    {"build", "compiler ABI, strings, containers and LibTorch are this program's", fits_build},
    {"name", "it is of one of the four kinds, and has a name, a version, a summary and a factory", has_name},
    {"parameters",
     "names are unique, each has a line of help, defaults are of the type, in the range and among the "
     "choices",
     declares_parameters},
};

constexpr CheckOf<LibrarySubject> kDeclarationChecks[] = {
    {"notes", "each note is one line under a topic; a backbone has those of its reference page", has_notes},
    {"sdk alone", "it uses nothing of the program that is not the SDK's", uses_the_sdk_alone},
    {"search", "which file a config gets that names this plugin", is_found},
};

}  // namespace

const PluginLibrary& LibrarySubject::opened() const {
  if (library_ == nullptr) {
    library_ = std::make_shared<const PluginLibrary>(open_plugin_library(file_));
  }
  return *library_;
}

std::span<const CheckOf<LibrarySubject>> library_checks() {
  return kLibraryChecks;
}

std::span<const CheckOf<LibrarySubject>> declaration_checks() {
  return kDeclarationChecks;
}

}  // namespace patchioner
