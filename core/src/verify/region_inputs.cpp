#include "verify/region_inputs.hpp"

#include <patchioner/error.hpp>

#include "data/region_json.hpp"
#include "runtime/weighted_features.hpp"
#include "support/files.hpp"

namespace patchioner {

std::shared_ptr<Aggregator> aggregator(CaseHost& host, const std::string& name, const Value::Map& options) {
  Value section = Value::Map();
  section.set("plugin", name);
  section.set("empty_region", "nan");
  for (const auto& [key, value] : options) {
    section.set(key, value);
  }
  return host.aggregator(section);
}

ImageGeometry identity_geometry(int64_t grid, int64_t patch_size) {
  ImageSpec spec;
  spec.resize_dim = grid * patch_size;
  spec.crop_dim = spec.resize_dim;
  spec.patch_size = patch_size;
  return geometry_of(spec, spec.resize_dim, spec.resize_dim);
}

std::vector<Box> real_boxes(const at::Tensor& boxes) {
  const at::Tensor values = boxes.to(at::kDouble).contiguous();  // [N,4]
  std::vector<Box> result;
  for (int64_t i = 0; i < values.size(0); ++i) {
    const double* xywh = values.const_data_ptr<double>() + 4 * i;
    if (!std::all_of(xywh, xywh + 4, [](double value) { return value == -1; })) {
      result.push_back({xywh[0], xywh[1], xywh[2], xywh[3]});
    }
  }
  return result;
}

std::vector<Region> box_regions(const at::Tensor& boxes) {
  const at::Tensor values = boxes.to(at::kDouble).contiguous();  // [N,4]
  std::vector<Region> regions;
  for (int64_t i = 0; i < values.size(0); ++i) {
    const double* xywh = values.const_data_ptr<double>() + 4 * i;
    const Box box{xywh[0], xywh[1], xywh[2], xywh[3]};
    const bool padding = box.x + box.y + box.width + box.height < 0;
    regions.push_back({padding ? RegionShape(BoxSet{}) : RegionShape(box), ""});
  }
  return regions;
}

std::vector<Region> read_traces(const std::filesystem::path& file) {
  std::vector<Region> traces;
  for (const auto& trace : nlohmann::json::parse(read_file(file))) {
    const nlohmann::json region = {{"trace", trace}};
    traces.push_back(region_from_json(region, file.parent_path(),
                                      fmt::format("{}: trace {}", file.string(), traces.size() + 1)));
  }
  return traces;
}

std::string named_file(const GoldenCase& golden, const std::string& ending) {
  for (const auto& [name, meaning] : golden.json().at("files").items()) {
    if (name.ends_with(ending)) {
      return name;
    }
  }
  throw Error(ErrorKind::data, "{}: the case names no file that ends in {}", golden.folder().string(),
              ending);
}

at::Tensor region_features(const Aggregator& aggregator, const std::vector<Region>& regions,
                           const ImageGeometry& geometry, const at::Tensor& patches,
                           const at::Tensor& attention) {
  PatchFeatures features;
  features.patches = patches.view({geometry.rows, geometry.columns, -1});
  if (attention.defined()) {
    features.attention = attention.view({geometry.rows, geometry.columns});
  }
  return weighted_features(aggregator.weights(regions, geometry, features),
                           static_cast<int64_t>(regions.size()), features.patches);
}

}  // namespace patchioner
