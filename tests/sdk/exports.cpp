#include "exports.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <memory>
#include <patchioner/error.hpp>
#include <sstream>

#include "support/run_process.hpp"
#include "support/temporary_folder.hpp"

namespace sdk {
std::string demangled(const std::string& symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), std::free);
  return status == 0 ? name.get() : symbol;
}

std::vector<Export> read_exports(const std::filesystem::path& library) {
  const patchioner::TemporaryFolder scratch;
  const patchioner::ProcessEnd end =
      patchioner::run_process({"nm", "--dynamic", "--defined-only", library.string()}, ".", scratch.path());
  if (end.status != 0) {
    throw patchioner::Error(patchioner::ErrorKind::data, "{}: nm cannot read it: {}", library.string(),
                            end.errors);
  }
  std::vector<Export> exports;
  std::istringstream lines(end.output);
  for (std::string address, type, symbol; lines >> address >> type >> symbol;) {
    const size_t at = symbol.find('@');
    const std::string bare = symbol.substr(0, at);
    if (type == "A") {
      continue;  // a node itself
    }
    exports.push_back({bare, demangled(bare),
                       at == std::string::npos ? "" : symbol.substr(symbol.find_first_not_of('@', at))});
  }
  std::sort(exports.begin(), exports.end(),
            [](const Export& left, const Export& right) { return left.symbol < right.symbol; });
  return exports;
}

std::string compiled_name(const std::string& name) {
  int depth = 0;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '(' && depth == 0) {
      const std::string function = name.substr(0, i);
      return function.substr(0, function.find("[abi:"));
    }
    depth += name[i] == '<' ? 1 : name[i] == '>' ? -1 : 0;
  }
  return name;
}

bool is_declared(const Export& symbol, const Declarations& declarations) {
  const std::string name = compiled_name(symbol.name);
  if (!declarations.compiled.contains(name)) {
    return false;
  }
  // Core has functions of the same names for types of its own.
  constexpr std::string_view kNamespace = "patchioner::";
  for (size_t i = symbol.name.find(kNamespace, name.size()); i != std::string::npos;
       i = symbol.name.find(kNamespace, i + 1)) {
    size_t end = i + kNamespace.size();
    while (end < symbol.name.size() &&
           (std::isalnum(static_cast<unsigned char>(symbol.name[end])) != 0 || symbol.name[end] == '_')) {
      ++end;
    }
    if (!declarations.types.contains(symbol.name.substr(i, end - i))) {
      return false;
    }
  }
  return true;
}

bool is_fmt(const Export& symbol) {
  return symbol.symbol.starts_with("_ZN3fmt") || symbol.symbol.starts_with("_ZNK3fmt");
}

}  // namespace sdk
