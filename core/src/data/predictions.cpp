#include "data/predictions.hpp"

namespace patchioner {

using Json = nlohmann::ordered_json;

Json coco_predictions(const std::vector<TaskImage>& images, const std::vector<CocoPrediction>& predictions) {
  Json result = {{"images", Json::array()}, {"annotations", Json::array()}, {"categories", Json::array()}};
  for (const TaskImage& image : images) {
    result["images"].push_back({{"id", image.id}, {"file_name", image.file_name}});
  }
  bool boxes = false;
  for (const CocoPrediction& prediction : predictions) {
    Json annotation = {
        {"id", result["annotations"].size() + 1}, {"image_id", prediction.image_id}, {"category_id", 1}};
    if (!prediction.corners.is_null()) {
      annotation["bbox"] = prediction.corners;
      boxes = true;
    }
    annotation["caption"] = prediction.caption;
    annotation["score"] = prediction.score;
    if (!prediction.corners.is_null()) {
      annotation["projection_sims"] = nullptr;
    }
    result["annotations"].push_back(std::move(annotation));
  }
  result["categories"].push_back({{"id", 1}, {"name", boxes ? "dense_caption" : "image_caption"}});
  return result;
}

Json trace_predictions(const std::vector<SamplePrediction>& predictions) {
  Json result = {
      {"predictions", Json::array()}, {"gt_captions", Json::array()}, {"img_paths", Json::array()}};
  for (const SamplePrediction& prediction : predictions) {
    result["predictions"].push_back(prediction.caption);
    result["gt_captions"].push_back(prediction.references);
    result["img_paths"].push_back(prediction.image_path);
  }
  return result;
}

Json region_set_predictions(const std::vector<SamplePrediction>& predictions) {
  Json result = trace_predictions(predictions);
  Json all = Json::array();
  for (const SamplePrediction& prediction : predictions) {
    Json boxes = Json::array();
    for (const Box& box : prediction.boxes) {
      boxes.push_back({box.x, box.y, box.width, box.height});
    }
    all.push_back(std::move(boxes));
  }
  result["bboxes"] = std::move(all);
  return result;
}

}  // namespace patchioner
