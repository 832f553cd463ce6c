#include "geometry/region_weights.hpp"

#include <limits>
#include <patchioner/error.hpp>
#include <variant>

#include "geometry/cell_weights.hpp"
#include "geometry/region_check.hpp"

namespace patchioner {
namespace {

/// What one region became.
struct WeightedCells {
  CellGrid weights;  ///< summing to 1, or NaN
  double scale = 1;
  std::vector<std::string> warnings;
};

class RegionVisitor {
 public:
  RegionVisitor(const ImageGeometry& geometry, const RegionRules& rules, CellWeighting& weighting)
      : geometry_(geometry), rules_(rules), weighting_(weighting), like_(geometry) {}

  WeightedCells operator()(const WholeImage&) const {
    return normalised(weighting_.image(like_), uniform_weights(like_.whole(), like_),
                      weighting_.image_scale());
  }

  WeightedCells operator()(const Box& box) const {
    const PatchRange range =
        patches_of_box(to_input_box(box, geometry_), geometry_, rules_.box, rules_.empty);
    if (range.empty()) {
      return nothing();
    }
    WeightedCells cells = normalised(weighting_.box(range, like_), uniform_weights(range, like_), 1);
    remark(box, cells.warnings);
    return cells;
  }

  WeightedCells operator()(const BoxSet& set) const {
    weighting_.begin_set();
    CellGrid total(geometry_);
    CellGrid equally(geometry_);
    std::vector<std::string> warnings;
    bool any = false;
    for (const Box& box : set.boxes) {
      const PatchRange range = range_in_set(box);
      if (range.empty()) {
        continue;
      }
      any = true;
      const CellGrid patches = uniform_weights(range, like_);
      equally.add(patches);
      CellGrid weights = weighting_.box(range, like_);
      if (rules_.set == RegionSetRule::per_box) {
        WeightedCells one = normalised(std::move(weights), patches, 1, "the box " + text_of(box));
        warnings.insert(warnings.end(), one.warnings.begin(), one.warnings.end());
        weights = std::move(one.weights);
      }
      total.add(weights);
      remark(box, warnings);
    }
    weighting_.end_set();
    if (!any) {
      return whole_image_mean(fmt::format("no box of the set lies on {}", seen()));
    }
    WeightedCells cells = normalised(std::move(total), std::move(equally), 1);
    cells.warnings.insert(cells.warnings.begin(), warnings.begin(), warnings.end());
    return cells;
  }

  WeightedCells operator()(const Trace& trace) const {
    return points(trace.points, "no point of the trace lies on");
  }

  WeightedCells operator()(const ImagePoint& point) const {
    const TracePoint relative = to_trace_point(point, geometry_);
    return points({&relative, 1}, fmt::format("the point {},{} does not lie on", point.x, point.y));
  }

  WeightedCells operator()(const Mask& mask) const {
    const CellGrid uniform = mask_cells(mask, geometry_, rules_.mask);
    if (uniform.support().empty()) {
      return whole_image_mean(fmt::format("the mask has no patch on {}", seen()));
    }
    return normalised(weighting_.cells(uniform), uniform, 1);
  }

  WeightedCells operator()(const Patch& patch) const {
    check_patch(patch, geometry_);
    return {uniform_weights({patch.row, patch.row + 1, patch.column, patch.column + 1}, like_), 1, {}};
  }

 private:
  WeightedCells points(std::span<const TracePoint> trace, const std::string& reproach) const {
    const CellGrid counts = trace_counts(trace, geometry_, rules_.trace_geometry);
    if (counts.support().empty()) {
      return whole_image_mean(fmt::format("{} {}", reproach, seen()));
    }
    const CellGrid weights = weighting_.cells(counts);
    const double scale = rules_.trace_norm == TraceNorm::patches
                             ? weights.sum() / static_cast<double>(geometry_.patches())
                             : 1.0;
    return normalised(weights, counts, scale);
  }

  /// What is odd about a box that got patches all the same.
  void remark(const Box& box, std::vector<std::string>& warnings) const {
    if (rules_.empty == EmptyRegion::nearest && !box_is_visible(box, geometry_)) {
      warnings.push_back(
          fmt::format("the box {} lies outside {}; the nearest patch was taken", text_of(box), seen()));
    } else if (box.width == 0 || box.height == 0) {
      warnings.push_back(
          fmt::format("the box {} has no area; the patches under its edge were taken", text_of(box)));
    }
  }

  /// A box beside a squashed image has no patch. In a set it adds nothing, and is not moved to the nearest
  /// one either: the others speak for the set. A crop moves every box into itself (section 4.1), so that none
  /// is without.
  PatchRange range_in_set(const Box& box) const {
    const InputBox input = to_input_box(box, geometry_);
    if (rules_.empty == EmptyRegion::nearest && !geometry_.spec.keep_img_ratio &&
        !box_is_visible(box, geometry_)) {
      return {};
    }
    if (rules_.empty == EmptyRegion::nan) {
      const auto indices = patch_indices(input, geometry_.spec.patch_size);
      if (indices[0] + indices[1] + indices[2] + indices[3] < 0) {
        return {};  // how the reference tells padding from boxes (section 4.4)
      }
    }
    return patches_of_box(input, geometry_, rules_.box, rules_.empty);
  }

  /// Divided by their sum. In place of weights that are all 0, which only an attention map gives, those of
  /// `equally` are taken, whose sum is above 0.
  WeightedCells normalised(CellGrid weights, CellGrid equally, double scale,
                           const std::string& whose = "the region") const {
    const double sum = weights.sum();
    if (sum > 0) {
      return {std::move(weights.scale(1.0 / sum)), scale, {}};
    }
    if (rules_.empty == EmptyRegion::nan) {
      return nothing();
    }
    equally.scale(1.0 / equally.sum());
    return {std::move(equally),
            1,
            {fmt::format("all weights of {} are 0; its patches were weighted equally", whose)}};
  }

  WeightedCells nothing() const {
    CellGrid weights(geometry_);
    weights.values.assign(weights.values.size(), std::numeric_limits<double>::quiet_NaN());
    return {std::move(weights), 1, {}};
  }

  WeightedCells whole_image_mean(const std::string& reproach) const {
    if (rules_.empty == EmptyRegion::nan) {
      return nothing();
    }
    CellGrid weights = uniform_weights(like_.whole(), like_);
    weights.scale(1.0 / weights.sum());
    return {std::move(weights), 1, {reproach + "; the mean of the whole image was taken"}};
  }

  std::string seen() const {
    return fmt::format(
        "{} of {}x{} pixels",
        geometry_.spec.keep_img_ratio ? "the part that is looked at of the image" : "the image",
        geometry_.image_width, geometry_.image_height);
  }

  const ImageGeometry& geometry_;
  const RegionRules& rules_;
  CellWeighting& weighting_;
  CellGrid like_;
};

}  // namespace

RegionWeights region_weights(std::span<const Region> regions, const ImageGeometry& geometry,
                             const RegionRules& rules, CellWeighting& weighting) {
  if (geometry.rows < 1 || geometry.columns < 1 || geometry.image_width < 1 || geometry.image_height < 1 ||
      geometry.spec.patch_size < 1) {
    throw Error(ErrorKind::data,
                "an image of {}x{} pixels on a grid of {} rows and {} columns of {} pixels has no regions",
                geometry.image_width, geometry.image_height, geometry.rows, geometry.columns,
                geometry.spec.patch_size);
  }
  const auto count = static_cast<int64_t>(regions.size());
  RegionWeights result;
  result.weights = at::empty({count, geometry.patches()}, at::kFloat);  // [R,G]
  result.scale = at::empty({count}, at::kFloat);                        // [R]
  auto* weights = result.weights.mutable_data_ptr<float>();
  auto* scales = result.scale.mutable_data_ptr<float>();
  const RegionVisitor visitor(geometry, rules, weighting);
  for (size_t i = 0; i < regions.size(); ++i) {
    WeightedCells cells = std::visit(visitor, regions[i].shape);
    weights = std::transform(cells.weights.values.begin(), cells.weights.values.end(), weights,
                             [](double value) { return static_cast<float>(value); });
    *scales++ = static_cast<float>(cells.scale);
    for (std::string& warning : cells.warnings) {
      result.warnings.push_back({i, std::move(warning)});
    }
  }
  return result;
}

}  // namespace patchioner
