// A checkpoint's tensors by name, for plugins that have weights.
//
//     Weights weights(options.weights, "my_vit");
//     patch_ = weights.get("patch_embed.proj.weight", {width, 3, patch, patch});
//     norm_ = weights.get("norm.weight", {width});
//     weights.ignore("head.");
//     weights.finish();
//     fingerprint_ = weights.digest();  // of text_fingerprint(); later the file may have moved
//
// Read everything, then finish(), then compute: until finish() has passed, a tensor may be a stand-in for one
// that is missing.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <vector>

namespace patchioner {

/// A file of weights: safetensors (one file, or a sharded index), or what torch.save and TorchScript write
/// (.pt, .pth, .bin). It is recognised by its content, and no code in it is run. A map "state_dict" or
/// "model" that is all there is, and a prefix that all names share ("module.", "model."), are left out of the
/// names. [one-thread]
class Weights {
 public:
  /// Opens the file and reads which tensors there are; `what` says in messages whose weights they are. Throws
  /// Error: io when the file cannot be opened, checkpoint when it is damaged or of no known format.
  Weights(const std::string& path, const std::string& what);

  /// All names, in the order of the file.
  std::vector<std::string> names() const;

  /// Whether there is a tensor of that name. Never throws.
  bool contains(const std::string& name) const;

  /// The shape of a tensor, which is not read for it. Throws an Error of kind checkpoint with the nearest
  /// names when there is none.
  std::vector<int64_t> shape(const std::string& name) const;

  /// The tensor as float32, contiguous, on the CPU; it outlives this object and may share the file's memory,
  /// so that nobody writes to it. A size of -1 in `shape` takes any. One that is missing or of another shape
  /// gives an empty tensor and is remembered for finish(). Throws an Error of kind checkpoint for one that
  /// cannot be read.
  at::Tensor get(const std::string& name, const std::vector<int64_t>& shape);

  /// Names that begin like this may stay unused without a word.
  void ignore(const std::string& prefix);

  /// Throws one Error of kind checkpoint with a table of all tensors that were missing or of another shape,
  /// with the nearest names. Tensors that nobody asked for are a line of the log.
  void finish();

  /// SHA-256 of the file, hexadecimal: what Backbone::text_fingerprint() is made of. Reads all of it, so ask
  /// once, in the constructor. Throws an Error of kind io when the file is no longer there.
  std::string digest() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  ///< copies share it
};

}  // namespace patchioner
