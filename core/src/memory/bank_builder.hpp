// Builds a memory bank from any number of texts in bounded memory, and goes on where an earlier attempt was
// stopped or killed.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/text_source.hpp"

namespace patchioner {

/// The text side that a bank is built with.
struct BankEncoder {
  std::function<at::Tensor(std::span<const std::string> texts)> encode;  ///< [N,D] float32, not normalised
  int64_t dim = 0;
  std::string fingerprint;  ///< Backbone::text_fingerprint
  bool truncates = false;   ///< texts that are too long are cut; otherwise `encode` refuses them
};

/// A file of texts and the name that it is recorded under.
struct BankSource {
  std::filesystem::path path;
  std::string name;
};

struct BankBuildOptions {
  std::filesystem::path target;  ///< ends in .safetensors
  std::vector<BankSource> sources;
  TextFormat format = TextFormat::automatic;
  int64_t limit = 0;  ///< only the first so many texts are looked at; 0 means all
  int64_t size =
      0;  ///< a random sample of so many, in the order of the file; 0, or more than there are, means all
  uint64_t seed = 42;        ///< of the sample
  bool deduplicate = false;  ///< texts that came before are left out; takes about 50 bytes of memory a text
  int64_t batch = 256;       ///< texts encoded at once
  bool overwrite = false;    ///< a bank of that name may be replaced
  std::map<std::string, std::string> metadata;  ///< recorded beside what the builder records
};

struct BankBuildResult {
  int64_t rows = 0;          ///< of the bank
  int64_t texts_read = 0;    ///< of the sources; 0 when an earlier attempt had read them
  int64_t duplicates = 0;    ///< left out
  int64_t resumed_rows = 0;  ///< that an earlier attempt had encoded
  bool finished = false;     ///< false after an interrupt: the same call goes on
};

/// For callers who want to know before they load a model. Throws Error: usage when the target's name or an
/// option's value is wrong, the bank or its texts file exists and may not be replaced, or a source is one of
/// the files that the build writes; io when the target's folder cannot be written or a source is not there.
/// The file for standard input need not be there yet.
void check_bank_build(const BankBuildOptions& options);

/// Reads, selects, encodes and writes `target` and its texts file. While it works, what it has lies beside
/// the target in files ending in
/// `.partial`; the same call with the same sources, options and encoder goes on from them and ends in the
/// same bytes. Throws Error: usage (the target exists, a wrong name), data (no texts, a text the encoder
/// refuses, embeddings that are zero or not finite), io.
BankBuildResult build_memory_bank(const BankBuildOptions& options, const BankEncoder& encoder);

/// Where standard input is kept while a bank is built from it.
std::filesystem::path bank_input_file(const std::filesystem::path& target);

}  // namespace patchioner
