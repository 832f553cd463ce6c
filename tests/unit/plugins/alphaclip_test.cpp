// The backbone `alphaclip` through the host, on the golden case's tiny pair of files and on variants of them.
// Its numbers are compared by `verify`; here stands what it makes of regions, and what it refuses.
#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>

#include "image/image.hpp"
#include "refusals.hpp"
#include "runtime/captioner.hpp"
#include "test_folder.hpp"
#include "unit/plugins/made_backbone.hpp"

namespace patchioner {
namespace {

const std::string kCase = "clip/alphaclip";
const std::string kBase = parity_case(kCase) + "base.pt";
const std::string kAlpha = parity_case(kCase) + "alpha_visual.pth";

std::string pair_of(const std::string& base, const std::string& alpha) {
  return "plugin: alphaclip, weights: " + base + ", alpha_weights: " + alpha;
}

/// With the case's two files: 28 x 28 pixels, 4 x 4 patches of 7, 24 dimensions.
std::shared_ptr<Backbone> alphaclip(const std::string& options = "") {
  return made_backbone("{" + pair_of(kBase, kAlpha) + options + "}");
}

at::Tensor input() {
  return expected_tensor(kCase, "input");  // [1,3,28,28]
}

/// An image of the given size on the way to the network input.
ImageGeometry geometry(const Backbone& backbone, int64_t width = 28, int64_t height = 28) {
  return geometry_of(backbone.image_spec(), width, height);
}

RegionFeatures regions_of(const Backbone& backbone, std::vector<RegionShape> shapes, int64_t width = 28,
                          int64_t height = 28) {
  std::vector<Region> regions;
  for (RegionShape& shape : shapes) {
    regions.push_back({std::move(shape), ""});
  }
  return backbone.encode_regions(input(), regions, geometry(backbone, width, height));
}

at::Tensor feature_of(const Backbone& backbone, RegionShape shape) {
  return regions_of(backbone, {std::move(shape)}).features[0];  // [D]
}

/// All tokens [T,D] of the case's image under a mask [28,28].
at::Tensor tokens_under(const Backbone& backbone, const at::Tensor& mask) {
  return backbone.probe("tokens", {{"pixels", input()}, {"masks", mask.unsqueeze(0)}})[0];
}

at::Tensor empty_mask() {
  return at::zeros({28, 28});
}

bool near(const at::Tensor& a, const at::Tensor& b) {
  return at::allclose(a, b, 1e-4, 1e-5);
}

std::string refused_files(ErrorKind kind, const std::string& base, const std::string& alpha) {
  return refusal_of(kind, [&] { (void)made_backbone("{" + pair_of(base, alpha) + "}"); });
}

void check_contains(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(contains(text, part));
}

}  // namespace

TEST_SUITE("alphaclip") {
  TEST_CASE("the whole image is seen under a mask of ones") {
    const at::Tensor whole = expected_tensor(kCase, "tokens_normalized_alpha")[-1];  // [T,D]
    const auto backbone = alphaclip();
    const ImageFeatures features = backbone->encode(input());
    CHECK(near(features.global[0], whole[0]));
    CHECK(near(features.patches[0].flatten(0, 1), whole.slice(0, 1)));
    CHECK(near(feature_of(*backbone, WholeImage{}), whole[0]));
    CHECK(at::allclose(features.attention.sum({1, 2}), at::ones({1})));
    CHECK(backbone->capabilities().regions);
    CHECK(backbone->capabilities().text);
    CHECK(backbone->dim() == 24);
  }

  TEST_CASE("each region is the class token of a pass under its own mask") {
    const at::Tensor boxes = expected_tensor(kCase, "boxes").to(at::kDouble);
    std::vector<RegionShape> shapes;
    BoxSet set;
    for (int64_t i = 0; i < boxes.size(0); ++i) {
      const double* xywh = boxes.const_data_ptr<double>() + 4 * i;
      set.boxes.push_back({xywh[0], xywh[1], xywh[2], xywh[3]});
      shapes.emplace_back(set.boxes.back());
    }
    shapes.emplace_back(set);
    const auto count = static_cast<int64_t>(shapes.size());
    for (const char* scale : {"normalized", "raw"}) {
      const auto backbone = alphaclip(std::string(", alpha_scale: ") + scale);
      const at::Tensor expected =
          expected_tensor(kCase, std::string("tokens_") + scale + "_alpha").slice(0, 0, count).select(1, 0);
      const RegionFeatures found = regions_of(*backbone, shapes);
      CHECK(at::allclose(found.features, expected, 2e-4, 2e-4));
      CHECK(found.warnings.empty());
    }
  }

  TEST_CASE("many regions get what each gets alone, in order") {
    std::vector<RegionShape> shapes;
    for (int64_t i = 0; i < 20; ++i) {  // more than are in memory together
      shapes.emplace_back(Box{static_cast<double>(i), static_cast<double>(i / 2), 8, 9});
    }
    for (const char* feature : {"cls", "patches"}) {
      const auto backbone = alphaclip(std::string(", region_feature: ") + feature);
      const at::Tensor together = regions_of(*backbone, shapes).features;  // [20,24]
      CHECK(together.sizes() == at::IntArrayRef({20, 24}));
      for (const int64_t i : {0, 15, 16, 19}) {
        CHECK(near(together[i], feature_of(*backbone, shapes[i])));
      }
      CHECK_FALSE(near(together[0], together[19]));
    }
    CHECK(regions_of(*alphaclip(), {}).features.sizes() == at::IntArrayRef({0, 24}));
  }

  TEST_CASE("warnings name their region however many there are") {
    std::vector<RegionShape> shapes(18, WholeImage{});
    shapes[17] = Box{3, 3, 0, 0};
    const RegionFeatures found = regions_of(*alphaclip(), shapes);
    REQUIRE(found.warnings.size() == 1);
    CHECK(found.warnings[0].region == 17);
  }

  TEST_CASE("boxes, patches, masks and points of the original image become the same pixels") {
    const auto backbone = alphaclip();
    const auto features =
        regions_of(*backbone,
                   {Box{14, 3.5, 14, 3.5}, Patch{1, 1},
                    Mask{at::zeros({14, 56}, at::kBool)
                             .index_put_({at::indexing::Slice(3, 7), at::indexing::Slice(14, 28)},
                                         at::ones({}, at::kBool))},
                    ImagePoint{28, 7}, Trace{{{0.5, 0.5}}}},
                   56, 14);
    at::Tensor mask = empty_mask();
    mask.slice(0, 7, 14).slice(1, 7, 14).fill_(1);
    const at::Tensor square = tokens_under(*backbone, mask)[0];
    CHECK(near(features.features[0], square));
    CHECK(near(features.features[1], square));
    mask.slice(0, 6, 7).slice(1, 7, 14).fill_(1);  // 14 pixels high become 28: row 3 covers 6 and 7
    CHECK(near(features.features[2], tokens_under(*backbone, mask)[0]));
    mask.zero_();
    mask[14][14] = 1;
    CHECK(near(features.features[3], tokens_under(*backbone, mask)[0]));
    CHECK(near(features.features[4], features.features[3]));
  }

  TEST_CASE("a mask that cuts pixels gives their share, or what mask_rule says") {
    at::Tensor marked = at::zeros({56, 56}, at::kBool);
    marked.slice(0, 0, 28).slice(1, 0, 29).fill_(true);       // half of the pixels of column 14
    marked.slice(0, 28, 29).slice(1, 40, 56, 2).fill_(true);  // a quarter of eight pixels of row 14
    const std::vector<RegionShape> shapes = {Mask{marked}};
    struct Shares {
      const char* rule;
      double half;
      double quarter;
    };
    for (const auto& [rule, half, quarter] :
         {Shares{"coverage", 0.5, 0.25}, Shares{"any", 1, 1}, Shares{"half", 1, 0}}) {
      CAPTURE(rule);
      const auto backbone = alphaclip(std::string(", mask_rule: ") + rule);
      at::Tensor mask = empty_mask();
      mask.slice(0, 0, 14).slice(1, 0, 14).fill_(1);
      mask.slice(0, 0, 14).slice(1, 14, 15).fill_(half);
      mask.slice(0, 14, 15).slice(1, 20, 28).fill_(quarter);
      CHECK(near(regions_of(*backbone, shapes, 56, 56).features[0], tokens_under(*backbone, mask)[0]));
    }
  }

  TEST_CASE("patches pools the patches under the region, seen under its mask") {
    const auto backbone = alphaclip(", region_feature: patches");
    at::Tensor mask = empty_mask();
    mask.slice(0, 0, 14).slice(1, 0, 7).fill_(1);
    const at::Tensor tokens = tokens_under(*backbone, mask);
    CHECK(near(feature_of(*backbone, Box{0, 0, 7, 14}), (tokens[1] + tokens[5]) / 2));
    mask.zero_();
    mask.slice(0, 8, 12).slice(1, 15, 19).fill_(1);
    const RegionFeatures small = regions_of(*backbone, {Box{15, 8, 4, 4}});  // inside patch 1,2
    CHECK(near(small.features[0], tokens_under(*backbone, mask)[1 + 4 + 2]));
    CHECK(small.warnings.empty());
  }

  TEST_CASE("a set of boxes inside patches pools the patches under their centres") {
    const auto backbone = alphaclip(", region_feature: patches");
    at::Tensor mask = empty_mask();
    mask.slice(0, 1, 5).slice(1, 1, 5).fill_(1);
    mask.slice(0, 22, 26).slice(1, 15, 19).fill_(1);
    const at::Tensor tokens = tokens_under(*backbone, mask);
    const at::Tensor found = feature_of(*backbone, BoxSet{{{1, 1, 4, 4}, {15, 22, 4, 4}, {-40, 0, 4, 4}}});
    CHECK(near(found, (tokens[1] + tokens[1 + 3 * 4 + 2]) / 2));
  }

  TEST_CASE("a region without pixels keeps its empty mask, with a warning") {
    const auto backbone = alphaclip();
    const std::vector<RegionShape> empty = {
        Box{5.2, 5.2, 0.5, 0.5}, Box{-20, 3, 10, 5}, BoxSet{},
        Trace{{{2, 2}}},         ImagePoint{-1, 5},  Mask{at::zeros({28, 28}, at::kBool)}};
    const RegionFeatures found = regions_of(*backbone, empty);
    const at::Tensor nothing = tokens_under(*backbone, empty_mask())[0];
    REQUIRE(found.warnings.size() == empty.size());
    for (size_t i = 0; i < empty.size(); ++i) {
      CAPTURE(kind_name(empty[i]));
      CHECK(near(found.features[static_cast<int64_t>(i)], nothing));
      CHECK(found.warnings[i].region == i);
      CHECK(contains(found.warnings[i].sentence, "the mask is empty"));
    }
    CHECK(found.warnings[0].sentence ==
          "the box 5.2,5.2,0.5,0.5 covers no pixel of the network input of 28x28; the mask is empty");
    CHECK(contains(found.warnings[1].sentence, "the box -20,3,10,5 lies outside"));
  }

  TEST_CASE("without patches to pool a box takes the nearest, anything else the whole image") {
    const auto backbone = alphaclip(", region_feature: patches");
    const RegionFeatures found = regions_of(
        *backbone, {Box{-20, 8, 10, 5}, Trace{{{2, 2}}}, BoxSet{}, Mask{at::zeros({28, 28}, at::kBool)}});
    const at::Tensor tokens = tokens_under(*backbone, empty_mask());
    CHECK(near(found.features[0], tokens[1 + 4]));
    for (int64_t i = 1; i < 4; ++i) {
      CHECK(near(found.features[i], tokens.slice(0, 1).mean(0)));
      CHECK(contains(found.warnings[i].sentence, "the mean of the whole image was taken"));
    }
  }

  TEST_CASE("without alpha weights masks have no effect, and the tokens are CLIP's") {
    const auto backbone = made_backbone("{" + pair_of(kBase, "none") + "}");
    const auto clip = made_backbone("{plugin: clip, format: openai, weights: " + kBase + "}");
    const ImageFeatures plain = clip->encode(input());
    CHECK(near(backbone->encode(input()).patches, plain.patches));
    CHECK(near(feature_of(*backbone, Box{3, 3, 4, 4}), plain.global[0]));
    CHECK(backbone->text_fingerprint() == clip->text_fingerprint());
    CHECK(alphaclip()->text_fingerprint() == clip->text_fingerprint());
  }

  TEST_CASE("texts come from the CLIP of weights") {
    const at::Tensor ids = at::tensor({1, 5, 7, 39, 0}, at::kLong).view({1, 5});
    const auto clip = made_backbone("{plugin: clip, format: openai, weights: " + kBase + "}");
    CHECK(near(alphaclip()->encode_token_ids(ids), clip->encode_token_ids(ids)));
  }

  TEST_CASE("images of a batch, and inputs of other sizes, are encoded as each alone") {
    const auto backbone = alphaclip();
    CHECK(batch_equals_singles(*backbone, at::cat({input(), input().flip(3), input().flip(2)})));
    const at::Tensor wide = at::cat({input(), input().flip(3)}, 3).slice(3, 0, 42);  // [1,3,28,42]
    const ImageFeatures features = backbone->encode(wide);
    CHECK(features.patches.sizes() == at::IntArrayRef({1, 4, 6, 24}));
    CHECK(features.patches.isfinite().all().item<bool>());
  }

  TEST_CASE("at a resolution that patches do not divide the rest is cut off, and masks keep their place") {
    const auto backbone = alphaclip(", resolution: 30");
    const at::Tensor pixels = at::randn({1, 3, 30, 30}, at::make_generator<at::CPUGeneratorImpl>(3));
    const std::vector<Region> regions = {{Box{7, 7, 14, 7}, ""}, {Box{28, 28, 2, 2}, ""}};
    const at::Tensor found = backbone->encode_regions(pixels, regions, geometry(*backbone, 30, 30)).features;
    at::Tensor masks = at::zeros({1, 28, 28});
    const auto alone = alphaclip();
    const at::Tensor cut = pixels.slice(2, 0, 28).slice(3, 0, 28);
    CHECK(near(found[1], alone->probe("tokens", {{"pixels", cut}, {"masks", masks}})[0][0]));
    masks[0].slice(0, 7, 14).slice(1, 7, 21).fill_(1);
    CHECK(near(found[0], alone->probe("tokens", {{"pixels", cut}, {"masks", masks}})[0][0]));
  }

  TEST_CASE("the prefix of parallel training is dropped, and a base of texts alone will do") {
    const TestFolder folder;
    const at::Tensor expected = feature_of(*alphaclip(), Box{3, 3, 9, 9});
    const std::string wrapped = changed_copy(folder / "variant.pth", kAlpha,
                                             [](std::string& name, at::Tensor&) { name = "module." + name; });
    CHECK(near(feature_of(*made_backbone("{" + pair_of(kBase, wrapped) + "}"), Box{3, 3, 9, 9}), expected));
    const TestFolder other;
    const std::string texts = changed_copy(other / "variant.pth", kBase, [](std::string& name, at::Tensor&) {
      name = name.starts_with("visual.") ? "" : name;
    });
    CHECK(near(feature_of(*made_backbone("{" + pair_of(texts, kAlpha) + "}"), Box{3, 3, 9, 9}), expected));
  }

  TEST_CASE("the image tower must be named, and the sentence says which file it is") {
    const std::string missing = refusal_of(
        ErrorKind::config, [] { (void)made_backbone("{plugin: alphaclip, weights: " + kBase + "}"); });
    check_contains(missing, "set `alpha_weights` to AlphaCLIP's file");
    check_contains(missing, "clip_b16_grit1m_fultune_8xe.pth");
    check_contains(missing, "or to none");
    check_contains(refusal_of(ErrorKind::config, [] { (void)made_backbone("{plugin: alphaclip}"); }),
                   "'backbone.weights' is required");
  }

  TEST_CASE("files of other models are recognised and named") {
    check_contains(refused_files(ErrorKind::checkpoint, kAlpha, kBase),
                   "is AlphaCLIP's image tower, which is");
    check_contains(refused_files(ErrorKind::checkpoint, kBase, kBase),
                   "`alpha_weights` must be AlphaCLIP's image tower");
    const std::string dino = parity_case("dino/dinov2_reg4") + "weights.pth";
    check_contains(refused_files(ErrorKind::checkpoint, kBase, dino), "DINOv2");
    check_contains(refused_files(ErrorKind::checkpoint, dino, kAlpha), "DINOv2");
    const TestFolder folder;
    const std::string lora = changed_copy(folder / "variant.pth", kAlpha, [](std::string& name, at::Tensor&) {
      name = name == "proj" ? "transformer.resblocks.0.attn.in_proj.lora_A" : name;
    });
    check_contains(refused_files(ErrorKind::checkpoint, kBase, lora), "LoRA");
    check_contains(refusal_of(ErrorKind::checkpoint,
                              [] { (void)made_backbone("{plugin: clip, weights: " + kAlpha + "}"); }),
                   "AlphaCLIP");
  }

  TEST_CASE("a damaged image tower is refused by the names that the file would have") {
    const TestFolder folder;
    const auto without = [&](const std::string& lost) {
      return changed_copy(folder / "variant.pth", kAlpha,
                          [&](std::string& name, at::Tensor&) { name = name == lost ? "" : name; });
    };
    check_contains(
        refused_files(ErrorKind::checkpoint, kBase, without("transformer.resblocks.1.attn.in_proj.weight")),
        "transformer.resblocks.1.attn.in_proj.weight");
    check_contains(refused_files(ErrorKind::checkpoint, kBase, without("conv1_alpha.weight")),
                   "a state dict with conv1_alpha.weight");
    const std::string wide =
        changed_copy(folder / "variant.pth", kAlpha, [](std::string& name, at::Tensor& tensor) {
          tensor = name == "conv1_alpha.weight" ? at::zeros({64, 1, 8, 8}) : tensor;
        });
    check_contains(refused_files(ErrorKind::checkpoint, kBase, wide), "conv1_alpha.weight");
  }

  TEST_CASE("an image tower that lost its first convolution is incomplete, not of another model") {
    const TestFolder folder;
    const std::string lost = copy_without(folder / "variant.pth", kAlpha, "conv1.weight");
    check_contains(refused_files(ErrorKind::checkpoint, kBase, lost), "missing      conv1.weight");
  }

  TEST_CASE("an image tower behind visual., as in a whole CLIP, is taken") {
    const TestFolder folder;
    const std::string whole = changed_copy(folder / "variant.pth", kAlpha,
                                           [](std::string& name, at::Tensor&) { name = "visual." + name; });
    CHECK(near(feature_of(*made_backbone("{" + pair_of(kBase, whole) + "}"), Box{3, 3, 9, 9}),
               feature_of(*alphaclip(), Box{3, 3, 9, 9})));
  }

  TEST_CASE("heads that do not fit are refused with file and option, also where the file says none") {
    const TestFolder folder;
    const std::string texts = copy_without(folder / "variant.pth", kBase, "visual.");
    const std::string sentence = refusal_of(
        ErrorKind::config, [&] { (void)made_backbone("{" + pair_of(texts, kAlpha) + ", heads: 5}"); });
    check_contains(sentence, "alpha_visual.pth");
    check_contains(sentence, "set `heads`");
  }

  TEST_CASE("two files of different models are refused with both sizes") {
    const TestFolder folder;
    const std::string larger =
        changed_copy(folder / "variant.pth", kAlpha, [](std::string& name, at::Tensor& tensor) {
          tensor = name == "positional_embedding" ? at::zeros({26, 64}) : tensor;
        });
    const std::string sentence = refused_files(ErrorKind::config, kBase, larger);
    check_contains(sentence, "17 positions");
    check_contains(sentence, "26 positions");
    const TestFolder other;
    const std::string texts = changed_copy(other / "variant.pth", kBase, [](std::string& name, at::Tensor&) {
      name = name.starts_with("visual.") ? "" : name;
    });
    check_contains(
        refusal_of(ErrorKind::checkpoint,
                   [&] { (void)made_backbone("{" + pair_of(texts, "none") + "}")->encode(input()); }),
        "with alpha_weights: none");
  }

  TEST_CASE("options, pixels and masks that do not fit are refused") {
    const auto options = [](const std::string& more) {
      return refusal_of(ErrorKind::config, [&] { (void)alphaclip(more); });
    };
    check_contains(options(", alpha_scale: row"), "alpha_scale");
    check_contains(options(", region_feature: mean"), "region_feature");
    check_contains(options(", resolution: 5"), "smaller than one patch");
    check_contains(options(", alpha_weight: x"), "did you mean 'alpha_weights'");
    const auto backbone = alphaclip();
    const auto data = [](const std::function<void()>& work) { return refusal_of(ErrorKind::data, work); };
    const std::vector<Region> whole = {{WholeImage{}, ""}};
    check_contains(data([&] {
                     (void)backbone->encode_regions(at::zeros({1, 3, 28, 35}), whole, geometry(*backbone));
                   }),
                   "expected [1,3,28,28]");
    check_contains(data([&] {
                     (void)backbone->encode_regions(at::zeros({2, 3, 28, 28}), whole, geometry(*backbone));
                   }),
                   "expected [1,3,28,28]");
    check_contains(data([&] {
                     (void)backbone->encode(at::zeros({1, 4, 28, 28}));
                   }),
                   "expected [images,3,height,width]");
    check_contains(data([&] { (void)regions_of(*backbone, {Patch{4, 0}}); }), "outside the grid");
    check_contains(data([&] { (void)backbone->probe("tokens", {{"pixels", input()}}); }), "masks");
    check_contains(data([&] {
                     (void)backbone->probe("tokens", {{"pixels", input()}, {"masks", at::zeros({1, 7, 7})}});
                   }),
                   "expected [1,28,28]");
    CHECK_THROWS_AS(backbone->probe("no_such_probe", {}), Error);
  }

  TEST_CASE("with the aggregator native a captioner asks alphaclip for the regions of each image") {
    PluginHost host;
    const std::string chain = "{aggregator: {plugin: native}, gap: {plugin: none, normalize_input: false}, ";
    const Captioner captioner(parse_yaml(chain + "backbone: {" + pair_of(kBase, kAlpha) + "}}", "test.yaml"),
                              host);
    const Image image = read_image(parity_case(kCase) + "img0.png", ExifOrientation::ignore);
    Image turned = image;
    turned.pixels = image.pixels.flip(1).contiguous();
    const auto wide = static_cast<double>(image.width());
    const auto high = static_cast<double>(image.height());
    const Box box{wide / 4, high / 4, wide / 2, high / 2};
    std::vector<CaptionTask> tasks(3);
    tasks[0].image = tasks[2].image = image;
    tasks[1].image = turned;
    tasks[0].regions = {{box, "box"}, {Patch{9, 9}, "bad"}, {WholeImage{}, "all"}};
    tasks[1].regions = {{box, "box"}, {Box{-500, 0, 3, 3}, "outside"}};
    tasks[2].regions = {{WholeImage{}, "all"}};
    const auto results = captioner.caption(tasks, {.decode = false});
    const ImageGeometry sizes = geometry(captioner.backbone(), image.width(), image.height());
    const at::Tensor straight =
        captioner.backbone()
            .encode_regions(preprocess(image, sizes.spec).unsqueeze(0), tasks[2].regions, sizes)
            .features[0];
    CHECK(results[0][0].region.id == "box");
    CHECK(results[0][0].error.empty());
    CHECK_FALSE(near(results[0][0].feature, straight));
    CHECK(contains(results[0][1].error, "patch 9,9 lies outside the grid"));
    CHECK(near(results[0][2].feature, straight));
    CHECK_FALSE(near(results[1][0].feature, results[0][0].feature));
    REQUIRE(results[1][1].warnings.size() == 1);
    CHECK(contains(results[1][1].warnings[0], "lies outside"));
    CHECK(near(results[2][0].prefix, straight));
    check_contains(refusal_of(ErrorKind::config,
                              [&] {
                                Captioner(
                                    parse_yaml(chain + "backbone: {plugin: clip, format: openai, weights: " +
                                                   kBase + "}}",
                                               "test.yaml"),
                                    host);
                              }),
                   "lets the backbone encode regions, but this backbone cannot");
  }
}

}  // namespace patchioner
