#include "report/page.hpp"

#include <fstream>

#include "geometry/grid_area.hpp"
#include "report/encode.hpp"
#include "report/heat_map.hpp"
#include "report/outline.hpp"
#include "report/page_style.hpp"

namespace patchioner {
namespace {

constexpr const char* kGenerator = "<meta name=\"generator\" content=\"patchioner\">";  // tells our own pages
constexpr size_t kGeneratorWithin = 1024;  // of the beginning of a page

constexpr int64_t kPhotoSide = 900;  // longest side of an embedded photograph, pixels
constexpr int kPhotoQuality = 85;    // JPEG
constexpr int64_t kHeatSide = 128;   // longest side of a heat map; the browser smooths the rest
constexpr int64_t kHeatPerCell = 6;
constexpr size_t kSummaryRoom = 96;      // bytes kept for the line that is known last
constexpr double kNumberRadius = 0.026;  // of the longer side

std::string point_text(const OutlinePoint& point) {
  return fmt::format("{:.1f} {:.1f}", point.x, point.y);
}

/// The lines of an outline as SVG path data.
std::string path_data(const Outline& outline) {
  std::string data;
  const auto add = [&](const std::vector<OutlinePoint>& points, bool closed) {
    for (size_t i = 0; i < points.size(); ++i) {
      data += (i == 0 ? "M" : "L") + point_text(points[i]);
    }
    data += closed && !points.empty() ? "Z" : "";
  };
  for (const auto& polygon : outline.polygons) {
    add(polygon, true);
  }
  for (const auto& polyline : outline.polylines) {
    add(polyline, false);
  }
  return data;
}

std::string colour_style(size_t index) {
  return fmt::format("style=\"--c:{}\"", region_colour_hex(index));
}

/// A piece of a caption without what tokenizers mark a word's end with.
std::string readable(std::string token) {
  constexpr std::string_view kWordEnd = "</w>";
  if (token.ends_with(kWordEnd)) {
    token.resize(token.size() - kWordEnd.size());
  }
  token.erase(token.find_last_not_of(' ') + 1);
  return token;
}

/// The words that became the caption: the start marker says nothing, and what stands behind the end marker is
/// cut off the caption too.
std::string tokens_html(const std::vector<ShownToken>& tokens) {
  std::string html;
  for (const ShownToken& token : tokens) {
    const bool end = token.text.starts_with("<|endoftext|>");
    if (token.text.starts_with("<|startoftext|>")) {
      continue;
    }
    const double probability = std::exp(token.log_probability);
    html += fmt::format("<span style=\"--p:{:.0f}%\" title=\"probability {:.3f}, log {:.3f}\">{}</span> ",
                        std::isfinite(probability) ? 45 * probability : 0.0, probability,
                        token.log_probability, end ? "<i>end</i>" : escape_html(readable(token.text)));
    if (end) {
      break;
    }
  }
  return html;
}

std::string shape_svg(const Outline& outline, double radius, size_t index) {
  std::string svg = fmt::format("<g class=\"shape\" data-region=\"{}\" {}>", index + 1, colour_style(index));
  if (const std::string data = path_data(outline); !data.empty()) {
    svg += fmt::format("<path class=\"halo\" d=\"{0}\"/><path d=\"{0}\"/>", data);
  }
  for (const OutlinePoint& dot : outline.dots) {
    svg += fmt::format("<circle class=\"dot\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"/>", dot.x, dot.y,
                       radius / 2);
  }
  svg += "</g>";
  return svg;
}

std::string number_svg(const OutlinePoint& place, double radius, size_t index) {
  return fmt::format(
      "<g class=\"shape number\" data-region=\"{4}\" {5}><circle cx=\"{0:.1f}\" cy=\"{1:.1f}\" "
      "r=\"{2:.1f}\"/>"
      "<text x=\"{0:.1f}\" y=\"{1:.1f}\" font-size=\"{3:.1f}\">{4}</text></g>",
      place.x, place.y, radius, radius * 1.15, index + 1, colour_style(index));
}

std::string details_html(const ShownRegion& region) {
  if (region.memory.empty() && region.tokens.empty()) {
    return {};
  }
  std::string html = "<details><summary>Why these words</summary>";
  if (!region.memory.empty()) {
    html += "<ul class=\"why\">";
    for (const MemoryMatch& match : region.memory) {
      html += fmt::format(
          "<li><span class=\"share\" title=\"cosine {:.3f}\">{:.1f} %</span><span class=\"memory\" "
          "style=\"--w:{:.1f}%\">{}</span></li>",
          match.similarity, 100 * match.weight, 100 * match.weight, escape_html(match.text));
    }
    html += "</ul>";
  }
  if (!region.tokens.empty()) {
    html += "<p class=\"tokens\">" + tokens_html(region.tokens) + "</p>";
  }
  return html + "</details>";
}

std::string region_html(const ShownRegion& region, const ShownImage& image, size_t image_number,
                        size_t index) {
  std::string html = fmt::format("<li data-region=\"{0}\" {1}><span class=\"badge\">{0}</span><div>",
                                 index + 1, colour_style(index));
  if (!region.error.empty()) {
    html += fmt::format("<p class=\"error\">{}</p>", escape_html(region.error));
  } else {
    html += fmt::format("<p class=\"caption\">{}</p>",
                        region.caption.empty() ? "<i>no words</i>" : escape_html(region.caption));
  }
  std::string meta =
      escape_html(region.region.id.empty() ? describe(region.region.shape)
                                           : region.region.id + " \u00b7 " + describe(region.region.shape));
  if (region.score && region.error.empty()) {
    meta += fmt::format(" \u00b7 <span class=\"score\">score {}</span>", format_score(*region.score));
  }
  html += fmt::format("<p class=\"meta\">{}</p>", meta);
  for (const std::string& warning : region.warnings) {
    html += fmt::format("<p class=\"warning\">{}</p>", escape_html(warning));
  }
  html += "</div>";
  if (region.weights.defined() && image.pixels.defined()) {
    html += fmt::format(
        "<svg class=\"thumb\" viewBox=\"0 0 {0} {1}\" role=\"img\" aria-label=\"patch weights\"><use "
        "href=\"#p{2}\"/><use "
        "href=\"#h{2}-{3}\"/></svg>",
        image.geometry.image_width, image.geometry.image_height, image_number, index + 1);
  }
  return html + details_html(region) + "</li>\n";
}

}  // namespace

bool is_caption_page(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string start(kGeneratorWithin, '\0');
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  return std::string_view(start).substr(0, static_cast<size_t>(file.gcount())).find(kGenerator) !=
         std::string_view::npos;
}

PageWriter::PageWriter(const std::filesystem::path& path, const PageHeader& header) : file_(path) {
  std::string start = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n{2}\n<meta name=\"viewport\" "
      "content=\"width=device-width, "
      "initial-scale=1\">\n<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<header "
      "class=\"top\">\n<h1>{0}</h1>\n<p class=\"summary\">",
      escape_html(header.title), kPageStyle, kGenerator);
  summary_offset_ = start.size();
  start.append(kSummaryRoom, ' ');
  start += "</p>\n<div class=\"bar\"><ul class=\"chain\">";
  for (const std::string& part : header.chain) {
    start += fmt::format("<li>{}</li>", escape_html(part));
  }
  start +=
      "</ul><div class=\"tools\"><input id=\"filter\" type=\"search\" placeholder=\"Filter\" "
      "aria-label=\"Filter by caption or file\"> <button "
      "id=\"details\" type=\"button\">Details</button></div></div>\n</header>\n<main>\n";
  file_.write(start);
}

std::string PageWriter::photo(const ShownImage& image) {
  const std::string jpeg = encode_jpeg(shrink(image.pixels, kPhotoSide), kPhotoQuality);
  const int64_t width = image.geometry.image_width;
  const int64_t height = image.geometry.image_height;
  // The photograph and the heat maps are defined once and used by the stage and by the small pictures beside
  // the captions.
  std::string definitions =
      fmt::format("<image id=\"p{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" href=\"{}\"/>",
                  images_, width, height, data_uri("image/jpeg", jpeg));
  std::string heats;
  std::string shapes;
  std::string badges;
  std::vector<Outline> outlines;
  for (const ShownRegion& region : image.regions) {
    outlines.push_back(outline_of(region.region.shape, image.geometry));
  }
  const double radius = kNumberRadius * static_cast<double>(std::max(width, height));
  const std::vector<OutlinePoint> numbers =
      place_numbers(outlines, radius, static_cast<double>(width), static_cast<double>(height));
  for (size_t i = 0; i < image.regions.size(); ++i) {
    shapes += shape_svg(outlines[i], radius, i);
    badges += number_svg(numbers[i], radius, i);  // above all lines
    const at::Tensor& weights = image.regions[i].weights;
    if (!weights.defined()) {
      continue;
    }
    const int64_t per_cell =
        std::max<int64_t>(1, std::min(kHeatPerCell, kHeatSide / std::max(weights.size(0), weights.size(1))));
    const at::Tensor heat =
        heat_map(weights, weights.size(1) * per_cell, weights.size(0) * per_cell, HeatInterpolation::bicubic);
    const Box area = grid_area(image.geometry);
    definitions += fmt::format(
        "<image id=\"h{}-{}\" x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" "
        "preserveAspectRatio=\"none\" href=\"{}\"/>",
        images_, i + 1, area.x, area.y, area.width, area.height, data_uri("image/png", encode_png(heat)));
    heats += fmt::format("<use class=\"heat\" data-region=\"{1}\" href=\"#h{0}-{1}\"/>", images_, i + 1);
  }
  return fmt::format(
      "<div class=\"view\"><svg class=\"stage\" viewBox=\"0 0 {0} {1}\" role=\"img\" "
      "aria-label=\"{2}\"><defs>{3}</defs><use "
      "href=\"#p{4}\"/>{5}{6}</svg></div>",
      width, height, escape_html(image.title), definitions, images_, heats, shapes + badges);
}

void PageWriter::add(const ShownImage& image) {
  ++images_;
  regions_ += image.regions.size();
  std::string html = "<article class=\"card\">";
  if (image.pixels.defined()) {
    html += photo(image);
  } else {
    html += "<div class=\"view\"><p class=\"error\">No picture</p></div>";
  }
  html += fmt::format("\n<div class=\"said\"><h2>{}</h2>", escape_html(image.title));
  if (image.pixels.defined()) {
    html += fmt::format("<p class=\"size\">{} \u00d7 {} pixels</p>", image.geometry.image_width,
                        image.geometry.image_height);
  }
  if (!image.error.empty()) {
    ++errors_;
    html += fmt::format("<p class=\"error\">{}</p>", escape_html(image.error));
  }
  std::string regions;
  for (size_t i = 0; i < image.regions.size(); ++i) {
    if (!image.error.empty() && image.regions[i].caption.empty()) {
      continue;  // the image's error has said it
    }
    errors_ += image.regions[i].error.empty() ? 0 : 1;
    regions += region_html(image.regions[i], image, images_, i);
  }
  if (!regions.empty()) {
    html += "\n<ol class=\"regions\">\n" + regions + "</ol>";
  }
  html += "</div></article>\n";
  file_.write(html);
}

void PageWriter::commit() {
  std::string summary = fmt::format("{} image{}, {} region{}", images_, images_ == 1 ? "" : "s", regions_,
                                    regions_ == 1 ? "" : "s");
  if (errors_ > 0) {
    summary += fmt::format(", {} could not be captioned", errors_);
  }
  file_.write(
      fmt::format("</main>\n<footer>Made with Patchioner. Point at a caption or a number to see what it was "
                  "made from.</footer>\n"
                  "<script>{}</script>\n</body>\n</html>\n",
                  kPageScript));
  summary.resize(std::min(summary.size(), kSummaryRoom));
  file_.write_at(summary_offset_, summary.data(), summary.size());
  file_.commit();
}

}  // namespace patchioner
