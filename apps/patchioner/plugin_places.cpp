#include "plugin_places.hpp"

#include <patchioner/error.hpp>

namespace patchioner {

void add_plugin_places(CLI::App& command, std::vector<std::string>& places) {
  command.add_option("-p,--path", places, "Folder or library to search before the others; may be repeated")
      ->allow_extra_args(false);
}

std::vector<std::filesystem::path> existing_places(const std::vector<std::string>& places) {
  for (const std::string& place : places) {
    if (!std::filesystem::exists(place)) {
      throw Error(ErrorKind::usage, "--path names {}, which does not exist", place);
    }
  }
  return {places.begin(), places.end()};
}

}  // namespace patchioner
