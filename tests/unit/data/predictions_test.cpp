#include "data/predictions.hpp"

#include <doctest/doctest.h>

using namespace patchioner;

TEST_CASE("predictions of boxes and of images are COCO results") {
  const std::vector<TaskImage> images = {{7, "a.jpg"}};
  CHECK(coco_predictions(images, {{7, "a dog", 0.5, nullptr}}).dump() ==
        R"({"images":[{"id":7,"file_name":"a.jpg"}],)"
        R"("annotations":[{"id":1,"image_id":7,"category_id":1,"caption":"a dog","score":0.5}],)"
        R"("categories":[{"id":1,"name":"image_caption"}]})");
  CHECK(
      coco_predictions(images, {{7, "a dog", 0.5, {1, 2, 3, 4}}}).dump() ==
      R"({"images":[{"id":7,"file_name":"a.jpg"}],)"
      R"("annotations":[{"id":1,"image_id":7,"category_id":1,"bbox":[1,2,3,4],"caption":"a dog","score":0.5,)"
      R"("projection_sims":null}],"categories":[{"id":1,"name":"dense_caption"}]})");
}

TEST_CASE("predictions of samples are parallel lists") {
  const std::vector<SamplePrediction> predictions = {{"a dog", "x\ny", "a.jpg", {{1, 2, 3, 4}}}};
  CHECK(
      region_set_predictions(predictions).dump() ==
      R"({"predictions":["a dog"],"gt_captions":["x\ny"],"img_paths":["a.jpg"],"bboxes":[[[1.0,2.0,3.0,4.0]]]})");
  CHECK(trace_predictions(predictions).dump() ==
        R"({"predictions":["a dog"],"gt_captions":["x\ny"],"img_paths":["a.jpg"]})");
}
