#include "data/region_json.hpp"

#include <cmath>
#include <patchioner/error.hpp>

#include "data/rle.hpp"
#include "geometry/region_check.hpp"
#include "image/image.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::json;

const std::vector<std::string>& shape_keys() {
  static const std::vector<std::string> keys = {"image", "box", "boxes", "trace", "mask", "patch", "point"};
  return keys;
}

/// What was found, short enough for a message.
std::string excerpt(const Json& json) {
  constexpr size_t kLongest = 60;
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() <= kLongest ? text : text.substr(0, kLongest - 3) + "...";
}

[[noreturn]] void refuse(const std::string& where, const std::string& key, const std::string& form,
                         const Json& found) {
  throw Error(ErrorKind::data, "{}: \"{}\" is {}; found {}", where, key, form, excerpt(found));
}

double finite_number(const Json& json, const std::string& where, const std::string& key,
                     const std::string& form) {
  if (!json.is_number()) {
    refuse(where, key, form, json);
  }
  const auto value = json.get<double>();
  if (!std::isfinite(value)) {
    throw Error(ErrorKind::data, "{}: \"{}\" holds a number that is not finite", where, key);
  }
  return value;
}

std::vector<double> numbers(const Json& json, size_t count, const std::string& where, const std::string& key,
                            const std::string& form) {
  if (!json.is_array() || json.size() != count) {
    refuse(where, key, form, json);
  }
  std::vector<double> values;
  for (const Json& entry : json) {
    values.push_back(finite_number(entry, where, key, form));
  }
  return values;
}

Box box_of(const Json& json, const std::string& where, const std::string& key) {
  const std::vector<double> values =
      numbers(json, 4, where, key, "[x,y,width,height] in pixels of the image");
  const Box box{values[0], values[1], values[2], values[3]};
  try {
    check_box(box);
  } catch (const Error& error) {
    throw error.within(where);
  }
  return box;
}

BoxSet boxes_of(const Json& json, const std::string& where) {
  if (!json.is_array()) {
    refuse(where, "boxes", "a list of [x,y,width,height]", json);
  }
  BoxSet set;
  for (size_t i = 0; i < json.size(); ++i) {
    set.boxes.push_back(box_of(json[i], fmt::format("{}, box {}", where, i + 1), "boxes"));
  }
  return set;
}

Trace trace_of(const Json& json, const std::string& where) {
  const std::string form =
      "a list of [x,y] or {\"x\":..,\"y\":..}, from 0,0 top left to 1,1 bottom right of the image";
  if (!json.is_array()) {
    refuse(where, "trace", form, json);
  }
  Trace trace;
  for (size_t i = 0; i < json.size(); ++i) {
    const Json& point = json[i];
    const std::string place = fmt::format("{}, point {}", where, i + 1);
    if (point.is_object()) {  // Localized Narratives; the time "t" is not used
      if (!point.contains("x") || !point.contains("y")) {
        refuse(place, "trace", form, point);
      }
      trace.points.push_back({finite_number(point["x"], place, "x", "a number"),
                              finite_number(point["y"], place, "y", "a number")});
    } else {
      const std::vector<double> values = numbers(point, 2, place, "trace", form);
      trace.points.push_back({values[0], values[1]});
    }
  }
  return trace;
}

Mask mask_of(const Json& json, const std::filesystem::path& folder, const std::string& where) {
  if (json.is_string()) {
    const std::filesystem::path path = json.get<std::string>();
    if (path.empty()) {
      refuse(where, "mask", "the path of a picture, or {\"size\": [height,width], \"counts\": ...}", json);
    }
    try {
      return {read_mask(path.is_absolute() ? path : folder / path)};
    } catch (const Error& error) {
      throw error.within(fmt::format("{}: mask", where));
    }
  }
  return {decode_rle(json, fmt::format("{}: mask", where))};
}

Patch patch_of(const Json& json, const std::string& where) {
  const std::string form = "[row,column] of the patch grid, two whole numbers from 0";
  if (!json.is_array() || json.size() != 2 || !json[0].is_number_integer() || !json[1].is_number_integer()) {
    refuse(where, "patch", form, json);
  }
  return {json[0].get<int64_t>(), json[1].get<int64_t>()};
}

/// The one key that says the shape; every other key but "id" is a mistake.
std::string shape_key(const Json& json, const std::string& where) {
  if (!json.is_object()) {
    throw Error(ErrorKind::data,
                "{}: a region is an object such as {{\"box\": [x,y,width,height]}}; found {}", where,
                excerpt(json));
  }
  std::string found;
  for (const auto& [key, value] : json.items()) {
    if (key == "id") {
      continue;
    }
    const auto& known = shape_keys();
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      throw Error(ErrorKind::data, "{}: a region has no key \"{}\"{}", where, key, suggestion(key, known));
    }
    if (!found.empty()) {
      throw Error(ErrorKind::data,
                  "{}: a region is one shape and this one has both \"{}\" and \"{}\"; make it two regions",
                  where, found, key);
    }
    found = key;
  }
  if (found.empty()) {
    throw Error(ErrorKind::data,
                "{}: the region has no shape; give one of image, box, boxes, trace, mask, patch, point",
                where);
  }
  return found;
}

RegionShape shape_of(const std::string& key, const Json& value, const std::filesystem::path& folder,
                     const std::string& where) {
  if (key == "image") {
    if (value != Json(true)) {
      refuse(where, "image", "true in a region: the whole image", value);
    }
    return WholeImage{};
  }
  if (key == "box") {
    return box_of(value, where, "box");
  }
  if (key == "boxes") {
    return boxes_of(value, where);
  }
  if (key == "trace") {
    return trace_of(value, where);
  }
  if (key == "mask") {
    return mask_of(value, folder, where);
  }
  if (key == "patch") {
    return patch_of(value, where);
  }
  const std::vector<double> values = numbers(value, 2, where, "point", "[x,y] in pixels of the image");
  return ImagePoint{values[0], values[1]};
}

Json to_json(const Box& box) {
  return {box.x, box.y, box.width, box.height};
}

struct ShapeToJson {
  Json operator()(const WholeImage&) const { return true; }
  Json operator()(const Box& box) const { return to_json(box); }
  Json operator()(const BoxSet& set) const {
    Json boxes = Json::array();
    for (const Box& box : set.boxes) {
      boxes.push_back(to_json(box));
    }
    return boxes;
  }
  Json operator()(const Trace& trace) const {
    Json points = Json::array();
    for (const TracePoint& point : trace.points) {
      points.push_back({point.x, point.y});
    }
    return points;
  }
  Json operator()(const Mask& mask) const {
    return {{"size", {mask.pixels.size(0), mask.pixels.size(1)}},
            {"counts", pack_run_lengths(run_lengths_of(mask.pixels))}};
  }
  Json operator()(const Patch& patch) const { return {patch.row, patch.column}; }
  Json operator()(const ImagePoint& point) const { return {point.x, point.y}; }
};

}  // namespace

Region region_from_json(const Json& json, const std::filesystem::path& folder, const std::string& where) {
  const std::string key = shape_key(json, where);
  Region region;
  if (const auto id = json.find("id"); id != json.end()) {
    if (!id->is_string()) {
      refuse(where, "id", "a text", *id);
    }
    region.id = id->get<std::string>();
  }
  region.shape = shape_of(key, json[key], folder, where);
  return region;
}

Json region_to_json(const Region& region) {
  Json json = {{std::string(kind_name(region.shape)), std::visit(ShapeToJson(), region.shape)}};
  if (!region.id.empty()) {
    json["id"] = region.id;
  }
  return json;
}

at::Tensor decode_rle(const Json& rle, const std::string& where) {
  const auto is_size = [](const Json& size) {
    return size.is_array() && size.size() == 2 && size[0].is_number_integer() && size[1].is_number_integer();
  };
  if (!rle.is_object() || !rle.contains("size") || !rle.contains("counts") || !is_size(rle["size"])) {
    throw Error(
        ErrorKind::data,
        "{}: run lengths are {{\"size\": [height,width], \"counts\": [...] or \"packed text\"}}; found {}",
        where, excerpt(rle));
  }
  const auto height = rle["size"][0].get<int64_t>();
  const auto width = rle["size"][1].get<int64_t>();
  if (height < 1 || width < 1 || height > kMostPixels / width) {
    throw Error(ErrorKind::data, "{}: a mask cannot have {}x{} pixels; it has the size of its image", where,
                width, height);
  }
  const Json& counts = rle["counts"];
  std::vector<int64_t> lengths;
  if (counts.is_string()) {
    lengths = unpack_run_lengths(counts.get_ref<const std::string&>(), where);
  } else if (counts.is_array()) {
    for (const Json& count : counts) {
      if (!count.is_number_integer()) {
        throw Error(ErrorKind::data, "{}: \"counts\" holds {}, which is no run length", where,
                    excerpt(count));
      }
      lengths.push_back(count.get<int64_t>());
    }
  } else {
    throw Error(ErrorKind::data, "{}: \"counts\" is a list of run lengths or COCO's packed text; found {}",
                where, excerpt(counts));
  }
  return mask_of_run_lengths(lengths, height, width, where);
}

}  // namespace patchioner
