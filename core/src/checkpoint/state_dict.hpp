// One view of any checkpoint: names and tensors, wherever they lie. Files are recognised by content, never by
// name: safetensors (one file or a sharded index), torch.save zip archives, TorchScript archives, the stream
// of PyTorch before 1.6 (spec/02 sections 12 and 13).
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchioner {

/// What a file turned out to be.
enum class CheckpointFormat { safetensors, torch_zip, torch_script, torch_legacy, pickle };
std::string_view to_string(CheckpointFormat format);

/// Name, shape and element type of a tensor that has not been read yet.
struct TensorInfo {
  std::string name;
  std::vector<int64_t> shape;
  at::ScalarType dtype = at::kFloat;
};

/// An entry of a container that is not flat, for showing it: a dotted path and what is there in a few words
/// ("map of 302").
struct LayoutItem {
  std::string path;
  std::string what;
};

/// Where a state dict's tensors come from; implemented by the readers.
class TensorSource {
 public:
  virtual ~TensorSource() = default;
  virtual const std::vector<TensorInfo>& infos() const = 0;
  /// The tensor in the file's own dtype, contiguous, on the CPU. Throws an Error of kind checkpoint when it
  /// cannot be built (an opaque node where a tensor was wanted names the class).
  virtual at::Tensor read(const std::string& name) const = 0;
  virtual CheckpointFormat format() const = 0;
  /// The string map of safetensors, plain scalars of other containers ("model" prefixes etc. are not
  /// metadata); may be empty.
  virtual const std::map<std::string, std::string>& metadata() const = 0;
  /// Entries that are there but are no readable tensor ("w" -> "an object of the class 'posix.system'"), by
  /// name.
  virtual const std::map<std::string, std::string>& unreadable() const;
  /// The files that the tensors lie in, for digests; the first one is the one that was opened.
  virtual std::vector<std::filesystem::path> files() const = 0;
  /// Lets go of the memory that reading has filled with pages of the files; they are read again when they are
  /// needed. Tensors that were changed in place stay as they are; nobody may be changing one meanwhile.
  virtual void release_pages() const {}
  /// The first levels of a nested container, tensors left out; empty for flat ones.
  virtual std::vector<LayoutItem> layout() const { return {}; }
};

/// A checkpoint, or a part of it under a prefix. Cheap to copy. [any-thread]
class StateDict {
 public:
  /// Holds nothing.
  StateDict();

  /// Opens and checks the container (header, directory, pickle); tensors are read when asked for. Without
  /// `root`, a single top-level "state_dict" or "model" map is entered, and a wrapper's prefix in front of
  /// all keys ("module.", "model.", "clip.") is dropped; names that still carry it are found all the same.
  /// With `root` the map at that dotted path is entered ("" is the whole file) and names are left as they
  /// are. Nested maps are flattened with dots. Throws Error: io when it cannot be opened, checkpoint when it
  /// is damaged, hostile or of no known format.
  static StateDict open(const std::filesystem::path& path, std::optional<std::string> root = std::nullopt);

  /// From tensors in memory, for tests and tools.
  static StateDict from_tensors(std::map<std::string, at::Tensor> tensors, std::string name = "memory");

  const std::filesystem::path& path() const { return path_; }
  CheckpointFormat format() const;
  const std::map<std::string, std::string>& metadata() const;

  /// Names under this view, in the file's order, without the prefix.
  std::vector<std::string> names() const;
  bool contains(std::string_view name) const;
  bool contains_prefix(std::string_view prefix) const;
  /// Shape and dtype without reading; nullptr when absent.
  const TensorInfo* info(std::string_view name) const;

  /// The tensor in the file's dtype; an absent name throws an Error of kind checkpoint with the nearest
  /// names.
  at::Tensor tensor(std::string_view name) const;

  /// Why an entry of that name is no readable tensor ("a quantised tensor ..."), or empty.
  std::string unreadable(std::string_view name) const;

  /// "weights.pth (torch zip; names as in open_clip)" without the folders, for messages.
  std::string description() const;

  /// The part whose names begin with `prefix`, shown without it.
  StateDict with_prefix(std::string_view prefix) const;
  /// The same tensors under other names: `rename` gives the new name, or an empty text to leave a tensor out.
  StateDict renamed(const std::function<std::string(const std::string&)>& rename) const;

  /// SHA-256 of the file (computed once, then remembered by path, size and modification time); of a sharded
  /// checkpoint that of the digests of all its files. Empty for tensors in memory.
  std::string digest() const;

  /// Where the tensors come from, unfiltered and not renamed.
  const TensorSource& source() const { return *source_; }

 private:
  struct Entry {
    TensorInfo info;
    std::string source_name;
    std::string problem;  ///< not empty: no readable tensor, and why; such entries are not in names()
  };
  StateDict(std::filesystem::path path, std::shared_ptr<const TensorSource> source);
  void add(Entry entry);
  const Entry* find(std::string_view name) const;
  bool any_begins_with(std::string_view start) const;
  std::string_view without_dropped(std::string_view prefix) const;
  std::filesystem::path path_;
  std::shared_ptr<const TensorSource> source_;
  std::vector<Entry> entries_;
  std::map<std::string, size_t, std::less<>> index_;
  std::string dropped_prefix_;
};

/// Fetches the tensors of a model one by one and remembers what went wrong, so that loading reports every
/// missing, unexpected and mis-shaped key in one table with the nearest names, instead of the first one.
///
///     TensorLoader loader(state_dict, "CLIP image tower");
///     weight = loader.get("visual.proj", {width, dim});
///     loader.ignore_prefix("text.");
///     loader.finish();                       // throws if anything was missing or mis-shaped
class TensorLoader {
 public:
  TensorLoader(StateDict state_dict, std::string what);

  /// The tensor as float32, contiguous. A shape entry of -1 accepts any size. A missing or mis-shaped tensor
  /// is noted and a zero-size tensor is returned, to be reported by finish().
  at::Tensor get(const std::string& name, std::vector<int64_t> shape);

  /// Like get, but an absent tensor is fine and gives an undefined one.
  at::Tensor get_optional(const std::string& name, std::vector<int64_t> shape);

  /// Notes what get would note, without reading the tensor.
  void check(const std::string& name, std::vector<int64_t> shape);

  /// Names that may be there without being read (a known extra: "mask_token", "head.").
  void ignore(const std::string& name);
  void ignore_prefix(const std::string& prefix);

  /// TensorSource::release_pages() of the file.
  void release_pages() const { state_dict_.source().release_pages(); }

  /// Throws one Error of kind checkpoint with a table of missing and mis-shaped names; unexpected ones only
  /// make a log line.
  void finish();

 private:
  struct Missing {
    std::string name;
    std::vector<int64_t> shape;
  };
  struct MisShaped {
    std::string name;
    std::vector<int64_t> found;
    std::vector<int64_t> expected;
  };
  bool accept(const std::string& name, std::vector<int64_t> shape);
  at::Tensor read(const std::string& name) const;
  std::string report() const;
  std::vector<std::string> unexpected() const;
  StateDict state_dict_;
  std::string what_;
  std::vector<Missing> missing_;
  std::vector<MisShaped> mis_shaped_;
  std::set<std::string, std::less<>> used_;
  std::vector<std::string> ignored_prefixes_;
};

/// A tensor of a file that is to be written: what it is, and what makes it when its turn comes, so that only
/// one at a time is in memory.
struct TensorToWrite {
  TensorInfo info;
  std::function<at::Tensor()> make;  ///< gives exactly what `info` says
  std::optional<size_t> same_as;     ///< the place of an earlier one that it is equal to (a tied weight)
};

/// Writes tensors one after the other as one safetensors file, atomically. An Error of kind internal for a
/// name that occurs twice and for a tensor that is not what was announced.
void stream_safetensors(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                        const std::map<std::string, std::string>& metadata = {});

/// The same in the format of write_torch_state_dict; tensors that are the same share a storage.
void stream_torch_state_dict(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors);

/// Writes tensors as one safetensors file, atomically. Names are written in the order of the vector.
void write_safetensors(const std::filesystem::path& path,
                       const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

/// Writes tensors as torch.save would write an ordered state dict (zip, data.pkl, protocol 2), atomically;
/// PyTorch's torch.load with weights_only=True reads it.
void write_torch_state_dict(const std::filesystem::path& path,
                            const std::vector<std::pair<std::string, at::Tensor>>& tensors);

/// Turns a weights path of a config into a file: an ordinary path is returned as it is;
/// `hf:org/name[@revision][:file]` is looked up in the local Hugging Face cache (HF_HUB_CACHE, HF_HOME,
/// ~/.cache/huggingface; blobs, refs, snapshots). When it is not there the Error (kind checkpoint) holds the
/// command to type. Without a file name it is the first of `default_files` that is there: the names that
/// backbones and decoders are published under.
std::filesystem::path resolve_weights(const std::string& path,
                                      const std::vector<std::string>& default_files = {
                                          "model.safetensors", "model.safetensors.index.json",
                                          "pytorch_model.bin", "pytorch_model.bin.index.json",
                                          "open_clip_model.safetensors", "open_clip_pytorch_model.bin",
                                          "decoder.pt"});

}  // namespace patchioner
