#include "data/prediction_files.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "data/dataset_reading.hpp"
#include "data/region_json.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

constexpr std::string_view kForms =
    "a list of COCO results, a COCO file with \"annotations\", lists \"predictions\" and \"gt_captions\", "
    "captions by image {\"name\": \"caption\"}, or records of `patchioner caption --output`";

/// What says a region beside its image, in records and in results of regions that are no single box.
constexpr std::array<const char*, 6> kRegionKeys = {"box", "boxes", "trace", "mask", "patch", "point"};

Box box_of(const std::array<double, 4>& corners) {
  return {corners[0], corners[1], corners[2] - corners[0], corners[3] - corners[1]};
}

std::array<double, 4> corners_of(const OrderedJson& numbers, bool are_corners) {
  if (!numbers.is_array() || numbers.size() != 4) {
    throw Error(ErrorKind::data, "a box is four numbers; found {}", numbers.dump().substr(0, 60));
  }
  std::array<double, 4> box{};
  for (size_t i = 0; i < box.size(); ++i) {
    box[i] = need_finite(numbers[i], "a number of a box");
  }
  if (!are_corners) {
    box[2] += box[0];
    box[3] += box[1];
  }
  if (box[2] < box[0] || box[3] < box[1]) {
    throw Error(ErrorKind::data, "the box {} is inverted as {}; --boxes says what its numbers are",
                numbers.dump(), are_corners ? "corners x1,y1,x2,y2" : "x,y,width,height");
  }
  return box;
}

std::optional<double> score_of(const OrderedJson& entry) {
  const auto score = entry.find("score");
  if (score == entry.end() || score->is_null()) {
    return std::nullopt;
  }
  return need_finite(*score, "\"score\"");
}

/// Reads one file.
class PredictionReader {
 public:
  PredictionReader(const std::filesystem::path& path, BoxNumbers boxes)
      : file_(MappedFile::open(path)), boxes_(boxes) {
    result_.file = path.string();
  }

  Predictions read() {
    const JsonPiece document = whole_document(file_->text(), result_.file);
    if (document.kind() == '[') {
      result_.form = PredictionForm::coco_results;
      read_entries(document, "entry", {});
    } else if (is_line_of_records(document)) {
      result_.form = PredictionForm::records;
      read_records();
    } else if (document.kind() == '{') {
      read_object(document);
    } else {
      refuse_form();
    }
    if (result_.items.empty() && result_.failed.empty()) {
      throw Error(ErrorKind::data, "{}: holds no predictions", result_.file);
    }
    result_.boxes_were_corners = takes_corners();
    return std::move(result_);
  }

 private:
  [[noreturn]] void refuse_form() const {
    throw Error(ErrorKind::data, "{}: these are no predictions; expected is {}", result_.file, kForms);
  }

  /// Runs `read` and puts the place before what it throws.
  template <class Read>
  void at(const std::string& where, Read&& read) const {
    try {
      read();
    } catch (const Error& error) {
      throw error.within(where);
    }
  }

  bool takes_corners() const {
    return boxes_ == BoxNumbers::corners ||
           (boxes_ == BoxNumbers::automatic && result_.form == PredictionForm::coco_file);
  }

  /// Whether the document's first line is an object with "image" and a text, which COCO files have not.
  bool is_line_of_records(const JsonPiece& document) const {
    bool found = false;
    if (document.kind() == '{') {
      const JsonPiece line{{}, 0, document.text.substr(0, document.text.find('\n')), document.begin};
      try {
        visit_members(line, result_.file, [&](const JsonPiece& member) {
          found = member.key == "image" && member.kind() == '"';
          return !found;
        });
      } catch (const Error&) {
        return false;  // an object of several lines
      }
    }
    return found;
  }

  /// A list of {"image_id", "caption", ...}.
  void read_entries(const JsonPiece& list, const std::string& name,
                    const std::map<std::string, std::string>& file_names) {
    visit_members(list, result_.file, [&](const JsonPiece& piece) {
      const OrderedJson entry = parse_piece(piece, result_.file);
      Prediction prediction;
      prediction.where =
          fmt::format("{}: {} {} (byte {})", result_.file, name, piece.number + 1, piece.begin);
      at(prediction.where, [&] {
        prediction.image = id_text(need_key(entry, "image_id"));
        prediction.caption = need_text(entry, "caption");
        prediction.score = score_of(entry);
        if (const auto found = file_names.find(prediction.image); found != file_names.end()) {
          prediction.file_name = found->second;
        } else if (entry.contains("file_name")) {
          prediction.file_name = need_text(entry, "file_name");
        }
        if (const auto box = entry.find("bbox"); box != entry.end() && !box->is_null()) {
          prediction.corners = corners_of(*box, takes_corners());
          prediction.shape = box_of(prediction.corners);
        }
        if (result_.form == PredictionForm::coco_results) {
          read_region(entry, prediction);
        }
      });
      result_.items.push_back(std::move(prediction));
      return true;
    });
  }

  /// The region of a result in this program's own form, where COCO's "bbox" has no place for it.
  void read_region(const OrderedJson& entry, Prediction& prediction) const {
    OrderedJson region = OrderedJson::object();
    for (const char* key : kRegionKeys) {
      if (entry.contains(key)) {
        region[key] = entry[key];
      }
    }
    if (region.empty()) {
      return;
    }
    if (!std::holds_alternative<WholeImage>(prediction.shape)) {
      throw Error(ErrorKind::data, "has both \"bbox\" and \"{}\"; one caption is of one region",
                  region.begin().key());
    }
    set_shape(region, file_->path().parent_path(), "its region", prediction);
  }

  static void set_shape(const OrderedJson& region, const std::filesystem::path& folder,
                        const std::string& where, Prediction& prediction) {
    prediction.shape = region_from_json(nlohmann::json(region), folder, where).shape;
    if (const auto* box = std::get_if<Box>(&prediction.shape)) {
      prediction.corners = {box->x, box->y, box->x + box->width, box->y + box->height};
    }
  }

  void read_object(const JsonPiece& document) {
    std::map<std::string, JsonPiece> lists;
    bool is_by_image = false;
    visit_members(document, result_.file, [&](const JsonPiece& member) {
      is_by_image = (is_by_image || member.number == 0) && member.kind() == '"';
      if (member.kind() == '[') {
        lists[member.key] = member;
      }
      return true;
    });
    if (lists.contains("annotations")) {
      result_.form = PredictionForm::coco_file;
      std::map<std::string, std::string> file_names;
      if (lists.contains("images")) {
        visit_members(lists["images"], result_.file, [&](const JsonPiece& piece) {
          const OrderedJson image = parse_piece(piece, result_.file);
          at(place_of(result_.file, "images", piece), [&] {
            if (image.contains("file_name")) {
              file_names[id_text(need_key(image, "id"))] = need_text(image, "file_name");
            }
          });
          return true;
        });
      }
      read_entries(lists["annotations"], "annotation", file_names);
    } else if (lists.contains("predictions")) {
      result_.form = PredictionForm::lists;
      read_lists(lists);
    } else if (is_by_image) {
      result_.form = PredictionForm::by_image;
      read_by_image(document);
    } else {
      refuse_form();
    }
  }

  /// {image: caption}, as CLIPScore and PAC-S take candidates.
  void read_by_image(const JsonPiece& document) {
    visit_members(document, result_.file, [&](const JsonPiece& piece) {
      Prediction prediction;
      prediction.where = fmt::format("{}: {} (byte {})", result_.file, piece.key, piece.begin);
      prediction.image = piece.key;
      prediction.caption = parse_piece(piece, result_.file).get<std::string>();
      result_.items.push_back(std::move(prediction));
      return true;
    });
  }

  void read_lists(const std::map<std::string, JsonPiece>& lists) {
    std::map<std::string, OrderedJson> values;
    for (const char* key : {"predictions", "gt_captions", "bboxes", "img_paths"}) {
      if (const auto list = lists.find(key); list != lists.end()) {
        values[key] = parse_piece(list->second, result_.file);
      }
    }
    if (!values.contains("gt_captions")) {
      throw Error(ErrorKind::data, "{}: has \"predictions\" but no \"gt_captions\"", result_.file);
    }
    const size_t count = values["predictions"].size();
    for (const auto& [key, list] : values) {
      if (list.size() != count) {
        throw Error(ErrorKind::data, "{}: {} \"predictions\", but {} \"{}\"; the lists run side by side",
                    result_.file, count, list.size(), key);
      }
    }
    for (size_t i = 0; i < count; ++i) {
      Prediction prediction;
      prediction.where = fmt::format("{}: predictions[{}]", result_.file, i);
      at(prediction.where, [&] {
        const OrderedJson entry = {{"prediction", values["predictions"][i]},
                                   {"gt_caption", values["gt_captions"][i]}};
        prediction.caption = need_text(entry, "prediction");
        prediction.references = references_of(need_text(entry, "gt_caption"));
        if (values.contains("img_paths") && values["img_paths"][i].is_string()) {
          prediction.file_name = values["img_paths"][i].get<std::string>();
        }
        if (values.contains("bboxes")) {
          BoxSet set;
          for (const OrderedJson& box : values["bboxes"][i]) {
            set.boxes.push_back(box_of(corners_of(box, takes_corners())));
          }
          prediction.shape = std::move(set);
        }
      });
      result_.items.push_back(std::move(prediction));
    }
  }

  void read_records() {
    const std::string_view all = file_->text();
    const std::filesystem::path folder = file_->path().parent_path();
    size_t number = 0;
    for (size_t begin = 0; begin < all.size();) {
      const size_t end = std::min(all.find('\n', begin), all.size());
      const JsonPiece line{{}, ++number, all.substr(begin, end - begin), begin};
      begin = end + 1;
      if (line.text.find_first_not_of(" \t\r") == std::string_view::npos) {
        continue;
      }
      const OrderedJson record = parse_piece(line, result_.file);
      const std::string where = fmt::format("{}:{}", result_.file, number);
      at(where, [&] { read_record(record, folder, where); });
    }
  }

  void read_record(const OrderedJson& record, const std::filesystem::path& folder, const std::string& where) {
    const std::string file_name = need_text(record, "image");
    std::string id;
    if (record.contains("id") && (record["id"].is_string() || record["id"].is_number_integer())) {
      id = id_text(record["id"]);
    }
    if (record.contains("error")) {
      result_.failed.push_back(where);
      return;
    }
    size_t number = 0;
    for (const OrderedJson& region : need_key(record, "regions")) {
      const std::string place = fmt::format("{}: region {}", where, ++number);
      if (region.contains("error")) {
        result_.failed.push_back(place);
        continue;
      }
      Prediction prediction;
      prediction.image = id;
      prediction.file_name = file_name;
      prediction.caption = need_text(region, "caption");
      prediction.score = score_of(region);
      prediction.where = place;
      OrderedJson asked = OrderedJson::object();  // what was asked, without what came of it
      if (region.contains("image")) {
        asked["image"] = region["image"];
      }
      for (const char* key : kRegionKeys) {
        if (region.contains(key)) {
          asked[key] = region[key];
        }
      }
      set_shape(asked, folder, fmt::format("region {}", number), prediction);
      result_.items.push_back(std::move(prediction));
    }
  }

  std::shared_ptr<const MappedFile> file_;
  BoxNumbers boxes_;
  Predictions result_;
};

}  // namespace

BoxNumbers box_numbers_from(std::string_view word) {
  for (const auto& [name, numbers] :
       {std::pair("auto", BoxNumbers::automatic), std::pair("corners", BoxNumbers::corners),
        std::pair("xywh", BoxNumbers::sides)}) {
    if (word == name) {
      return numbers;
    }
  }
  throw Error(ErrorKind::usage, "--boxes {}: no such numbers of a box{}", word,
              suggestion(word, {"auto", "corners", "xywh"}));
}

Predictions read_predictions(const std::filesystem::path& file, BoxNumbers boxes) {
  return PredictionReader(file, boxes).read();
}

}  // namespace patchioner
