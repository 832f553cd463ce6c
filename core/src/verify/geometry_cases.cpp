// Golden cases of regions and aggregation (spec/01 section 4). The aggregators come from their plugins.
#include <patchioner/error.hpp>

#include "geometry/box_patches.hpp"
#include "geometry/trace_cells.hpp"
#include "support/files.hpp"
#include "verify/kinds.hpp"
#include "verify/region_inputs.hpp"

namespace patchioner {
namespace {

/// "gauss_var0.5" -> 0.5, after `prefix`.
std::optional<double> variance_named(const std::string& name, const std::string& prefix) {
  if (!name.starts_with(prefix)) {
    return std::nullopt;
  }
  return std::stod(name.substr(prefix.size()));
}

/// The aggregator that the ending of a tensor's name asks for.
std::shared_ptr<Aggregator> grid_aggregator(CaseHost& host, const std::string& ending) {
  if (ending == "uniform") {
    return aggregator(host, "uniform");
  }
  if (ending == "patch_count") {
    return aggregator(host, "uniform", {{"region_set", "per_patch"}});
  }
  if (ending == "attention_clean" || ending == "attention_reference") {
    return aggregator(host, "attention", {{"attention_writeback", ending == "attention_reference"}});
  }
  if (const auto variance = variance_named(ending, "gauss_var")) {
    return aggregator(host, "gaussian", {{"variance", *variance}});
  }
  return nullptr;
}

std::array<double, 4> four_numbers(const nlohmann::json& list) {
  return {list.at(0).get<double>(), list.at(1).get<double>(), list.at(2).get<double>(),
          list.at(3).get<double>()};
}

/// One line of boxes.json.
struct BoxEntry {
  ImageGeometry geometry;
  Box box;
  bool empty = false;  ///< the reference finds no patch
};

BoxEntry read_box(const nlohmann::json& entry, const nlohmann::json& group) {
  ImageSpec spec;
  spec.resize_dim = group.at("resize_dim").get<int64_t>();
  spec.crop_dim = group.at("crop_dim").get<int64_t>();
  spec.patch_size = group.at("patch_size").get<int64_t>();
  spec.keep_img_ratio = entry.at("mode").get<std::string>() == "crop";
  const auto grid = group.at("grid").get<int64_t>();
  const auto xywh = four_numbers(entry.at("box_xywh"));
  return {{entry.at("image_w").get<int64_t>(), entry.at("image_h").get<int64_t>(), spec, grid, grid},
          {xywh[0], xywh[1], xywh[2], xywh[3]},
          entry.at("empty").get<bool>()};
}

at::Tensor integers(const nlohmann::json& list) {
  return at::tensor(list.get<std::vector<int64_t>>(), at::kLong);
}

/// Coordinates and patches of one box.
void compare_box(CaseReport& report, const std::string& where, const BoxEntry& entry,
                 const nlohmann::json& json) {
  const InputBox input = to_input_box(entry.box, entry.geometry);
  const auto wanted = four_numbers(json.at("adjusted_f32"));
  report.compare(where + "/adjusted_f32", at::tensor({input.x, input.y, input.width, input.height}),
                 at::tensor({wanted[0], wanted[1], wanted[2], wanted[3]}, at::kDouble));
  const auto indices = patch_indices(input, entry.geometry.spec.patch_size);
  report.compare(where + "/patch_xywh",
                 at::tensor({indices[0], indices[1], indices[2], indices[3]}, at::kLong),
                 integers(json.at("patch_xywh")));
  const PatchRange range = patches_of_box(input, entry.geometry, BoxRule::reference, EmptyRegion::nan);
  report.compare(where + "/rows", at::tensor({range.row_begin, range.row_end}, at::kLong),
                 integers(json.at("rows")));
  report.compare(where + "/cols", at::tensor({range.column_begin, range.column_end}, at::kLong),
                 integers(json.at("cols")));
  report.require(where + " is empty as in the reference", range.empty() == entry.empty);
}

/// Weights [K,G,G] of the boxes of a group, in the order of its index tensor.
at::Tensor group_weights(const Aggregator& aggregator, const std::vector<BoxEntry>& boxes) {
  std::vector<at::Tensor> weights;
  for (const BoxEntry& entry : boxes) {
    const std::vector<Region> regions = {{entry.box, ""}};
    at::Tensor one = aggregator.weights(regions, entry.geometry, {})
                         .weights.view({entry.geometry.rows, entry.geometry.columns});
    // The case writes zeros where the reference has 0/0.
    weights.push_back(entry.empty && one.isnan().all().item<bool>() ? at::zeros_like(one) : one);
  }
  return at::stack(weights);
}

}  // namespace

void verify_boxes(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const nlohmann::json list = nlohmann::json::parse(read_file(golden.file(named_file(golden, ".json"))));
  std::vector<std::string> names;
  for (const auto& entry : golden.json().at("expected")) {
    names.push_back(entry.at("name").get<std::string>());
  }
  for (const auto& group : golden.json().at("dims").at("groups")) {
    const auto number = group.at("group").get<int64_t>();
    const std::string prefix = fmt::format("group{}_", number);
    std::map<int64_t, BoxEntry> boxes;
    for (const auto& entry : list) {
      if (entry.at("group").get<int64_t>() == number) {
        const auto index = entry.at("index").get<int64_t>();
        boxes[index] = read_box(entry, group);
        compare_box(report, fmt::format("group {} box {}", number, index), boxes[index], entry);
      }
    }
    const at::Tensor index = golden.tensor(prefix + "index").contiguous();  // [K]
    report.used_as_input(prefix + "index");
    std::vector<BoxEntry> chosen;
    for (int64_t i = 0; i < index.numel(); ++i) {
      chosen.push_back(boxes.at(index[i].item<int64_t>()));
    }
    for (const std::string& name : names) {
      const auto weighting =
          name.starts_with(prefix) ? grid_aggregator(host, name.substr(prefix.size())) : nullptr;
      if (weighting != nullptr) {
        report.compare(name, group_weights(*weighting, chosen));
      }
    }
  }
}

void verify_region_set(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const auto& dims = golden.json().at("dims");
  const auto grid = dims.at("grid").get<int64_t>();
  const ImageGeometry geometry = identity_geometry(grid, dims.at("patch_size").get<int64_t>());
  const at::Tensor boxes = golden.tensor("in_boxes_xywh");     // [K,N,4]
  const at::Tensor attention = golden.tensor("in_attention");  // [K,G]
  report.used_as_input("in_boxes_xywh");
  report.used_as_input("in_attention");
  for (const auto& entry : golden.json().at("expected")) {
    const auto name = entry.at("name").get<std::string>();
    const auto weighting = grid_aggregator(host, name);
    if (weighting == nullptr) {
      continue;
    }
    std::vector<at::Tensor> weights;
    for (int64_t set = 0; set < boxes.size(0); ++set) {
      const std::vector<Region> regions = {{BoxSet{real_boxes(boxes[set])}, ""}};
      PatchFeatures features;
      features.attention = attention[set].view({grid, grid});
      weights.push_back(weighting->weights(regions, geometry, features).weights.view({grid, grid}));
    }
    report.compare(name, at::stack(weights));  // [K,rows,columns]
  }
}

void verify_trace(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const std::vector<Region> traces = read_traces(golden.file(named_file(golden, ".json")));
  const auto uniform = aggregator(host, "uniform", {{"trace_norm", "patches"}});
  for (const auto& size : golden.json().at("dims").at("grids")) {
    const auto grid = size.get<int64_t>();
    const ImageGeometry geometry = identity_geometry(grid, 1);
    const RegionWeights result = uniform->weights(traces, geometry, {});
    // Weight times scale is count / P; a trace without a point inside is 0/0 here and no visits in the case.
    const at::Tensor exact = (result.weights.to(at::kDouble) * result.scale.to(at::kDouble).unsqueeze(1) *
                              static_cast<double>(grid * grid))
                                 .nan_to_num(0.0);
    const at::Tensor counts = exact.round();
    report.require(fmt::format("visits on a grid of {} are whole numbers", grid),
                   (exact - counts).abs().max().item<double>() < 1e-3);
    report.compare(fmt::format("counts_{}", grid), counts.view({-1, grid, grid}));
  }
}

void verify_gaussian(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const auto check_shape = [&](const std::string& name, double variance, const at::Tensor& expected) {
    const int64_t rows = expected.size(0);
    const int64_t columns = expected.size(1);
    const bool image = name.starts_with("image_");
    constexpr int64_t kPatch = 10;
    const ImageGeometry geometry = identity_geometry(image ? rows : std::max(rows, columns) + 2, kPatch);
    // Half a patch short, so that the box has exactly these rows and columns.
    const Box box{kPatch, kPatch, static_cast<double>((columns - 1) * kPatch + kPatch / 2),
                  static_cast<double>((rows - 1) * kPatch + kPatch / 2)};
    const std::vector<Region> regions = {image ? Region{WholeImage{}, ""} : Region{box, ""}};
    const auto weigh = [&](const Aggregator& weighting) {
      const at::Tensor weights =
          weighting.weights(regions, geometry, {}).weights.view({geometry.rows, geometry.columns});
      return image ? weights : weights.slice(0, 1, 1 + rows).slice(1, 1, 1 + columns);
    };
    report.compare(name, weigh(*aggregator(host, "gaussian", {{"variance", variance}})));
    if (variance == 0) {
      report.compare(name + " by central", weigh(*aggregator(host, "central")), expected);
    }
  };
  for (const auto& entry : golden.json().at("expected")) {
    const auto name = entry.at("name").get<std::string>();
    const size_t place = name.find("_var");
    if (place != std::string::npos && (name.starts_with("image_") || name.starts_with("box_"))) {
      check_shape(name, *variance_named(name.substr(place), "_var"), golden.tensor(name));
    }
  }
  // Even sides have no expected tensor at variance 0, only the candidates.
  if (golden.json().contains("central_cells")) {
    const auto central = aggregator(host, "central");
    const std::vector<Region> regions = {{WholeImage{}, ""}};
    for (const auto& [size, cells] : golden.json().at("central_cells").items()) {
      const int64_t grid = std::stoll(size);
      const int64_t cell =
          central->weights(regions, identity_geometry(grid, 1), {}).weights.argmax().item<int64_t>();
      const auto allowed = cells.get<std::vector<int64_t>>();
      const auto is_allowed = [&](int64_t index) {
        return std::find(allowed.begin(), allowed.end(), index) != allowed.end();
      };
      report.require(fmt::format("the central cell of a grid of {}", grid),
                     is_allowed(cell / grid) && is_allowed(cell % grid));
    }
  }
}

}  // namespace patchioner
