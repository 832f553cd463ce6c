#include "data/visual_genome.hpp"

#include "dataset_folder.hpp"
#include "refusals.hpp"

using namespace patchioner;

TEST_CASE("phrases are cleaned as ControlCap's conversion does") {
  // spec/05 section 11; the golden case metrics/vg_conversion has more.
  CHECK(clean_region_phrase("Man's hat, which is RED & white!") == "mans hat which is red white");
  CHECK(clean_region_phrase("it is 5\u00b0 outside\u2026 \u00a250") == "it is 5 degree outside cent50");
  CHECK(clean_region_phrase("\u00bd caf\u00e9 \u2014 \u201copen\u201d") == "half cafe \u201copen\u201d");
  CHECK(clean_region_phrase(" ... ") == "");
  CHECK(clean_region_phrase("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15") == "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15");
  CHECK_FALSE(clean_region_phrase("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"));
}

TEST_CASE("boxes are clamped into the image, whole numbers stay whole") {
  const auto clamped = [](double x, double y, double width, double height) {
    return clamp_region_box({{"x", x}, {"y", y}, {"width", width}, {"height", height}}, 800, 600).dump();
  };
  CHECK(clamp_region_box({{"x", -3}, {"y", -2}, {"width", 20}, {"height", 30}}, 800, 600).dump() ==
        "[1,1,17,28]");
  CHECK(clamped(799.5, 10, 50, 20) == "[799.0,10.0,800.0,30.0]");
  CHECK(clamped(3.5, 4.5, 10.25, 20.5) == "[3.5,4.5,13.75,25.0]");
  mentions(refusal_of(ErrorKind::data, [] { clamp_region_box({{"x", 1}}, 8, 6); }), "has no \"y\"");
}

TEST_CASE("a box beside its image is kept by the conversion, and told") {
  DatasetFolder genome(R"([{"id": 1, "regions": [
    {"region_id": 4, "image_id": 1, "x": 5, "y": -9, "width": 3, "height": 4, "phrase": "sky"}]}])");
  genome.folder.write("image_data.json", R"([{"image_id": 1, "width": 20, "height": 10, "coco_id": null}])");
  genome.folder.write("densecap_splits.json", R"({"test": [1]})");
  CHECK(genome.open().problems().count(ProblemKind::inverted_box) == 1);
  const DatasetRegion region = genome.images().at(0).regions.at(0);
  CHECK(region.corners.dump() == "[5,1,8,-5]");
  CHECK(std::get<Box>(region.shape).height == 1);
}

TEST_CASE("regions of the split become dense annotations, in the order of the file") {
  DatasetFolder genome(R"([
    {"id": 3, "regions": [{"region_id": 1, "image_id": 3, "x": 2, "y": 2, "width": 4, "height": 4, "phrase": "A Dog."},
                          {"region_id": 2, "image_id": 3, "x": 2, "y": 2, "width": 0, "height": 4, "phrase": ""},
                          {"region_id": 3, "image_id": 3, "x": 2, "y": 2, "width": 4, "height": 4}]},
    {"id": 1, "regions": [{"region_id": 4, "image_id": 1, "x": 0, "y": 0, "width": 99, "height": 9, "phrase": "sky"}]},
    {"id": 2, "regions": []}, {"id": 4, "regions": [{"region_id": 5}]}])");
  CHECK_THROWS_WITH_AS(genome.open(), doctest::Contains("image_data.json"), Error);
  genome.folder.write("image_data.json", R"([
    {"image_id": 1, "width": 20, "height": 10, "url": "u", "coco_id": null, "flickr_id": null},
    {"image_id": 3, "width": 20, "height": 10, "url": "u", "coco_id": 77, "flickr_id": null}])");
  CHECK_THROWS_WITH_AS(genome.open(), doctest::Contains("densecap_splits.json"), Error);
  genome.folder.write("densecap_splits.json", R"({"train": [4], "val": [], "test": [1, 2, 3]})");

  const Dataset dataset = genome.open();
  CHECK(dataset.format() == DatasetFormat::visual_genome);
  CHECK(dataset.task() == DatasetTask::dense);
  CHECK(dataset.problems().count(ProblemKind::malformed_record) == 1);  // a region without a phrase
  const auto images = genome.images();
  REQUIRE(images.size() == 2);
  CHECK(images[0].id == 3);
  CHECK(images[0].file_name == "3.jpg");
  REQUIRE(images[0].regions.size() == 2);  // the test split keeps empty phrases and boxes without area
  CHECK(images[0].regions[0].references == std::vector<std::string>{"a dog"});
  CHECK(images[0].regions[1].corners.dump() == "[2,2,2,6]");
  CHECK(images[1].regions[0].corners.dump() == "[1,1,20,9]");

  genome.options.vg_coco = true;
  CHECK(genome.images().size() == 1);
  genome.options.vg_coco = false;
  genome.options.split = "all";
  CHECK(genome.open().problems().count(ProblemKind::left_out) == 1);
  genome.options.split = "tset";
  mentions(refusal_of(ErrorKind::usage, [&] { genome.open(); }),
           "has no split 'tset'; it has train, val, test");
}
