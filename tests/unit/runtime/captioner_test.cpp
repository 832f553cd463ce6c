#include "runtime/captioner.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <patchioner/log.hpp>

#include "fake_plugins.hpp"

using namespace patchioner;
using fake::task;

namespace {

std::vector<std::string> texts(const std::vector<RegionResult>& results) {
  std::vector<std::string> found;
  for (const RegionResult& result : results) {
    found.push_back(result.error.empty() ? result.caption.text : "error: " + result.error);
  }
  return found;
}

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("every region of an image is captioned from its own patches, in order") {
  const std::vector<CaptionTask> tasks = {
      task(fake::quarters(), {Patch{0, 0}, Patch{0, 1}, WholeImage{}, Patch{1, 0}})};
  const auto results = fake::Parts{}.captioner().caption(tasks);
  CHECK(texts(results[0]) == std::vector<std::string>{"100,0,0", "0,100,0", "50,50,50", "100,100,100"});
}

TEST_CASE("images pass the backbone in batches and regions the decoder at once") {
  const fake::Parts parts;
  std::vector<CaptionTask> tasks;
  for (int64_t i = 0; i < 5; ++i) {
    tasks.push_back(task(fake::plain(51 * i), {WholeImage{}, Patch{1, 1}}));
  }
  const auto results = parts.captioner(2).caption(tasks);
  CHECK(parts.backbone->batches == std::vector<int64_t>{2, 2, 1});
  CHECK(parts.decoder->batches == std::vector<int64_t>{4, 4, 2});
  for (size_t i = 0; i < 5; ++i) {
    CHECK(results[i][0].caption.text == fmt::format("{},0,0", 20 * i));
  }
}

TEST_CASE("images of different sizes share a batch") {
  const std::vector<CaptionTask> tasks = {task(fake::plain(255, 30, 10), {WholeImage{}}),
                                          task(fake::plain(0, 1, 1), {WholeImage{}})};
  const auto results = fake::Parts{}.captioner().caption(tasks);
  CHECK(texts(results[0]) == std::vector<std::string>{"100,0,0"});
  CHECK(texts(results[1]) == std::vector<std::string>{"0,0,0"});
}

TEST_CASE("a task prepared ahead needs no pixels any more") {
  const fake::Parts parts;
  const Captioner captioner = parts.captioner();
  std::vector<CaptionTask> tasks = {task(fake::quarters(), {Patch{0, 1}})};
  captioner.prepare(tasks[0]);
  tasks[0].image.pixels.reset();
  CHECK_FALSE(captioner.needs_pixels());
  CHECK(texts(captioner.caption(tasks)[0]) == std::vector<std::string>{"0,100,0"});
}

TEST_CASE("a region that cannot be captioned does not end the others") {
  const std::vector<CaptionTask> tasks = {task(
      fake::quarters(), {Patch{0, 0}, Patch{2, 0}, Box{kNaN, 0, 1, 1}, Box{0, 0, -3, 1}, Trace{{{kNaN, 0}}},
                         ImagePoint{kNaN, 1}, Mask{at::ones({3, 8}, at::kBool)}, Patch{0, 1}})};
  const auto results = fake::Parts{}.captioner().caption(tasks);
  const auto found = texts(results[0]);
  CHECK(found[0] == "100,0,0");
  CHECK(found[1] == "error: patch 2,0 lies outside the grid of 2 rows and 2 columns; they count from 0");
  CHECK(found[2].find("not finite") != std::string::npos);
  CHECK(found[3].find("inverted") != std::string::npos);
  CHECK(found[4].find("point 1 of the trace is not finite") != std::string::npos);
  CHECK(found[5].find("not finite") != std::string::npos);
  CHECK(found[6] == "error: the mask has 8x3 pixels and the image 8x8; a mask has the size of its image");
  CHECK(found[7] == "0,100,0");
}

TEST_CASE("a region that the aggregator refuses does not end the others") {
  const std::vector<CaptionTask> tasks = {
      task(fake::quarters(), {Patch{0, 0}, Trace{{{0.5, 0.5}}}, Patch{0, 1}})};
  CHECK(texts(fake::Parts{}.captioner().caption(tasks)[0]) ==
        std::vector<std::string>{"100,0,0", "error: traces are not for me", "0,100,0"});
}

TEST_CASE("an image without regions and an image whose regions are all wrong give what they have") {
  const std::vector<CaptionTask> tasks = {task(fake::quarters(), {}), task(fake::quarters(), {Patch{9, 9}})};
  const auto results = fake::Parts{}.captioner().caption(tasks);
  CHECK(results[0].empty());
  CHECK_FALSE(results[1][0].error.empty());
}

TEST_CASE("a warning stands at the region that it is about") {
  const std::vector<CaptionTask> tasks = {task(fake::quarters(), {Patch{0, 0}, BoxSet{}, Patch{0, 1}})};
  const auto results = fake::Parts{}.captioner().caption(tasks);
  CHECK(results[0][0].warnings.empty());
  CHECK(results[0][1].warnings == std::vector<std::string>{"the set is empty"});
  CHECK(results[0][2].warnings.empty());
}

TEST_CASE("gaps are applied in the order of the config") {
  fake::Parts parts;
  parts.gaps = {std::make_shared<fake::Affine>(0.5, 0), std::make_shared<fake::Affine>(1, 0.25)};
  const std::vector<CaptionTask> tasks = {task(fake::quarters(), {Patch{0, 0}})};
  const auto results = parts.captioner().caption(tasks);
  CHECK(results[0][0].caption.text == "75,25,25");
  CHECK(results[0][0].feature.equal(at::tensor({1.0F, 0.0F, 0.0F})));
  CHECK(results[0][0].prefix.equal(at::tensor({0.75F, 0.25F, 0.25F})));
}

TEST_CASE("an aggregator's scale multiplies the weighted mean") {
  fake::Parts parts;
  parts.aggregator->factor = 0.25;
  const std::vector<CaptionTask> tasks = {task(fake::quarters(), {Patch{0, 0}})};
  CHECK(parts.captioner().caption(tasks)[0][0].caption.text == "25,0,0");
}

TEST_CASE("explaining adds weights, memory texts and token probabilities") {
  fake::Parts parts;
  parts.gaps[0]->remembers = true;
  const std::vector<CaptionTask> tasks = {task(fake::quarters(), {Patch{1, 0}})};
  const auto plain = parts.captioner().caption(tasks);
  CHECK_FALSE(plain[0][0].weights.defined());
  CHECK(plain[0][0].memory.empty());
  const auto explained = parts.captioner().caption(tasks, {.explain = true, .memory_matches = 3});
  CHECK(explained[0][0].weights.equal(at::tensor({0.0F, 0.0F, 1.0F, 0.0F}).reshape({2, 2})));
  CHECK(explained[0][0].memory.size() == 3);
  CHECK(explained[0][0].caption.log_probabilities == std::vector<double>{-0.5});
}

TEST_CASE("the global token serves every region when the aggregator asks for it") {
  fake::Parts parts;
  parts.aggregator->from = FeatureSource::global;
  const std::vector<CaptionTask> tasks = {task(fake::quarters(), {Patch{0, 0}, Box{0, 0, 2, 2}})};
  CHECK(texts(parts.captioner().caption(tasks)[0]) == std::vector<std::string>{"50,50,50", "50,50,50"});
}

TEST_CASE("crops of all images are encoded in batches and never touch the whole image") {
  fake::Parts parts;
  parts.aggregator->from = FeatureSource::crops;
  const std::vector<CaptionTask> tasks = {
      task(fake::quarters(), {Box{0, 0, 4, 4}, Box{4, 4, 4, 4}, Patch{0, 1}}),
      task(fake::quarters(), {BoxSet{{{0, 4, 2, 2}, {2, 6, 2, 2}}}, Trace{}, Box{50, 50, 4, 4}})};
  const Captioner captioner = parts.captioner(2);
  CHECK(captioner.needs_pixels());
  const auto results = captioner.caption(tasks);
  CHECK(texts(results[0]) == std::vector<std::string>{"100,0,0", "0,0,100", "0,100,0"});
  CHECK(texts(results[1]) == std::vector<std::string>{"100,100,100", "50,50,50", "0,0,0"});
  CHECK(results[1][1].warnings.size() == 1);
  CHECK(results[1][2].warnings.size() == 1);
  CHECK(parts.backbone->batches == std::vector<int64_t>{2, 2, 2});
}

TEST_CASE("crops are cut to crop_dim also where whole images are squashed to another size") {
  fake::Parts parts;
  parts.aggregator->from = FeatureSource::crops;
  Image framed = fake::plain(0);
  framed.pixels.slice(0, 2, 6).slice(1, 2, 6) = at::tensor({255, 0, 0}, at::kByte);
  const std::vector<CaptionTask> tasks = {task(framed, {WholeImage{}})};
  CHECK(texts(parts.captioner().caption(tasks)[0])[0] == "25,0,0");
  parts.backbone->spec.crop_dim = 4;
  CHECK(texts(parts.captioner().caption(tasks)[0])[0] == "100,0,0");
  parts.backbone->spec.crop_dim = 0;  // a backbone that only squashes
  CHECK(texts(parts.captioner().caption(tasks)[0])[0] == "25,0,0");
}

TEST_CASE("a backbone that encodes regions itself is asked once an image") {
  fake::Parts parts;
  parts.aggregator->from = FeatureSource::native;
  parts.backbone->can.regions = true;
  const std::vector<CaptionTask> tasks = {
      task(fake::quarters(), {Patch{0, 0}, Patch{5, 5}, Patch{0, 1}}),
      task(fake::plain(51), {WholeImage{}}),
      task(fake::plain(102), {Patch{5, 5}}),
      task(fake::plain(102), {Box{0, 0, 4, 4}, WholeImage{}}),
  };
  const auto results = parts.captioner(3).caption(tasks);
  CHECK(texts(results[0])[0] == "50,50,50");
  CHECK(results[0][1].error.find("patch 5,5 lies outside the grid") != std::string::npos);
  CHECK(texts(results[0])[2] == "100,100,100");
  CHECK(texts(results[1]) == std::vector<std::string>{"20,0,0"});
  CHECK_FALSE(results[2][0].error.empty());
  CHECK(texts(results[3]) == std::vector<std::string>{"40,0,0", "80,0,0"});
  CHECK(parts.backbone->region_calls == std::vector<int64_t>{2, 1, 2});
  CHECK(parts.backbone->batches.empty());
}

TEST_CASE(
    "a region that such a backbone cannot take is a record with an error, and the others are captioned") {
  fake::Parts parts;
  parts.aggregator->from = FeatureSource::native;
  parts.backbone->can.regions = true;
  const std::vector<CaptionTask> tasks = {
      task(fake::quarters(), {Patch{0, 0}, Trace{{{0.5, 0.5}}}, Box{0, 0, 4, 4}}),
      task(fake::plain(51), {WholeImage{}}),
  };
  const auto results = parts.captioner().caption(tasks);
  CHECK(texts(results[0]) ==
        std::vector<std::string>{"50,50,50", "error: traces are not for me", "50,50,50"});
  CHECK(texts(results[1]) == std::vector<std::string>{"20,0,0"});
}

TEST_CASE("what such a backbone remarks on a region stands beside that region's caption") {
  fake::Parts parts;
  parts.aggregator->from = FeatureSource::native;
  parts.backbone->can.regions = true;
  const std::vector<RegionShape> shapes = {Patch{0, 0}, Patch{9, 9}, BoxSet{}, WholeImage{}};
  const std::vector<CaptionTask> tasks = {task(fake::quarters(), shapes)};
  const auto results = parts.captioner().caption(tasks);
  CHECK(results[0][0].warnings.empty());
  CHECK(results[0][2].warnings == std::vector<std::string>{"the set is empty"});
  CHECK(results[0][3].warnings.empty());
  const auto alone = parts.captioner().caption(std::vector<CaptionTask>{
      task(fake::quarters(), {Trace{}, BoxSet{}})});  // after a refusal each is asked for alone
  CHECK(alone[0][1].warnings == std::vector<std::string>{"the set is empty"});
}

TEST_CASE("a backbone that does not answer for each region is a failure of the plugin, not of a region") {
  fake::Parts parts;
  parts.aggregator->from = FeatureSource::native;
  parts.backbone->can.regions = true;
  parts.backbone->loses_a_row = true;
  const std::vector<CaptionTask> tasks = {task(fake::quarters(), {Patch{0, 0}, Patch{0, 1}})};
  CHECK_THROWS_WITH_AS(parts.captioner().caption(tasks),
                       doctest::Contains("no row of features for each of 2 regions"), Error);
}

TEST_CASE("features of a grid do not serve an aggregator that lets the backbone read the image") {
  fake::Parts parts;
  parts.aggregator->from = FeatureSource::native;
  parts.backbone->can.regions = true;
  const std::vector<Region> regions = {{WholeImage{}, ""}};
  CHECK_THROWS_WITH_AS(parts.captioner().caption_features({at::zeros({2, 2, 3}), {}, {}},
                                                          geometry_of(parts.backbone->spec, 8, 8), regions),
                       doctest::Contains("needs the image itself"), Error);
}

TEST_CASE("features that are there already give what the image would") {
  const fake::Parts parts;
  const Image image = fake::quarters();
  const ImageFeatures features =
      parts.backbone->encode(preprocess(image, parts.backbone->spec).unsqueeze(0), {});
  const std::vector<Region> regions = {{Patch{0, 1}, "one"}, {WholeImage{}, ""}};
  const auto results =
      parts.captioner().caption_features({features.patches[0], features.global[0], {}},
                                         geometry_of(parts.backbone->spec, 8, 8), regions, {.decode = true});
  CHECK(texts(results) == std::vector<std::string>{"0,100,0", "50,50,50"});
  CHECK(results[0].region.id == "one");
}

TEST_CASE("plugins that do not fit together are refused before any image is read") {
  const auto refused = [](const std::function<void(fake::Parts&)>& change, const char* why) {
    fake::Parts parts;
    change(parts);
    CHECK_THROWS_WITH_AS(parts.captioner(), doctest::Contains(why), Error);
  };
  refused([](fake::Parts& parts) { parts.aggregator->attention = true; }, "no attention map");
  refused([](fake::Parts& parts) { parts.aggregator->from = FeatureSource::native; }, "encode regions");
  refused(
      [](fake::Parts& parts) {
        parts.aggregator->from = FeatureSource::crops;
        parts.backbone->can.global = false;
      },
      "global token");
  refused([](fake::Parts& parts) { parts.backbone->spec.patch_size = 0; }, "no image side");
  refused([](fake::Parts& parts) { parts.decoder->width = 4; }, "width 3 and the decoder reads width 4");
  refused([](fake::Parts& parts) { parts.gaps[0]->width = 5; }, "width 3 and the gap's memory has width 5");
}

TEST_CASE("a memory or a decoder of another text encoder is warned about") {
  std::vector<std::string> lines;
  const auto before = set_log_sink([&](LogLevel, const std::string& line) { lines.push_back(line); });
  fake::Parts parts;
  parts.backbone->fingerprint = "aaaa";
  parts.gaps[0]->fingerprint = "aaaa";
  parts.captioner();
  CHECK(lines.empty());
  parts.gaps[0]->fingerprint = "bbbb";
  parts.captioner();
  parts.captioner();
  CHECK(lines.size() == 1);
  parts.decoder->fingerprint = "cccc";
  parts.captioner();
  set_log_sink(before);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].find("the memory was built with another text encoder") != std::string::npos);
  CHECK(lines[0].find("bbbb") != std::string::npos);
  CHECK(lines[1].find("the decoder was trained with another text encoder") != std::string::npos);
  CHECK(lines[1].find("cccc") != std::string::npos);
}

TEST_CASE("a projection of another release is warned about with both digests, and nothing else is said") {
  const std::string first(64, '1');
  const std::string current(64, '2');
  const std::string clip = ",act=tanh,hidden_layers=1,clip_text:" + std::string(64, '3');
  std::vector<std::string> lines;
  const auto before = set_log_sink([&](LogLevel, const std::string& line) { lines.push_back(line); });
  fake::Parts parts;
  parts.backbone->fingerprint = "projection:" + current + clip;
  parts.gaps[0]->fingerprint = "projection:" + first + clip;
  parts.decoder->fingerprint = "projection:" + first + clip;
  parts.captioner();
  set_log_sink(before);
  REQUIRE(lines.size() == 2);
  for (const std::string& line : lines) {
    CHECK(line.ends_with("(projection " + first + " there, " + current + " here)"));
  }
}
