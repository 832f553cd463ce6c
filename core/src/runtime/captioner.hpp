// The chain: images and regions in, captions out. One backbone pass an image (and one a crop for the crop
// baseline), one matrix product for all regions of an image, one decode for all regions of a batch.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "image/image.hpp"
#include "runtime/plugin_host.hpp"

namespace patchioner {

/// An image and what is asked about it.
struct CaptionTask {
  Image image;
  std::vector<Region> regions;
};

/// What came out for one region. Either `error` is empty or the rest is meaningless.
struct RegionResult {
  Region region;
  Caption caption;
  at::Tensor weights;               ///< [rows,columns] of the grid, when asked for by `explain`
  std::vector<MemoryMatch> memory;  ///< when asked for by `explain`
  at::Tensor feature;               ///< [D] as handed to the gap, scale included
  at::Tensor prefix;                ///< [D] as handed to the decoder
  std::string error;
  std::vector<std::string> warnings;
};

struct CaptionOptions {
  bool explain = false;
  int64_t memory_matches = 5;
  bool decode = true;  ///< false: features and prefixes only
};

/// The four plugins of a config and their settings.
class Captioner {
 public:
  /// `config` is a resolved document (config/config.hpp). Throws Error: config for a pair that cannot work
  /// (attention aggregation on a backbone without a map, native without encode_regions, widths that differ),
  /// and whatever loading throws.
  Captioner(const Value& config, PluginHost& host);

  /// Results in the order of tasks and regions. A region that cannot be captioned is a result with `error`;
  /// it never ends the others.
  std::vector<std::vector<RegionResult>> caption(std::span<const CaptionTask> tasks,
                                                 const CaptionOptions& options = {}) const;

  /// One image's weights, features and prefixes when its grid features are already there (cached, or given by
  /// a test).
  std::vector<RegionResult> caption_features(const PatchFeatures& features, const ImageGeometry& geometry,
                                             std::span<const Region> regions,
                                             const CaptionOptions& options = {}) const;

  const Backbone& backbone() const { return *backbone_; }
  const Aggregator& aggregator() const { return *aggregator_; }
  const std::vector<std::shared_ptr<Gap>>& gaps() const { return gaps_; }
  const Decoder* decoder() const { return decoder_.get(); }

 private:
  std::shared_ptr<Backbone> backbone_;
  std::shared_ptr<Aggregator> aggregator_;
  std::vector<std::shared_ptr<Gap>> gaps_;
  std::shared_ptr<Decoder> decoder_;
};

}  // namespace patchioner
