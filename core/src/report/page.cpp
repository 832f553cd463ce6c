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

/// "entity" and its like as a heading's words, for several of them.
std::string plural(const std::string& kind) {
  if (kind.ends_with('y')) {
    return kind.substr(0, kind.size() - 1) + "ies";
  }
  return kind + "s";
}

/// What a decoder looked up, kind by kind in the order in which they come.
std::string evidence_html(const std::vector<Evidence>& evidence) {
  std::string html;
  std::string kind;
  for (const Evidence& found : evidence) {
    if (found.kind != kind) {
      html += fmt::format("{}<p class=\"kind\">{}</p><ul class=\"why\">", kind.empty() ? "" : "</ul>",
                          escape_html(plural(found.kind)));
      kind = found.kind;
    }
    html += fmt::format("<li><span class=\"share\">{}</span><span class=\"{}\">{}</span></li>",
                        format_score(found.score), found.used ? "used" : "unused", escape_html(found.text));
  }
  return kind.empty() ? html : html + "</ul>";
}

std::string details_html(const ShownAnswer& answer) {
  if (answer.memory.empty() && answer.tokens.empty() && answer.evidence.empty() && answer.prompt.empty() &&
      answer.alternatives.empty()) {
    return {};
  }
  std::string html = "<details><summary>Why these words</summary>";
  if (!answer.alternatives.empty()) {
    html += "<p class=\"kind\">next best</p><ul class=\"why\">";
    for (const AlternativeCaption& other : answer.alternatives) {
      html += fmt::format("<li><span class=\"share\">{}</span><span>{}</span></li>",
                          format_score(other.score), escape_html(other.text));
    }
    html += "</ul>";
  }
  html += evidence_html(answer.evidence);
  if (!answer.prompt.empty()) {
    html += fmt::format("<p class=\"prompt\">{}</p>", escape_html(answer.prompt));
  }
  if (!answer.memory.empty()) {
    html += "<ul class=\"why\">";
    for (const MemoryMatch& match : answer.memory) {
      html += fmt::format(
          "<li><span class=\"share\" title=\"cosine {:.3f}\">{:.1f} %</span><span class=\"memory\" "
          "style=\"--w:{:.1f}%\">{}</span></li>",
          match.similarity, 100 * match.weight, 100 * match.weight, escape_html(match.text));
    }
    html += "</ul>";
  }
  if (!answer.tokens.empty()) {
    html += "<p class=\"tokens\">" + tokens_html(answer.tokens) + "</p>";
  }
  return html + "</details>";
}

/// What one answer says; the score stands beside the region unless several answers are compared.
std::string answer_html(const ShownAnswer& answer) {
  std::string html;
  if (!answer.from.empty()) {
    html += fmt::format("<p class=\"from\">{}</p>", escape_html(answer.from));
  }
  if (!answer.error.empty()) {
    html += fmt::format("<p class=\"error\">{}</p>", escape_html(answer.error));
  } else {
    html += fmt::format("<p class=\"caption\">{}</p>",
                        answer.caption.empty() ? "<i>no words</i>" : escape_html(answer.caption));
  }
  return html;
}

std::string warnings_html(const ShownAnswer& answer) {
  std::string html;
  for (const std::string& warning : answer.warnings) {
    html += fmt::format("<p class=\"warning\">{}</p>", escape_html(warning));
  }
  return html;
}

std::string score_html(const ShownAnswer& answer) {
  return answer.score && answer.error.empty()
             ? fmt::format("<span class=\"score\">score {}</span>", format_score(*answer.score))
             : std::string();
}

std::string measures_html(const std::vector<ShownMeasure>& measures) {
  if (measures.empty()) {
    return {};
  }
  std::string html = "<ul class=\"measures\">";
  for (const ShownMeasure& measure : measures) {
    html += fmt::format("<li><span>{}</span> <b>{}</b></li>", escape_html(measure.name),
                        format_score(measure.value));
  }
  return html + "</ul>";
}

std::string value_html(const ShownMeasure& measure) {
  return fmt::format("<span class=\"score\">{} {}</span>", escape_html(measure.name),
                     format_score(measure.value));
}

/// What people said.
std::string references_html(const std::vector<std::string>& references) {
  if (references.empty()) {
    return {};
  }
  std::string html = "<ul class=\"references\" aria-label=\"references\">";
  for (const std::string& reference : references) {
    html += fmt::format("<li>{}</li>", escape_html(reference));
  }
  return html + "</ul>";
}

/// The answers of several runs below one another, each with its own score and reasons; references that are
/// the same for all stand once, below them.
std::string compared_html(const std::vector<ShownAnswer>& answers) {
  const bool same_references = std::all_of(answers.begin(), answers.end(), [&](const ShownAnswer& answer) {
    return answer.references == answers.front().references || !answer.error.empty();
  });
  std::string html = "<div class=\"compared\">";
  for (const ShownAnswer& answer : answers) {
    // A single value stands beside its caption, where values of several captions are compared at a glance.
    const bool one_value = answer.measures.size() == 1 && !answer.score;
    html += "<div class=\"answer\">" + answer_html(answer) + "<p class=\"meta\">" +
            (one_value ? value_html(answer.measures.front()) : score_html(answer)) + "</p>";
    html += same_references ? std::string() : references_html(answer.references);
    html += one_value ? std::string() : measures_html(answer.measures);
    html += warnings_html(answer) + details_html(answer) + "</div>";
  }
  if (same_references && !answers.empty()) {
    html += references_html(answers.front().references);
  }
  return html + "</div>";
}

std::string region_html(const ShownRegion& region, const ShownImage& image, size_t image_number,
                        size_t index) {
  std::string html = fmt::format("<li data-region=\"{0}\" {1}><span class=\"badge\">{0}</span><div>",
                                 index + 1, colour_style(index));
  const ShownAnswer* only = region.answers.size() == 1 ? &region.answers.front() : nullptr;
  if (only != nullptr) {
    html += answer_html(*only);
  }
  std::string meta =
      escape_html(region.region.id.empty() ? describe(region.region.shape)
                                           : region.region.id + " \u00b7 " + describe(region.region.shape));
  if (only != nullptr && !score_html(*only).empty()) {
    meta += " \u00b7 " + score_html(*only);
  }
  html += fmt::format("<p class=\"meta\">{}</p>", meta);
  if (only != nullptr) {
    html += references_html(only->references) + measures_html(only->measures) + warnings_html(*only);
  }
  html += "</div>";
  if (region.weights.defined() && image.pixels.defined()) {
    html += fmt::format(
        "<svg class=\"thumb\" viewBox=\"0 0 {0} {1}\" role=\"img\" aria-label=\"patch weights\"><use "
        "href=\"#p{2}\"/><use "
        "href=\"#h{2}-{3}\"/></svg>",
        image.geometry.image_width, image.geometry.image_height, image_number, index + 1);
  }
  return html + (only != nullptr ? details_html(*only) : compared_html(region.answers)) + "</li>\n";
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
  counts_ = header.summary.empty();
  start += counts_ ? std::string(kSummaryRoom, ' ') : escape_html(header.summary);
  start += "</p>\n<div class=\"bar\"><ul class=\"chain\">";
  for (const std::string& part : header.chain) {
    start += fmt::format("<li>{}</li>", escape_html(part));
  }
  start += "</ul>" + measures_html(header.measures);
  start +=
      "<div class=\"tools\"><input id=\"filter\" type=\"search\" placeholder=\"Filter\" "
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

void PageWriter::section(const std::string& title, const std::string& note) {
  const std::string below = note.empty() ? note : "<p>" + escape_html(note) + "</p>";
  file_.write(fmt::format("<div class=\"section\"><h2>{}</h2>{}</div>\n", escape_html(title), below));
}

void PageWriter::block(const std::string& html) {
  file_.write("<div class=\"block\">" + html + "</div>\n");
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
    const std::vector<ShownAnswer>& answers = image.regions[i].answers;
    const auto says_nothing = [](const ShownAnswer& answer) { return answer.caption.empty(); };
    if (!image.error.empty() && std::all_of(answers.begin(), answers.end(), says_nothing)) {
      continue;  // the image's error has said it
    }
    errors_ += static_cast<size_t>(std::count_if(answers.begin(), answers.end(),
                                                 [](const auto& answer) { return !answer.error.empty(); }));
    regions += region_html(image.regions[i], image, images_, i);
  }
  if (!regions.empty()) {
    html += "\n<ol class=\"regions\">\n" + regions + "</ol>";
  }
  html += "</div></article>\n";
  file_.write(html);
}

void PageWriter::commit() {
  file_.write(
      fmt::format("</main>\n<footer>Made with Patchioner. Point at a caption or a number to see what it was "
                  "made from.</footer>\n"
                  "<script>{}</script>\n</body>\n</html>\n",
                  kPageScript));
  if (counts_) {
    write_counts();
  }
  file_.commit();
}

void PageWriter::write_counts() {
  std::string summary = fmt::format("{} image{}, {} region{}", images_, images_ == 1 ? "" : "s", regions_,
                                    regions_ == 1 ? "" : "s");
  if (errors_ > 0) {
    summary += fmt::format(", {} could not be captioned", errors_);
  }
  summary.resize(std::min(summary.size(), kSummaryRoom));
  file_.write_at(summary_offset_, summary.data(), summary.size());
}

}  // namespace patchioner
