// What the backbone `torchscript` can be told: where the model is, what it wants to see, and what it gives.
#pragma once

#include <patchioner/parameters.hpp>
#include <string>

#include "backbones/backbone_options.hpp"

namespace patchioner {

/// Ids that a text of CLIP's has; what exported text towers usually take.
inline constexpr int64_t kClipContext = 77;

struct TorchScriptOptions : ImageOptions, TextOptions {
  TorchScriptOptions() { context = kClipContext; }

  std::string weights;
  std::string method = "forward";
  std::string precision = "runtime";
  int64_t batch = 0;
  // What it wants to see; ImageNet's statistics.
  Value mean = Value(Value::List{0.485, 0.456, 0.406});
  Value std = Value(Value::List{0.229, 0.224, 0.225});
  // What it gives. An output is named by the place of a tuple's element or the key of a dict's.
  int64_t patch_size = 0;
  int64_t dim = 0;
  Value patches;
  std::string patch_layout = "tokens";
  int64_t prefix_tokens = 0;
  Value global;
  int64_t global_token = -1;
  Value attention;
  std::string attention_layout = "map";
  std::string attention_values = "probabilities";
  bool normalize = false;
  // The text side.
  std::string text_weights;
  std::string text_method;
  Value text_features;
};

inline void declare(ParameterList<TorchScriptOptions>& list) {
  list.note("features", "what the exported model gives, as its description says");
  list.note("space", "texts of a second method or file of the same model, where there is one");
  list.note("input", "square, of the size that the model was exported for");
  list.note(
      "files",
      "TorchScript archives of one's own: torch.jit.trace or torch.jit.script, then save; their code is "
      "run, which no other plugin does");
  list.note("source", "pytorch.org, torch.jit");
  using Options = TorchScriptOptions;
  constexpr double kMostTokens = 4096;
  list.add("weights", &Options::weights,
           "TorchScript archive of the model; its code is run, so take it from somebody you trust")
      .path()
      .required();
  list.add("method", &Options::method, "method that is given images [B,3,S,S]");
  list.add("precision", &Options::precision,
           "numbers it computes in: as runtime.precision says, or as the archive stores its weights")
      .choices({"runtime", "fp32", "bf16", "stored"});
  list.add(
          "batch", &Options::batch,
          "most images or texts that it is given at once; 0: any number; 1 for one traced for a single image")
      .range(0, 65536);
  list.add("resolution", static_cast<int64_t Options::*>(&ImageOptions::resolution),
           "side of the network input, pixels")
      .range(1, kMostInputPixels)
      .required();
  declare_resize_options(list);
  list.add("mean", &Options::mean, "what is subtracted from R, G, B, which are in [0,1]");
  list.add("std", &Options::std, "what R, G, B are then divided by");
  list.add("patch_size", &Options::patch_size,
           "side of a patch, pixels of the network input; 0: from the number of patches that it gives")
      .range(0, kMostInputPixels);
  list.add("dim", &Options::dim, "width of the features; 0: what it gives").range(0, 1 << 20);
  list.add("patches", &Options::patches,
           "which output holds the patches: place in a tuple, key of a dict; unset: the only one");
  list.add(
          "patch_layout", &Options::patch_layout,
          "tokens: [B,T,D], grid: [B,rows,columns,D], channels: [B,D,rows,columns], vector: [B,D], one patch "
          "an image")
      .choices({"tokens", "grid", "channels", "vector"});
  list.add("prefix_tokens", &Options::prefix_tokens,
           "tokens before the patches: class token and registers; left out of tokens and attention")
      .range(0, kMostTokens);
  list.add("global", &Options::global,
           "which output holds the image's own vector [B,D], or tokens that have it at global_token");
  list.add("global_token", &Options::global_token,
           "place of the class token among the tokens of `global`, else of `patches`; -1: none")
      .range(-1, kMostTokens);
  list.add("attention", &Options::attention, "which output holds the attention map; unset: none");
  list.add("attention_layout", &Options::attention_layout,
           "map: [B,rows,columns] or [B,G], heads: the class token's [B,H,G] or [B,H,T], full: [B,H,T,T]")
      .choices({"map", "heads", "full"});
  list.add("attention_values", &Options::attention_values,
           "what it holds: probabilities (of any sum), or logits before a softmax")
      .choices({"probabilities", "logits"});
  declare_map_option(list);
  list.add("normalize", &Options::normalize, "bring patches, the global vector and texts to length 1");
  list.add("text_weights", &Options::text_weights,
           "TorchScript archive of the text side; empty: the one of weights")
      .path();
  list.add("text_method", &Options::text_method,
           "method that is given ids [N,context]; empty: forward of text_weights, none without");
  list.add("text_features", &Options::text_features,
           "which output of it holds the texts' vectors [N,D]; unset: the only one");
  declare_tokenizer_options(list);
  list.add("context", static_cast<int64_t Options::*>(&TextOptions::context),
           "ids that the text side is given for a text")
      .range(3, 4096);
}

}  // namespace patchioner
