// Patches weighted by the backbone's attention map (spec/01 sections 4.3, 4.5, 4.7 and 4.8).
#include <patchioner/plugin.hpp>

#include "geometry/cell_weights.hpp"
#include "geometry/region_weights.hpp"

namespace patchioner {
namespace {

struct AttentionOptions : RegionOptions {
  bool attention_writeback = false;
  std::string attention_norm = "mean";
  std::string trace_norm = "patches";
};

void declare(ParameterList<AttentionOptions>& list) {
  list.add("attention_writeback", &AttentionOptions::attention_writeback,
           "write each box's normalised weights back into the map, so that later overlapping boxes see them, "
           "as the reference does");
  list.add("attention_norm", &AttentionOptions::attention_norm,
           "whole image: divide the weighted sum by the number of patches, as the reference does, or keep "
           "the sum")
      .choices({"mean", "sum"});
  declare_trace_norm(list, &AttentionOptions::trace_norm);
  declare_region_options(list);
}

/// The map of one image as numbers.
CellGrid map_of(const PatchFeatures& features, const ImageGeometry& geometry) {
  const at::Tensor& attention = features.attention;  // [rows,columns]
  if (!attention.defined()) {
    throw Error(ErrorKind::config,
                "the aggregator 'attention' needs an attention map and the backbone gives none; choose "
                "another aggregator or backbone");
  }
  if (attention.numel() != geometry.patches()) {
    throw Error(ErrorKind::plugin,
                "the backbone's attention map has {} values for a grid of {} rows and {} columns",
                attention.numel(), geometry.rows, geometry.columns);
  }
  const at::Tensor values = attention.to(at::kCPU, at::kDouble).contiguous();
  if (!(values.isfinite() & (values >= 0)).all().item<bool>()) {
    throw Error(ErrorKind::plugin,
                "the backbone's attention map holds values that are negative or not finite; nothing can be "
                "weighted by them");
  }
  CellGrid map(geometry);
  map.values.assign(values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel());
  return map;
}

class AttentionWeighting : public CellWeighting {
 public:
  AttentionWeighting(CellGrid map, bool writeback, bool mean)
      : map_(std::move(map)), boxes_map_(map_), writeback_(writeback), mean_(mean) {}

  CellGrid image(const CellGrid&) override { return map_; }

  double image_scale() const override { return mean_ ? 1.0 / static_cast<double>(map_.values.size()) : 1.0; }

  CellGrid box(const PatchRange& range, const CellGrid& like) override {
    CellGrid& map = in_set_ ? set_map_ : boxes_map_;
    CellGrid weights = product(uniform_weights(range, like), map);
    const double sum = weights.sum();
    if (writeback_ && sum > 0) {
      weights.scale(1.0 / sum);
      for (int64_t row = range.row_begin; row < range.row_end; ++row) {
        for (int64_t column = range.column_begin; column < range.column_end; ++column) {
          map.at(row, column) = weights.at(row, column);
        }
      }
    }
    return weights;
  }

  CellGrid cells(const CellGrid& uniform) override { return product(uniform, map_); }

  // The reference has either boxes, which share the map of their image, or sets, each of which starts afresh.
  void begin_set() override {
    set_map_ = map_;
    in_set_ = true;
  }
  void end_set() override { in_set_ = false; }

 private:
  CellGrid map_;
  CellGrid boxes_map_;  ///< with what the boxes so far wrote back
  CellGrid set_map_;    ///< the same within a set
  bool in_set_ = false;
  bool writeback_;
  bool mean_;
};

class Attention : public Aggregator {
 public:
  Attention(const AttentionOptions& options, const PluginContext&)
      : rules_(rules_of(options)),
        writeback_(options.attention_writeback),
        mean_(options.attention_norm == "mean") {
    rules_.trace_norm = trace_norm_of(options.trace_norm);
    if (writeback_ && rules_.set == RegionSetRule::per_patch) {
      throw Error(ErrorKind::config,
                  "attention_writeback: true and region_set: per_patch exclude each other, since nothing is "
                  "normalised box by box in the latter; "
                  "drop one of them");
    }
  }

  bool needs_attention() const override { return true; }

  RegionWeights weights(std::span<const Region> regions, const ImageGeometry& geometry,
                        const PatchFeatures& features) const override {
    AttentionWeighting weighting(map_of(features, geometry), writeback_, mean_);
    return region_weights(regions, geometry, rules_, weighting);
  }

 private:
  RegionRules rules_;
  bool writeback_;
  bool mean_;
};

}  // namespace
}  // namespace patchioner

PATCHIONER_PLUGIN(aggregator, attention, "1.0",
                  "Mean of the patches of a region, weighted by the backbone's attention",
                  patchioner::Attention, patchioner::AttentionOptions)
