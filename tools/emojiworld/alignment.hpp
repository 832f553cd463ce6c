// What the trainings share that bring images, or parts of them, to texts: the names of things as texts,
// regions that somebody speaks of, the contrastive loss, and the score on boxes of test scenes.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <vector>

#include "batch.hpp"
#include "patch_lessons.hpp"

namespace patchioner::emoji {

struct Settings;

/// What a thing is called where nothing else is said of it: "a dog", "the sun".
std::string name_of_thing(const Thing& thing);

/// The names of all that a patch can show: things in the colours of the font, things in every paint that they
/// come in, surfaces and backdrops.
class Names {
 public:
  explicit Names(const World& world);

  const std::vector<std::string>& texts() const { return texts_; }
  /// Places in texts(). `paint` is -1 for the colours of the font.
  int64_t thing(int thing, int paint) const;
  int64_t surface(int surface) const { return first_surface_ + surface; }
  /// The place that a patch's class and paint stand for (Batch), each [B,G] -> [B,G]; -1 stays.
  at::Tensor of_patches(const Batch& batch) const;

 private:
  std::vector<std::string> texts_;
  int64_t things_ = 0;
  std::vector<int64_t> painted_;  ///< of each thing the place of its first paint, or -1
  int64_t first_surface_ = 0;
};

/// A region of one image of a batch: boxes in pixels of the canvas; none of them: the whole image.
struct BatchRegion {
  int64_t image = 0;
  std::vector<cv::Rect> boxes;
};

/// A region with what somebody says about it.
struct SpokenRegion {
  BatchRegion region;
  int64_t name = -1;  ///< of the only thing in it, in Names; -1 for sets and whole images
  std::string text;
};

/// Regions taken apart.
struct SpokenBatch {
  std::vector<BatchRegion> regions;
  std::vector<std::string> texts;
  at::Tensor names;  ///< [N] int64
};
SpokenBatch parts_of(const std::vector<SpokenRegion>& spoken);

/// Which regions are drawn from a scene.
struct RegionChances {
  int64_t each = 2;    ///< regions of one image, of which the first shows a single thing if any can be seen
  double whole = 0;    ///< chance of the whole image, after the first
  double several = 0;  ///< chance of a set of things, after the first, where there are several
};

/// Regions of every image, those of one image side by side: hard to tell apart without looking at the region.
/// Drawn from the scenes' numbers alone.
std::vector<SpokenRegion> spoken_regions(const World& world, const Names& names, const Batch& batch,
                                         uint64_t first_scene, const RegionChances& chances);

/// The captions of the scenes of a batch.
std::vector<std::string> scene_texts(const World& world, const Batch& batch, uint64_t first_scene);

struct Contrast {
  at::Tensor loss;  ///< scalar
  double hits = 0;  ///< share of the rows whose own text is nearest
};

/// Which text belongs to which row, both ways (InfoNCE). Rows and texts [N,D] are of unit length; `scale` is
/// the logarithm of what similarities are multiplied by; equal sentences are not held against each other.
Contrast contrast(const at::Tensor& rows, const at::Tensor& texts, const at::Tensor& scale,
                  const std::vector<std::string>& sentences);

/// A trained `scale` that begins as CLIP's; it is thrown away with the heads.
at::Tensor logit_scale(Parameters& parameters);
/// What similarities are multiplied by: at most 100, as in CLIP.
at::Tensor sharpness(const at::Tensor& scale);

/// How well the regions that show a single thing are told by its name.
struct NamedRegions {
  at::Tensor loss;   ///< scalar
  double right = 0;  ///< share
};

/// `vectors` [N,D] and `texts` [K,D] are of unit length, `names` [N] are places in `texts` or -1.
NamedRegions name_regions(const at::Tensor& vectors, const at::Tensor& names, const at::Tensor& texts,
                          const at::Tensor& scale);

/// The mean of the patches that a region touches, all patches for a whole image: patches [B,rows,columns,W]
/// and N regions -> [N,W].
at::Tensor region_means(const at::Tensor& patches, const std::vector<BatchRegion>& regions, int patch_size);

/// How a training of this kind runs: 30 steps of warm-up, saved every 50; the columns are the training's own.
/// `towers` is the digest of the frozen files that it looks at.
TrainingPlan alignment_plan(const std::string& name, const Settings& settings, const AlignmentRecipe& recipe,
                            const std::string& towers);

/// How often the text nearest to a box of a test scene is that of the thing in it.
struct BoxScore {
  int64_t boxes = 0;
  int64_t scenes = 0;
  int64_t nouns = 0;
  double first = 0;  ///< percent
  double among_five = 0;
  std::string words() const;
};

/// `texts` [K,D] of unit length are those of name_of_thing, in order; `encode` gives the vectors of regions
/// of one box each: pixels [B,3,S,S] and N regions -> [N,D].
BoxScore score_boxes(const World& world, const TowerInput& input, const at::Tensor& texts,
                     const std::function<at::Tensor(const at::Tensor& pixels,
                                                    const std::vector<BatchRegion>& regions)>& encode);

/// The texts of name_of_thing of all things.
std::vector<std::string> names_of_things(const World& world);

}  // namespace patchioner::emoji
