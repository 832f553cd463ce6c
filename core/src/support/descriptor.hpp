// Writing through file descriptors.
#pragma once

#include <cstdint>
#include <string_view>

namespace patchioner {

/// Writes all bytes, however few the system takes at a time and whatever signals come between. False when it
/// refuses; errno says why.
bool write_all(int descriptor, std::string_view bytes);

/// The same from the place `offset` of the file on; the descriptor's own place does not move.
bool write_all_at(int descriptor, std::string_view bytes, uint64_t offset);

}  // namespace patchioner
