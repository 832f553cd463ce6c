#include "data/dataset.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "data/dataset_reading.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<std::string_view, DatasetFormat>, 12> kFormats = {{
    {"auto", DatasetFormat::automatic},
    {"coco", DatasetFormat::coco},
    {"karpathy", DatasetFormat::karpathy},
    {"dense", DatasetFormat::dense},
    {"visual-genome", DatasetFormat::visual_genome},
    {"region-sets", DatasetFormat::region_sets},
    {"coco-entities", DatasetFormat::coco_entities},
    {"flickr-entities", DatasetFormat::flickr_entities},
    {"traces", DatasetFormat::traces},
    {"narratives", DatasetFormat::narratives},
    {"records", DatasetFormat::records},
    {"clipscore", DatasetFormat::clipscore},
}};

std::vector<std::string> format_words() {
  std::vector<std::string> words;
  for (const auto& [word, format] : kFormats) {
    words.emplace_back(word);
  }
  return words;
}

/// The first member of an object or list, or nothing.
std::optional<JsonPiece> first_member(const JsonPiece& piece, const std::string& file) {
  std::optional<JsonPiece> first;
  if (piece.kind() == '{' || piece.kind() == '[') {
    visit_members(piece, file, [&](const JsonPiece& member) {
      first = member;
      return false;
    });
  }
  return first;
}

bool has_member(const JsonPiece& piece, const std::string& file, std::initializer_list<const char*> keys) {
  bool found = false;
  if (piece.kind() == '{') {
    visit_members(piece, file, [&](const JsonPiece& member) {
      found = std::find(keys.begin(), keys.end(), member.key) != keys.end();
      return !found;
    });
  }
  return found;
}

/// Of the files that are objects of images by their ids.
DatasetFormat format_by_id(const JsonPiece& value, const std::string& file) {
  if (has_member(value, file, {"captions", "traces"})) {
    return DatasetFormat::traces;
  }
  const std::optional<JsonPiece> inner = first_member(value, file);
  if (value.kind() == '[') {
    return inner && inner->kind() == '"' ? DatasetFormat::clipscore : DatasetFormat::automatic;
  }
  if (inner && inner->kind() == '[') {
    return DatasetFormat::region_sets;
  }
  if (inner && has_member(*inner, file, {"det_sequences", "noun_chunks", "detections"})) {
    return DatasetFormat::coco_entities;
  }
  return DatasetFormat::automatic;
}

DatasetFormat format_of_object(const JsonPiece& document, const std::string& file) {
  DatasetFormat format = DatasetFormat::automatic;
  visit_members(document, file, [&](const JsonPiece& member) {
    const std::string& key = member.key;
    if (key == "image" && member.kind() == '"') {
      format = DatasetFormat::records;
      return false;
    }
    if (key == "timed_caption" || key == "annotator_id") {
      format = DatasetFormat::narratives;
      return false;
    }
    if (key == "images" && member.kind() == '[') {
      format = DatasetFormat::coco;
      const auto image = first_member(member, file);
      if (image && has_member(*image, file, {"sentences", "sentids"})) {
        format = DatasetFormat::karpathy;
        return false;
      }
    } else if (key == "annotations" && member.kind() == '[') {
      const auto annotation = first_member(member, file);
      format =
          annotation && has_member(*annotation, file, {"bbox"}) ? DatasetFormat::dense : DatasetFormat::coco;
      return false;
    } else if (format == DatasetFormat::automatic && member.number == 0) {
      format = format_by_id(member, file);
      return format == DatasetFormat::automatic;
    }
    return true;
  });
  return format;
}

DatasetFormat detect(const fs::path& path) {
  if (fs::is_directory(path)) {
    if (fs::is_directory(path / "Sentences")) {
      return DatasetFormat::flickr_entities;
    }
    throw Error(ErrorKind::data, "{}: a folder of annotations is Flickr30k Entities, with Sentences/ in it",
                path.string());
  }
  const auto file = MappedFile::open(path);
  const JsonPiece document = whole_document(file->text(), path.string());
  DatasetFormat format = DatasetFormat::automatic;
  if (document.kind() == '{') {
    format = format_of_object(document, path.string());
  } else if (document.kind() == '[') {
    const auto first = first_member(document, path.string());
    if (first && has_member(*first, path.string(), {"regions"})) {
      format = DatasetFormat::visual_genome;
    }
  }
  if (format == DatasetFormat::automatic) {
    throw Error(ErrorKind::data, "{}: this is no annotation file of a known format; name one by --format: {}",
                path.string(), fmt::join(format_words(), ", "));
  }
  return format;
}

void check_options(const DatasetOptions& options, DatasetFormat format) {
  if (!options.references.empty() && format != DatasetFormat::coco) {
    throw Error(ErrorKind::usage,
                "references of their own belong to a COCO image list; {} is read as '{}' and has its own",
                options.files.front().string(), to_string(format));
  }
  const bool several = format == DatasetFormat::traces || format == DatasetFormat::narratives ||
                       format == DatasetFormat::records || format == DatasetFormat::region_sets;
  if (options.files.size() > 1 && !several) {
    throw Error(ErrorKind::usage, "several files of the format '{}' cannot be merged; give one",
                to_string(format));
  }
}

}  // namespace

std::string_view to_string(DatasetTask task) {
  constexpr std::array<std::string_view, 6> kNames = {"image", "dense", "region_set",
                                                      "trace", "patch", "regions"};
  return kNames[static_cast<size_t>(task)];
}

DatasetFormat dataset_format_from(std::string_view word) {
  for (const auto& [name, format] : kFormats) {
    if (name == word) {
      return format;
    }
  }
  throw Error(ErrorKind::usage, "'{}' is no format of a data set{}", word, suggestion(word, format_words()));
}

std::string_view to_string(DatasetFormat format) {
  return kFormats[static_cast<size_t>(format)].first;
}

std::array<double, 4> box_corners(const DatasetRegion& region) {
  const Box& box = std::get<Box>(region.shape);
  std::array<double, 4> corners = {box.x, box.y, box.x + box.width, box.y + box.height};
  if (region.corners.is_array() && region.corners.size() == corners.size()) {
    for (size_t i = 0; i < corners.size(); ++i) {
      corners[i] = region.corners[i].get<double>();
    }
  }
  return corners;
}

Dataset Dataset::open(const DatasetOptions& options) {
  if (options.files.empty()) {
    throw Error(ErrorKind::usage, "a data set needs a file of annotations");
  }
  const DatasetFormat format =
      options.format == DatasetFormat::automatic ? detect(options.files.front()) : options.format;
  check_options(options, format);
  DatasetReading reading(options);
  switch (format) {
    case DatasetFormat::karpathy:
      return read_karpathy_file(reading);
    case DatasetFormat::visual_genome:
      return read_visual_genome(reading);
    case DatasetFormat::region_sets:
      return read_region_set_files(reading);
    case DatasetFormat::coco_entities:
      return read_coco_entities(reading);
    case DatasetFormat::flickr_entities:
      return read_flickr_entities(reading);
    case DatasetFormat::traces:
      return read_trace_files(reading);
    case DatasetFormat::clipscore:
      return read_clipscore_file(reading);
    case DatasetFormat::narratives:
      return read_narrative_files(reading);
    case DatasetFormat::records:
      return read_record_files(reading);
    default:
      return read_coco_file(reading, format);
  }
}

void Dataset::keep_first(size_t count) {
  if (count >= images_.size()) {
    return;
  }
  images_.resize(count);
  region_count_ = 0;
  for (size_t i = 0; i < count; ++i) {
    region_count_ += image(i).regions.size();
  }
}

DatasetImage Dataset::image(size_t index) const {
  const Entry& entry = images_[index];
  DatasetImage image = entry.image;
  for (const Record& record : entry.records) {
    const std::string_view all = files_[record.file]->text();
    std::vector<DatasetRegion> regions;
    try {
      regions = read_again_(all.substr(record.begin, record.size), record);
    } catch (const std::exception&) {
      throw Error(ErrorKind::data, "{}: the file was changed while it was in use", record.where);
    }
    for (DatasetRegion& region : regions) {
      region.position = record.position + static_cast<size_t>(&region - regions.data());
      image.regions.push_back(std::move(region));
    }
  }
  return image;
}

}  // namespace patchioner
