// The chain: images and regions in, captions out. One backbone pass an image (and one a crop for the crop
// baseline), one matrix product for all regions of an image, one decode for all regions of a batch.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "image/image.hpp"
#include "runtime/plugin_host.hpp"

namespace patchioner {

/// An image and what is asked about it. Only `image` and `regions` need to be given; Captioner::prepare fills
/// the rest, so that it can be done ahead on another thread.
struct CaptionTask {
  Image image;  ///< its pixels may be dropped after prepare() unless needs_pixels()
  std::vector<Region> regions;
  at::Tensor input;  ///< [3,S,S] float32, the normalised network input
  ImageGeometry geometry;
};

/// What came out for one region. Either `error` is empty or the rest is meaningless.
struct RegionResult {
  Region region;
  Caption caption;
  at::Tensor weights;  ///< [rows,columns] of the grid, when asked for and the aggregator has weights
  std::vector<MemoryMatch> memory;  ///< when asked for by `explain`
  at::Tensor feature;               ///< [D] as handed to the gap, scale included
  at::Tensor prefix;                ///< [D] as handed to the decoder
  std::string error;
  std::vector<std::string> warnings;
};

struct CaptionOptions {
  bool explain = false;        ///< memory matches and token log-probabilities, and weights
  bool weights = false;        ///< weights alone
  int64_t memory_matches = 5;  ///< how many texts of the memory `explain` names
  bool decode = true;          ///< false: features and prefixes only
};

/// The four plugins that a captioner is made of.
struct CaptionerParts {
  std::shared_ptr<Backbone> backbone;
  std::shared_ptr<Aggregator> aggregator;
  std::vector<std::shared_ptr<Gap>> gaps;  ///< applied in order
  std::shared_ptr<Decoder> decoder;        ///< may be absent: features and prefixes only
};

/// The four plugins of a config and their settings. Immutable; its methods may be called by several threads.
class Captioner {
 public:
  /// `config` is a resolved document (config/config.hpp). Throws Error: config for a pair that cannot work
  /// (a backbone without an image side, attention aggregation on one without a map, native without
  /// encode_regions, widths that differ), and whatever loading throws. A memory or a decoder that was made
  /// with another text side than the backbone's is a warning, once; since finding out reads the whole text
  /// encoder, that is done beside the first work, and has been done when the captioner is destroyed.
  Captioner(const Value& config, PluginHost& host);

  /// From objects that are there already. `batch` images (or crops) go through the backbone at a time, on
  /// `device`.
  explicit Captioner(CaptionerParts parts, int64_t batch = 8, at::Device device = at::kCPU);

  /// Fills `input` and `geometry` of a task whose image is read. [any-thread]
  void prepare(CaptionTask& task) const;

  /// Whether the aggregator cuts regions out of the original image, so that its pixels must be kept.
  bool needs_pixels() const { return parts_.aggregator->source() == FeatureSource::crops; }

  /// Results in the order of tasks and regions. A region that cannot be captioned is a result with `error`;
  /// it never ends the others. A failure of the model itself (out of memory ...) is thrown. [any-thread]
  std::vector<std::vector<RegionResult>> caption(std::span<const CaptionTask> tasks,
                                                 const CaptionOptions& options = {}) const;

  /// One image's results when its grid features are already there (cached, or given by a test). Throws an
  /// Error of kind config for an aggregator that needs the image itself. [any-thread]
  std::vector<RegionResult> caption_features(const PatchFeatures& features, const ImageGeometry& geometry,
                                             std::span<const Region> regions,
                                             const CaptionOptions& options = {}) const;

  /// Gap and decoder alone: `features` [R,D] as the aggregation gives them. The regions of the results are
  /// whole images. [any-thread]
  std::vector<RegionResult> caption_vectors(const at::Tensor& features,
                                            const CaptionOptions& options = {}) const;

  const Backbone& backbone() const { return *parts_.backbone; }
  const Aggregator& aggregator() const { return *parts_.aggregator; }
  const std::vector<std::shared_ptr<Gap>>& gaps() const { return parts_.gaps; }
  const Decoder* decoder() const { return parts_.decoder.get(); }
  int64_t batch() const { return batch_; }

 private:
  void check() const;
  std::future<void> check_text_sides() const;
  void caption_batch(std::span<const CaptionTask*> tasks, std::span<std::vector<RegionResult>*> results,
                     const CaptionOptions& options) const;
  void aggregate(const PatchFeatures& features, const ImageGeometry& geometry,
                 std::vector<RegionResult>& results, const CaptionOptions& options) const;
  void weigh(const PatchFeatures& features, const ImageGeometry& geometry, std::span<RegionResult*> results,
             const CaptionOptions& options) const;
  void encode_crops(std::span<const CaptionTask*> tasks, std::span<std::vector<RegionResult>*> results) const;
  void encode_natively(const CaptionTask& task, std::vector<RegionResult>& results) const;
  void bridge_and_decode(std::span<RegionResult*> results, const CaptionOptions& options) const;
  void decode(std::span<RegionResult*> results, const at::Tensor& features, const at::Tensor& prefixes,
              const CaptionOptions& options) const;

  CaptionerParts parts_;
  int64_t batch_ = 8;
  at::Device device_ = at::kCPU;
  std::future<void> text_check_;  ///< waits when it is destroyed
};

}  // namespace patchioner
