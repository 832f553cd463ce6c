// The compression of SHA-256, which is all of its time: portable, and with the processor's own instructions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace patchioner {

using Sha256State = std::array<uint32_t, 8>;
constexpr size_t kSha256BlockBytes = 64;

/// Takes `count` blocks of kSha256BlockBytes bytes into the state (FIPS 180-4, section 6.2.2).
void compress_sha256(Sha256State& state, const uint8_t* blocks, size_t count);

/// The same in portable code, for processors without such instructions.
void compress_sha256_portable(Sha256State& state, const uint8_t* blocks, size_t count);

}  // namespace patchioner
