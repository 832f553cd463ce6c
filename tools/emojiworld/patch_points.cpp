#include "patch_points.hpp"

#include <opencv2/imgproc.hpp>

namespace patchioner::emoji {
namespace {

constexpr int kCoarsestGrid = 14;  // patches a side, of the backbones of models/emoji that have the fewest
constexpr double kOwnShare = 0.5;  // of a patch: with less of a thing it shows something else
constexpr int kAttempts = 30;

/// The share of an area of that many patches' sides, centred on a pixel, that belongs to a mark.
double share_of(const Picture& picture, cv::Point centre, int patches, uint8_t mark) {
  const int width = patches * picture.owner.cols / kCoarsestGrid;
  const int height = patches * picture.owner.rows / kCoarsestGrid;
  const cv::Rect area = cv::Rect(centre.x - width / 2, centre.y - height / 2, width, height) &
                        cv::Rect(0, 0, picture.owner.cols, picture.owner.rows);
  return static_cast<double>(cv::countNonZero(picture.owner(area) == mark)) / area.area();
}

}  // namespace

std::optional<cv::Point> point_of_thing(const Picture& picture, const Extent& extent, uint8_t mark) {
  const cv::Point centre(extent.box.x + extent.box.width / 2, extent.box.y + extent.box.height / 2);
  if (picture.owner.at<uchar>(centre) != mark || share_of(picture, centre, 1, mark) < kOwnShare) {
    return std::nullopt;
  }
  return centre;
}

std::optional<cv::Point> point_of_ground(const Picture& picture, uint8_t mark, Random& random) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const int x = static_cast<int>(random.below(picture.owner.cols));
    const int y = static_cast<int>(random.below(picture.owner.rows));
    // A patch reaches at most its own side to either hand of a pixel that it holds.
    if (share_of(picture, {x, y}, 2, mark) == 1) {
      return cv::Point(x, y);
    }
  }
  return std::nullopt;
}

}  // namespace patchioner::emoji
