// What the cases of several backbones read and compute alike.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <initializer_list>
#include <patchioner/value.hpp>
#include <string>
#include <utility>
#include <vector>

#include "runtime/plugin_host.hpp"
#include "verify/case_images.hpp"
#include "verify/verify.hpp"

namespace patchioner {

/// The options of a case whose "weights" is one file: the plugin, the file, and the numbers of the case that
/// are options under another name ({"heads_vision", "heads"}), where it has them.
Value::Map case_options(const GoldenCase& golden, const std::string& plugin,
                        std::initializer_list<std::pair<const char*, const char*>> numbers);

/// "big_resolution": 36 in a case stands for {"big_", 36}: what begins with "big_" was made at 36 pixels.
std::vector<std::pair<std::string, int64_t>> case_resolutions(const GoldenCase& golden);

/// Compares every intermediate of the backbone that the case holds under the name that `full_name` makes of
/// it, and gives what the backbone made of `input`.
ImageFeatures compare_intermediates(const GoldenCase& golden, CaseReport& report, const Backbone& backbone,
                                    const std::function<std::string(const std::string&)>& full_name,
                                    const at::Tensor& input);

/// Compares what the interface hands out with the tokens `name` [B,1+G,D], where the case holds them: they
/// must be the same numbers.
void compare_tokens(const GoldenCase& golden, CaseReport& report, const std::string& name,
                    const ImageFeatures& features);

/// Compares the texts "text_ids" with "text_embed", where the case holds them.
void compare_text_ids(const GoldenCase& golden, CaseReport& report, const Backbone& backbone);

/// Compares the position table `name` at a grid, where the case holds it.
void compare_position_table(const GoldenCase& golden, CaseReport& report, const Backbone& backbone,
                            const std::string& name, int64_t rows, int64_t columns);

/// "ref16/self_attn" asks for 16 pseudo-heads of the attention map, "model/self_attn" for the network's own:
/// fills the value of the option `map_heads` and the rest of the name. False for other names.
bool split_map_heads(const std::string& name, Value& heads, std::string& rest);

/// Every row brought to unit length, by the plugin that does so in a chain without a memory.
at::Tensor unit_rows(CaseHost& host, const at::Tensor& rows);

}  // namespace patchioner
