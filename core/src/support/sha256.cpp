// SHA-256 as FIPS 180-4 defines it; section numbers below are that standard's.
#include <algorithm>

#include "support/files.hpp"
#include "support/sha256_blocks.hpp"

namespace patchioner {
namespace {

// Section 5.3.3.
constexpr Sha256State kStart = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/// What stands behind the last whole block, with the padding of section 5.1.1: one or two blocks.
std::vector<uint8_t> padded(std::span<const uint8_t> rest, uint64_t total_bytes) {
  constexpr size_t kLengthBytes = 8;
  std::vector<uint8_t> blocks(rest.begin(), rest.end());
  blocks.push_back(0x80);
  blocks.resize(rest.size() + 1 + kLengthBytes <= kSha256BlockBytes ? kSha256BlockBytes
                                                                    : 2 * kSha256BlockBytes);
  const uint64_t bits = total_bytes * 8;
  for (size_t i = 0; i < kLengthBytes; ++i) {
    blocks[blocks.size() - 1 - i] = static_cast<uint8_t>(bits >> (8 * i));
  }
  return blocks;
}

/// The digest; `after_piece(begin, count)` is called after each piece of the bytes.
template <class AfterPiece>
std::string digest_of(std::span<const std::byte> bytes, AfterPiece&& after_piece) {
  constexpr size_t kPieceBlocks = (size_t{8} << 20) / kSha256BlockBytes;
  const std::span data(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  const size_t whole_blocks = data.size() / kSha256BlockBytes;
  Sha256State state = kStart;
  for (size_t done = 0; done < whole_blocks; done += kPieceBlocks) {
    const size_t blocks = std::min(kPieceBlocks, whole_blocks - done);
    compress_sha256(state, data.data() + done * kSha256BlockBytes, blocks);
    after_piece(done * kSha256BlockBytes, blocks * kSha256BlockBytes);
  }
  const std::vector<uint8_t> last = padded(data.subspan(whole_blocks * kSha256BlockBytes), data.size());
  compress_sha256(state, last.data(), last.size() / kSha256BlockBytes);
  std::string text;
  for (const uint32_t word : state) {
    text += fmt::format("{:08x}", word);
  }
  return text;
}

}  // namespace

std::string sha256(std::span<const std::byte> bytes) {
  return digest_of(bytes, [](size_t, size_t) {});
}

std::string sha256(std::string_view text) {
  return sha256(std::as_bytes(std::span<const char>(text.data(), text.size())));
}

std::string sha256_of_file(const std::filesystem::path& path) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  // A large file must not take its size in memory for a digest.
  return digest_of(file->bytes(), [&file](size_t begin, size_t count) { file->release_pages(begin, count); });
}

}  // namespace patchioner
