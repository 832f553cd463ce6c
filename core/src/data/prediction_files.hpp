// Captions that somebody made, as the files of this and of other programs hold them, to be scored.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <patchioner/region.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace patchioner {

/// How a file holds predictions; told by content.
enum class PredictionForm {
  coco_results,  ///< COCO's result list: [{"image_id", "caption", "score", "bbox"}], or for "bbox" a region
                 ///< in this program's form: "box", "boxes", "trace", "mask", "patch" or "point"
  coco_file,     ///< the reference's files of images and boxes: {"images", "annotations"}
  lists,         ///< those of region sets and traces: {"predictions", "gt_captions", "bboxes", "img_paths"}
  by_image,      ///< candidates of CLIPScore and PAC-S: {image: caption}
  records,       ///< `patchioner caption --output` (docs/formats/caption_records.md)
};

/// What the four numbers of a box are.
enum class BoxNumbers {
  automatic,  ///< corners in a coco_file, as the reference writes them; sides elsewhere
  corners,    ///< x1,y1,x2,y2
  sides,      ///< x,y,width,height
};
/// "auto", "corners", "xywh". Throws an Error of kind usage for any other word.
BoxNumbers box_numbers_from(std::string_view word);

/// A caption of an image or a region.
struct Prediction {
  std::string image;                   ///< the image's id as text; empty when only its file is known
  std::string file_name;               ///< of the image, as the file says it; may be empty
  RegionShape shape;                   ///< the whole image where the file says no region
  std::array<double, 4> corners = {};  ///< x1,y1,x2,y2 of a single box, to the bit where the file has corners
  std::string caption;
  std::optional<double> score;
  std::vector<std::string> references;  ///< of a file of lists, which carries its own
  std::string where;                    ///< its place in the file, for messages
};

struct Predictions {
  std::string file;
  PredictionForm form = PredictionForm::coco_results;
  std::vector<Prediction> items;    ///< in the order of the file
  std::vector<std::string> failed;  ///< records and regions that hold an error instead of a caption, by place

  bool boxes_were_corners = false;  ///< how the numbers of boxes were read

  bool have_references() const { return form == PredictionForm::lists; }
};

/// Throws Error: io; data, with the place, for a file of no known form, one that is damaged, cut or not
/// UTF-8, entries without what they need, and lists of unequal length.
Predictions read_predictions(const std::filesystem::path& file, BoxNumbers boxes = BoxNumbers::automatic);

}  // namespace patchioner
