#include "surface.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <patchioner/error.hpp>
#include <sstream>

namespace sdk {
namespace {

using patchioner::Error;
using patchioner::ErrorKind;

constexpr const char* kVersionMacro = "#define PATCHIONER_SDK_VERSION ";
constexpr const char* kExplanation =
    R"(# The surface of the SDK, core/include/patchioner: what libpatchioner.so exports under PATCHIONER_SDK_<version>, and what the headers declare.
# ./run sdk writes it, the test sdk.surface compares it (tests/sdk/README.md). Functions of {fmt} that the headers call are kept as they stand here.
# "  * " is a member that has a place: data, virtual functions, enumerators. "  - " is any other.
)";

bool has(const std::vector<std::string>& lines, const std::string& line) {
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

std::vector<std::string> without(const std::vector<std::string>& lines,
                                 const std::vector<std::string>& others) {
  std::vector<std::string> rest;
  std::copy_if(lines.begin(), lines.end(), std::back_inserter(rest),
               [&](const std::string& line) { return !has(others, line); });
  return rest;
}

const Declaration* find(const std::vector<Declaration>& declarations, const std::string& line) {
  const auto found = std::find_if(declarations.begin(), declarations.end(),
                                  [&](const Declaration& declaration) { return declaration.line == line; });
  return found == declarations.end() ? nullptr : &*found;
}

void add(std::vector<std::string>& changes, const std::string& sign, const std::string& context,
         const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    changes.push_back(fmt::format("{} {}{}", sign, context, line));
  }
}

/// Data, virtual functions, enumerators: only an enumerator behind all others moves nothing.
void compare_places(const Declaration& recorded, const Declaration& found, SurfaceChanges& changes) {
  if (recorded.places == found.places) {
    return;
  }
  const std::string context = found.line + ": ";
  const std::vector<std::string> gone = without(recorded.places, found.places);
  const std::vector<std::string> come = without(found.places, recorded.places);
  const bool appended = found.places.size() > recorded.places.size() &&
                        std::equal(recorded.places.begin(), recorded.places.end(), found.places.begin());
  if (appended && found.line.find("enum ") != std::string::npos) {
    add(changes.added, "+", context, come);
    return;
  }
  add(changes.noticed, "-", context, gone);
  add(changes.noticed, "+", context, come);
  if (gone.empty() && come.empty()) {
    changes.noticed.push_back("~ " + context + "the same members in another order");
  }
}

}  // namespace

Surface surface_of(Declarations declarations) {
  Surface surface;
  for (Declaration& declaration : declarations.all) {
    if (declaration.line.starts_with(kVersionMacro)) {
      surface.version = std::stoi(declaration.line.substr(std::string(kVersionMacro).size()));
    } else {
      surface.declarations.push_back(std::move(declaration));
    }
  }
  if (surface.version == 0) {
    throw Error(ErrorKind::data, "no header has a line '{}N'", kVersionMacro);
  }
  return surface;
}

std::string write_surface(const Surface& surface) {
  std::string text = fmt::format("{}version {}\n\nexports\n", kExplanation, surface.version);
  for (const std::string& symbol : surface.exports) {
    text += fmt::format("{}  {}\n", symbol, demangled(symbol));
  }
  text += "\ndeclarations\n";
  for (const Declaration& declaration : surface.declarations) {
    text += declaration.line + "\n";
    for (const std::string& place : declaration.places) {
      text += "  * " + place + "\n";
    }
    for (const std::string& member : declaration.members) {
      text += "  - " + member + "\n";
    }
  }
  return text;
}

Surface parse_surface(std::string_view text) {
  Surface surface;
  std::istringstream lines{std::string(text)};
  std::string part;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty() || line.starts_with("# ")) {
      continue;
    }
    if (line.starts_with("version ")) {
      surface.version = std::stoi(line.substr(8));
    } else if (line == "exports" || line == "declarations") {
      part = line;
    } else if (part == "exports") {
      surface.exports.push_back(line.substr(0, line.find(' ')));
    } else if (part == "declarations" && !line.starts_with("  ")) {
      surface.declarations.push_back({line, {}, {}});
    } else if (!surface.declarations.empty() && line.starts_with("  * ")) {
      surface.declarations.back().places.push_back(line.substr(4));
    } else if (!surface.declarations.empty() && line.starts_with("  - ")) {
      surface.declarations.back().members.push_back(line.substr(4));
    } else {
      throw Error(ErrorKind::data, "line {}: '{}' is none of the lines that ./run sdk writes", number, line);
    }
  }
  return surface;
}

SurfaceChanges compare(const Surface& recorded, const Surface& found) {
  SurfaceChanges changes;
  for (const Declaration& before : recorded.declarations) {
    const Declaration* now = find(found.declarations, before.line);
    if (now == nullptr) {
      changes.noticed.push_back("- " + before.line);
      continue;
    }
    compare_places(before, *now, changes);
    add(changes.noticed, "-", now->line + ": ", without(before.members, now->members));
    add(changes.added, "+", now->line + ": ", without(now->members, before.members));
  }
  for (const Declaration& now : found.declarations) {
    if (find(recorded.declarations, now.line) == nullptr) {
      changes.added.push_back("+ " + now.line);
    }
  }
  return changes;
}

std::vector<std::string> check_exports(const std::vector<Export>& exports, const Declarations& declarations,
                                       const Surface& recorded) {
  const std::string version = fmt::format("PATCHIONER_SDK_{}", recorded.version);
  std::vector<std::string> problems;
  std::vector<std::string> found;
  std::map<std::string, size_t> functions;
  for (const Export& symbol : exports) {
    if (is_declared(symbol, declarations)) {
      ++functions[compiled_name(symbol.name)];
    }
    if (symbol.version == version) {
      found.push_back(symbol.symbol);
    } else if (symbol.version != "PATCHIONER_PRIVATE") {
      problems.push_back(fmt::format("{} is exported under {}", symbol.name,
                                     symbol.version.empty() ? "no version" : symbol.version));
    } else if (is_declared(symbol, declarations)) {
      problems.push_back(fmt::format("{} is declared by the SDK, but exported as private", symbol.name));
    }
  }
  for (const std::string& symbol : without(recorded.exports, found)) {
    problems.push_back(fmt::format("{} is no longer exported", demangled(symbol)));
  }
  for (const std::string& symbol : without(found, recorded.exports)) {
    problems.push_back(fmt::format("{} is exported under {}, but not recorded", demangled(symbol), version));
  }
  for (const auto& [name, count] : declarations.compiled) {
    if (functions[name] < count) {
      problems.push_back(fmt::format(
          "{} is declared {} and exported {}", name, count == 1 ? "once" : fmt::format("{} times", count),
          functions[name] == 0 ? "never" : fmt::format("{} times", functions[name])));
    }
  }
  return problems;
}

std::vector<std::string> exports_to_record(const std::vector<Export>& exports,
                                           const Declarations& declarations, const Surface& recorded) {
  std::vector<std::string> symbols;
  for (const Export& symbol : exports) {
    if (is_declared(symbol, declarations) || (is_fmt(symbol) && has(recorded.exports, symbol.symbol))) {
      symbols.push_back(symbol.symbol);
    }
  }
  return symbols;
}

}  // namespace sdk
