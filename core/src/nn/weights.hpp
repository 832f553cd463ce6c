// Where a block gets its tensors from. A block asks for each tensor by name and shape while it is built;
// behind the question stands a checkpoint, or a trainer that makes a parameter when it is asked for the first
// time.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <vector>

#include "checkpoint/state_dict.hpp"

namespace patchioner {

/// Name and shape in, float32 tensor of that shape out. A tensor that requires gradients stays a trainable
/// parameter of the block: blocks keep it as it is and use it afresh in every call.
using WeightSource = std::function<at::Tensor(const std::string& name, const std::vector<int64_t>& shape)>;

/// The tensors of a checkpoint, moved to `device`. What is missing or mis-shaped is noted in the loader and
/// stands as zeros until loader.finish() reports it, so that one table names all of it. On the meta
/// device names and shapes are checked alone, and nothing is read. From time to time the pages of the file
/// are let go of. The loader must outlive the source.
WeightSource weights_from(TensorLoader& loader, at::Device device = at::kCPU);

/// The same source with `prefix` put in front of every name.
WeightSource with_prefix(WeightSource source, std::string prefix);

}  // namespace patchioner
