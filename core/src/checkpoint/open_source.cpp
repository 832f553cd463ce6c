#include "checkpoint/open_source.hpp"

#include <patchioner/error.hpp>

#include "checkpoint/safetensors.hpp"
#include "checkpoint/sharded.hpp"
#include "checkpoint/torch_files.hpp"
#include "checkpoint/torch_stream.hpp"
#include "checkpoint/zip_archive.hpp"

namespace patchioner {
namespace {

struct Signature {
  std::string_view start;
  std::string_view meaning;
};

/// What people have under a weights name when it is not weights.
constexpr Signature kForeign[] = {
    {"version https://git-lfs",
     "a Git LFS pointer, not the weights themselves: run 'git lfs pull' in that repository"},
    {"<!DOCTYPE", "a web page: the download went wrong, fetch the file again"},
    {"<!doctype", "a web page: the download went wrong, fetch the file again"},
    {"<html", "a web page: the download went wrong, fetch the file again"},
    {"\x1f\x8b", "a gzip file: unpack it first"},
    {"\x89HDF", "an HDF5 file, not a checkpoint"},
    {"GGUF", "a GGUF file, which is not read"},
    {"\x93NUMPY", "a NumPy array file, not a checkpoint"},
};

}  // namespace

std::shared_ptr<const TensorSource> open_source(const std::filesystem::path& path,
                                                const std::optional<std::string>& root) {
  auto file = MappedFile::open(path);
  return looks_like_shard_index(file->text()) ? open_sharded(std::move(file))
                                              : open_single_file(std::move(file), root);
}

std::shared_ptr<const TensorSource> open_single_file(std::shared_ptr<const MappedFile> file,
                                                     const std::optional<std::string>& root) {
  const std::filesystem::path path = file->path();
  const std::string_view text = file->text();
  if (text.empty()) {
    throw Error(ErrorKind::checkpoint, "{}: the file is empty (0 bytes); fetch or write it again",
                path.string());
  }
  for (const auto& [start, meaning] : kForeign) {
    if (text.starts_with(start)) {
      throw Error(ErrorKind::checkpoint, "{}: this is {}", path.string(), meaning);
    }
  }
  if (looks_like_safetensors(file->bytes())) {
    return open_safetensors(std::move(file));
  }
  if (looks_like_zip(file->bytes())) {
    return open_torch_zip(std::move(file), root);
  }
  if (looks_like_torch_stream(file->bytes())) {
    return open_torch_stream(std::move(file), root);
  }
  if (looks_like_pickle(file->bytes())) {
    return open_pickle(std::move(file), root);
  }
  throw Error(ErrorKind::checkpoint,
              "{}: no checkpoint of a known format (safetensors, torch.save archive or stream, TorchScript "
              "archive, pickle); if it was fetched, "
              "fetch it again",
              path.string());
}

}  // namespace patchioner
