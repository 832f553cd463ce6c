// JSON lines of one's own (docs/formats/caption_records.md), with references.
#include <fmt/ranges.h>

#include <set>

#include "data/dataset_reading.hpp"
#include "data/region_json.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

const std::vector<std::string> kKeys = {"image", "id", "width", "height", "regions", "references"};
constexpr const char* kReferences = "references";

/// Takes "references" out of an image or a region: a list of texts, or one text.
std::vector<std::string> take_references(OrderedJson& json) {
  std::vector<std::string> texts;
  if (json.is_object() && json.contains(kReferences)) {
    const OrderedJson value = json[kReferences];
    json.erase(kReferences);
    for (const OrderedJson& one : value.is_string() ? OrderedJson::array({value}) : value) {
      if (!one.is_string()) {
        throw Error(ErrorKind::data, "\"references\" is a list of texts");
      }
      texts.push_back(one.get<std::string>());
    }
  }
  return texts;
}

std::string joined(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, "\n"));
}

std::vector<DatasetRegion> regions_of(OrderedJson record, const std::filesystem::path& folder) {
  std::vector<DatasetRegion> regions;
  std::vector<std::string> of_image = take_references(record);
  if (!record.contains("regions")) {
    DatasetRegion whole;
    whole.reference_key = joined(of_image);
    whole.references = std::move(of_image);
    regions.push_back(std::move(whole));
    return regions;
  }
  if (!of_image.empty()) {
    throw Error(
        ErrorKind::data,
        "has \"references\" beside \"regions\"; references stand in their region, {{\"image\": true}} "
        "is the whole image");
  }
  if (!record["regions"].is_array()) {
    throw Error(ErrorKind::data, "\"regions\" is not a list");
  }
  for (OrderedJson& json : record["regions"]) {
    DatasetRegion region;
    region.references = take_references(json);
    region.reference_key = joined(region.references);
    if (json.is_object() && json.contains("trace")) {  // for the times, which a region does not have
      TimedTrace trace;
      const OrderedJson& points = json["trace"];
      if (points.is_array() && !points.empty() && points.front().is_object()) {
        trace.append(points);
        region.times = std::move(trace.times);
      }
    }
    Region read =
        region_from_json(nlohmann::json(json), folder, fmt::format("region {}", regions.size() + 1));
    region.shape = std::move(read.shape);
    region.id = std::move(read.id);
    regions.push_back(std::move(region));
  }
  return regions;
}

DatasetImage image_of(const OrderedJson& record, const std::string& where) {
  for (const auto& [key, value] : record.items()) {
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      throw Error(ErrorKind::data, "an image has no key \"{}\"{}", key, suggestion(key, kKeys));
    }
  }
  DatasetImage image;
  image.file_name = need_text(record, "image");
  image.id = record.contains("id") ? record["id"] : OrderedJson(image.file_name);
  id_text(image.id);
  image.where = where;
  for (const auto& [key, side] : {std::pair("width", &image.width), std::pair("height", &image.height)}) {
    if (record.contains(key)) {
      *side = static_cast<int64_t>(need_finite(record[key], key));
    }
  }
  return image;
}

/// The task of regions of these kinds. A point names the patch that holds it, on whatever grid.
DatasetTask task_of(std::set<std::string_view> kinds) {
  if (kinds.erase("point") != 0) {
    kinds.insert("patch");
  }
  if (kinds.size() != 1) {
    return DatasetTask::regions;
  }
  constexpr std::array<std::pair<std::string_view, DatasetTask>, 5> kTasks = {
      {{"image", DatasetTask::image},
       {"box", DatasetTask::dense},
       {"boxes", DatasetTask::region_set},
       {"trace", DatasetTask::trace},
       {"patch", DatasetTask::patch}}};
  for (const auto& [kind, task] : kTasks) {
    if (kind == *kinds.begin()) {
      return task;
    }
  }
  return DatasetTask::regions;
}

}  // namespace

Dataset read_record_files(DatasetReading& reading) {
  std::set<std::string_view> kinds;
  std::vector<std::filesystem::path> folders;
  for (const std::filesystem::path& path : reading.options().files) {
    const size_t file = reading.open_file(path);
    const std::filesystem::path folder = folders.emplace_back(path.parent_path());
    visit_json_lines(
        reading, file, [&](const JsonPiece& line, const std::string& where, const OrderedJson& record) {
          reading.attempt(where, [&] {
            DatasetImage described = image_of(record, where);
            const std::vector<DatasetRegion> regions = regions_of(record, folder);
            size_t image = reading.find(id_text(described.id));
            if (image == DatasetReading::kNone) {
              const std::filesystem::path beside = std::filesystem::absolute(folder / described.file_name);
              std::vector<std::string> names = {described.file_name, beside.string()};
              if (std::filesystem::is_regular_file(beside)) {
                described.path = folder / described.file_name;
              } else if (reading.options().image_folders.empty()) {
                reading.problems().add(ProblemKind::missing_image, where, described.file_name);
              }
              image = reading.add_image(std::move(described), std::move(names));
            } else if (reading.image(image).file_name != described.file_name) {
              throw Error(ErrorKind::data, "the id {} is another image's: {}", id_text(described.id),
                          reading.image(image).file_name);
            }
            for (const DatasetRegion& region : regions) {
              kinds.insert(kind_name(region.shape));
            }
            reading.add_record(image, file, line, where, regions);
          });
        });
  }
  reading.read_again_with([folders](std::string_view text, const auto& record) {
    return regions_of(OrderedJson::parse(text), folders[record.file]);
  });
  return reading.finish(DatasetFormat::records, task_of(kinds));
}

}  // namespace patchioner
