#include "dataset_folder.hpp"
#include "refusals.hpp"

using namespace patchioner;

namespace {

std::vector<std::string> keys_of(const DatasetImage& image) {
  std::vector<std::string> keys;
  for (const DatasetRegion& region : image.regions) {
    keys.push_back(region.reference_key);
  }
  return keys;
}

}  // namespace

TEST_CASE("region sets keep the order of the file and may be empty") {
  const DatasetFolder sets(
      R"({"9": {"z\nsecond": [[0,0,2,4],[1,1,3,3]], "a": []}, "10": {"b": [[0,0,1.5,1]]}})");
  const Dataset dataset = sets.open();
  CHECK(dataset.format() == DatasetFormat::region_sets);
  CHECK(dataset.task() == DatasetTask::region_set);
  CHECK(dataset.problems().total() == 0);
  CHECK(dataset.problems().count(ProblemKind::empty_set) == 1);
  const auto images = sets.images();
  REQUIRE(images.size() == 2);
  CHECK(images[0].id == "9");
  CHECK(keys_of(images[0]) == std::vector<std::string>{"z\nsecond", "a"});
  CHECK(images[0].regions[0].references == std::vector<std::string>{"z", "second"});
  CHECK(std::get<BoxSet>(images[0].regions[0].shape).boxes[0].height == 4);
  CHECK(std::get<BoxSet>(images[0].regions[1].shape).boxes.empty());
  CHECK(images[1].regions[0].corners.dump() == "[[0,0,1.5,1]]");
  CHECK(images[1].regions[0].position == 2);
}

TEST_CASE("a set that is no set is left out and told") {
  const DatasetFolder sets(
      R"({"9": {"a": [[0,0,1,"x"]], "b": [[0,0,1,1]], "c": [[5,0,1,1]], "d": 3}, "9": {}})");
  const Dataset dataset = sets.open();
  CHECK(dataset.region_count() == 1);
  CHECK(dataset.problems().count(ProblemKind::malformed_record) == 2);
  CHECK(dataset.problems().count(ProblemKind::inverted_box) == 1);
  CHECK(dataset.problems().count(ProblemKind::duplicate_image) == 1);
  mentions(dataset.problems().examples()[0].what, "a corner of a box is no number: \"x\"");
}

TEST_CASE("COCO Entities: detections of the classes that a caption names; captions of one set share it") {
  DatasetFolder entities(R"({"5": {
    "a man with a red helmet.": {"det_sequences": ["_", null], "noun_chunks": [], "detections": {}, "split": "test"},
    "A man, with a dog.": {"det_sequences": ["man", "man", null, "dog"], "noun_chunks": [],
       "detections": {"dog": [[3, [1.0, 2.0, 30.5, 40.0]]], "man": [[1, [5, 5, 9, 9]], [2, [6, 6, 9, 9]]]}, "split": "test"},
    "the dog of a man": {"det_sequences": ["dog", null, "man"], "noun_chunks": [],
       "detections": {"dog": [[3, [1.0, 2.0, 30.5, 40.0]]], "man": [[1, [5, 5, 9, 9]], [2, [6, 6, 9, 9]]]}, "split": "test"},
    "a man": {"det_sequences": ["man"], "noun_chunks": [], "detections": {"man": [[1, [5, 5, 9, 9]]]}, "split": "train"}},
   "6": {"nothing": {"det_sequences": [null], "noun_chunks": [], "detections": {}, "split": "test"}}})");
  const Dataset dataset = entities.open();
  CHECK(dataset.format() == DatasetFormat::coco_entities);
  CHECK(dataset.problems().count(ProblemKind::left_out) == 2);
  const auto images = entities.images();
  REQUIRE(images.size() == 1);
  CHECK(keys_of(images[0]) == std::vector<std::string>{"a man with a dog\nthe dog of a man"});
  CHECK(images[0].regions[0].corners.dump() == "[[5,5,9,9],[6,6,9,9],[1.0,2.0,30.5,40.0]]");
  entities.options.split = "train";
  CHECK(keys_of(entities.images().at(0)) == std::vector<std::string>{"a man"});
}

TEST_CASE("Flickr30k Entities: boxes of the chains that a sentence names") {
  DatasetFolder flickr;
  flickr.options.files = {flickr.folder.path()};
  flickr.folder.write("test.txt", "100\n101\n");
  flickr.folder.write(
      "Sentences/100.txt",
      "[/EN#1/people A man] rides [/EN#2/vehicles/other a bike] in [/EN#0/notvisual the day] .\n"
      "A bike under [/EN#1/people him] and [/EN#2/vehicles it] .\n"
      "[/EN#9/scene A street] .\n");
  flickr.folder.write("Annotations/100.xml", R"(<annotation>
    <filename>100.jpg</filename><size><width>500</width><height>333</height><depth>3</depth></size>
    <object><name>2</name><bndbox><xmin>10</xmin><ymin>20</ymin><xmax>30</xmax><ymax>40</ymax></bndbox></object>
    <object><name>1</name><name>2</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></object>
    <object><name>9</name><scene>1</scene><nobndbox>1</nobndbox></object></annotation>)");
  const Dataset dataset = flickr.open();
  CHECK(dataset.format() == DatasetFormat::flickr_entities);
  CHECK(dataset.problems().count(ProblemKind::malformed_record) == 1);  // 101 is not there
  const auto images = flickr.images();
  REQUIRE(images.size() == 1);
  CHECK(images[0].width == 500);
  CHECK(images[0].file_name == "100.jpg");
  CHECK(keys_of(images[0]) ==
        std::vector<std::string>{"A man rides a bike in the day .\nA bike under him and it .", "A street ."});
  // One box that belongs to two chains counts twice.
  CHECK(images[0].regions[0].corners.dump() == "[[1,2,3,4],[10,20,30,40],[1,2,3,4]]");
  CHECK(images[0].regions[1].corners.dump() == "[]");

  flickr.folder.write("Sentences/100.txt", "[/EN#1 man\n");
  CHECK(flickr.open().problems().count(ProblemKind::malformed_record) == 2);
  flickr.options.split = "val";
  mentions(refusal_of(ErrorKind::usage, [&] { flickr.open(); }), "val.txt: the ids of the split 'val'");
}
