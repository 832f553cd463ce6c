// COCO captions, image lists, dense annotations, Karpathy's split: values are made up, keys are the real
// ones.
#include "dataset_folder.hpp"
#include "refusals.hpp"

using namespace patchioner;

TEST_CASE("captions of an image are its references, in the order of the file") {
  const DatasetFolder coco(R"({"info": {}, "annotations": [
      {"image_id": 7, "id": 3, "caption": "a cat\n"}, {"image_id": 9, "id": 4, "caption": "a dog"},
      {"image_id": 7, "id": 5, "caption": "the cat sits"}],
    "images": [{"id": 7, "file_name": "COCO_val2014_000000000007.jpg", "height": 20, "width": 30},
               {"id": 9, "file_name": "b.jpg"}]})");
  const Dataset dataset = coco.open();
  CHECK(dataset.format() == DatasetFormat::coco);
  CHECK(dataset.task() == DatasetTask::image);
  CHECK(dataset.problems().total() == 0);
  REQUIRE(dataset.size() == 2);
  const DatasetImage image = dataset.image(0);
  CHECK(image.id == 7);
  CHECK(image.width == 30);
  CHECK(image.height == 20);
  REQUIRE(image.regions.size() == 1);
  CHECK(std::holds_alternative<WholeImage>(image.regions[0].shape));
  CHECK(image.regions[0].references == std::vector<std::string>{"a cat\n", "the cat sits"});
}

TEST_CASE("an image list takes its references from a file of captions") {
  DatasetFolder list(R"({"images": [{"id": 7, "file_name": "a.jpg"}]})");
  CHECK(list.open().problems().count(ProblemKind::no_reference) == 1);
  list.options.references = list.folder.write("captions.json", R"({"images": [], "annotations": [
      {"image_id": 1, "id": 1, "caption": "of another image"}, {"image_id": 7, "id": 2, "caption": "a cat"}]})");
  const auto images = list.images();
  CHECK(images.at(0).regions[0].references == std::vector<std::string>{"a cat"});
  CHECK(list.open().problems().total() == 0);
}

TEST_CASE("what is wrong with annotations is counted, named and located, and the rest is read") {
  DatasetFolder coco(
      R"({"images": [{"id": 7, "file_name": "a.jpg"}, {"id": 7, "file_name": "b.jpg"}, {"id": 8}],
    "annotations": [{"image_id": 7, "id": 3, "caption": "a cat"}, {"image_id": 5, "id": 4, "caption": "x"},
                    {"image_id": 7, "id": 3, "caption": "again"}, {"image_id": 7, "id": 6, "caption": 4}]})");
  const Dataset dataset = coco.open();
  const DatasetProblems& problems = dataset.problems();
  CHECK(problems.count(ProblemKind::duplicate_image) == 1);
  CHECK(problems.count(ProblemKind::malformed_record) == 2);
  CHECK(problems.count(ProblemKind::unknown_image) == 1);
  CHECK(problems.count(ProblemKind::duplicate_annotation) == 1);
  CHECK(problems.total() == 5);
  CHECK(dataset.size() == 1);
  CHECK(dataset.image(0).regions[0].references == std::vector<std::string>{"a cat", "again"});
  REQUIRE(problems.summary().size() == 4);
  mentions(problems.summary()[0], "1 images listed twice: " + coco.folder.path().string());
  mentions(problems.summary()[0], "annotations.json: images[1] (byte 45): the image 7 is there twice");
  mentions(problems.summary()[3], "has no \"file_name\"");
  coco.options.strict = true;
  CHECK(refusal_of(ErrorKind::data, [&] { coco.open(); }) ==
        (coco.folder / "annotations.json").string() + ": images[1] (byte 45): the image 7 is there twice");
}

TEST_CASE("a file that is cut is refused with the byte, strict or not") {
  const std::string whole =
      R"({"images": [{"id": 7, "file_name": "a.jpg"}], "annotations": [{"image_id": 7, "id": 3, "caption": "a cat"}]})";
  for (const size_t length : {whole.size() - 1, whole.size() - 20, size_t{30}}) {
    DatasetFolder cut(whole.substr(0, length));
    cut.options.format = DatasetFormat::coco;
    mentions(refusal_of(ErrorKind::data, [&] { cut.open(); }), fmt::format("it ends at byte {}", length));
  }
}

TEST_CASE("dense boxes come as corners and keep their order within an image") {
  const DatasetFolder dense(R"({
    "images": [{"id": 7, "file_name": "a.jpg", "width": 20, "height": 20}, {"id": "x", "file_name": "b.jpg"}],
    "annotations": [{"id": 1, "image_id": "x", "bbox": [1, 2, 11, 22], "caption": "one"},
                    {"id": 2, "image_id": 7, "bbox": [5, 5, 5, 9], "caption": "flat"},
                    {"id": 3, "image_id": "x", "bbox": [0.5, 0, 2, 1], "caption": "two"},
                    {"id": 4, "image_id": 7, "bbox": [5, 5, 4, 9], "caption": "inverted"},
                    {"id": 5, "image_id": 7, "bbox": [5, 5, 25, 9], "caption": "outside"}]})");
  const Dataset dataset = dense.open();
  CHECK(dataset.format() == DatasetFormat::dense);
  CHECK(dataset.task() == DatasetTask::dense);
  CHECK(dataset.region_count() == 4);
  const auto images = dense.images();
  REQUIRE(images[1].regions.size() == 2);
  const Box first = std::get<Box>(images[1].regions[0].shape);
  CHECK(first.width == 10);
  CHECK(first.height == 20);
  CHECK(images[1].regions[1].references == std::vector<std::string>{"two"});
  CHECK(images[1].regions[1].corners.dump() == "[0.5,0,2,1]");
  CHECK(images[1].regions[1].position == 2);  // of the regions that are kept, in the order of the file
  // A side of zero length is one pixel long in this task.
  const Box flat = std::get<Box>(images[0].regions[0].shape);
  CHECK(flat.width == 1);
  CHECK(flat.height == 4);
  CHECK(images[0].regions[0].corners.dump() == "[5,5,5,9]");
  CHECK(dataset.problems().count(ProblemKind::inverted_box) == 1);
  CHECK(dataset.problems().count(ProblemKind::outside_box) == 1);
  CHECK(dataset.problems().count(ProblemKind::flat_box) == 1);
  CHECK(dataset.problems().total() == 2);
}

TEST_CASE("Karpathy's split gives the images of the split that is asked for") {
  DatasetFolder karpathy(R"({"images": [
     {"filepath": "val2014", "filename": "COCO_val2014_000000000005.jpg", "imgid": 0, "split": "test", "sentids": [1],
      "sentences": [{"tokens": ["a"], "raw": "A cat. ", "imgid": 0, "sentid": 1}], "cocoid": 5},
     {"filepath": "train2014", "filename": "t.jpg", "imgid": 1, "split": "train", "sentids": [], "sentences": [], "cocoid": 6},
     {"filename": "r.jpg", "imgid": 2, "split": "restval", "sentids": [2], "sentences": [{"raw": "r"}]}],
     "dataset": "coco"})");
  CHECK(karpathy.open().format() == DatasetFormat::karpathy);
  auto images = karpathy.images();
  REQUIRE(images.size() == 1);
  CHECK(images[0].id == 5);
  CHECK(images[0].regions[0].references == std::vector<std::string>{"A cat. "});
  karpathy.options.split = "train+restval";
  images = karpathy.images();
  REQUIRE(images.size() == 2);
  CHECK(images[1].id == 2);
  karpathy.options.split = "nothing";
  mentions(refusal_of(ErrorKind::data, [&] { karpathy.open(); }), "no images of the split 'nothing'");
}

TEST_CASE("images are found by the names that their data sets use") {
  DatasetFolder coco(
      R"({"images": [{"id": 1, "file_name": "COCO_val2014_000000000001.jpg"}, {"id": 2, "file_name": "gone.jpg"}],
          "annotations": [{"image_id": 1, "id": 1, "caption": "a"}, {"image_id": 2, "id": 2, "caption": "b"}]})");
  coco.folder.write("first/other.jpg", "");
  coco.folder.write("second/val2014/COCO_val2014_000000000001.jpg", "");
  coco.options.image_folders = {coco.folder / "first", coco.folder / "second"};
  const Dataset dataset = coco.open();
  CHECK(dataset.image(0).path == coco.folder / "second/val2014/COCO_val2014_000000000001.jpg");
  CHECK(dataset.image(1).path.empty());
  CHECK(dataset.problems().count(ProblemKind::missing_image) == 1);
  coco.options.image_folders = {coco.folder / "nowhere"};
  mentions(refusal_of(ErrorKind::io, [&] { coco.open(); }), "no such folder of images");
}

TEST_CASE("ids become names plain and padded") {
  CHECK(image_names_of("391895", ImageNames::coco) ==
        std::vector<std::string>{"COCO_val2014_000000391895.jpg", "COCO_train2014_000000391895.jpg",
                                 "COCO_test2014_000000391895.jpg", "000000391895.jpg"});
  CHECK(image_names_of("36979", ImageNames::plain).front() == "36979.jpg");
  CHECK(image_names_of("36979", ImageNames::automatic).front() == "36979.jpg");
  CHECK(image_names_of("36979", ImageNames::automatic).back() == "000000036979.jpg");
  CHECK(image_names_of("cat", ImageNames::coco) == std::vector<std::string>{"cat.jpg"});
}

TEST_CASE("what is no annotation file is told with the formats that are") {
  const DatasetFolder other(R"({"hello": 1})");
  mentions(refusal_of(ErrorKind::data, [&] { other.open(); }), "no annotation file of a known format");
  const DatasetFolder list(R"([1, 2])");
  mentions(refusal_of(ErrorKind::data, [&] { list.open(); }), "region-sets");
  mentions(refusal_of(ErrorKind::usage, [] { dataset_format_from("cocoo"); }), "did you mean 'coco'");
  DatasetFolder two(R"({"images": []})");
  two.add("second.json", "{}");
  mentions(refusal_of(ErrorKind::usage, [&] { two.open(); }), "cannot be merged");
}
