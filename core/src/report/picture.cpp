#include "report/picture.hpp"

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "geometry/grid_area.hpp"
#include "report/heat_map.hpp"
#include "report/outline.hpp"

namespace patchioner {
namespace {

// Sizes in pixels of the finished picture.
constexpr double kShortestStage =
    640;  // smaller images are enlarged, so that lines and numbers stay fine on them
constexpr double kLongestStage = 1600;  // larger ones are shrunk
constexpr int kMargin = 16;
constexpr int kTileHeight = 96;         // of a heat map beside its caption
constexpr int kBadge = 13;              // radius of a region's number
constexpr double kCaptionScale = 0.68;  // of OpenCV's 22-pixel Hershey letters
constexpr double kDetailScale = 0.46;
constexpr int kCaptionLine = 26;
constexpr int kDetailLine = 18;
constexpr int kRowGap = 12;
constexpr size_t kMemoryLines = 3;
constexpr size_t kEvidenceLines = 8;  // of what a decoder looked up

constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
const cv::Scalar kPaper(250, 250, 248);
const cv::Scalar kInk(34, 34, 38);
const cv::Scalar kFaint(118, 118, 124);
const cv::Scalar kAlarm(196, 40, 40);

cv::Scalar colour_of(size_t index) {
  const auto [red, green, blue] = region_colour(index);
  return {static_cast<double>(red), static_cast<double>(green), static_cast<double>(blue)};
}

/// Hershey letters are ASCII: other characters become '?', and the multiplication sign an x.
std::string ascii(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (text.substr(i, 2) == "\u00d7") {
      result += 'x';
      ++i;
    } else if (byte < 0x80) {
      result += byte < 0x20 || byte == 0x7f ? ' ' : static_cast<char>(byte);
    } else if ((byte & 0xc0) != 0x80) {
      result += '?';
    }
  }
  return result;
}

int text_width(const std::string& text, double scale) {
  int baseline = 0;
  return cv::getTextSize(text, kFont, scale, 1, &baseline).width;
}

/// Lines of at most `width` pixels, broken at spaces; a word that is longer alone stays whole.
std::vector<std::string> wrap(std::string_view text, double scale, int width) {
  std::vector<std::string> lines;
  std::string line;
  std::istringstream words(ascii(text));
  for (std::string word; words >> word;) {
    const std::string longer = line.empty() ? word : line + " " + word;
    if (!line.empty() && text_width(longer, scale) > width) {
      lines.push_back(line);
      line = word;
    } else {
      line = longer;
    }
  }
  if (!line.empty()) {
    lines.push_back(line);
  }
  return lines;
}

struct TextLine {
  std::string text;
  double scale = kDetailScale;
  int height = kDetailLine;
  cv::Scalar colour = kFaint;
};

/// What stands beside one region's number, below the image.
struct Row {
  std::vector<TextLine> lines;
  at::Tensor tile;  ///< [h,w,3] image with the heat map, or undefined
  int height = 0;
};

void add_lines(Row& row, std::string_view text, double scale, int line_height, const cv::Scalar& colour,
               int width) {
  for (std::string& line : wrap(text, scale, width)) {
    row.lines.push_back({std::move(line), scale, line_height, colour});
  }
}

Row row_of(const ShownRegion& region, const ShownImage& image, const at::Tensor& stage, double stage_scale,
           int width) {
  Row row;
  int text_room = width - 2 * kBadge - kMargin;
  if (region.weights.defined()) {
    const Box area = grid_area(image.geometry);
    const auto scaled = [&](double value) { return static_cast<int64_t>(std::lround(value * stage_scale)); };
    const at::Tensor heat = heat_map(region.weights, std::max<int64_t>(scaled(area.width), 1),
                                     std::max<int64_t>(scaled(area.height), 1), HeatInterpolation::bicubic);
    at::Tensor seen = lay_over(stage, heat, scaled(area.x), scaled(area.y)).contiguous();
    const cv::Mat view(static_cast<int>(seen.size(0)), static_cast<int>(seen.size(1)), CV_8UC3,
                       seen.data_ptr());
    const int tile_width = std::max(1, std::min(view.cols * kTileHeight / view.rows, width / 3));
    row.tile = at::empty({kTileHeight, tile_width, 3}, at::kByte);
    cv::Mat tile(kTileHeight, tile_width, CV_8UC3, row.tile.data_ptr());
    cv::resize(view, tile, tile.size(), 0, 0, cv::INTER_AREA);
    text_room -= tile_width + kMargin;
  }
  std::string detail = describe(region.region.shape);
  if (!region.region.id.empty()) {
    detail = region.region.id + " - " + detail;
  }
  for (const ShownAnswer& answer : region.answers) {
    if (!answer.error.empty()) {
      add_lines(row, answer.error, kDetailScale, kDetailLine, kAlarm, text_room);
    } else {
      add_lines(row, answer.caption.empty() ? "(no words)" : answer.caption, kCaptionScale, kCaptionLine,
                kInk, text_room);
    }
    if (answer.score && answer.error.empty()) {
      detail += " - score " + format_score(*answer.score);
    }
  }
  add_lines(row, detail, kDetailScale, kDetailLine, kFaint, text_room);
  for (const ShownAnswer& answer : region.answers) {
    for (size_t i = 0; i < std::min(answer.evidence.size(), kEvidenceLines); ++i) {
      const Evidence& found = answer.evidence[i];
      add_lines(row,
                fmt::format("{} {}{}  {}", found.kind, format_score(found.score),
                            found.used ? "" : " (not used)", found.text),
                kDetailScale, kDetailLine, kFaint, text_room);
    }
    for (size_t i = 0; i < std::min(answer.memory.size(), kMemoryLines); ++i) {
      const MemoryMatch& match = answer.memory[i];
      add_lines(row, fmt::format("{:3.0f} %  {}", 100 * match.weight, match.text), kDetailScale, kDetailLine,
                kFaint, text_room);
    }
    for (const std::string& warning : answer.warnings) {
      add_lines(row, warning, kDetailScale, kDetailLine, kAlarm, text_room);
    }
  }
  for (const TextLine& line : row.lines) {
    row.height += line.height;
  }
  row.height = std::max({row.height, 2 * kBadge, row.tile.defined() ? kTileHeight : 0});
  return row;
}

void draw_badge(cv::Mat& canvas, cv::Point centre, size_t index) {
  const std::string number = std::to_string(index + 1);
  const double scale = number.size() > 2 ? 0.36 : 0.46;
  cv::circle(canvas, centre, kBadge, colour_of(index), cv::FILLED, cv::LINE_AA);
  cv::circle(canvas, centre, kBadge, cv::Scalar(255, 255, 255), 1, cv::LINE_AA);
  int baseline = 0;
  const cv::Size size = cv::getTextSize(number, kFont, scale, 1, &baseline);
  cv::putText(canvas, number, {centre.x - size.width / 2, centre.y + size.height / 2}, kFont, scale,
              cv::Scalar(20, 20, 24), 1, cv::LINE_AA);
}

void draw_outline(cv::Mat& stage, const Outline& outline, double scale, size_t index) {
  // OpenCV keeps 4 fractional bits of a coordinate; points far outside are cut to what fits an int.
  const auto place = [&](const OutlinePoint& point) {
    const auto fixed = [&](double value) {
      return static_cast<int>(std::clamp(value * scale * 16, -1e7, 1e7));
    };
    return cv::Point(fixed(point.x), fixed(point.y));
  };
  const auto lines = [&](const std::vector<OutlinePoint>& points, bool closed) {
    std::vector<cv::Point> placed;
    for (const OutlinePoint& point : points) {
      placed.push_back(place(point));
    }
    cv::polylines(stage, placed, closed, cv::Scalar(20, 20, 24), 5, cv::LINE_AA, 4);
    cv::polylines(stage, placed, closed, colour_of(index), 3, cv::LINE_AA, 4);
  };
  for (const auto& polygon : outline.polygons) {
    lines(polygon, true);
  }
  for (const auto& polyline : outline.polylines) {
    lines(polyline, false);
  }
  for (const OutlinePoint& dot : outline.dots) {
    cv::circle(stage, place(dot), 7 * 16, cv::Scalar(20, 20, 24), cv::FILLED, cv::LINE_AA, 4);
    cv::circle(stage, place(dot), 5 * 16, colour_of(index), cv::FILLED, cv::LINE_AA, 4);
  }
}

/// The image at the size in which it is drawn on, and how many of its pixels one of the original image makes.
at::Tensor stage_of(const ShownImage& image, double& scale) {
  const auto original_width = static_cast<double>(image.geometry.image_width);
  const auto original_height = static_cast<double>(image.geometry.image_height);
  const double longest = std::max(original_width, original_height);
  scale = std::clamp(longest, kShortestStage, kLongestStage) / longest;
  const at::Tensor contiguous = image.pixels.contiguous();
  const cv::Mat view(static_cast<int>(contiguous.size(0)), static_cast<int>(contiguous.size(1)), CV_8UC3,
                     contiguous.data_ptr());
  const int width = std::max(1, static_cast<int>(std::lround(original_width * scale)));
  const int height = std::max(1, static_cast<int>(std::lround(original_height * scale)));
  at::Tensor stage = at::empty({height, width, 3}, at::kByte);
  cv::Mat target(height, width, CV_8UC3, stage.data_ptr());
  cv::resize(view, target, target.size(), 0, 0, width < view.cols ? cv::INTER_AREA : cv::INTER_CUBIC);
  return stage;
}

}  // namespace

at::Tensor annotated_picture(const ShownImage& image) {
  double scale = 1;
  at::Tensor stage;  // [h,w,3]
  if (image.pixels.defined()) {
    stage = stage_of(image, scale);
  }
  const int stage_width = stage.defined() ? static_cast<int>(stage.size(1)) : 0;
  const int stage_height = stage.defined() ? static_cast<int>(stage.size(0)) : 0;
  const int width = std::max(stage_width, static_cast<int>(kShortestStage));

  std::vector<Row> rows;
  if (!image.error.empty()) {
    Row row;
    add_lines(row, image.error, kDetailScale, kDetailLine, kAlarm, width - 2 * kMargin);
    row.height = static_cast<int>(row.lines.size()) * kDetailLine;
    rows.push_back(std::move(row));
  } else {
    for (const ShownRegion& region : image.regions) {
      rows.push_back(row_of(region, image, stage, scale, width - 2 * kMargin));
    }
  }
  int height = stage_height + kMargin;
  for (const Row& row : rows) {
    height += row.height + kRowGap;
  }

  at::Tensor result = at::empty({height, width, 3}, at::kByte);
  cv::Mat canvas(height, width, CV_8UC3, result.data_ptr());
  canvas.setTo(kPaper);
  if (stage.defined()) {
    const cv::Rect place((width - stage_width) / 2, 0, stage_width, stage_height);
    cv::Mat target = canvas(place);
    cv::Mat(stage_height, stage_width, CV_8UC3, stage.data_ptr()).copyTo(target);
    std::vector<Outline> outlines;
    for (const ShownRegion& region : image.regions) {
      outlines.push_back(outline_of(region.region.shape, image.geometry));
      draw_outline(target, outlines.back(), scale, outlines.size() - 1);
    }
    const double radius = (kBadge + 1) / scale;
    const std::vector<OutlinePoint> numbers =
        place_numbers(outlines, radius, static_cast<double>(image.geometry.image_width),
                      static_cast<double>(image.geometry.image_height));
    for (size_t i = 0; i < numbers.size(); ++i) {
      draw_badge(target, {static_cast<int>(numbers[i].x * scale), static_cast<int>(numbers[i].y * scale)}, i);
    }
  }
  int top = stage_height + kMargin;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    int left = kMargin;
    if (image.error.empty()) {
      draw_badge(canvas, {left + kBadge, top + kBadge}, i);
      left += 2 * kBadge + kMargin;
    }
    if (row.tile.defined()) {
      const int tile_width = static_cast<int>(row.tile.size(1));
      cv::Mat(kTileHeight, tile_width, CV_8UC3, row.tile.data_ptr())
          .copyTo(canvas(cv::Rect(left, top, tile_width, kTileHeight)));
      left += tile_width + kMargin;
    }
    int baseline = top;
    for (const TextLine& line : row.lines) {
      baseline += line.height;
      cv::putText(canvas, line.text, {left, baseline - line.height / 4}, kFont, line.scale, line.colour, 1,
                  cv::LINE_AA);
    }
    top += row.height + kRowGap;
  }
  return result;
}

}  // namespace patchioner
