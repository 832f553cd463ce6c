// The output files of the paper's tasks (spec/01 sections 7 to 10), as outside scorers read them.
#pragma once

#include <nlohmann/json.hpp>
#include <patchioner/region.hpp>
#include <string>
#include <vector>

namespace patchioner {

/// An image of a COCO-style file. Ids come back in results as they were read: numbers stay numbers.
struct TaskImage {
  nlohmann::ordered_json id;
  std::string file_name;
};

/// What was said about an image or one of its boxes.
struct CocoPrediction {
  nlohmann::ordered_json image_id;
  std::string caption;  ///< cleaned
  double score = 0;
  nlohmann::ordered_json corners;  ///< [x1,y1,x2,y2] of a box; null for a whole image
};

/// COCO result file: "images", "annotations" with ids from 1, and one category: "dense_caption" when
/// predictions have boxes, else "image_caption".
nlohmann::ordered_json coco_predictions(const std::vector<TaskImage>& images,
                                        const std::vector<CocoPrediction>& predictions);

/// One prediction of the region-set or trace task.
struct SamplePrediction {
  std::string caption;     ///< cleaned
  std::string references;  ///< as in the input file
  std::string image_path;
  std::vector<Box> boxes;  ///< of a region set
};

/// Parallel lists "predictions", "gt_captions", "bboxes" (x,y,width,height in original pixels) and
/// "img_paths".
nlohmann::ordered_json region_set_predictions(const std::vector<SamplePrediction>& predictions);

/// The same without boxes.
nlohmann::ordered_json trace_predictions(const std::vector<SamplePrediction>& predictions);

}  // namespace patchioner
