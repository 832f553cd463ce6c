// Dense captioning's mean average precision (spec/05 section 9).
#include "metrics/dense.hpp"

#include "refusals.hpp"

namespace patchioner {
namespace {

DenseImage image(std::vector<DenseBox> boxes, std::vector<double> scores, std::vector<DenseBox> true_boxes) {
  DenseImage made{.id = "7",
                  .boxes = std::move(boxes),
                  .scores = std::move(scores),
                  .texts = {},
                  .true_boxes = std::move(true_boxes),
                  .true_texts = {}};
  for (size_t i = 0; i < made.boxes.size(); ++i) {
    made.texts.push_back("text " + std::to_string(i));
  }
  for (size_t i = 0; i < made.true_boxes.size(); ++i) {
    made.true_texts.push_back("truth " + std::to_string(i));
  }
  return made;
}

TEST_CASE("true boxes that overlap much are one, but not neighbours of neighbours") {
  const std::vector<DenseImage> images = {
      image({{0, 0, 10, 10}}, {1}, {{0, 0, 10, 10}, {0, 2, 10, 12}, {0, 4, 10, 14}, {50, 50, 60, 60}})};
  // 8/12 is below 0.7 for neighbours two apart, so that none merge; one apart they do.
  CHECK(match_detections(images, {}).truths[0].groups.size() == 4);
  const std::vector<DenseImage> close = {
      image({{0, 0, 10, 10}}, {1}, {{0, 0, 10, 10}, {0, 1, 10, 11}, {0, 2, 10, 12}})};
  const DenseTruth truth = match_detections(close, {}).truths[0];
  REQUIRE(truth.groups.size() == 1);  // the middle one has both for neighbours
  CHECK(truth.boxes[0] == DenseBox{0, 1, 10, 11});
}

TEST_CASE("a second detection of a box is wrong, and a perfect run of two scores near 1") {
  const std::vector<DenseImage> images = {image({{0, 0, 10, 10}, {0, 0, 10, 10}, {20, 20, 30, 30}},
                                                {0.9, 0.8, 0.95}, {{0, 0, 10, 10}, {20, 20, 30, 30}})};
  const DenseMatches matches = match_detections(images, {});
  REQUIRE(matches.records.size() == 3);
  CHECK(matches.records[0].detection == 2);
  CHECK(matches.records[0].is_first);
  CHECK(matches.records[1].is_first);
  CHECK_FALSE(matches.records[2].is_first);
  CHECK(matches.records[2].references == std::vector<std::string>{"truth 0"});
  const std::vector<double> meteors = {1, 0.12, 1};
  const DenseScores scores = dense_scores(matches, meteors, {});
  CHECK(scores.detection_map == doctest::Approx(1));
  CHECK(scores.precisions[0][2] == doctest::Approx(1));
  CHECK(scores.precisions[0][3] == doctest::Approx(0.51));  // recall 1/2 is reached by 51 of 100 thresholds
}

TEST_CASE("the two variants differ in pixels, in boxes without area and in detections without overlap") {
  const std::vector<DenseImage> images = {
      image({{90, 90, 95, 95}, {0, 0, 9, 9}}, {0.9, 0.5}, {{0, 0, 9, 4}, {40, 40, 40, 40}, {0, 0, 9, 9}})};
  const DenseMatches python = match_detections(images, {});
  CHECK(python.boxes == 2);
  CHECK_FALSE(python.records[0].is_first);
  CHECK(python.records[1].is_first);
  const DenseMatches lua = match_detections(images, {.variant = DenseVariant::lua});
  CHECK(lua.boxes == 3);
  CHECK(lua.records[0].is_first);  // and has used the last box up
  CHECK(lua.records[0].references.empty());
  CHECK_FALSE(lua.records[1].is_first);
  CHECK(lua.records[1].overlap == 1);
}

TEST_CASE("images without detections are skipped, or counted on demand") {
  const std::vector<DenseImage> images = {image({}, {}, {{0, 0, 5, 5}}),
                                          image({{0, 0, 5, 5}}, {1}, {{0, 0, 5, 5}})};
  CHECK(match_detections(images, {}).boxes == 1);
  CHECK(match_detections(images, {}).skipped == 1);
  CHECK(match_detections(images, {.count_empty_images = true}).boxes == 2);
}

TEST_CASE("lists of unequal length are refused with their image") {
  std::vector<DenseImage> images = {image({{0, 0, 5, 5}}, {1, 2}, {})};
  mentions(refusal_of(ErrorKind::data, [&] { match_detections(images, {}); }),
           "image 7: 1 detected boxes, 2 scores");
  images = {image({{0, 0, 5, 5}}, {1}, {{0, 0, 1, 1}})};
  images[0].true_texts.clear();
  mentions(refusal_of(ErrorKind::data, [&] { match_detections(images, {}); }), "1 true boxes");
}

TEST_CASE("nothing to find scores 0") {
  const std::vector<DenseImage> images = {image({{0, 0, 5, 5}}, {1}, {})};
  const DenseMatches matches = match_detections(images, {});
  const std::vector<double> meteors = {0};
  CHECK(dense_scores(matches, meteors, {}).map == 0);
  CHECK(dense_scores(matches, meteors, {}).detection_map == 0);
}

}  // namespace
}  // namespace patchioner
