// Whether a plugin uses what is the program's own.
#pragma once

#include <string>

#include "runtime/elf_file.hpp"

namespace patchioner {

/// What to tell of a library that needs symbols of the runtime library which are no part of the SDK
/// (PATCHIONER_PRIVATE, cmake/PatchionerExports.cmake): a sentence that begins after the file's name. Empty
/// when it needs none, and for what lies in the program's own folder of plugins.
std::string private_use(const ElfFile& library);

}  // namespace patchioner
