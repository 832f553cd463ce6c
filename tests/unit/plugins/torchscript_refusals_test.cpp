// What the backbone `torchscript` refuses: descriptions that do not fit the model, models that fail, files
// that are none.
#include <doctest/doctest.h>
#include <torch/version.h>

#include <patchioner/error.hpp>

#include "unit/plugins/script_models.hpp"

namespace patchioner {
namespace {

std::string refused_file(const std::filesystem::path& file) {
  return refusal_of(ErrorKind::checkpoint, [&] {
    (void)made_backbone("{plugin: torchscript, resolution: 16, weights: " + file.string() + "}");
  });
}

}  // namespace

TEST_CASE("methods that are not there, or want other inputs, are told with those that fit") {
  const PatchModel model;
  mentions(model.refused("method: forwrd"),
           "model.pt has no method 'forwrd', which `method` names; did you mean 'forward'?");
  mentions(model.refused("method: encode"), "; known are: channels, grid, bare, vector, forward");
  mentions(model.refused("method: two"),
           "the method two of model.pt takes (image: Tensor, ids: Tensor), but it is given nothing but "
           "images; set `method` to channels or grid");
  mentions(model.refused("method: bare, text_method: txt"),
           "which `text_method` names; did you mean 'text'?");
  mentions(model.refused("method: number"), "number of model.pt gives Int, but a tensor or a tuple");
}

TEST_CASE(
    "a layout that does not fit names the output, its shape, what was expected, and the option to change") {
  const PatchModel model;
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"method: channels",
       "channels of model.pt gives [1,6,4,4] for `patches`, but `patch_layout: tokens` is [B,T,D]; "
       "[B,D,rows,columns] is `patch_layout: channels`"},
      {"method: vector",
       "gives [1,6] for `patches`, but `patch_layout: tokens` is [B,T,D]; [B,D] is `patch_layout: vector`"},
      {"method: bare, patch_layout: grid",
       "gives [1,16,6] for `patches`, but `patch_layout: grid` is [B,rows,columns,D]; [B,T,D] is "
       "`patch_layout: tokens`"},
      {"method: channels, patch_layout: grid",
       "gives [1,6,4,4] for `patches`, a grid of 6 x 4 by `patch_layout: grid`, but a square image was "
       "given"},
      {"method: forward",
       "forward of model.pt gives [1,18,6] for `patches`: 18 tokens, which are no square grid of patches "
       "behind 0 others (`prefix_tokens`); `prefix_tokens: 2` would leave 4 x 4"},
      {"method: forward, patch_size: 4",
       "18 tokens behind the 0 of `prefix_tokens`, but 4 x 4 patches were expected; set `prefix_tokens: 2`, "
       "or `patch_size`"},
      {"method: bare, patch_size: 2",
       "16 tokens behind the 0 of `prefix_tokens`, but 8 x 8 patches were expected; set `patch_size`"},
      {"method: channels, patch_layout: channels, patch_size: 8",
       "a grid of 4 x 4 by `patch_layout: channels`, but 2 x 2 patches were expected"},
      {"method: vector, patch_layout: vector, patch_size: 4",
       "a grid of 1 x 1 by `patch_layout: vector`, but 4 x 4"},
      {"method: bare, dim: 8", "gives [1,16,6] for `patches`, vectors of 6 dimensions, but `dim` is 8"},
      {"method: pair",
       "pair of model.pt gives several outputs (0 [1,18,6], 1 [1,6]); say by `patches` which one is meant"},
      {"method: pair, patches: 2", "`patches` is '2', but pair of model.pt gives 0 [1,18,6], 1 [1,6]"},
      {"method: named, patches: tokns",
       "gives tokens [1,18,6], image [1,6], classes [1,2,6]; did you mean 'tokens'?"},
      {"method: bare, patches: [0]", "test.yaml:1:"},
      {"method: bare, patches: 1.5",
       "`patches` must be the place of an output in a tuple (0, 1 ... or '1.0' in quotes) or its key in a "
       "dict, found"},
      {"method: bare, global_token: 0", "`global_token: 0` with `prefix_tokens: 0` is one of the patches"},
      {"method: grid, patch_layout: grid, global_token: 0",
       "but `patches` has `patch_layout: grid`; say by `global`"},
      {"method: named, patches: tokens, prefix_tokens: 2, global: tokens",
       "gives [1,18,6] for `global`: tokens; set `global_token` to the place of the class token among them, "
       "0 to 17"},
      {"method: attentive, patches: tokens, prefix_tokens: 2, global: full",
       "gives [1,2,18,18] for `global`, but [B,D]"},
      {"method: attentive, patches: tokens, prefix_tokens: 2, global: flat",
       "gives an image's vector of shape [1,16] for `global`, but [1,6] was expected"},
      {"method: attentive, patches: tokens, prefix_tokens: 2, attention: full",
       "gives [1,2,18,18] for `attention`, but `attention_layout: map` is [B,rows,columns] or [B,G], with G "
       "= 4 x 4 patches and T = 2 + G; set `attention_layout`"},
      {"method: attentive, patches: tokens, prefix_tokens: 2, attention: negative",
       "gives [1,16] for `attention` with negative values, which are no probabilities; set "
       "`attention_values: logits`"},
      {"method: bare, attention: output, attention_layout: full",
       "`prefix_tokens: 0` says that there is no class token"},
      {"method: bare, context: 4, text_method: pair_of_texts",
       "several outputs (0 [1,4,6], 1 [1,6]); say by `text_features`"},
      {"method: bare, context: 4, text_method: pair_of_texts, text_features: 0",
       "pair_of_texts of model.pt gives [1,4,6] for `text_features` of 1 text, but [N,D] was expected"},
  };
  for (const auto& [options, sentence] : cases) {
    CAPTURE(options);
    mentions(model.refused(options), sentence);
  }
}

TEST_CASE("texts that are not as wide as patches are refused") {
  const PatchModel model;
  const TestFolder folder;
  const std::string text =
      write_script_model(folder / "text.pt", "def forward(self, ids):\n    return ids.float()\n", {});
  mentions(model.refused("method: bare, context: 4, text_weights: " + text),
           "bare of model.pt gives patches of 6 dimensions and texts of 4; they share no space");
}

TEST_CASE("options of the wrong kind are refused with their place") {
  const PatchModel model;
  mentions(model.refused("method: bare, mean: imagenet"),
           "`mean` must be three numbers, of R, G and B, such as");
  mentions(model.refused("method: bare, std: [1, 0, 1]"),
           "`std` must be three numbers, of R, G and B, above 0");
  mentions(model.refused("method: bare, mean: [1, a, 1]"), "test.yaml:1:");
  mentions(model.refused("prefix_token: 2"), "did you mean 'prefix_tokens'?");
  mentions(model.refused("patch_layout: token"), "did you mean 'tokens'?");
  mentions(refusal_of(ErrorKind::config,
                      [&] { (void)made_backbone("{plugin: torchscript, weights: " + model.file() + "}"); }),
           "'backbone.resolution' is required");
}

TEST_CASE("what goes wrong in a model's code is told without its traceback") {
  const PatchModel model;
  const auto made = model.backbone("method: bare");
  const std::string sentence = refusal_of(ErrorKind::data, [&] {
    (void)made->encode(at::zeros({1, 3, 2, 8}));
  });
  mentions(sentence, "bare of model.pt failed on an input of shape [1,3,2,8] (float32): ");
  mentions(sentence, "Kernel size");
  CHECK_FALSE(contains(sentence, "\n"));
  CHECK_FALSE(contains(sentence, "Traceback"));
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        (void)made->encode(at::zeros({3, 16, 16}));
                      }),
           "expected [B,3,H,W]");
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        (void)model.backbone("method: bare, text_method: text")
                            ->encode_token_ids(at::zeros({4}, at::kLong));
                      }),
           "expected [N,C]");
}

TEST_CASE("a file that is no TorchScript archive is told by what it is, and how to export one") {
  const TestFolder folder;
  write_torch_state_dict(folder / "weights.pth", {{"a.weight", at::ones({2, 2})}});
  mentions(refused_file(folder / "weights.pth"),
           "weights.pth (torch zip) holds tensors without the code that computes with them, but `weights` "
           "must be a TorchScript archive; in Python torch.jit.trace(model.eval(), images).save(FILE) writes "
           "one");
  const std::string known = refused_file(parity_case("dino/dinov2_reg4") + "weights.pth");
  mentions(
      known,
      "holds an official DINOv2 (2 blocks of width 32, patches of 14 with 4 registers) without the code");
  mentions(known, "writes one; as it is, the backbone talk2dino reads it as `weights`");
  mentions(refused_file(parity_case("clip/hf_safetensors") + "model.safetensors"),
           "(safetensors) holds a Hugging Face CLIP");
  folder.write("page.pt", "<html>not found</html>");
  mentions(refused_file(folder / "page.pt"), "a web page");
  ZipWriter other(folder / "other.zip");
  other.add("notes.txt", "nothing");
  other.finish();
  mentions(refused_file(folder / "other.zip"),
           "no TorchScript code is in this archive, but `weights` must be");
  ZipWriter program(folder / "model.pt2");
  program.add("model/archive_format", "pt2");
  program.add("model/data/aotinductor/model/model.so", "");
  program.finish();
  mentions(refused_file(folder / "model.pt2"), "is what torch.export or AOTInductor writes (.pt2)");
  mentions(refusal_of(ErrorKind::io,
                      [&] {
                        (void)made_backbone("{plugin: torchscript, resolution: 16, weights: " +
                                            (folder / "absent.pt").string() + "}");
                      }),
           "absent.pt");
}

TEST_CASE("an archive of another PyTorch is refused by name") {
  const PatchModel model;
  const TestFolder folder;
  change_archive(model.file(), folder / "newer.pt", [](std::string& name, std::string& content) {
    if (name.ends_with("/version")) {
      content = "99\n";
    }
  });
  mentions(refused_file(folder / "newer.pt"),
           "`weights` was exported by a newer PyTorch: its format is version 99, and LibTorch " TORCH_VERSION
           " reads up to version 10; export it with PyTorch " TORCH_VERSION " or an older one");
  change_archive(model.file(), folder / "unknown.pt", [](std::string& name, std::string& content) {
    if (name.ends_with(".py")) {
      replace(content, "torch.mean(", "ops.torchvision.nms(");
    }
  });
  const std::string unknown = refused_file(folder / "unknown.pt");
  mentions(unknown, "LibTorch " TORCH_VERSION " cannot open `weights`: ");
  mentions(unknown, "torchvision");
  CHECK_FALSE(contains(unknown, "\n"));
  change_archive(model.file(), folder / "damaged.pt", [](std::string& name, std::string& content) {
    if (name.ends_with("/data.pkl")) {
      content.resize(content.size() / 2);
    }
  });
  mentions(refused_file(folder / "damaged.pt"), "cannot open `weights`: ");
}

}  // namespace patchioner
