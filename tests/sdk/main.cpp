// The report on the SDK's surface: what the headers declare and what the library exports, against what was
// recorded for the SDK's version. `check` fails where they differ; `record` writes the record anew, and
// refuses to when an already built plugin would notice and the version is the same.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <patchioner/error.hpp>

#include "support/files.hpp"
#include "surface.hpp"

namespace {

using namespace sdk;
using patchioner::Error;
using patchioner::ErrorKind;
namespace fs = std::filesystem;

Declarations read_headers(const fs::path& folder) {
  std::vector<fs::path> headers;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    headers.push_back(entry.path());
  }
  std::sort(headers.begin(), headers.end());
  Declarations declarations;
  for (const fs::path& header : headers) {
    try {
      add_declarations(patchioner::read_file(header), declarations);
    } catch (const Error& error) {
      throw error.within(header.string());
    }
  }
  return declarations;
}

/// Says what has changed and what to do about it.
void report(const SurfaceChanges& changes, int recorded, int found) {
  fmt::print("the SDK's surface is not the one that is recorded for SDK {}:\n", recorded);
  for (const std::string& line : changes.noticed) {
    fmt::print("  {}\n", line);
  }
  for (const std::string& line : changes.added) {
    fmt::print("  {}\n", line);
  }
  if (!changes.noticed.empty() && recorded == found) {
    fmt::print(
        "a plugin that is already built would notice, or does not compile any more: raise "
        "PATCHIONER_SDK_VERSION "
        "in plugin.hpp to {}, then record the surface with ./run sdk\n",
        found + 1);
  } else {
    fmt::print(
        "record it with ./run sdk{}\n",
        recorded == found ? "; plugins that are already built do not notice, and the version stays" : "");
  }
}

int check(const Surface& recorded, const Surface& found, const Declarations& declarations,
          const fs::path& library) {
  const SurfaceChanges changes = compare(recorded, found);
  if (!changes.empty()) {
    report(changes, recorded.version, found.version);
    return 1;
  }
  if (recorded.version != found.version) {
    fmt::print("the headers are of SDK {}, and the record is of SDK {}: record the surface with ./run sdk\n",
               found.version, recorded.version);
    return 1;
  }
  const std::vector<std::string> problems = check_exports(read_exports(library), declarations, recorded);
  if (!problems.empty()) {
    fmt::print(
        "{} does not export what is recorded for SDK {}:\n  {}\nbuild it again; when that does not help, "
        "record what it exports with ./run sdk\n",
        library.string(), recorded.version, fmt::join(problems, "\n  "));
    return 1;
  }
  fmt::print("SDK {}: {} declarations and {} exported symbols are as recorded\n", recorded.version,
             found.declarations.size(), recorded.exports.size());
  return 0;
}

int record(const Surface& recorded, Surface found, const Declarations& declarations, const fs::path& library,
           const fs::path& file) {
  found.exports = exports_to_record(read_exports(library), declarations, recorded);
  SurfaceChanges changes = compare(recorded, found);
  if (recorded.version == found.version && !changes.noticed.empty()) {
    report(changes, recorded.version, found.version);
    return 1;
  }
  patchioner::write_file(file, write_surface(found));
  fmt::print("{}: SDK {}, {} declarations and {} exported symbols\n", file.string(), found.version,
             found.declarations.size(), found.exports.size());
  return 0;
}

}  // namespace

int main(int argument_count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + argument_count);
  if (words.size() != 4 || (words[0] != "check" && words[0] != "record")) {
    fmt::print(stderr, "usage: sdk_surface check|record HEADERS LIBRARY RECORD\n");
    return 2;
  }
  try {
    const Declarations declarations = read_headers(words[1]);
    const Surface found = surface_of(declarations);
    Surface recorded;
    try {
      recorded = parse_surface(patchioner::read_file(words[3]));
    } catch (const Error& error) {
      throw error.within(words[3]);
    }
    return words[0] == "check" ? check(recorded, found, declarations, words[2])
                               : record(recorded, found, declarations, words[2], words[3]);
  } catch (const Error& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 2;
  }
}
