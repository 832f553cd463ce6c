// What is said about scenes names what they hold; narratives run on one clock.
#include "language.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "narrative.hpp"
#include "world.hpp"

using namespace patchioner;
using namespace patchioner::emoji;

namespace {

constexpr const char* kFont = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf";

/// A world, or nullptr (said aloud) where the font is not installed.
const World* world() {
  static const std::unique_ptr<World> made = [] {
    if (!std::filesystem::exists(kFont)) {
      std::cout << "skipped: " << kFont << " is not installed\n";
      return std::unique_ptr<World>();
    }
    return std::make_unique<World>(EMOJIWORLD_SOURCE "/objects.tsv", kFont);
  }();
  return made.get();
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every name of a surface or backdrop holds one of the nouns of the entity vocabulary") {
  const auto things = read_things(EMOJIWORLD_SOURCE "/objects.tsv");
  std::set<std::string> used;
  for (uint64_t i = 0; i < 600; ++i) {
    const Scene scene = sample_scene(9, Split::train, i, things, {});
    Random random({9, i});
    Speaker speaker(things, scene, random);
    for (const bool backdrop : {false, true}) {
      if (backdrop && !scene.backdrop) {
        continue;
      }
      const std::string name = speaker.ground_name(backdrop);
      INFO(name);
      CHECK(std::ranges::any_of(ground_nouns(), [&](const std::string& noun) { return has(name, noun); }));
    }
    for (const std::string& noun : ground_nouns()) {
      if (has(speaker.place(true), noun)) {
        used.insert(noun);
      }
    }
  }
  CHECK(used.size() + 2 >= ground_nouns().size());  // "ground" and "soil" are in no place()
}

TEST_CASE("captions of single things and of sets name every thing") {
  const auto things = read_things(EMOJIWORLD_SOURCE "/objects.tsv");
  SceneOptions options;
  options.most = 4;
  for (uint64_t i = 0; i < 400; ++i) {
    const Scene scene = sample_scene(9, Split::train, i, things, options);
    Random random({9, i});
    Speaker speaker(things, scene, random);
    std::vector<int> all;
    for (int member = 0; member < static_cast<int>(scene.things.size()); ++member) {
      all.push_back(member);
      CHECK(has(speaker.phrase(member),
                things[static_cast<size_t>(scene.things[static_cast<size_t>(member)].thing)].noun));
    }
    const std::string caption = speaker.set_caption(all);
    for (const Group& group : groups_of(scene)) {
      const Thing& thing =
          things[static_cast<size_t>(scene.things[static_cast<size_t>(group.members[0])].thing)];
      INFO(caption);
      CHECK(has(caption, group.members.size() > 1 ? thing.plural : thing.noun));
    }
    if (groups_of(scene).size() == 1) {
      const Thing& thing = things[static_cast<size_t>(scene.things[0].thing)];
      CHECK(has(speaker.caption(), scene.things.size() > 1 ? thing.plural : thing.noun));
    }
  }
}

TEST_CASE("what is said of a patch names the thing, its colour and its place, and not its size") {
  const auto things = read_things(EMOJIWORLD_SOURCE "/objects.tsv");
  const std::vector<std::string> sizes = {"small ", "little ", "tiny ", "large ", "big "};
  int aloft = 0;
  for (uint64_t i = 0; i < 400; ++i) {
    const Scene scene = sample_scene(9, Split::test, i, things, {});
    Random random({9, i});
    Speaker speaker(things, scene, random);
    for (int member = 0; member < static_cast<int>(scene.things.size()); ++member) {
      const Placed& placed = scene.things[static_cast<size_t>(member)];
      const std::string& noun = things[static_cast<size_t>(placed.thing)].noun;
      const std::vector<std::string> texts = speaker.patch_texts(member);
      REQUIRE(texts.size() == (placed.paint >= 0 ? 3 : 2));
      for (const std::string& text : texts) {
        INFO(text);
        CHECK(has(text, noun));
        CHECK_FALSE(std::ranges::any_of(
            sizes, [&](const std::string& size) { return has(text, size) && !has(noun, size); }));
      }
      CHECK(texts.front().ends_with(noun));
      CHECK(texts.back().starts_with(texts.front() + " "));
      if (placed.paint >= 0) {
        CHECK(has(texts[0], std::string(paint(placed.paint).name) + " " + noun));
        CHECK(texts[1].ends_with(" " + noun));
      }
      if (placed.aloft) {
        ++aloft;
        INFO(texts.back());
        CHECK(has(texts.back(), "sky"));
      }
    }
  }
  CHECK(aloft > 20);
}

TEST_CASE("a picture's boxes lie inside it and hold the thing's pixels") {
  if (world() == nullptr) {
    return;
  }
  for (uint64_t i = 0; i < 20; ++i) {
    const Scene scene = sample_scene(11, Split::test, i, world()->things, {});
    const Picture picture = world()->renderer.draw(scene, scene.width, scene.height);
    REQUIRE(picture.extents.size() == scene.things.size());
    const cv::Rect frame(0, 0, scene.width, scene.height);
    for (const Extent& extent : picture.extents) {
      CHECK((extent.box & frame) == extent.box);
      CHECK(extent.visible >= 0);
      CHECK(extent.visible <= 1);
    }
  }
}

TEST_CASE("the same scene is drawn with the same pixels") {
  if (world() == nullptr) {
    return;
  }
  const Scene scene = sample_scene(11, Split::test, 3, world()->things, {});
  const cv::Mat first = world()->renderer.draw(scene, 300, 200).rgb;
  const cv::Mat second = world()->renderer.draw(scene, 300, 200).rgb;
  CHECK(cv::norm(first, second, cv::NORM_INF) == 0);
}

TEST_CASE("a narrative's words are its sentences, and words and points move forward in time") {
  if (world() == nullptr) {
    return;
  }
  for (uint64_t i = 0; i < 20; ++i) {
    const Scene scene = sample_scene(13, Split::test, i, world()->things, {});
    const Picture picture = world()->renderer.draw(scene, scene.width, scene.height);
    Random random({13, i});
    const Narrative narrative = narrate(world()->things, scene, picture, random);
    std::string sentences;
    for (const Sentence& sentence : narrative.sentences) {
      sentences += (sentences.empty() ? "" : " ") + sentence.spoken;
    }
    std::string words;
    double time = 0;
    for (const Utterance& utterance : narrative.utterances) {
      words += (words.empty() ? "" : " ") + utterance.text;
      CHECK(utterance.start >= time);
      CHECK(utterance.end > utterance.start);
      time = utterance.end;
    }
    CHECK(words == sentences);
    double clock = 0;
    for (const auto& segment : narrative.traces) {
      CHECK_FALSE(segment.empty());
      for (const TimedPoint& point : segment) {
        CHECK(point.t >= clock);
        clock = point.t;
      }
    }
  }
}
