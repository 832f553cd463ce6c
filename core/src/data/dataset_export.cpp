#include "data/dataset_export.hpp"

#include <patchioner/error.hpp>
#include <set>

#include "data/dataset_reading.hpp"
#include "data/json_text.hpp"
#include "data/region_json.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

/// Points with their times, where there are times.
OrderedJson points_json(const DatasetRegion& region) {
  OrderedJson points = OrderedJson::array();
  const Trace& trace = std::get<Trace>(region.shape);
  for (size_t i = 0; i < trace.points.size(); ++i) {
    OrderedJson point = {{"x", trace.points[i].x}, {"y", trace.points[i].y}};
    if (i < region.times.size()) {
      point["t"] = region.times[i];
    }
    points.push_back(std::move(point));
  }
  return points;
}

OrderedJson corners_of(const Box& box) {
  return {box.x, box.y, box.x + box.width, box.y + box.height};
}

/// [x1,y1,x2,y2] of a box or a list of these, as the file that was read says them where it does.
OrderedJson corners_of(const DatasetRegion& region) {
  if (!region.corners.is_null()) {
    return region.corners;
  }
  if (const auto* box = std::get_if<Box>(&region.shape)) {
    return corners_of(*box);
  }
  OrderedJson all = OrderedJson::array();
  for (const Box& box : std::get<BoxSet>(region.shape).boxes) {
    all.push_back(corners_of(box));
  }
  return all;
}

OrderedJson record_of(const DatasetImage& image, const fs::path& folder) {
  OrderedJson record = {
      {"image",
       image.path.empty() ? image.file_name : fs::proximate(fs::absolute(image.path), folder).string()},
      {"id", image.id}};
  if (image.width > 0 && image.height > 0) {
    record["width"] = image.width;
    record["height"] = image.height;
  }
  if (image.regions.size() == 1 && std::holds_alternative<WholeImage>(image.regions[0].shape)) {
    record["references"] = image.regions[0].references;
    return record;
  }
  record["regions"] = OrderedJson::array();
  for (const DatasetRegion& region : image.regions) {
    OrderedJson json = OrderedJson(region_to_json({region.shape, region.id}));
    if (std::holds_alternative<Trace>(region.shape)) {
      json["trace"] = points_json(region);
    }
    json["references"] = region.references;
    record["regions"].push_back(std::move(json));
  }
  return record;
}

/// Writes the entries of a list or object one by one.
class EntryWriter {
 public:
  explicit EntryWriter(AtomicFile& file) : file_(file) {}
  void entry(const OrderedJson& value) {
    file_.write(first_ ? "\n" : ",\n");
    first_ = false;
    file_.write(json_text(value));
  }
  void member(const std::string& key, const OrderedJson& value) {
    entry(key);
    file_.write(": ");
    file_.write(json_text(value));
  }

 private:
  AtomicFile& file_;
  bool first_ = true;
};

OrderedJson image_entry(const DatasetImage& image, bool dense) {
  OrderedJson entry = {{"id", image.id}, {"file_name", image.file_name}};
  if (image.height > 0 || dense) {
    entry["height"] = image.height;
    entry["width"] = image.width;
  }
  if (dense) {
    entry["extra_info"] = OrderedJson::object();
  }
  return entry;
}

/// COCO style: images first, then annotations with ids from 1.
void write_coco(const Dataset& dataset, AtomicFile& file) {
  const bool dense = dataset.task() == DatasetTask::dense;
  file.write(dense ? R"({"dataset": {"description": "", "image_root": "", "extra_info": {}}, "images": [)"
                   : R"({"images": [)");
  EntryWriter images(file);
  for (size_t i = 0; i < dataset.size(); ++i) {
    images.entry(image_entry(dataset.image(i), dense));
  }
  file.write("\n], \"annotations\": [");
  EntryWriter annotations(file);
  size_t number = 0;
  for (size_t i = 0; i < dataset.size(); ++i) {
    const DatasetImage image = dataset.image(i);
    for (const DatasetRegion& region : image.regions) {
      if (!dense) {
        for (const std::string& reference : region.references) {
          annotations.entry({{"image_id", image.id}, {"id", ++number}, {"caption", reference}});
        }
        continue;
      }
      const OrderedJson corners = corners_of(region);
      const OrderedJson outline = {corners[0], corners[1], corners[0], corners[3],
                                   corners[2], corners[3], corners[2], corners[1]};
      annotations.entry({{"id", ++number},
                         {"image_id", image.id},
                         {"caption", region.references.empty() ? "" : region.references.front()},
                         {"bbox", corners},
                         {"segmentation", OrderedJson::array({outline})},
                         {"extra_info", OrderedJson::object()}});
    }
  }
  file.write("\n]}\n");
}

void write_by_image(const Dataset& dataset, AtomicFile& file) {
  file.write("{");
  EntryWriter images(file);
  for (size_t i = 0; i < dataset.size(); ++i) {
    const DatasetImage image = dataset.image(i);
    OrderedJson value = OrderedJson::object();
    if (dataset.task() == DatasetTask::trace) {
      value = {{"captions", OrderedJson::array()}, {"traces", OrderedJson::array()}};
    }
    for (const DatasetRegion& region : image.regions) {
      if (dataset.task() == DatasetTask::trace) {
        value["captions"].push_back(region.reference_key);
        value["traces"].push_back(points_json(region));
      } else if (value.contains(region.reference_key)) {
        throw Error(ErrorKind::data,
                    "image {}: two region sets have the references \"{}\", which the file of the task cannot "
                    "hold; write records instead",
                    id_text(image.id), region.reference_key);
      } else {
        value[region.reference_key] = corners_of(region);
      }
    }
    images.member(id_text(image.id), value);
  }
  file.write("\n}\n");
}

}  // namespace

void write_records(const Dataset& dataset, const fs::path& file) {
  AtomicFile output(file);
  const fs::path folder = fs::absolute(file).parent_path();
  for (size_t i = 0; i < dataset.size(); ++i) {
    output.write(json_text(record_of(dataset.image(i), folder)) + "\n");
  }
  output.commit();
}

void write_task_file(const Dataset& dataset, const fs::path& file) {
  AtomicFile output(file);
  switch (dataset.task()) {
    case DatasetTask::image:
    case DatasetTask::dense:
      write_coco(dataset, output);
      break;
    case DatasetTask::region_set:
    case DatasetTask::trace:
      write_by_image(dataset, output);
      break;
    default:
      throw Error(ErrorKind::data,
                  "{}: its regions are no task of the paper ({}), so that there is no file for them; write "
                  "records instead",
                  dataset.name(), to_string(dataset.task()));
  }
  output.commit();
}

}  // namespace patchioner
