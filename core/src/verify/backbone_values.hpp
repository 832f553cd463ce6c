// What the cases of several backbones read and compute alike.
#pragma once

#include <ATen/ATen.h>

#include <patchioner/value.hpp>
#include <string>

#include "runtime/plugin_host.hpp"

namespace patchioner {

/// "ref16/self_attn" asks for 16 pseudo-heads of the attention map, "model/self_attn" for the network's own:
/// fills the value of the option `map_heads` and the rest of the name. False for other names.
bool split_map_heads(const std::string& name, Value& heads, std::string& rest);

/// Every row brought to unit length, by the plugin that does so in a chain without a memory.
at::Tensor unit_rows(PluginHost& host, const at::Tensor& rows);

}  // namespace patchioner
