#include "evaluation/dataset_captions.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <patchioner/error.hpp>

#include "refusals.hpp"
#include "report/encode.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"
#include "unit/runtime/fake_plugins.hpp"

using namespace patchioner;

namespace {

/// Five images of 8x8 pixels, redder and redder; each is asked for as a whole and for its first patch.
class Scenes {
 public:
  Scenes() {
    std::string records;
    for (int64_t i = 0; i < 5; ++i) {
      const std::string name = fmt::format("{}.png", i);
      write_png(folder / name, fake::plain(51 * i).pixels);
      records += fmt::format(
          R"({{"image": "{}", "regions": [{{"image": true, "references": ["r{}"]}}, {{"patch": [0,0], "references": ["p"]}}]}})"
          "\n",
          name, i);
    }
    options.files = {folder.write("scenes.jsonl", records)};
    kept.records = folder / "records.jsonl";
    kept.name = "scenes";
    kept.settings = "abc";
  }

  std::optional<DatasetCaptions> caption() const {
    Dataset dataset = Dataset::open(options);
    dataset.keep_first(images);
    return caption_dataset(dataset, parts.captioner(2), kept);
  }

  TestFolder folder;
  DatasetOptions options;
  DatasetCaptionOptions kept;
  size_t images = 5;
  fake::Parts parts;
};

std::vector<std::string> captions_of(const DatasetCaptions& all) {
  std::vector<std::string> texts;
  for (const ImageCaptions& image : all.images) {
    texts.push_back(image.error.empty() ? image.regions.front().caption : "error");
  }
  return texts;
}

size_t lines_of(const std::filesystem::path& file) {
  const std::string text = read_file(file);
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

const std::vector<std::string> kAll = {"0,0,0", "20,0,0", "40,0,0", "60,0,0", "80,0,0"};

}  // namespace

TEST_CASE("every image is captioned once, in batches, and kept") {
  const Scenes scenes;
  const auto captions = scenes.caption();
  REQUIRE(captions);
  CHECK(captions_of(*captions) == kAll);
  CHECK(captions->counts.images == 5);
  CHECK(captions->counts.regions == 10);
  CHECK(captions->counts.failed == 0);
  CHECK(scenes.parts.backbone->batches == std::vector<int64_t>{2, 2, 1});
  CHECK(lines_of(scenes.kept.records) == 5);
}

TEST_CASE("what is done is not done again, also behind a torn record") {
  Scenes scenes;
  scenes.images = 3;
  CHECK(captions_of(*scenes.caption()).size() == 3);
  // As a kill in the middle of a write leaves it.
  const auto size = std::filesystem::file_size(scenes.kept.records);
  std::filesystem::resize_file(scenes.kept.records, size - 5);
  scenes.images = 5;
  scenes.parts.backbone->batches.clear();
  const auto captions = scenes.caption();
  CHECK(captions_of(*captions) == kAll);
  CHECK(captions->counts.images_before == 2);
  CHECK(scenes.parts.backbone->batches == std::vector<int64_t>{2, 1});
  scenes.parts.backbone->batches.clear();
  CHECK(captions_of(*scenes.caption()) == kAll);
  CHECK(scenes.parts.backbone->batches.empty());
}

TEST_CASE("records of other settings are refused, and stay") {
  Scenes scenes;
  scenes.caption();
  scenes.kept.settings = "def";
  const std::string sentence = refusal_of(ErrorKind::usage, [&] { scenes.caption(); });
  mentions(sentence, "records.jsonl:1: was made with other settings (\"abc\", these are def)");
  mentions(sentence, "--restart");
  CHECK(lines_of(scenes.kept.records) == 5);
}

TEST_CASE("an image that fails is told, and tried again by the next call") {
  const Scenes scenes;
  const std::string whole = read_file(scenes.folder / "3.png");
  scenes.folder.write("3.png", "no picture");
  const auto first = scenes.caption();
  CHECK(captions_of(*first) == std::vector<std::string>{"0,0,0", "20,0,0", "40,0,0", "error", "80,0,0"});
  CHECK(first->counts.failed == 2);
  CHECK(first->counts.regions == 10);
  REQUIRE(first->counts.failures.size() == 1);
  mentions(first->counts.failures.front(), "image 3.png: ");
  scenes.folder.write("3.png", whole);
  scenes.parts.backbone->batches.clear();
  CHECK(captions_of(*scenes.caption()) == kAll);
  CHECK(scenes.parts.backbone->batches == std::vector<int64_t>{1});
}

TEST_CASE("an image that became another is captioned again, one that was only copied is not") {
  const Scenes scenes;
  scenes.caption();
  scenes.parts.backbone->batches.clear();
  const std::filesystem::path copied = scenes.folder / "1.png";
  std::filesystem::last_write_time(copied, std::filesystem::last_write_time(copied) + std::chrono::hours(1));
  write_png(scenes.folder / "3.png", fake::plain(255).pixels);
  const auto captions = scenes.caption();
  CHECK(captions_of(*captions) == std::vector<std::string>{"0,0,0", "20,0,0", "40,0,0", "100,0,0", "80,0,0"});
  CHECK(captions->counts.images_before == 4);
  CHECK(scenes.parts.backbone->batches == std::vector<int64_t>{1});
}

TEST_CASE("predictions stand in the order of the file, not of the images") {
  const TestFolder folder;
  for (const char* name : {"1.png", "2.png"}) {
    write_png(folder / name, fake::quarters().pixels);
  }
  DatasetOptions options;
  // Annotations of two images take turns; boxes are corners.
  options.files = {folder.write(
      "dense.json", R"({"images": [{"id": 2, "file_name": "2.png"}, {"id": 1, "file_name": "1.png"}],
    "annotations": [{"id": 1, "image_id": 1, "bbox": [0, 0, 4, 4.5], "caption": "a"}, {"id": 2, "image_id": 2, "bbox": [1, 1, 8, 8], "caption": "b"},
                    {"id": 3, "image_id": 1, "bbox": [2, 2, 6, 6], "caption": "c"}]})")};
  options.image_folders = {folder.path()};
  const Dataset dataset = Dataset::open(options);
  const fake::Parts parts;
  const auto captions = caption_dataset(dataset, parts.captioner(),
                                        {.name = "dense", .records = folder / "r.jsonl", .settings = "s"});
  const DatasetPredictions predictions = predictions_of(dataset, *captions, "dense");
  std::vector<std::string> images;
  for (const Prediction& prediction : predictions.predictions.items) {
    images.push_back(prediction.image);
  }
  CHECK(images == std::vector<std::string>{"1", "2", "1"});
  CHECK(predictions.predictions.items[0].corners == std::array<double, 4>{0, 0, 4, 4.5});
  CHECK(predictions.places[1].image == 0);
  CHECK(predictions.places[2].region == 1);
  for (const Prediction& prediction : predictions_of(dataset, *captions, "dense", 1.0).predictions.items) {
    CHECK(prediction.score == 1.0);
  }
}
