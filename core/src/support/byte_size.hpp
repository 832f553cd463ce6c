// Sizes of files as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace patchioner {

/// "50 GB", "10MiB", "1.5kB" or "0" as bytes: B, kB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers
/// of 1024), capital or not; a number alone is bytes. Throws an Error of kind usage for anything else.
uint64_t parse_bytes(std::string_view text);

/// "999 B", "1.5 kB", "23.4 GB": powers of 1000, one digit behind the point.
std::string format_bytes(uint64_t bytes);

}  // namespace patchioner
