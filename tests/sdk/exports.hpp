// What a shared library exports.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "declarations.hpp"

namespace sdk {

struct Export {
  std::string symbol;   ///< as the linker knows it
  std::string name;     ///< as C++ writes it
  std::string version;  ///< the node of the version script; empty when it has none
};

/// The exported symbols in the order of their names, as nm (binutils) lists them. Throws an Error of kind
/// data when it cannot read the library.
std::vector<Export> read_exports(const std::filesystem::path& library);

/// A symbol as C++ writes it; itself when it is no name of C++.
std::string demangled(const std::string& symbol);

/// The name in Declarations::compiled: "patchioner::Value::as_map" of "patchioner::Value::as_map[abi:cxx11]()
/// const", and "vtable for patchioner::Backbone" as it is.
std::string compiled_name(const std::string& name);

/// Whether a symbol is something that `declarations` leave to the library.
bool is_declared(const Export& symbol, const Declarations& declarations);

/// Whether a symbol is {fmt}'s, whose functions the SDK's inline functions call.
bool is_fmt(const Export& symbol);

}  // namespace sdk
