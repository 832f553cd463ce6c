// What can be known about a shared library without opening it: a reader of the parts of the ELF format
// (System V gABI, chapters 4 and 5) that decide whether the dynamic linker will take it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace patchioner {

struct ElfFile {
  std::filesystem::path path;
  std::string soname;
  std::vector<std::string> needed;     ///< DT_NEEDED, in order
  std::vector<std::string> rpath;      ///< DT_RPATH, split, $ORIGIN replaced
  std::vector<std::string> runpath;    ///< DT_RUNPATH, split, $ORIGIN replaced
  std::vector<std::string> functions;  ///< that it exports; empty when there is no section table
  bool has_symbol_table = false;
  /// The versions of other libraries that its symbols are bound to (DT_VERNEED), with the names of these
  /// symbols; the names are missing when there is no section table.
  std::map<std::string, std::vector<std::string>> versions_needed;

  /// Throws an Error of kind plugin whose sentence begins after the file's name ("it is empty ...", "it is a
  /// text file ...", "it was built for aarch64 ..."), and of kind io when the file cannot be opened.
  static ElfFile read(const std::filesystem::path& path);
};

/// "x86-64", "aarch64" ... of an ELF machine number.
std::string machine_name(unsigned machine);

/// `text` with the first name in it that a compiler encoded ("_ZN10patchioner...") as C++ would write it.
std::string demangled(const std::string& text);

/// One library that a file needs, directly or through another one.
struct Dependency {
  std::string name;
  std::string needed_by;       ///< file name of the library that asks for it
  std::filesystem::path path;  ///< where it was found; empty when it was not
  std::string how;  ///< "already loaded", "RUNPATH", "LD_LIBRARY_PATH", "linker cache", "system folder", or
                    ///< where was looked

  bool found() const { return !path.empty(); }
};

/// Everything that `file` needs, breadth first, each name once, by the rules of ld.so(8). Nothing is loaded.
std::vector<Dependency> dependencies_of(const ElfFile& file);

}  // namespace patchioner
