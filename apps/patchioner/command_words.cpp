// What is said about a command line that cannot be understood.
#include <fmt/ranges.h>

#include <patchioner/error.hpp>

#include "commands.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  return names;
}

/// Whether words may stand behind the command that name no command of its own.
bool takes_words(const CLI::App& app) {
  const std::vector<const CLI::Option*> options = app.get_options();
  return std::any_of(options.begin(), options.end(),
                     [](const CLI::Option* option) { return option->get_positional(); });
}

/// The command that the words have led to.
const CLI::App& innermost(const CLI::App& app) {
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  return parsed.empty() ? app : innermost(*parsed.front());
}

std::string full_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : full_name(*app.get_parent()) + " " + app.get_name();
}

}  // namespace

void check_command_words(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* command = &app;
  for (const std::string& word : words) {
    const std::vector<std::string> names = command_names(*command);
    if (names.empty() || word.starts_with('-')) {
      return;
    }
    if (std::find(names.begin(), names.end(), word) == names.end()) {
      if (takes_words(*command)) {
        return;
      }
      throw Error(ErrorKind::usage, "{}: unknown command '{}'{}", full_name(*command), word,
                  suggestion(word, names));
    }
    command = command->get_subcommand(word);
  }
  if (const std::vector<std::string> names = command_names(*command);
      !names.empty() && !takes_words(*command)) {
    throw Error(ErrorKind::usage, "{}: a command is missing; there are {} (--help says more)",
                full_name(*command), fmt::join(names, ", "));
  }
}

std::string sentence_of(const CLI::App& app, const CLI::Error& error) {
  const CLI::App& command = innermost(app);
  std::string what = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    const std::vector<std::string> extra = app.remaining(true);
    const std::string word = extra.empty() ? "" : extra.front();
    if (word.starts_with("--")) {
      const std::string name = word.substr(0, word.find('='));
      const std::string near = nearest_name(name, option_names(command));
      what = fmt::format("unknown option {}{}", name, near.empty() ? "" : "; did you mean " + near + "?");
    } else if (!word.empty()) {
      what = fmt::format("'{}' is one word too many", word);
    }
  }
  return fmt::format("error: {}: {} ({} --help says more)\n", full_name(command), what, full_name(command));
}

}  // namespace patchioner
