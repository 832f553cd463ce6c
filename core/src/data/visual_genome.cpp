#include "data/visual_genome.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "data/dataset_reading.hpp"
#include "support/split.hpp"
#include "support/utf8.hpp"
#include "text/unicode.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostWords = 15;

/// What the conversion spells out before it lower-cases; the spaces are its own.
constexpr std::array<std::pair<char32_t, std::u32string_view>, 10> kSpelledOut = {{
    {U'\u00bd', U"half"},     // one half
    {U'\u2014', U"-"},        // dash; deleted below with the other punctuation
    {U'\u2122', U""},         // trade mark
    {U'\u00a2', U"cent"},     // cent
    {U'\u00e7', U"c"},        // c with cedilla
    {U'\u00fb', U"u"},        // u with circumflex
    {U'\u00e9', U"e"},        // e with acute
    {U'\u00b0', U" degree"},  // degree
    {U'\u00e8', U"e"},        // e with grave
    {U'\u2026', U""},         // ellipsis
}};

bool is_ascii_punctuation(char32_t point) {
  return (point >= '!' && point <= '/') || (point >= ':' && point <= '@') || (point >= '[' && point <= '`') ||
         (point >= '{' && point <= '~');
}

struct ImageData {
  int64_t width = 0;
  int64_t height = 0;
  bool in_coco = false;
};

/// image_data.json by image.
std::unordered_map<std::string, ImageData> read_image_data(DatasetReading& reading, const fs::path& path) {
  if (!fs::exists(path)) {
    throw Error(ErrorKind::usage,
                "{}: Visual Genome's image_data.json is not there; it says the sizes of the images: name it "
                "by --image-data",
                path.string());
  }
  const auto file = MappedFile::open(path);
  std::unordered_map<std::string, ImageData> images;
  visit_members(whole_document(file->text(), path.string()), path.string(), [&](const JsonPiece& piece) {
    const OrderedJson entry = parse_piece(piece, path.string());
    reading.attempt(place_of(path.string(), "", piece), [&] {
      const auto side = [&](const char* key) {
        return static_cast<int64_t>(need_finite(need_key(entry, key), key));
      };
      const auto coco = entry.find("coco_id");
      images[id_text(need_key(entry, entry.contains("image_id") ? "image_id" : "id"))] = {
          side("width"), side("height"), coco != entry.end() && !coco->is_null()};
    });
    return true;
  });
  return images;
}

/// The ids of the split, or nothing when every image is wanted.
std::optional<std::unordered_set<std::string>> wanted_images(const DatasetOptions& options,
                                                             const fs::path& folder) {
  if (options.split == "all") {
    return std::nullopt;
  }
  const fs::path path = options.splits.empty() ? folder / "densecap_splits.json" : options.splits;
  if (!fs::exists(path)) {
    throw Error(ErrorKind::usage,
                "{}: the file that says which images are the split '{}' is not there; name one by --splits, "
                "or take every image by --split all",
                path.string(), options.split);
  }
  const auto file = MappedFile::open(path);
  std::unordered_set<std::string> wanted;
  std::string known;
  visit_members(whole_document(file->text(), path.string()), path.string(), [&](const JsonPiece& list) {
    known += (known.empty() ? "" : ", ") + list.key;
    if (list.key == options.split) {
      for (const OrderedJson& id : parse_piece(list, path.string())) {
        wanted.insert(id_text(id));
      }
    }
    return true;
  });
  if (wanted.empty()) {
    throw Error(ErrorKind::usage, "{}: has no split '{}'; it has {}", path.string(), options.split, known);
  }
  return wanted;
}

}  // namespace

std::optional<std::string> clean_region_phrase(std::string_view phrase) {
  std::u32string spelled;
  for (const char32_t point : decode_utf8(phrase)) {
    const auto* found = std::find_if(kSpelledOut.begin(), kSpelledOut.end(),
                                     [&](const auto& entry) { return entry.first == point; });
    spelled += found == kSpelledOut.end() ? std::u32string(1, point) : std::u32string(found->second);
  }
  std::u32string clean;
  size_t words = 0;
  bool in_word = false;
  for (const char32_t point : lower_case(spelled)) {
    if (is_ascii_punctuation(point)) {
      continue;
    }
    if (is_trimmed(point)) {
      in_word = false;
      continue;
    }
    if (!in_word) {
      clean += words++ == 0 ? U"" : U" ";
      in_word = true;
    }
    clean += point;
  }
  return words > kMostWords ? std::nullopt : std::optional(encode_utf8(clean));
}

OrderedJson clamp_region_box(const OrderedJson& region, int64_t width, int64_t height) {
  std::array<double, 4> sides{};
  bool whole = true;
  constexpr std::array kKeys = {"x", "y", "width", "height"};
  for (size_t i = 0; i < kKeys.size(); ++i) {
    const OrderedJson& value = need_key(region, kKeys[i]);
    sides[i] = need_finite(value, kKeys[i]);
    whole = whole && value.is_number_integer();
  }
  const auto right = static_cast<double>(width);
  const auto bottom = static_cast<double>(height);
  double x1 = sides[0] < 1 ? 1 : sides[0];
  double y1 = sides[1] < 1 ? 1 : sides[1];
  x1 = x1 > right - 1 ? right - 1 : x1;
  y1 = y1 > bottom - 1 ? bottom - 1 : y1;
  const double x2 = std::min(sides[0] + sides[2], right);
  const double y2 = std::min(sides[1] + sides[3], bottom);
  if (whole) {
    return {static_cast<int64_t>(x1), static_cast<int64_t>(y1), static_cast<int64_t>(x2),
            static_cast<int64_t>(y2)};
  }
  return {x1, y1, x2, y2};
}

Dataset read_visual_genome(DatasetReading& reading) {
  const DatasetOptions& options = reading.options();
  const fs::path folder = options.files.front().parent_path();
  const auto sizes =
      read_image_data(reading, options.image_data.empty() ? folder / "image_data.json" : options.image_data);
  const auto wanted = wanted_images(options, folder);
  const bool keep_empty = options.split == "test";
  const size_t file = reading.open_file(options.files.front());
  const std::string name = reading.name_of(file);
  visit_members(whole_document(reading.content(file), name), name, [&](const JsonPiece& piece) {
    const OrderedJson entry = parse_piece(piece, name);
    const std::string where = place_of(name, "", piece);
    reading.attempt(where, [&] {
      const OrderedJson& id = need_key(entry, entry.contains("image_id") ? "image_id" : "id");
      const OrderedJson& regions = need_key(entry, "regions");
      if ((wanted && !wanted->contains(id_text(id))) || regions.empty()) {
        return;
      }
      const auto size = sizes.find(id_text(id));
      if (size == sizes.end()) {
        throw Error(ErrorKind::data, "the image {} is not in image_data.json", id_text(id));
      }
      if (options.vg_coco && !size->second.in_coco) {
        return;
      }
      const std::string file_name = id_text(id) + ".jpg";
      const size_t image = reading.add_image(
          {id, file_name, {}, size->second.width, size->second.height, {}, where}, {file_name});
      if (image == DatasetReading::kNone) {
        return;
      }
      size_t number = 0;
      for (const OrderedJson& one : regions) {
        const std::string at_region = fmt::format("{}, region {}", where, ++number);
        reading.attempt(at_region, [&] {
          const std::optional<std::string> phrase = clean_region_phrase(need_text(one, "phrase"));
          if (!phrase) {
            reading.problems().add(ProblemKind::left_out, at_region,
                                   fmt::format("the phrase has more than {} words", kMostWords));
            return;
          }
          DatasetRegion region;
          region.corners = clamp_region_box(one, size->second.width, size->second.height);
          Box box = box_of_corners(region.corners);
          if (!keep_empty && (phrase->empty() || box.width <= 0 || box.height <= 0)) {
            reading.problems().add(ProblemKind::left_out, at_region, "no phrase, or a box without area");
            return;
          }
          if (box.width < 0 || box.height < 0) {  // it lies left of or above the image
            reading.problems().add(
                ProblemKind::inverted_box, at_region,
                fmt::format("the box {} is inverted; the conversion keeps it", region.corners.dump()));
            box.width = std::max(box.width, 0.0);
            box.height = std::max(box.height, 0.0);
          }
          region.shape = box;
          region.references.push_back(*phrase);
          reading.add_region(image, std::move(region), at_region);
        });
      }
    });
    return true;
  });
  return reading.finish(DatasetFormat::visual_genome, DatasetTask::dense);
}

}  // namespace patchioner
