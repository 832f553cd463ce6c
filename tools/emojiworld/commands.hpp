// The parts of the program, in the order in which `emojiworld all` runs them.
#pragma once

#include <filesystem>
#include <string>

#include "recipe.hpp"
#include "world.hpp"

namespace patchioner::emoji {

/// Where things are read and written.
struct Settings {
  std::filesystem::path objects;  ///< objects.tsv
  std::filesystem::path font;
  std::filesystem::path work;    ///< states and loss curves of trainings
  std::filesystem::path output;  ///< what ships
  Recipe recipe;

  /// Writes a sentence to <work>/report.txt in place of the last one of that name, and logs it.
  void report(const std::string& name, const std::string& sentence) const;
};

/// The trunk after its first training: what CLIP's image tower and the refined trunk start from. Does not
/// ship.
inline std::filesystem::path first_trunk_path(const Settings& settings) {
  return settings.work / "first_trunk.safetensors";
}

/// Draws scenes first..first+count-1 of a split as PNG or JPEG files, with a sheet of all things when
/// `sheet`.
void render_scenes(const World& world, const std::filesystem::path& folder, uint64_t first, int count,
                   Split split, bool sheet);

/// Image files and annotation files of the test split, in the formats of the real data sets.
void make_dataset(const World& world, const Settings& settings);

/// corpus.txt: captions of training scenes.
void make_corpus(const World& world, const Settings& settings);

/// vocab.json and merges.txt, learned from the corpus: tokenizer/ as CLIP's, tokenizer_gpt2/ as GPT-2's.
void make_tokenizers(const World& world, const Settings& settings);

/// entities.txt: the names of things, surfaces and backdrops, sorted, one a line.
void make_entities(const World& world, const Settings& settings);

// Each training returns whether it finished; false means that it was interrupted and can be called again.
bool train_trunk(const World& world, const Settings& settings);
bool refine_trunk(const World& world, const Settings& settings);
bool train_clip(const World& world, const Settings& settings);
bool train_talk2dino(const World& world, const Settings& settings);

bool train_dino(const World& world, const Settings& settings);
bool train_denseclip(const World& world, const Settings& settings);
bool train_alphaclip(const World& world, const Settings& settings);
bool train_dinotxt(const World& world, const Settings& settings);
bool train_regionclip(const World& world, const Settings& settings);

/// Builds the memory banks and trains the decoders with the project's own commands; what ships of a decoder
/// is its last checkpoint in half precision.
bool make_decoders(const Settings& settings);

/// Rewrites the model files of the output folder as they ship.
void pack_models(const Settings& settings);

/// Measures how often the text nearest to a box's features is that of the thing in it.
void report_boxes(const World& world, const Settings& settings);

/// What somebody says about a scene of a training: a caption, a phrase or a list of its things, by the
/// scene's number.
std::string scene_text(const World& world, const Scene& scene, uint64_t index);

}  // namespace patchioner::emoji
