#include "image_outputs.hpp"

#include <fmt/ranges.h>

#include <cmath>
#include <limits>
#include <patchioner/error.hpp>

#include "checkpoint/tensor_bytes.hpp"
#include "nn/unit_length.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {

/// An output that was asked for, with what asked for it.
struct ImageOutputs::Named {
  at::Tensor tensor;   // float32
  std::string option;  // "patches"
  std::string source;  // "forward of vit.pt"

  int64_t size(int64_t axis) const { return tensor.size(axis); }

  /// "forward of vit.pt gives [1,8,4,4] for `patches`"
  std::string words() const {
    return fmt::format("{} gives {} for `{}`", source, shape_text(tensor.sizes()), option);
  }
};

namespace {

/// The root of a square number, or 0.
int64_t square_root(int64_t number) {
  const auto root =
      static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(std::max<int64_t>(number, 0)))));
  return root * root == number ? root : 0;
}

/// The fewest tokens that leave a square number of them, when that is few enough for a class token and
/// registers.
std::optional<int64_t> likely_prefix(int64_t tokens) {
  constexpr int64_t kMostPrefix = 32;
  for (int64_t prefix = 0; prefix <= std::min(kMostPrefix, tokens - 1); ++prefix) {
    if (square_root(tokens - prefix) > 0) {
      return prefix;
    }
  }
  return std::nullopt;
}

/// Which layouts an output of that shape may have.
std::string fitting_layouts(const at::Tensor& output) {
  if (output.dim() == 2) {
    return "; [B,D] is `patch_layout: vector`";
  }
  if (output.dim() == 3) {
    return "; [B,T,D] is `patch_layout: tokens`";
  }
  if (output.dim() == 4) {
    return "; [B,D,rows,columns] is `patch_layout: channels`, [B,rows,columns,D] is `patch_layout: grid`";
  }
  return "; export a wrapper that gives [B,T,D]";
}

std::string_view shape_of_layout(std::string_view layout) {
  return layout == "vector"     ? "[B,D]"
         : layout == "tokens"   ? "[B,T,D]"
         : layout == "channels" ? "[B,D,rows,columns]"
                                : "[B,rows,columns,D]";
}

/// "0 [1,17,8], 1 [1,8]": outputs with their shapes.
std::string outputs_text(const NamedTensors& outputs) {
  std::vector<std::string> words;
  for (const auto& [name, tensor] : outputs) {
    words.push_back(fmt::format("{} {}", name, shape_text(tensor.sizes())));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace

std::string output_name(const Value& choice, const std::string& option) {
  if (choice.is_null()) {
    return {};
  }
  if (choice.type() == Value::Type::integer) {
    return std::to_string(choice.as_integer());
  }
  if (!choice.is_text()) {
    throw Error(ErrorKind::config,
                "{}: `{}` must be the place of an output in a tuple (0, 1 ... or '1.0' in quotes) or its key "
                "in a dict, found {}",
                choice.origin().to_string(), option, to_string(choice.type()));
  }
  return choice.as_text();
}

const at::Tensor& chosen_output(const NamedTensors& outputs, const std::string& name,
                                const std::string& option, const std::string& source) {
  if (name.empty()) {
    if (outputs.size() > 1) {
      throw Error(ErrorKind::data, "{} gives several outputs ({}); say by `{}` which one is meant", source,
                  outputs_text(outputs), option);
    }
    return outputs.front().second;
  }
  std::vector<std::string> names;
  for (const auto& [known, tensor] : outputs) {
    if (known == name) {
      return tensor;
    }
    names.push_back(known);
  }
  const std::string nearest = nearest_name(name, names);
  throw Error(ErrorKind::data, "`{}` is '{}', but {} gives {}{}", option, name, source, outputs_text(outputs),
              nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
}

ImageOutputs::ImageOutputs(TorchScriptOptions options, std::string source)
    : options_(std::move(options)),
      source_(std::move(source)),
      patches_(output_name(options_.patches, "patches")),
      global_(output_name(options_.global, "global")),
      attention_(output_name(options_.attention, "attention")) {
  const bool token_of_patches = options_.global_token >= 0 && global_.empty();
  if (token_of_patches && options_.patch_layout != "tokens") {
    throw Error(
        ErrorKind::config,
        "`global_token: {}` is a place among tokens, but `patches` has `patch_layout: {}`; say by `global` "
        "which output holds the class token",
        options_.global_token, options_.patch_layout);
  }
  if (token_of_patches && options_.global_token >= options_.prefix_tokens) {
    throw Error(ErrorKind::config,
                "`global_token: {}` with `prefix_tokens: {}` is one of the patches; set `prefix_tokens` to "
                "the number of tokens before the patches, the class token among them",
                options_.global_token, options_.prefix_tokens);
  }
  if (has_attention() && options_.attention_layout == "full" && options_.prefix_tokens == 0) {
    throw Error(
        ErrorKind::config,
        "`attention_layout: full` reads the class token's row, but `prefix_tokens: 0` says that there is no "
        "class token; set `prefix_tokens` to the number of tokens before the patches");
  }
}

bool ImageOutputs::has_global() const {
  return !global_.empty() || options_.global_token >= 0 || options_.patch_layout == "vector";
}

ImageOutputs::Named ImageOutputs::output(const NamedTensors& outputs, const std::string& name,
                                         const char* option) const {
  return {chosen_output(outputs, name, option, source_).to(at::kFloat), option, source_};
}

ImageOutputs::Named ImageOutputs::patches_output(const NamedTensors& outputs) const {
  Named found = output(outputs, patches_, "patches");
  const std::string_view expected = shape_of_layout(options_.patch_layout);
  if (found.tensor.dim() != 1 + std::count(expected.begin(), expected.end(), ',')) {
    throw Error(ErrorKind::data, "{}, but `patch_layout: {}` is {}{}", found.words(), options_.patch_layout,
                expected, fitting_layouts(found.tensor));
  }
  return found;
}

int64_t ImageOutputs::side(const NamedTensors& outputs) const {
  const Named found = patches_output(outputs);
  if (options_.patch_layout == "vector") {
    return 1;
  }
  if (options_.patch_layout == "tokens") {
    const int64_t tokens = found.size(1);
    const int64_t side = square_root(tokens - options_.prefix_tokens);
    if (side == 0) {
      const auto likely = likely_prefix(tokens);
      throw Error(ErrorKind::data,
                  "{}: {} tokens, which are no square grid of patches behind {} others (`prefix_tokens`); {}",
                  found.words(), tokens, options_.prefix_tokens,
                  likely ? fmt::format("`prefix_tokens: {}` would leave {} x {}", *likely,
                                       square_root(tokens - *likely), square_root(tokens - *likely))
                         : "set `prefix_tokens`, or export a wrapper that gives the patches alone");
    }
    return side;
  }
  const int64_t first = options_.patch_layout == "channels" ? 2 : 1;
  if (found.size(first) != found.size(first + 1) || found.size(first) == 0) {
    throw Error(ErrorKind::data,
                "{}, a grid of {} x {} by `patch_layout: {}`, but a square image was given{}", found.words(),
                found.size(first), found.size(first + 1), options_.patch_layout,
                fitting_layouts(found.tensor));
  }
  return found.size(first);
}

at::Tensor ImageOutputs::tokens_as_grid(const Named& output, int64_t rows, int64_t columns) const {
  const int64_t patches = output.size(1) - options_.prefix_tokens;
  if (patches != rows * columns) {
    const int64_t prefix = output.size(1) - rows * columns;
    throw Error(ErrorKind::data,
                "{}: {} tokens behind the {} of `prefix_tokens`, but {} x {} patches were expected; set {}",
                output.words(), patches, options_.prefix_tokens, rows, columns,
                prefix >= 0 ? fmt::format("`prefix_tokens: {}`, or `patch_size`", prefix) : "`patch_size`");
  }
  return output.tensor.slice(1, options_.prefix_tokens).unflatten(1, {rows, columns});  // [B,rows,columns,D]
}

at::Tensor ImageOutputs::patches(const Named& output, int64_t rows, int64_t columns) const {
  if (options_.patch_layout == "tokens") {
    return tokens_as_grid(output, rows, columns);
  }
  const at::Tensor grid = options_.patch_layout == "vector"     ? output.tensor.unsqueeze(1).unsqueeze(1)
                          : options_.patch_layout == "channels" ? output.tensor.permute({0, 2, 3, 1})
                                                                : output.tensor;
  if (grid.size(1) != rows || grid.size(2) != columns) {
    throw Error(
        ErrorKind::data,
        "{}, a grid of {} x {} by `patch_layout: {}`, but {} x {} patches were expected; set `patch_size` or "
        "`patch_layout`",
        output.words(), grid.size(1), grid.size(2), options_.patch_layout, rows, columns);
  }
  return grid;
}

at::Tensor ImageOutputs::global(const NamedTensors& outputs, const Named& patches) const {
  const int64_t token = options_.global_token;
  if (global_.empty()) {
    return token >= 0 ? patches.tensor.select(1, token) : patches.tensor;  // the latter of the layout vector
  }
  const Named found = output(outputs, global_, "global");
  if (found.tensor.dim() == 2) {
    return found.tensor;
  }
  if (found.tensor.dim() != 3) {
    throw Error(ErrorKind::data,
                "{}, but [B,D] was expected, or tokens [B,T,D]; name another output by `global`",
                found.words());
  }
  if (token < 0 || token >= found.size(1)) {
    throw Error(ErrorKind::data,
                "{}: tokens; set `global_token` to the place of the class token among them, 0 to {}",
                found.words(), found.size(1) - 1);
  }
  return found.tensor.select(1, token);
}

at::Tensor ImageOutputs::attention_logits(const Named& output, int64_t rows, int64_t columns) const {
  const auto refuse = [&](std::string_view expected) {
    throw Error(ErrorKind::data,
                "{}, but `attention_layout: {}` is {}, with G = {} x {} patches and T = {} + G; set "
                "`attention_layout`, `prefix_tokens` or another output",
                output.words(), options_.attention_layout, expected, rows, columns, options_.prefix_tokens);
  };
  const int64_t patches = rows * columns;
  const int64_t tokens = options_.prefix_tokens + patches;
  const at::Tensor& values = output.tensor;
  if (options_.attention_layout == "map") {
    const bool flat = values.dim() == 2 && values.size(1) == patches;
    if (!flat && !(values.dim() == 3 && values.size(1) == rows && values.size(2) == columns)) {
      refuse("[B,rows,columns] or [B,G]");
    }
    return values.reshape({values.size(0), 1, patches});  // [B,1,G]
  }
  if (options_.attention_layout == "heads") {
    if (values.dim() != 3 || (values.size(2) != patches && values.size(2) != tokens)) {
      refuse("[B,H,G] or [B,H,T]");
    }
    return values.slice(2, values.size(2) - patches);  // [B,H,G]
  }
  if (values.dim() != 4 || values.size(2) != tokens || values.size(3) != tokens) {
    refuse("[B,H,T,T]");
  }
  return values.select(2, std::max<int64_t>(options_.global_token, 0))
      .slice(2, options_.prefix_tokens);  // [B,H,G]
}

at::Tensor ImageOutputs::attention(const NamedTensors& outputs, int64_t images, int64_t rows,
                                   int64_t columns) const {
  const Named found = output(outputs, attention_, "attention");
  at::Tensor logits = attention_logits(found, rows, columns);  // [B,H,G]
  if (logits.size(0) != images) {
    throw Error(ErrorKind::data, "{}, but {} images were given; set `batch: 1`", found.words(), images);
  }
  if (options_.attention_values == "probabilities") {
    if (logits.lt(0).any().item<bool>()) {
      throw Error(ErrorKind::data,
                  "{} with negative values, which are no probabilities; set `attention_values: logits`",
                  found.words());
    }
    // Logarithms of probabilities are the logits but for a constant a head, which the softmax takes away.
    logits = logits.clamp_min(std::numeric_limits<float>::min()).log();
  }
  return attention_map(logits, map_reduce_of(options_)).reshape({images, rows, columns});
}

ImageFeatures ImageOutputs::features(const NamedTensors& outputs, int64_t images, int64_t rows,
                                     int64_t columns) const {
  const Named found = patches_output(outputs);
  if (found.size(0) != images) {
    throw Error(
        ErrorKind::data,
        "{}, but {} images were given; set `batch: 1` if it was traced for one, or name another output",
        found.words(), images);
  }
  ImageFeatures features;
  features.patches = patches(found, rows, columns).contiguous();  // [B,rows,columns,D]
  const int64_t width = features.patches.size(3);
  if (options_.dim > 0 && width != options_.dim) {
    throw Error(ErrorKind::data, "{}, vectors of {} dimensions, but `dim` is {}", found.words(), width,
                options_.dim);
  }
  if (has_global()) {
    features.global = global(outputs, found).contiguous();  // [B,D]
    if (features.global.sizes() != at::IntArrayRef({images, width})) {
      throw Error(ErrorKind::data,
                  "{} gives an image's vector of shape {} for `global`, but [{},{}] was expected, as wide as "
                  "the patches; name another output",
                  source_, shape_text(features.global.sizes()), images, width);
    }
  }
  if (options_.normalize) {
    features.patches = unit_rows(features.patches);
    features.global = features.global.defined() ? unit_rows(features.global) : features.global;
  }
  if (has_attention()) {
    features.attention = attention(outputs, images, rows, columns);
  }
  return features;
}

}  // namespace patchioner
