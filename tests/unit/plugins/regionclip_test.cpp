// The backbone `regionclip` through the host, on the golden case's tiny checkpoint and on variants of it.
// What it computes at its own layout is compared by `verify`; here stands what it finds out by itself, how it
// pools regions, and what it refuses.
#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include <fstream>
#include <functional>
#include <patchioner/error.hpp>

#include "checkpoint/state_dict.hpp"
#include "config/config.hpp"
#include "image/image.hpp"
#include "refusals.hpp"
#include "runtime/captioner.hpp"
#include "runtime/plugin_host.hpp"
#include "test_folder.hpp"
#include "unit/plugins/made_backbone.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

const std::string kFile = parity_case("clip/regionclip") + "regionclip_tiny.pth";

std::shared_ptr<Backbone> backbone(const std::string& options = "", const std::string& file = kFile) {
  return made_backbone("{plugin: regionclip, weights: " + file + ", " + options + "}");
}

at::Tensor expected(const std::string& name) {
  return expected_tensor("clip/regionclip", name);
}

/// The tiny checkpoint under other names; an empty name leaves a tensor out.
std::string renamed_copy(const fs::path& folder,
                         const std::function<std::string(const std::string&)>& rename) {
  return changed_copy(folder / "variant.pth", kFile,
                      [&rename](std::string& name, at::Tensor&) { name = rename(name); });
}

Region box(double x, double y, double width, double height) {
  return {Box{x, y, width, height}, ""};
}

/// An image of 640 x 480 pixels squashed to the backbone's input.
ImageGeometry geometry(const Backbone& backbone) {
  return geometry_of(backbone.image_spec(), 640, 480);
}

at::Tensor random_pixels(at::IntArrayRef shape) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(2);
  return at::randn(shape, generator, at::TensorOptions(at::kFloat));
}

}  // namespace

TEST_CASE("regionclip reads its sizes off the checkpoint") {
  const auto made = backbone();
  CHECK(made->dim() == 40);
  CHECK(made->image_spec().patch_size == 32);
  CHECK(made->image_spec().input_size() == 64);
  CHECK(made->image_spec().mean[0] == doctest::Approx(0.48145466));
  const BackboneCapabilities can = made->capabilities();
  CHECK(can.global);
  CHECK(can.attention);
  CHECK(can.text);
  CHECK(can.regions);
  CHECK(made->text_fingerprint().starts_with("clip_text:"));
}

TEST_CASE("regionclip's features have unit length, and its map sums to 1, on inputs of any shape") {
  const auto made = backbone();
  for (const auto& [height, width] : {std::pair<int64_t, int64_t>{64, 64}, {96, 64}, {70, 130}}) {
    CAPTURE(height);
    CAPTURE(width);
    const ImageFeatures features = made->encode(random_pixels({2, 3, height, width}));
    CHECK(features.patches.sizes() == at::IntArrayRef({2, height / 32, width / 32, 40}));
    CHECK(at::allclose(features.patches.norm(2, -1), at::ones({2, height / 32, width / 32}), 1e-5, 1e-5));
    CHECK(at::allclose(features.global.norm(2, -1), at::ones({2}), 1e-5, 1e-5));
    CHECK(at::allclose(features.attention.sum({1, 2}), at::ones({2}), 1e-5, 1e-5));
  }
}

TEST_CASE("regionclip gives a batch what it gives single images") {
  const auto made = backbone();
  const at::Tensor pixels = random_pixels({3, 3, 64, 96});
  const ImageFeatures together = made->encode(pixels);
  for (int64_t i = 0; i < 3; ++i) {
    const ImageFeatures alone = made->encode(pixels.slice(0, i, i + 1));
    CHECK(at::allclose(alone.patches[0], together.patches[i], 1e-4, 1e-5));
    CHECK(at::allclose(alone.global[0], together.global[i], 1e-4, 1e-5));
    CHECK(at::allclose(alone.attention[0], together.attention[i], 1e-4, 1e-5));
  }
}

TEST_CASE("regionclip's options change what they should") {
  const at::Tensor input = expected("input");
  const ImageFeatures pooled = backbone()->encode(input);
  const ImageFeatures raw = backbone("use_attnpool_for_spatial_feats: false")->encode(input);
  CHECK(at::allclose(raw.global, pooled.global, 1e-5, 1e-6));
  CHECK_FALSE(at::allclose(raw.patches, pooled.patches, 1e-2, 1e-2));
  const std::vector<std::string> wanted = {"attn_maps_heads"};
  const ImageFeatures probs = backbone("map_reduce: probs")->encode(input, wanted);
  CHECK(at::allclose(probs.attention.flatten(1), probs.intermediates.at("attn_maps_heads").mean(1), 1e-5,
                     1e-6));
  CHECK_FALSE(at::allclose(backbone("heads: 4")->encode(input).global, pooled.global, 1e-3, 1e-3));
  CHECK(backbone("resolution: 96")->image_spec().rows() == 3);
  CHECK(backbone("resolution: 100")->image_spec().rows() == 3);
  CHECK(backbone("resize_dim: 96, keep_img_ratio: true")->image_spec().input_size() == 64);
}

TEST_CASE("regionclip computes only the by-products that are asked for, and names the others") {
  const auto made = backbone();
  const at::Tensor input = expected("input");
  CHECK(made->encode(input).intermediates.empty());
  const std::vector<std::string> names = made->intermediate_names();
  const ImageFeatures all = made->encode(input, names);
  for (const std::string& name : names) {
    CAPTURE(name);
    CHECK(all.intermediates.at(name).isfinite().all().item<bool>());
  }
  const std::vector<std::string> wrong = {"layer_4"};
  mentions(refusal_of(ErrorKind::data, [&] { (void)made->encode(input, wrong); }), "did you mean 'layer4'");
  mentions(refusal_of(ErrorKind::data, [&] { (void)made->probe("position_table", {}); }), "grid");
  CHECK_THROWS_AS(made->probe("no_such_probe", {}), Error);
}

TEST_CASE("regionclip reads flat files, files under state_dict's names and CLIPs with a ResNet alike") {
  const TestFolder folder;
  const at::Tensor input = expected("input");
  const at::Tensor ids = expected("text_ids");
  const std::vector<std::function<std::string(const std::string&)>> renamings = {
      [](const std::string& name) { return name; }, [](const std::string& name) { return "module." + name; },
      [](const std::string& name) {
        return name.starts_with("backbone.")       ? "visual." + name.substr(9)
               : name.starts_with("lang_encoder.") ? name.substr(13)
                                                   : std::string();
      }};
  for (size_t i = 0; i < renamings.size(); ++i) {
    CAPTURE(i);
    const auto made = backbone("", renamed_copy(folder.path(), renamings[i]));
    CHECK(at::allclose(made->encode(input).global, expected("cls_token"), 2e-4, 2e-4));
    CHECK(at::allclose(made->encode_token_ids(ids), expected("text_embed"), 2e-4, 2e-4));
  }
}

TEST_CASE("the box of the whole image is the whole image, pooled at the position table's own size") {
  const auto made = backbone("resolution: 96");
  const at::Tensor pixels = expected("big_input");
  const std::vector<Region> regions = {{WholeImage{}, ""}, box(0, 0, 640, 480)};
  const RegionFeatures found = made->encode_regions(pixels, regions, geometry(*made));
  REQUIRE(found.features.sizes() == at::IntArrayRef({2, 40}));
  CHECK(found.warnings.empty());
  CHECK(at::allclose(found.features[0], found.features[1], 1e-4, 1e-5));
  CHECK(at::allclose(found.features.norm(2, -1), at::ones({2}), 1e-5, 1e-5));
}

TEST_CASE(
    "at its own resolution the whole image's box is nearly the class row: the map goes through untouched") {
  // 64 pixels are 4 x 4 cells of layer3's map, and 4 x 4 is what a box is brought to: every bin is a cell.
  const auto made = backbone();
  const at::Tensor pixels = expected("input");
  const std::vector<Region> regions = {{WholeImage{}, ""}};
  const RegionFeatures found = made->encode_regions(pixels, regions, geometry(*made));
  CHECK(at::allclose(found.features, expected("cls_token"), 2e-4, 2e-4));
}

TEST_CASE("a region is pooled by the smallest box around it") {
  const auto made = backbone("resolution: 96");
  const at::Tensor pixels = expected("big_input");
  at::Tensor mask = at::zeros({480, 640}, at::kBool);
  mask.slice(0, 60, 240).slice(1, 80, 90).fill_(true);
  mask.slice(0, 200, 300).slice(1, 300, 400).fill_(true);
  const std::vector<Region> regions = {
      box(80, 60, 320, 240),
      {BoxSet{{{80, 200, 10, 100}, {300, 60, 100, 40}}}, ""},
      {Trace{{{0.125, 0.125}, {0.625, 0.625}, {2, 0.5}}}, ""},
      {Mask{mask}, ""},
  };
  const RegionFeatures found = made->encode_regions(pixels, regions, geometry(*made));
  for (int64_t i = 1; i < 4; ++i) {
    CAPTURE(i);
    CHECK(at::allclose(found.features[i], found.features[0], 1e-4, 1e-5));
  }
  const std::vector<Region> cell = {{Patch{1, 2}, ""}, box(640.0 * 2 / 3, 160, 640.0 / 3, 160)};
  const at::Tensor both = made->encode_regions(pixels, cell, geometry(*made)).features;
  CHECK(at::allclose(both[0], both[1], 1e-4, 1e-5));
  CHECK_FALSE(at::allclose(both[0], found.features[0], 1e-3, 1e-3));
}

TEST_CASE("many regions get what each gets alone") {
  const auto made = backbone("resolution: 96");
  const at::Tensor pixels = expected("big_input");
  std::vector<Region> regions;
  for (int i = 0; i < 37; ++i) {  // more than two loads of what is pooled together
    regions.push_back(box(10.0 * i, 5.0 * i, 40 + 6 * i, 30 + 7 * i));
  }
  const RegionFeatures together = made->encode_regions(pixels, regions, geometry(*made));
  REQUIRE(together.features.size(0) == 37);
  for (const size_t i : {size_t{0}, size_t{15}, size_t{16}, size_t{36}}) {
    const RegionFeatures alone =
        made->encode_regions(pixels, std::span(regions).subspan(i, 1), geometry(*made));
    CHECK(at::allclose(alone.features[0], together.features[static_cast<int64_t>(i)], 1e-4, 1e-5));
  }
  CHECK(made->encode_regions(pixels, {}, geometry(*made)).features.sizes() == at::IntArrayRef({0, 40}));
}

TEST_CASE("regions without a place are warned about and get finite features") {
  const auto made = backbone("resolution: 96");
  const std::vector<Region> regions = {box(700, 10, 50, 50),
                                       {Trace{{{1.5, 0.5}}}, ""},
                                       {Mask{at::zeros({480, 640}, at::kBool)}, ""},
                                       {BoxSet{}, ""},
                                       box(100, 100, 0, 0),
                                       {ImagePoint{640, 480}, ""},
                                       box(-500, -500, 2000, 2000.5)};
  const RegionFeatures found = made->encode_regions(expected("big_input"), regions, geometry(*made));
  CHECK(found.features.isfinite().all().item<bool>());
  CHECK(at::allclose(found.features.norm(2, -1), at::ones({7}), 1e-5, 1e-5));
  REQUIRE(found.warnings.size() == 5);
  mentions(found.warnings[0].sentence, "the box lies outside");
  mentions(found.warnings[1].sentence, "the trace has nothing inside the image");
  CHECK(found.warnings[2].region == 2);
  CHECK(found.warnings[3].region == 3);
  mentions(found.warnings[4].sentence, "has no area");
  CHECK(at::allclose(found.features[1], found.features[6], 1e-4, 1e-5));  // both are the whole image
}

TEST_CASE("regionclip refuses regions that mean nothing") {
  const auto made = backbone();
  const at::Tensor pixels = expected("input");
  const auto refused = [&](const Region& region) {
    return refusal_of(ErrorKind::data,
                      [&] { (void)made->encode_regions(pixels, std::span(&region, 1), geometry(*made)); });
  };
  mentions(refused(box(0, 0, -1, 5)), "inverted");
  mentions(refused({Patch{2, 0}, ""}), "outside the grid");
  mentions(refused({Mask{at::zeros({4, 4}, at::kBool)}, ""}), "a mask has the size of its image");
  const Region whole{WholeImage{}, ""};
  mentions(
      refusal_of(
          ErrorKind::data,
          [&] {
            (void)made->encode_regions(pixels.repeat({2, 1, 1, 1}), std::span(&whole, 1), geometry(*made));
          }),
      "one image");
  mentions(
      refusal_of(
          ErrorKind::data,
          [&] { (void)made->encode_regions(expected("big_input"), std::span(&whole, 1), geometry(*made)); }),
      "expected [1,3,64,64]");
}

TEST_CASE("regionclip refuses inputs that its network cannot cut") {
  const auto made = backbone();
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        (void)made->encode(at::zeros({1, 3, 31, 64}));
                      }),
           "smaller than one patch");
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        (void)made->encode(at::zeros({1, 4, 64, 64}));
                      }),
           "[1,4,64,64]");
  mentions(refusal_of(ErrorKind::config, [] { (void)backbone("resolution: 95"); }), "set `resolution` to 96");
  mentions(refusal_of(ErrorKind::config, [] { (void)backbone("resolution: 20"); }), "smaller than one patch");
  mentions(refusal_of(ErrorKind::config, [] { (void)backbone("heads: 3"); }), "into 3 heads");
  mentions(refusal_of(ErrorKind::config, [] { (void)backbone("context: 9"); }),
           "longer than the text tower's 8");
  mentions(refusal_of(ErrorKind::config, [] { (void)backbone("attention_type: kkv"); }), "attention_type");
}

TEST_CASE("regionclip says which half is missing, and which option brings it") {
  const TestFolder images_folder;
  const TestFolder texts_folder;
  const std::string images = copy_without(images_folder / "variant.pth", kFile, "lang_encoder.");
  const std::string texts = copy_without(texts_folder / "variant.pth", kFile, "backbone.");
  const std::vector<std::string> caption = {"a dog"};
  const auto sees = backbone("", images);
  CHECK_FALSE(sees->capabilities().text);
  CHECK(sees->text_fingerprint().empty());
  mentions(refusal_of(ErrorKind::checkpoint, [&] { (void)sees->encode_text(caption); }),
           "set `text_weights`");
  const auto reads = backbone("", texts);
  CHECK(reads->dim() == 40);
  CHECK_FALSE(reads->capabilities().regions);
  mentions(refusal_of(ErrorKind::checkpoint,
                      [&] {
                        (void)reads->encode(at::zeros({1, 3, 64, 64}));
                      }),
           "set `weights` to RegionCLIP's pretrained file");
  mentions(refusal_of(ErrorKind::config,
                      [] {
                        const std::vector<std::string> none = {"a dog"};
                        (void)backbone()->encode_text(none);
                      }),
           "set `vocabulary`");
  const auto both = backbone("text_weights: " + texts, images);
  CHECK(at::allclose(both->encode_token_ids(expected("text_ids")), expected("text_embed"), 2e-4, 2e-4));
  CHECK(both->text_fingerprint() == reads->text_fingerprint());
  mentions(refusal_of(ErrorKind::checkpoint, [&] { (void)backbone("text_weights: " + images, images); }),
           "holds no language encoder");
}

TEST_CASE("texts from any CLIP are those that the backbone clip gives on its file") {
  const TestFolder folder;
  const std::string texts = copy_without(folder / "texts.pth", kFile, "backbone.");
  const std::string openai = parity_case("clip/openai_state_dict") + "ViT-tiny.pth";
  const std::string split =
      changed_copy(folder / "open_clip.pth", openai, [](std::string& name, at::Tensor&) {
        const bool text = name.starts_with("transformer.") || name.starts_with("token_embedding.") ||
                          name.starts_with("ln_final.") || name == "positional_embedding" ||
                          name == "text_projection";
        name = text ? "text." + name : name;
      });
  const std::string hugging_face = parity_case("clip/hf_safetensors") + "model.safetensors";
  const at::Tensor ids = expected("text_ids");
  for (const auto& [file, clip_options] :
       {std::pair{split, ", format: openai"}, {hugging_face, ""}, {openai, ""}}) {
    CAPTURE(file);
    const auto clip = made_backbone("{plugin: clip, weights: " + file + clip_options + "}");
    const auto made = backbone("text_weights: " + file, texts);
    CHECK(at::equal(made->encode_token_ids(ids), clip->encode_token_ids(ids)));
    CHECK(made->text_fingerprint() == clip->text_fingerprint());
  }
  mentions(refusal_of(ErrorKind::checkpoint,
                      [&] {
                        (void)backbone(
                            "text_weights: " + parity_case("clip/timm_safetensors") + "model.safetensors",
                            texts);
                      }),
           "any CLIP with a text tower");
}

TEST_CASE("regionclip recognises checkpoints of other families") {
  const auto refused = [](const std::string& file) {
    return refusal_of(ErrorKind::checkpoint, [&] {
      (void)backbone("", std::string(PATCHIONER_SOURCE_DIR "/tests/parity/") + file);
    });
  };
  mentions(refused("clip/openai_state_dict/ViT-tiny.pth"), "with a vision transformer (");
  mentions(refused("clip/openai_state_dict/ViT-tiny.pth"), "but `weights` must be a RegionCLIP");
  mentions(refused("dino/dinov2_reg4/weights.pth"), "DINOv2");
  mentions(refused("clip/regionclip/expected.safetensors"), "of no model that is known here");
  mentions(refused("clip/hf_safetensors/model.safetensors"), "Hugging Face CLIP");
  const TestFolder folder;
  const std::string dense = renamed_copy(folder.path(), [](const std::string& name) {
    return name.starts_with("lang_encoder.") ? "text_encoder." + name.substr(13) : name;
  });
  mentions(refusal_of(ErrorKind::checkpoint, [&] { (void)backbone("", dense); }), "is a DenseCLIP");
  const std::string headless = copy_without(folder / "variant.pth", kFile, "backbone.attnpool.");
  mentions(refusal_of(ErrorKind::checkpoint, [&] { (void)backbone("", headless); }),
           "without the attention pool (backbone.attnpool.*)");
  PluginHost host;
  mentions(refusal_of(ErrorKind::checkpoint,
                      [&] {
                        (void)host.backbone(parse_yaml("{plugin: clip, weights: " + kFile + "}", "test.yaml"),
                                            PluginContext());
                      }),
           "is a RegionCLIP");
}

TEST_CASE("regionclip names missing tensors and wrong shapes as the file calls them") {
  const TestFolder folder;
  const std::string missing = renamed_copy(folder.path(), [](const std::string& name) {
    return name == "backbone.layer2.0.bn2.running_var" ? std::string() : name;
  });
  mentions(refusal_of(ErrorKind::checkpoint, [&] { (void)backbone("", missing); }),
           "missing      backbone.layer2.0.bn2.running_var [8]");
  for (const std::string lost : {"backbone.layer1.0.conv1.weight", "backbone.attnpool.positional_embedding",
                                 "lang_encoder.token_embedding.weight", "lang_encoder.ln_final.weight"}) {
    CAPTURE(lost);
    const std::string file = copy_without(folder / "variant.pth", kFile, lost);
    mentions(refusal_of(ErrorKind::checkpoint, [&] { (void)backbone("", file); }), "missing      " + lost);
  }
  const std::string uneven =
      changed_copy(folder / "variant.pth", kFile, [](std::string& name, at::Tensor& tensor) {
        tensor = name == "backbone.attnpool.positional_embedding" ? tensor.slice(0, 0, 4) : tensor;
      });
  mentions(refusal_of(ErrorKind::checkpoint, [&] { (void)backbone("", uneven); }), "variant.pth");
  mentions(refusal_of(ErrorKind::checkpoint, [&] { (void)backbone("", uneven); }),
           "backbone.attnpool.positional_embedding has 4 rows");
  const std::string gap = copy_without(folder / "variant.pth", kFile, "backbone.layer1.0.bn");
  mentions(refusal_of(ErrorKind::checkpoint, [&] { (void)backbone("", gap); }),
           "backbone.layer1.0.bn1.weight");
  const std::string wrong =
      changed_copy(folder / "variant.pth", kFile, [](std::string& name, at::Tensor& tensor) {
        tensor = name == "backbone.attnpool.q_proj.bias" ? tensor.slice(0, 0, 7) : tensor;
      });
  mentions(refusal_of(ErrorKind::checkpoint, [&] { (void)backbone("", wrong); }),
           "backbone.attnpool.q_proj.bias is [7], expected [128]");
  const std::string narrow =
      changed_copy(folder / "variant.pth", kFile, [](std::string& name, at::Tensor& tensor) {
        tensor = name == "lang_encoder.text_projection" ? tensor.slice(1, 0, 30) : tensor;
      });
  mentions(refusal_of(ErrorKind::config, [&] { (void)backbone("", narrow); }),
           "leads to 40 dimensions, the language encoder");
}

TEST_CASE("regionclip's chain takes native regions") {
  const std::string yaml =
      "gap: {plugin: none}\naggregator: {plugin: native}\nbackbone: {plugin: regionclip, weights: " + kFile +
      "}\n";
  PluginHost host;
  const Captioner captioner(parse_yaml(yaml, "test.yaml"), host);
  const Image image = read_image(parity_case("clip/alphaclip") + "img0.png", ExifOrientation::ignore);
  const auto wide = static_cast<double>(image.width());
  const auto high = static_cast<double>(image.height());
  std::vector<CaptionTask> tasks(1);
  tasks[0].image = image;
  tasks[0].regions = {box(wide / 4, high / 4, wide / 2, high / 3), box(-500, 0, 3, 3), {WholeImage{}, ""}};
  const auto results = captioner.caption(tasks, {.decode = false});
  const ImageGeometry sizes = geometry_of(captioner.backbone().image_spec(), image.width(), image.height());
  const at::Tensor straight =
      captioner.backbone()
          .encode_regions(preprocess(image, sizes.spec).unsqueeze(0), tasks[0].regions, sizes)
          .features;  // [3,D]
  REQUIRE(results[0].size() == 3);
  for (int64_t i = 0; i < 3; ++i) {
    CHECK(at::allclose(results[0][static_cast<size_t>(i)].feature, straight[i], 1e-4, 1e-5));
  }
  CHECK_FALSE(at::allclose(straight[0], straight[2], 1e-2, 1e-2));
  REQUIRE(results[0][1].warnings.size() == 1);
  CHECK(contains(results[0][1].warnings[0], "lies outside"));
}

}  // namespace patchioner
