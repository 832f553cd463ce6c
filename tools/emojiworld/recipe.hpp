// recipe.json: how long and on what each model is trained. After a change that training starts anew.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace patchioner::emoji {

/// A stretch of a training of an image tower: so many steps with batches of one kind.
struct Lesson {
  int64_t steps = 0;
  int64_t images = 0;   ///< a batch
  int grid = 0;         ///< rows and columns of patches of the canvas
  int most_things = 0;  ///< a scene holds 1 to so many
  double smallest = 0;  ///< size of things over that of the native canvas
  double largest = 0;
  bool centred = false;
};

/// Lessons one after the other.
struct Lessons {
  int64_t scenes_per_step =
      0;  ///< numbers of scenes set aside for a step, at least the largest batch: steps share no scene
  std::vector<Lesson> list;

  int64_t steps() const;
  /// The lesson that a step belongs to.
  const Lesson& lesson_at(int64_t step) const;
};

struct TowerRecipe {
  double learning_rate = 0;
  double weight_decay = 0;
  double contents_weight = 0;  ///< of the class token's loss, beside the patches'
  double surface_weight = 0;   ///< of patches of surfaces, beside those of things
  double patch_weight = 1;     ///< of the patch loss, beside the contrastive one (CLIP)
  Lessons lessons;
  std::string digest;  ///< of this section
};

struct ProjectionRecipe {
  double learning_rate = 0;
  double weight_decay = 0;
  int64_t steps = 0;
  int64_t images = 0;  ///< a batch
  double temperature = 0;
  Lessons lessons;     ///< whose scenes' features are computed beforehand
  std::string digest;  ///< of this section
};

/// A network that learns to fit texts which are there already, or learns them with it.
struct AlignmentRecipe {
  double learning_rate = 0;
  double weight_decay = 0;
  double names_weight = 0;   ///< of telling all names apart
  double scenes_weight = 0;  ///< of telling which caption belongs to which scene
  Lessons lessons;
  std::string digest;  ///< of this section
};

struct Recipe {
  TowerRecipe trunk;
  TowerRecipe refined_trunk;  ///< goes on from the trunk
  TowerRecipe clip;
  ProjectionRecipe talk2dino;
  TowerRecipe dino;
  AlignmentRecipe denseclip;
  AlignmentRecipe alphaclip;
  AlignmentRecipe dinotxt;
  AlignmentRecipe regionclip;
};

/// Throws an Error: io when the file cannot be read, data when it is not as it should be.
Recipe read_recipe(const std::filesystem::path& path);

}  // namespace patchioner::emoji
