// Files of region sets: the test files, the COCO Entities release and the Flickr30k Entities release.
#include <algorithm>
#include <set>

#include "data/dataset_reading.hpp"
#include "support/split.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

/// Region sets of one image; captions of one set share it. Sets keep the order of their first captions.
class SetsOfImage {
 public:
  void add(const std::string& caption, OrderedJson corners, std::string where) {
    OrderedJson sorted = corners;  // captions name the same boxes in different orders
    std::sort(sorted.begin(), sorted.end());
    const auto found =
        std::find_if(sets_.begin(), sets_.end(), [&](const Set& set) { return set.sorted == sorted; });
    if (found == sets_.end()) {
      sets_.push_back({caption, std::move(corners), std::move(sorted), std::move(where)});
    } else {
      found->key += "\n" + caption;
    }
  }

  bool empty() const { return sets_.empty(); }

  void give_to(DatasetReading& reading, size_t image) {
    for (Set& set : sets_) {
      DatasetRegion region;
      BoxSet boxes;
      for (const OrderedJson& corners : set.corners) {
        boxes.boxes.push_back(box_of_corners(corners));
      }
      region.shape = std::move(boxes);
      region.references = references_of(set.key);
      region.reference_key = std::move(set.key);
      region.corners = std::move(set.corners);
      reading.add_region(image, std::move(region), set.where);
    }
  }

 private:
  struct Set {
    std::string key;
    OrderedJson corners;
    OrderedJson sorted;
    std::string where;
  };
  std::vector<Set> sets_;
};

/// "a man, with a dog." -> "a man with a dog": COCO Entities' captions as the test file has them.
std::string without_punctuation(const std::string& caption) {
  std::string text;
  for (const char character : caption) {
    if (std::isspace(static_cast<unsigned char>(character)) != 0) {
      text += text.empty() || text.back() == ' ' ? "" : " ";
    } else if (std::ispunct(static_cast<unsigned char>(character)) == 0) {
      text += static_cast<char>(std::tolower(static_cast<unsigned char>(character)));
    }
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

/// The boxes that a caption of COCO Entities names: all detections of the classes of its noun chunks, in the
/// order in which they come. Nothing when a chunk has no detection ("_") or none has a class: such captions
/// are not part of the test file.
std::optional<OrderedJson> detections_of(const OrderedJson& caption) {
  OrderedJson corners = OrderedJson::array();
  std::set<std::string> classes;
  const OrderedJson& detections = need_key(caption, "detections");
  for (const OrderedJson& name : need_key(caption, "det_sequences")) {
    if (name.is_null()) {
      continue;
    }
    if (!name.is_string()) {
      throw Error(ErrorKind::data, "\"det_sequences\" holds something that is no text");
    }
    if (name == "_") {
      return std::nullopt;
    }
    if (!classes.insert(name.get<std::string>()).second) {
      continue;
    }
    for (const OrderedJson& detection : need_key(detections, name.get_ref<const std::string&>().c_str())) {
      if (!detection.is_array() || detection.size() != 2) {
        throw Error(ErrorKind::data, "a detection is [number, [x1,y1,x2,y2]]");
      }
      corners.push_back(detection[1]);
    }
  }
  return corners.empty() ? std::nullopt : std::optional(std::move(corners));
}

/// What stands between two marks behind `at`, which moves behind it; nothing when it is not there.
std::optional<std::string_view> between(std::string_view text, std::string_view open, std::string_view close,
                                        size_t& at) {
  const size_t begin = text.find(open, at);
  if (begin == std::string_view::npos) {
    return std::nullopt;
  }
  const size_t end = text.find(close, begin + open.size());
  if (end == std::string_view::npos) {
    throw Error(ErrorKind::data, "\"{}\" at byte {} has no end; the file is cut", open, begin);
  }
  at = end + close.size();
  return text.substr(begin + open.size(), end - begin - open.size());
}

int64_t whole_number(std::string_view text, std::string_view tag) {
  size_t at = 0;
  const auto digits = between(text, fmt::format("<{}>", tag), fmt::format("</{}>", tag), at);
  if (!digits) {
    throw Error(ErrorKind::data, "has no <{}>", tag);
  }
  const std::string value(*digits);
  try {
    size_t used = 0;
    const int64_t number = std::stoll(value, &used);
    if (used == value.size()) {
      return number;
    }
  } catch (const std::exception&) {
    // told below
  }
  throw Error(ErrorKind::data, "<{}> holds '{}', which is no whole number", tag, value);
}

/// Annotations/<id>.xml: the boxes of each entity, and the size of the image.
struct EntityBoxes {
  int64_t width = 0;
  int64_t height = 0;
  std::map<std::string, OrderedJson> boxes;  ///< by entity: a list of [x1,y1,x2,y2]
};

EntityBoxes entity_boxes(std::string_view xml) {
  EntityBoxes result;
  size_t at = 0;
  if (const auto size = between(xml, "<size>", "</size>", at)) {
    result.width = whole_number(*size, "width");
    result.height = whole_number(*size, "height");
  }
  at = 0;
  while (const auto object = between(xml, "<object>", "</object>", at)) {
    size_t inside = 0;
    const auto box = between(*object, "<bndbox>", "</bndbox>", inside);
    if (!box) {
      continue;  // a scene, or something without a box
    }
    const OrderedJson corners = {whole_number(*box, "xmin"), whole_number(*box, "ymin"),
                                 whole_number(*box, "xmax"), whole_number(*box, "ymax")};
    inside = 0;
    while (const auto name = between(*object, "<name>", "</name>", inside)) {
      OrderedJson& boxes = result.boxes[std::string(*name)];
      boxes.push_back(corners);
    }
  }
  return result;
}

/// A line of Sentences/<id>.txt: "[/EN#1/people A man] rides [/EN#2/vehicles a bike] ."
struct EntitySentence {
  std::string caption;
  std::vector<std::string> entities;  ///< each once, in the order in which they are named
};

EntitySentence entity_sentence(std::string_view line) {
  EntitySentence sentence;
  size_t at = 0;
  while (at < line.size()) {
    const size_t open = std::min(line.find('[', at), line.size());
    sentence.caption += line.substr(at, open - at);
    if (open == line.size()) {
      break;
    }
    const size_t close = line.find(']', open);
    const size_t space = line.find(' ', open);
    constexpr std::string_view kMark = "[/EN#";
    if (close == std::string_view::npos || space == std::string_view::npos || space > close ||
        !line.substr(open).starts_with(kMark)) {
      throw Error(ErrorKind::data, "column {}: an entity is [/EN#number/type words]", open + 1);
    }
    const std::string_view mark = line.substr(open + kMark.size(), space - open - kMark.size());
    const std::string entity(mark.substr(0, mark.find('/')));
    if (std::find(sentence.entities.begin(), sentence.entities.end(), entity) == sentence.entities.end()) {
      sentence.entities.push_back(entity);
    }
    sentence.caption += line.substr(space + 1, close - space - 1);
    at = close + 1;
  }
  return sentence;
}

/// The ids of a split, one a line.
std::vector<std::string> listed_ids(const DatasetOptions& options, const fs::path& folder) {
  std::vector<std::string> ids;
  if (options.split == "all") {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder / "Sentences")) {
      if (entry.path().extension() == ".txt") {
        ids.push_back(entry.path().stem().string());
      }
    }
    std::sort(ids.begin(), ids.end());
    return ids;
  }
  const fs::path list = options.splits.empty() ? folder / (options.split + ".txt") : options.splits;
  if (!fs::exists(list)) {
    throw Error(ErrorKind::usage,
                "{}: the ids of the split '{}', one a line, are not there; name their file by --splits, or "
                "take every image by --split all",
                list.string(), options.split);
  }
  for (std::string& line : split(read_file(list), '\n')) {
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (!line.empty()) {
      ids.push_back(std::move(line));
    }
  }
  return ids;
}

}  // namespace

Dataset read_region_set_files(DatasetReading& reading) {
  for (const fs::path& path : reading.options().files) {
    const size_t file = reading.open_file(path);
    const std::string name = reading.name_of(file);
    visit_members(whole_document(reading.content(file), name), name, [&](const JsonPiece& piece) {
      const std::string where = fmt::format("{}: image {} (byte {})", name, piece.key, piece.begin);
      if (piece.kind() != '{') {
        reading.problems().add(ProblemKind::malformed_record, where,
                               "an image is {\"captions\": [[x1,y1,x2,y2], ...]}");
        return true;
      }
      const size_t image = reading.add_image({piece.key, {}, {}, 0, 0, {}, where},
                                             image_names_of(piece.key, reading.options().image_names));
      if (image == DatasetReading::kNone) {
        return true;
      }
      visit_members(piece, name, [&](const JsonPiece& set) {
        const std::string at_set =
            fmt::format("{}: image {}, \"{}\" (byte {})", name, piece.key, set.key.substr(0, 40), set.begin);
        DatasetRegion region;
        region.corners = parse_piece(set, name);
        const bool good = reading.attempt(at_set, [&] {
          if (!region.corners.is_array()) {
            throw Error(ErrorKind::data, "a region set is a list of [x1,y1,x2,y2]");
          }
          BoxSet boxes;
          for (const OrderedJson& corners : region.corners) {
            boxes.boxes.push_back(box_of_corners(corners));
          }
          region.shape = std::move(boxes);
        });
        if (good) {
          region.reference_key = set.key;
          region.references = references_of(set.key);
          reading.add_region(image, std::move(region), at_set);
        }
        return true;
      });
      return true;
    });
  }
  return reading.finish(DatasetFormat::region_sets, DatasetTask::region_set);
}

Dataset read_coco_entities(DatasetReading& reading) {
  const size_t file = reading.open_file(reading.options().files.front());
  const std::string name = reading.name_of(file);
  const std::string& split = reading.options().split;
  visit_members(whole_document(reading.content(file), name), name, [&](const JsonPiece& piece) {
    const std::string where = fmt::format("{}: image {} (byte {})", name, piece.key, piece.begin);
    SetsOfImage sets;
    visit_members(piece, name, [&](const JsonPiece& caption) {
      const OrderedJson value = parse_piece(caption, name);
      const std::string at_caption = fmt::format("{}: image {}, \"{}\" (byte {})", name, piece.key,
                                                 caption.key.substr(0, 40), caption.begin);
      reading.attempt(at_caption, [&] {
        if (split != "all" && need_text(value, "split") != split) {
          return;
        }
        std::optional<OrderedJson> corners = detections_of(value);
        if (!corners) {
          reading.problems().add(ProblemKind::left_out, at_caption, "not every noun chunk has a detection");
          return;
        }
        for (const OrderedJson& one : *corners) {
          box_of_corners(one);
        }
        sets.add(without_punctuation(caption.key), std::move(*corners), at_caption);
      });
      return true;
    });
    if (!sets.empty()) {
      const size_t image = reading.add_image({piece.key, {}, {}, 0, 0, {}, where},
                                             image_names_of(piece.key, reading.options().image_names));
      if (image != DatasetReading::kNone) {
        sets.give_to(reading, image);
      }
    }
    return true;
  });
  return reading.finish(DatasetFormat::coco_entities, DatasetTask::region_set);
}

Dataset read_flickr_entities(DatasetReading& reading) {
  const fs::path folder = reading.options().files.front();
  for (const std::string& id : listed_ids(reading.options(), folder)) {
    const fs::path sentences = folder / "Sentences" / (id + ".txt");
    const fs::path annotations = folder / "Annotations" / (id + ".xml");
    EntityBoxes boxes;
    if (!reading.attempt(annotations.string(), [&] {
          if (!fs::exists(sentences)) {
            throw Error(ErrorKind::data, "{} is not there", sentences.string());
          }
          if (!fs::exists(annotations)) {
            throw Error(ErrorKind::data, "is not there");
          }
          boxes = entity_boxes(read_file(annotations));
        })) {
      continue;
    }
    SetsOfImage sets;
    size_t number = 0;
    for (const std::string& line : split(read_file(sentences), '\n')) {
      const std::string where = fmt::format("{}:{}", sentences.string(), ++number);
      const size_t end = line.find_last_not_of(" \t\r") + 1;
      if (end == 0) {
        continue;
      }
      reading.attempt(where, [&] {
        const EntitySentence sentence = entity_sentence(std::string_view(line).substr(0, end));
        OrderedJson corners = OrderedJson::array();
        for (const std::string& entity : sentence.entities) {
          if (const auto found = boxes.boxes.find(entity); found != boxes.boxes.end()) {
            corners.insert(corners.end(), found->second.begin(), found->second.end());
          }
        }
        sets.add(sentence.caption, std::move(corners), where);
      });
    }
    const size_t image = reading.add_image({id, {}, {}, boxes.width, boxes.height, {}, sentences.string()},
                                           image_names_of(id, reading.options().image_names));
    if (image != DatasetReading::kNone) {
      sets.give_to(reading, image);
    }
  }
  return reading.finish(DatasetFormat::flickr_entities, DatasetTask::region_set);
}

}  // namespace patchioner
