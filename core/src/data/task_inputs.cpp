#include "data/task_inputs.hpp"

#include <patchioner/error.hpp>

#include "support/files.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;

Json parse(const std::filesystem::path& file) {
  try {
    return Json::parse(MappedFile::open(file)->text());
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::data, "{}: is not JSON: {}", file.string(), error.what());
  }
}

const Json& need(const Json& object, const char* key, const std::string& where) {
  if (!object.is_object() || !object.contains(key)) {
    throw Error(ErrorKind::data, "{}: has no \"{}\"", where, key);
  }
  return object[key];
}

const Json& need_list(const Json& value, const std::string& where) {
  if (!value.is_array()) {
    throw Error(ErrorKind::data, "{}: is not a list", where);
  }
  return value;
}

const Json& need_object(const Json& value, const std::string& where) {
  if (!value.is_object()) {
    throw Error(ErrorKind::data, "{}: is not an object", where);
  }
  return value;
}

std::string need_text(const Json& value, const std::string& where) {
  if (!value.is_string()) {
    throw Error(ErrorKind::data, "{}: is not a text", where);
  }
  return value.get<std::string>();
}

double need_number(const Json& value, const std::string& where) {
  if (!value.is_number()) {
    throw Error(ErrorKind::data, "{}: {} is not a number", where, value.dump());
  }
  return value.get<double>();
}

/// x1,y1,x2,y2 -> x,y,width,height.
Box box_of_corners(const Json& corners, const std::string& where) {
  if (!corners.is_array() || corners.size() != 4) {
    throw Error(ErrorKind::data, "{}: a box is [x1,y1,x2,y2]", where);
  }
  std::array<double, 4> values{};
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = need_number(corners[i], where);
  }
  return {values[0], values[1], values[2] - values[0], values[3] - values[1]};
}

}  // namespace

std::vector<DenseImage> read_dense_task(const std::filesystem::path& file) {
  const Json json = parse(file);
  const std::string name = file.string();
  std::vector<DenseImage> images;
  std::map<std::string, size_t> index;
  for (const Json& image : need_list(need(json, "images", name), name + ": images")) {
    const std::string where = fmt::format("{}: image {}", name, images.size() + 1);
    const Json& id = need(image, "id", where);
    if (!index.emplace(id.dump(), images.size()).second) {
      throw Error(ErrorKind::data, "{}: the id {} is there twice", where, id.dump());
    }
    images.push_back({{id, need_text(need(image, "file_name", where), where + ": file_name")}, {}});
  }
  size_t number = 0;
  for (const Json& annotation : need_list(need(json, "annotations", name), name + ": annotations")) {
    const std::string where = fmt::format("{}: annotation {}", name, ++number);
    const auto found = index.find(need(annotation, "image_id", where).dump());
    if (found == index.end()) {
      throw Error(ErrorKind::data, "{}: there is no image with the id {}", where,
                  annotation["image_id"].dump());
    }
    DenseBox one;
    one.corners = need(annotation, "bbox", where);
    one.box = box_of_corners(one.corners, where);
    one.box.width += one.box.width == 0 ? 1 : 0;
    one.box.height += one.box.height == 0 ? 1 : 0;
    if (annotation.contains("caption")) {
      one.caption = need_text(annotation["caption"], where + ": caption");
    }
    images[found->second].boxes.push_back(std::move(one));
  }
  return images;
}

std::vector<RegionSetSample> read_region_set_task(const std::filesystem::path& file) {
  const Json json = parse(file);
  std::vector<RegionSetSample> samples;
  for (const auto& [image, sets] : need_object(json, file.string()).items()) {
    const std::string at_image = fmt::format("{}: image {}", file.string(), image);
    for (const auto& [references, boxes] : need_object(sets, at_image).items()) {
      RegionSetSample sample{image, references, {}};
      const std::string where = fmt::format("{}: \"{}\"", at_image, references);
      for (const Json& corners : need_list(boxes, where)) {
        sample.boxes.boxes.push_back(box_of_corners(corners, where));
      }
      samples.push_back(std::move(sample));
    }
  }
  return samples;
}

std::vector<TraceSample> read_trace_task(const std::filesystem::path& file) {
  const Json json = parse(file);
  std::vector<TraceSample> samples;
  for (const auto& [image, lists] : need_object(json, file.string()).items()) {
    const std::string where = fmt::format("{}: image {}", file.string(), image);
    const Json& captions = need_list(need(lists, "captions", where), where + ": captions");
    const Json& traces = need_list(need(lists, "traces", where), where + ": traces");
    if (captions.size() != traces.size()) {
      throw Error(ErrorKind::data, "{}: has {} captions and {} traces; they are parallel lists", where,
                  captions.size(), traces.size());
    }
    for (size_t i = 0; i < captions.size(); ++i) {
      const std::string at_trace = fmt::format("{}: trace {}", where, i + 1);
      TraceSample sample{image, need_text(captions[i], at_trace + ": caption"), {}};
      for (const Json& point : need_list(traces[i], at_trace)) {
        sample.trace.points.push_back({need_number(need(point, "x", at_trace), at_trace),
                                       need_number(need(point, "y", at_trace), at_trace)});
      }
      samples.push_back(std::move(sample));
    }
  }
  return samples;
}

}  // namespace patchioner
