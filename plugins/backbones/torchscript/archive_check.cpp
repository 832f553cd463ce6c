#include "archive_check.hpp"

#include <caffe2/serialize/versions.h>
#include <torch/version.h>

#include <charconv>
#include <patchioner/error.hpp>

#include "checkpoint/checkpoint_family.hpp"
#include "checkpoint/zip_archive.hpp"

namespace patchioner {
namespace {

/// The one entry whose name ends like that, at whatever depth, or nullptr.
const ZipEntry* entry_ending(const ZipArchive& archive, std::string_view end) {
  for (const ZipEntry& entry : archive.entries()) {
    if (entry.name.ends_with(end)) {
      return &entry;
    }
  }
  return nullptr;
}

bool holds_folder(const ZipArchive& archive, std::string_view folder) {
  return std::any_of(archive.entries().begin(), archive.entries().end(),
                     [&](const ZipEntry& entry) { return entry.name.find(folder) != std::string::npos; });
}

/// The number in the archive's file "version", or 0 where there is none.
uint64_t format_version(const ZipArchive& archive) {
  const ZipEntry* entry = entry_ending(archive, "/version");
  uint64_t version = 0;
  if (entry != nullptr) {
    const ByteRange content = archive.read(*entry);
    const auto* begin = reinterpret_cast<const char*>(content.bytes.data());
    std::from_chars(begin, begin + content.bytes.size(), version);
  }
  return version;
}

void check_version(const ZipArchive& archive, const std::filesystem::path& file, const std::string& option) {
  using namespace caffe2::serialize;
  const uint64_t version = format_version(archive);
  if (version > kMaxSupportedFileFormatVersion) {
    throw Error(
        ErrorKind::checkpoint,
        "{}: `{}` was exported by a newer PyTorch: its format is version {}, and LibTorch {} reads up to "
        "version {}; export it with PyTorch {} or an older one",
        file.string(), option, version, TORCH_VERSION, kMaxSupportedFileFormatVersion, TORCH_VERSION);
  }
}

/// A checkpoint: weights that any program may load, without the code that computes with them.
[[noreturn]] void refuse_weights_alone(const StateDict& checkpoint, const std::string& option) {
  const CheckpointIdentity identity = identify(checkpoint);
  const bool known = identity.family != CheckpointFamily::unknown;
  throw Error(
      ErrorKind::checkpoint,
      "{} ({}) holds {} without the code that computes with {}, but `{}` must be a TorchScript archive; {}{}",
      checkpoint.path().string(), to_string(checkpoint.format()), known ? identity.words : "tensors",
      known ? "its tensors" : "them", option, kHowToExport,
      known ? "; as it is, " + advice(identity.family) : std::string());
}

/// The weights in an archive, or nothing: it may hold a pickled module, or nothing of PyTorch's.
std::optional<StateDict> weights_in(const std::filesystem::path& file) {
  try {
    return StateDict::open(file);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

void require_script_archive(const std::filesystem::path& file, const std::string& option) {
  const auto mapped = MappedFile::open(file);
  if (!looks_like_zip(mapped->bytes())) {
    refuse_weights_alone(StateDict::open(file), option);
  }
  const auto archive = ZipArchive::open(mapped);
  if (entry_ending(*archive, "/constants.pkl") != nullptr && holds_folder(*archive, "/code/")) {
    check_version(*archive, file, option);
    return;
  }
  if (holds_folder(*archive, "data/aotinductor/") || entry_ending(*archive, "archive_format") != nullptr ||
      entry_ending(*archive, "serialized_exported_program.json") != nullptr) {
    throw Error(
        ErrorKind::checkpoint,
        "{} is what torch.export or AOTInductor writes (.pt2), but `{}` must be a TorchScript archive; {}",
        file.string(), option, kHowToExport);
  }
  if (const auto weights = weights_in(file)) {
    refuse_weights_alone(*weights, option);
  }
  throw Error(ErrorKind::checkpoint,
              "{}: no TorchScript code is in this archive, but `{}` must be a TorchScript archive; {}",
              file.string(), option, kHowToExport);
}

}  // namespace patchioner
