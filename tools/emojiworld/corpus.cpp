// The text corpus: captions of training scenes, without the scenes. Decoders, memory banks and tokenizers are
// made from it.
#include "corpus.hpp"

#include "commands.hpp"
#include "language.hpp"
#include "support/files.hpp"
#include "support/progress.hpp"

namespace patchioner::emoji {
namespace {

constexpr int kScenes = 8000;
constexpr uint64_t kFirstScene = 1'000'000'000;  // far from the scenes that the image towers see
constexpr int kImageCaptions = 2;
constexpr double kPhraseChance = 0.8;
constexpr double kSetChance = 0.7;
constexpr double kGroundChance = 0.25;

}  // namespace

std::vector<CorpusLine> corpus_lines(const World& world) {
  std::vector<CorpusLine> lines;
  SceneOptions options;
  options.most = 6;
  for (int i = 0; i < kScenes; ++i) {
    const uint64_t index = kFirstScene + static_cast<uint64_t>(i);
    const Scene scene = sample_scene(kWorldSeed, Split::train, index, world.things, options);
    Random random({kWorldSeed, index, 501});
    Speaker speaker(world.things, scene, random);
    const auto add = [&](std::string text) { lines.push_back({i + 1, std::move(text)}); };
    for (int c = 0; c < kImageCaptions; ++c) {
      add(speaker.caption());
    }
    for (int member = 0; member < static_cast<int>(scene.things.size()); ++member) {
      if (random.chance(kPhraseChance)) {
        add(speaker.phrase(member));
      }
    }
    if (scene.things.size() > 1 && random.chance(kSetChance)) {
      std::vector<int> members(scene.things.size());
      for (size_t m = 0; m < members.size(); ++m) {
        members[m] = static_cast<int>(m);
      }
      random.shuffle(members);
      members.resize(2 + static_cast<size_t>(random.below(static_cast<int64_t>(members.size()) - 1)));
      add(speaker.set_caption(members));
    }
    if (random.chance(kGroundChance)) {
      add(speaker.ground_name(scene.backdrop.has_value() && random.chance(0.5)));
    }
  }
  return lines;
}

void make_corpus(const World& world, const Settings& settings) {
  const std::vector<CorpusLine> lines = corpus_lines(world);
  std::string text;
  for (const CorpusLine& line : lines) {
    text += line.text + "\n";
  }
  write_file(settings.output / "corpus.txt", text);
  settings.report("corpus", fmt::format("{} captions of {} training scenes, {:.2f} MB", lines.size(), kScenes,
                                        static_cast<double>(text.size()) / 1e6));
}

}  // namespace patchioner::emoji
