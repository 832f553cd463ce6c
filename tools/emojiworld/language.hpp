// What people say about scenes: captions in the manner of COCO, phrases in the manner of Visual Genome,
// captions of sets of regions.
#pragma once

#include <string>
#include <vector>

#include "render.hpp"
#include "scene.hpp"

namespace patchioner::emoji {

/// Things of a scene that are the same and painted the same: they are named once, by number.
struct Group {
  std::vector<int> members;  ///< indices into Scene::things, at least one
};

/// All groups of a scene, largest things first.
std::vector<Group> groups_of(const Scene& scene);

/// Writes sentences about one scene; which of many ways is chosen is drawn from `random`.
class Speaker {
 public:
  Speaker(const std::vector<Thing>& things, const Scene& scene, Random& random)
      : things_(things), scene_(scene), random_(random) {}

  /// "a small red car", "two dogs", "the sun". `colour` and `size` are the chances that they are said.
  std::string name(const Group& group, double colour = 0.85, double size = 0.3);
  /// The same without article and number: "red car", "cars".
  std::string bare(const Group& group, double colour);

  /// Where the scene is: "on the grass", "in front of a brick wall"; `full` adds what is behind.
  std::string place(bool full);
  /// The surface or the backdrop as a thing: "green grass", "a blue sky".
  std::string ground_name(bool backdrop) { return pick(ground_names(backdrop)); }
  /// All that it is called.
  std::vector<std::string> ground_names(bool backdrop) const;

  /// A caption of the whole picture.
  std::string caption();
  /// A phrase about one thing (an index into Scene::things).
  std::string phrase(int member);
  /// What fits one patch of a thing, which shows neither its size nor its neighbours: its name, also without
  /// its colour, and with where it is.
  std::vector<std::string> patch_texts(int member);
  /// A caption that names just these things.
  std::string set_caption(const std::vector<int>& members);

 private:
  std::string doing(const Group& group);
  std::string list(const std::vector<std::string>& names);
  std::string about_pair(const Group& first, const Group& second);
  const Thing& thing_of(const Group& group) const {
    return things_[static_cast<size_t>(scene_.things[static_cast<size_t>(group.members[0])].thing)];
  }
  const Placed& first_of(const Group& group) const {
    return scene_.things[static_cast<size_t>(group.members[0])];
  }
  std::string pick(std::vector<std::string> choices) { return random_.pick(choices); }

  const std::vector<Thing>& things_;
  const Scene& scene_;
  Random& random_;
};

/// What surfaces and backdrops are called, in the singular and without attributes: one of these is in every
/// ground_name().
const std::vector<std::string>& ground_nouns();

/// "a" or "an", by the first letter of what follows.
std::string article_for(const std::string& words);

}  // namespace patchioner::emoji
