// Files of captions to be scored (spec/05 section 11).
#include "data/prediction_files.hpp"

#include "refusals.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

Predictions read(const std::string& content, BoxNumbers boxes = BoxNumbers::automatic) {
  const TestFolder folder;
  return read_predictions(folder.write("p.json", content), boxes);
}

using Corners = std::array<double, 4>;

TEST_CASE("COCO's results are a list; their boxes are x,y,width,height") {
  const Predictions found = read(R"([{"image_id": 7, "caption": "a dog", "score": 0.5, "bbox": [1,2,3,4]},
               {"image_id": "x", "caption": "", "score": null, "file_name": "b/x.jpg"}])");
  CHECK(found.form == PredictionForm::coco_results);
  REQUIRE(found.items.size() == 2);
  CHECK(found.items[0].image == "7");
  CHECK(found.items[0].caption == "a dog");
  CHECK(found.items[0].score == 0.5);
  CHECK(found.items[0].corners == Corners{1, 2, 4, 6});
  CHECK(std::get<Box>(found.items[0].shape).width == 3);
  CHECK(found.items[1].file_name == "b/x.jpg");
  CHECK_FALSE(found.items[1].score.has_value());
  CHECK(std::holds_alternative<WholeImage>(found.items[1].shape));
  mentions(found.items[1].where, "p.json: entry 2 (byte 86)");
}

TEST_CASE("COCO files have images' names, and corners for boxes") {
  const std::string file = R"({"annotations": [{"image_id": 1, "caption": "a", "bbox": [421,57,503,196]}],
                               "images": [{"id": 1, "file_name": "1.jpg"}]})";
  const Predictions found = read(file);
  CHECK(found.form == PredictionForm::coco_file);
  CHECK(found.items[0].file_name == "1.jpg");
  CHECK(found.items[0].corners == Corners{421, 57, 503, 196});
  CHECK(found.boxes_were_corners);
  CHECK(read(file, BoxNumbers::sides).items[0].corners == Corners{421, 57, 924, 253});
}

TEST_CASE("lists carry their references, joined by line ends") {
  const Predictions found = read(R"({"predictions": ["a man"], "gt_captions": ["one\ntwo"],
      "bboxes": [[[0, 1, 2, 3]]], "img_paths": ["a.jpg"]})");
  CHECK(found.have_references());
  CHECK(found.items[0].references == std::vector<std::string>{"one", "two"});
  CHECK(std::get<BoxSet>(found.items[0].shape).boxes[0].height == 3);
  CHECK(found.items[0].file_name == "a.jpg");
  mentions(refusal_of(ErrorKind::data, [] { read(R"({"predictions": ["a"], "gt_captions": []})"); }),
           "1 \"predictions\", but 0 \"gt_captions\"");
  mentions(refusal_of(ErrorKind::data, [] { read(R"({"predictions": ["a"]})"); }), "no \"gt_captions\"");
}

TEST_CASE("records give a caption a region, and say which failed") {
  const Predictions found = read(
      R"({"image": "a.jpg", "id": 3, "regions": [{"image": true, "caption": "a", "score": 1}, {"box": [1,2,3,4], "error": "no"}]}
{"image": "b.jpg", "error": "cannot be read"}
{"image": "c.jpg", "regions": [{"trace": [[0.5,0.5]], "caption": "c", "warnings": ["w"]}]}
)");
  CHECK(found.form == PredictionForm::records);
  REQUIRE(found.items.size() == 2);
  CHECK(found.items[0].image == "3");
  CHECK(found.items[1].image.empty());
  CHECK(found.items[1].file_name == "c.jpg");
  CHECK(kind_name(found.items[1].shape) == "trace");
  REQUIRE(found.failed.size() == 2);
  mentions(found.failed[0], "p.json:1: region 2");
  mentions(found.failed[1], "p.json:2");
}

TEST_CASE("results have a region of their own form where COCO has no place for it") {
  const Predictions found = read(R"([{"image_id": 1, "caption": "a", "boxes": [[1,2,3,4], [5,6,7,8]]},
      {"image_id": 1, "caption": "b", "trace": [[0.25,0.5]]}, {"image_id": 1, "caption": "c", "patch": [3,4]},
      {"image_id": 1, "caption": "d", "point": [3,4]}, {"image_id": 1, "caption": "e", "box": [1,2,3,4]},
      {"image_id": 1, "caption": "f", "mask": {"size": [1,3], "counts": [1,1,1]}}])");
  CHECK(found.form == PredictionForm::coco_results);
  REQUIRE(found.items.size() == 6);
  const std::vector<std::string> kinds = {"boxes", "trace", "patch", "point", "box", "mask"};
  for (size_t i = 0; i < kinds.size(); ++i) {
    CHECK(kind_name(found.items[i].shape) == kinds[i]);
  }
  CHECK(std::get<BoxSet>(found.items[0].shape).boxes[1].width == 7);
  CHECK(std::get<Trace>(found.items[1].shape).points[0].y == 0.5);
  CHECK(found.items[4].corners == Corners{1, 2, 4, 6});
  const auto refused = [](const std::string& content) {
    return refusal_of(ErrorKind::data, [&] { read(content); });
  };
  mentions(refused(R"([{"image_id": 1, "caption": "a", "bbox": [1,2,3,4], "trace": []}])"),
           "p.json: entry 1 (byte 1): has both \"bbox\" and \"trace\"");
  mentions(refused(R"([{"image_id": 1, "caption": "a", "boxes": [[1,2,3]]}])"), "its region, box 1");
}

TEST_CASE("candidates of CLIPScore are captions by image") {
  const Predictions found = read("{\"one\": \"a dog\", \"two\": \"\"}");
  CHECK(found.form == PredictionForm::by_image);
  REQUIRE(found.items.size() == 2);
  CHECK(found.items[0].image == "one");
  CHECK(found.items[0].caption == "a dog");
  CHECK(found.items[1].image == "two");
  CHECK(std::holds_alternative<WholeImage>(found.items[1].shape));
  mentions(found.items[1].where, "p.json: two (byte ");
}

TEST_CASE("what is no prediction is refused with its place") {
  const auto refused = [](const std::string& content) {
    return refusal_of(ErrorKind::data, [&] { read(content); });
  };
  mentions(refused(R"([{"image_id": 1, "caption": "a"}, {"image_id": 2}])"),
           "p.json: entry 2 (byte 34): has no \"caption\"");
  mentions(refused(R"([{"image_id": 1.5, "caption": "a"}])"), "an id is a whole number or a text");
  mentions(refused(R"([{"image_id": 1, "caption": "a", "bbox": [1,2,3]}])"), "a box is four numbers");
  mentions(refused(R"([{"image_id": 1, "caption": "a", "bbox": [1,2,-3,1]}])"), "is inverted");
  mentions(refused("[{\"image_id\": 1, \"caption\": \"caf\xe9\"}]"), "byte 33: syntax error");
  mentions(refused(R"([{"image_id": 1, "caption": "a")"), "it ends at byte 31");
  mentions(refused("[]"), "holds no predictions");
  mentions(refused("{}"), "these are no predictions; expected is");
  mentions(refused("{\"image\": \"a.jpg\", \"regions\": []}\n{\"image\": \"b"), "is no valid JSON at byte");
  CHECK(refusal_of(ErrorKind::usage, [] { box_numbers_from("corner"); }) ==
        "--boxes corner: no such numbers of a box; did you mean 'corners'?");
}

}  // namespace
}  // namespace patchioner
