// Scenes: made from numbers alone, and what is held out stays out of training.
#include "scene.hpp"

#include <doctest/doctest.h>

#include <patchioner/error.hpp>

#include "test_folder.hpp"

using namespace patchioner;
using namespace patchioner::emoji;

namespace {

std::vector<Thing> things() {
  return read_things(EMOJIWORLD_SOURCE "/objects.tsv");
}

bool same(const Scene& left, const Scene& right) {
  if (left.width != right.width || left.surface != right.surface ||
      left.things.size() != right.things.size()) {
    return false;
  }
  for (size_t i = 0; i < left.things.size(); ++i) {
    if (left.things[i].thing != right.things[i].thing || left.things[i].x != right.things[i].x) {
      return false;
    }
  }
  return true;
}

std::string message_of(const std::string& content) {
  const TestFolder folder;
  try {
    read_things(folder.write("objects.tsv", content));
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a scene depends on seed, split and number, and on nothing else") {
  const auto list = things();
  CHECK(same(sample_scene(1, Split::train, 7, list, {}), sample_scene(1, Split::train, 7, list, {})));
  CHECK_FALSE(same(sample_scene(1, Split::train, 7, list, {}), sample_scene(1, Split::train, 8, list, {})));
  CHECK_FALSE(same(sample_scene(1, Split::train, 7, list, {}), sample_scene(2, Split::train, 7, list, {})));
  CHECK_FALSE(same(sample_scene(1, Split::train, 7, list, {}), sample_scene(1, Split::test, 7, list, {})));
}

TEST_CASE("training scenes hold no pair and no paint that is held out, test scenes do") {
  const auto list = things();
  int held_out = 0;
  for (uint64_t i = 0; i < 1500; ++i) {
    CHECK_FALSE(has_held_out(sample_scene(3, Split::train, i, list, {})));
    held_out += has_held_out(sample_scene(3, Split::test, i, list, {})) ? 1 : 0;
  }
  CHECK(held_out > 300);
}

TEST_CASE("scenes keep to the number and size of things that is asked for") {
  const auto list = things();
  SceneOptions options;
  options.fewest = 2;
  options.most = 4;
  for (uint64_t i = 0; i < 300; ++i) {
    const Scene scene = sample_scene(5, Split::train, i, list, options);
    CHECK(scene.things.size() >= 1);  // one that finds no place is left out
    CHECK(scene.things.size() <= 4);
    for (const Placed& placed : scene.things) {
      CHECK(placed.share > 0.9 * options.smallest_share);
      CHECK(placed.share <= options.largest_share);
      CHECK(placed.x > 0);
      CHECK(placed.x < scene.width);
    }
  }
}

TEST_CASE("the list of things is refused with the line that is wrong") {
  CHECK(message_of("1F415\tdog\ta\tdogs\tanimal\tgras\tno\n")
            .find(":1: there is no place 'gras'; did you mean 'grass'?") != std::string::npos);
  CHECK(message_of("1F415\tdog\ta\tdogs\n").find("4 fields") != std::string::npos);
  CHECK(message_of("dog\tdog\ta\tdogs\tanimal\tgrass\tno\n").find("no hexadecimal code point") !=
        std::string::npos);
  CHECK(message_of("1F415\tdog\ta\tdogs\tanimal\tgrass\tmaybe\n").find("expected yes or no") !=
        std::string::npos);
  const std::string line = "1F415\tdog\ta\tdogs\tanimal\tgrass\tno\n";
  CHECK(message_of(line + line).find(":2: 'dog' was listed before") != std::string::npos);
  CHECK(message_of("# nothing\n").find("lists no thing") != std::string::npos);
  CHECK_THROWS_AS(read_things("/nowhere/objects.tsv"), Error);
}
