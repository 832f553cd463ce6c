// Predictions held against their references (spec/05 sections 1 and 10).
#include "metrics/score_items.hpp"

#include "metrics/dense_report.hpp"
#include "refusals.hpp"
#include "unit/data/dataset_folder.hpp"

namespace patchioner {
namespace {

constexpr const char* kCaptions =
    R"({"images": [{"id": 1, "file_name": "one.jpg"}, {"id": 2, "file_name": "two.jpg"}],
  "annotations": [{"id": 1, "image_id": 1, "caption": "a"}, {"id": 2, "image_id": 1, "caption": "b"},
                  {"id": 3, "image_id": 2, "caption": "c"}]})";
constexpr const char* kDense =
    R"({"images": [{"id": 1, "file_name": "one.jpg"}, {"id": 2, "file_name": "two.jpg"}],
  "annotations": [{"id": 1, "image_id": 1, "bbox": [0,0,10,10], "caption": "a"},
                  {"id": 2, "image_id": 1, "bbox": [0,0,10,10], "caption": "b"},
                  {"id": 3, "image_id": 2, "bbox": [5,5,5,9], "caption": "c"}]})";

struct Pairing {
  Predictions predictions;
  DatasetFolder references;
  PairingOptions options;

  Pairing(const std::string& predicted, const std::string& annotations) : references(annotations) {
    predictions = read_predictions(references.folder.write("p.json", predicted));
  }
  ScoreItems items() const { return score_items(predictions, references.open(), options); }
  DenseItems dense() const { return dense_items(predictions, references.open(), options); }
  std::string refusal() const {
    return refusal_of(ErrorKind::data, [&] { items(); });
  }
};

TEST_CASE("captions find their references by id, in the order of the predictions") {
  const ScoreItems items =
      Pairing(R"([{"image_id": 2, "caption": "x"}, {"image_id": 1, "caption": " "}])", kCaptions).items();
  REQUIRE(items.captions.size() == 2);
  CHECK(items.captions[0].id == "2");
  CHECK(items.captions[1].references == std::vector<std::string>{"a", "b"});
  CHECK(items.predictions == std::vector<size_t>{0, 1});
  CHECK(items.counts.empty_captions == 1);
  REQUIRE(items.counts.notes.size() == 1);
  mentions(items.counts.notes[0], "1 of 2 captions say nothing and score 0: ");
}

TEST_CASE("what only one side has is an error, or is counted") {
  Pairing pairing(R"([{"image_id": 2, "caption": "x"}, {"image_id": 9, "caption": "y"}])", kCaptions);
  mentions(pairing.refusal(), "no references for 1 of 2 predictions: ");
  mentions(pairing.refusal(), "(image 9); --intersection");
  pairing.options.leave_out = "evaluate.failures=leave_out";
  mentions(pairing.refusal(), "(image 9); evaluate.failures=leave_out scores what both have");
  pairing.options.intersection = true;
  const ScoreItems items = pairing.items();
  CHECK(items.captions.size() == 1);
  CHECK(items.counts.predictions_left_out == 1);
  CHECK(items.counts.references_left_out == 1);
  mentions(Pairing(R"([{"image_id": 2, "caption": "x"}])", kCaptions).refusal(),
           "no prediction for 1 of 2 images or regions of the references: 1; --intersection");
}

TEST_CASE("two captions of one image are an error that names both places") {
  Pairing pairing(R"([{"image_id": 1, "caption": "x"}, {"image_id": 1, "caption": "y"}])", kCaptions);
  pairing.options.intersection = true;
  mentions(pairing.refusal(), "p.json: entry 1 (byte 1) and ");
  mentions(pairing.refusal(), "p.json: entry 2 (byte 34) (of 1)");
}

TEST_CASE("an image without captions cannot be scored") {
  Pairing pairing(R"([{"image_id": 1, "caption": "x"}])",
                  R"({"images": [{"id": 1, "file_name": "1.jpg"}], "annotations": []})");
  mentions(pairing.refusal(), "no reference for 1 of 1 images or regions of the references: 1");
  pairing.options.intersection = true;
  CHECK(pairing.items().captions.empty());
}

TEST_CASE("references that could not be read whole are an error") {
  Pairing pairing(R"([{"image_id": 1, "caption": "x"}])",
                  R"({"images": [{"id": 1, "file_name": "1.jpg"}],
                      "annotations": [{"id": 1, "image_id": 1, "caption": "a"}, {"id": 2, "image_id": 5, "caption": "b"}]})");
  mentions(pairing.refusal(), "the references are not whole: 1 annotations of images that are not listed");
  mentions(pairing.refusal(), "score the rest by --intersection");
  pairing.options.leave_out = "evaluate.failures=leave_out";
  mentions(pairing.refusal(), "score the rest by evaluate.failures=leave_out");
  pairing.options.intersection = true;
  CHECK(pairing.items().counts.references_left_out == 1);
}

TEST_CASE("ids that count images are told by the files' names") {
  Pairing pairing(R"([{"image_id": 1, "file_name": "x/two.jpg", "caption": "c"},
                      {"image_id": 2, "file_name": "x/one.jpg", "caption": "a"}])",
                  kCaptions);
  mentions(pairing.refusal(), "the image 1 is two.jpg here, but one.jpg in the references");
  pairing.options.match = ImageMatch::file;
  CHECK(pairing.items().captions[0].references == std::vector<std::string>{"c"});
}

TEST_CASE("regions are found by their shapes, equal ones in their order") {
  const ScoreItems items = Pairing(R"({"annotations": [
      {"image_id": 2, "bbox": [5,5,5,9], "caption": "flat"},
      {"image_id": 1, "bbox": [0,0,10,10], "caption": "first"},
      {"image_id": 1, "bbox": [0,0,10,10], "caption": "second"}]})",
                                   kDense)
                               .items();
  REQUIRE(items.captions.size() == 3);
  CHECK(items.captions[0].id == "2 region 1");
  CHECK(items.captions[1].references == std::vector<std::string>{"a"});
  CHECK(items.captions[2].references == std::vector<std::string>{"b"});
}

TEST_CASE("sets, traces and patches of records find theirs") {
  const Pairing pairing(
      R"({"image": "a.jpg", "id": 1, "regions": [{"patch": [1,2], "caption": "p"}, {"trace": [[0.1,0.2]], "caption": "t"}, {"boxes": [[0,0,0.3,2]], "caption": "s"}]})",
      R"({"image": "a.jpg", "id": 1, "regions": [{"boxes": [[0,0,0.3,2]], "references": "S"}, {"trace": [[0.1,0.2]], "references": "T"}, {"patch": [1,2], "references": "P"}]})");
  const ScoreItems items = pairing.items();
  REQUIRE(items.captions.size() == 3);
  CHECK(items.captions[0].references.front() == "P");
  CHECK(items.captions[1].references.front() == "T");
  CHECK(items.captions[2].references.front() == "S");
}

TEST_CASE("dense images have detections and true boxes as written, and may lack predictions") {
  Pairing pairing(R"([{"image_id": 2, "bbox": [5,5,0,4], "caption": "x", "score": 0.5},
                      {"image_id": 2, "bbox": [1,1,2,2], "caption": "y"}])",
                  kDense);
  const DenseItems items = pairing.dense();
  REQUIRE(items.images.size() == 2);
  CHECK(items.images[0].boxes.empty());
  CHECK(items.images[1].true_boxes[0] == DenseBox{5, 5, 5, 9});
  CHECK(items.images[1].boxes[0] == DenseBox{5, 5, 5, 9});
  CHECK(items.images[1].scores == std::vector<double>{0.5, 1});
  CHECK(items.predictions[1] == std::vector<size_t>{0, 1});
  mentions(items.counts.notes[0], "1 of 2 predictions have no score and count as 1");
  const Pairing whole(R"([{"image_id": 1, "caption": "x"}])", kDense);
  mentions(refusal_of(ErrorKind::data, [&] { whole.dense(); }), "entry 1 (byte 1): has no box");
}

// Boxes as people confuse them: the report says what they may be.
DenseReport report_of(const std::vector<DenseBox>& boxes, const std::vector<DenseBox>& true_boxes,
                      bool were_corners = false) {
  DenseImage image{.id = "1",
                   .boxes = boxes,
                   .scores = std::vector<double>(boxes.size(), 1),
                   .texts = std::vector<std::string>(boxes.size(), "a"),
                   .true_boxes = true_boxes,
                   .true_texts = std::vector<std::string>(true_boxes.size(), "a")};
  const std::vector<DenseImage> images = {image};
  return dense_report(images, match_detections(images, {}), were_corners);
}

TEST_CASE("a report counts what was found, and suspects boxes of another form or scale") {
  const std::vector<DenseBox> boxes = {{100, 100, 150, 160}, {200, 40, 260, 90}};
  const DenseReport good = report_of(boxes, {boxes[0], {200, 40, 260, 65}});
  CHECK(good.found == std::array<size_t, 5>{2, 2, 2, 1, 1});
  CHECK(good.mean_overlap == doctest::Approx(0.75));
  CHECK(good.warnings.empty());

  const DenseReport as_corners = report_of({{100, 100, 250, 260}, {200, 40, 460, 130}}, boxes);
  REQUIRE(as_corners.warnings.size() == 1);
  mentions(as_corners.warnings[0], "try --boxes corners");
  const DenseReport as_sides = report_of({{100, 20, 150, 160}}, {{100, 20, 250, 180}}, true);
  REQUIRE(as_sides.warnings.size() == 1);
  mentions(as_sides.warnings[0], "try --boxes xywh");
  const DenseReport truth = report_of({{100, 20, 250, 180}}, {{100, 20, 150, 160}}, true);
  REQUIRE(truth.warnings.size() == 1);
  mentions(truth.warnings[0], "files of dense captions hold corners");
  const DenseReport small = report_of({{50, 50, 75, 80}, {100, 20, 130, 45}}, boxes);
  REQUIRE(small.warnings.size() == 1);
  mentions(small.warnings[0], "made about 2 times as large");
}

TEST_CASE("true boxes are counted over the images that count, before and after they became one") {
  const Pairing pairing(R"([{"image_id": 1, "bbox": [0,0,10,10], "caption": "x"}])",
                        R"({"images": [{"id": 1, "file_name": "one.jpg"}, {"id": 2, "file_name": "two.jpg"}],
      "annotations": [{"id": 1, "image_id": 1, "bbox": [0,0,10,10], "caption": "a"},
                      {"id": 2, "image_id": 1, "bbox": [0,0,10,10], "caption": "b"},
                      {"id": 3, "image_id": 2, "bbox": [5,5,8,9], "caption": "c"}]})");
  const DenseItems items = pairing.dense();  // nothing is predicted for the second image, which has a box
  const DenseReport passed_over = dense_report(items.images, match_detections(items.images, {}), true);
  CHECK(passed_over.skipped == 1);
  CHECK(passed_over.true_boxes == 2);
  CHECK(passed_over.merged_boxes == 1);
  const DenseReport counted =
      dense_report(items.images, match_detections(items.images, {.count_empty_images = true}), true);
  CHECK(counted.true_boxes == 3);
  CHECK(counted.merged_boxes == 2);
}

}  // namespace
}  // namespace patchioner
