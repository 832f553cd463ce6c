#include "sweep/stage_files.hpp"

#include <doctest/doctest.h>

#include <patchioner/error.hpp>

#include "refusals.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

/// A finished entry with the parts that `write` puts.
struct Entries {
  TestFolder folder;
  StageCache cache{{.folder = folder / "cache"}};
  StageKey key{Stage::encode, "0123abcd"};

  void put(const std::string& part, const std::function<void(const std::filesystem::path&)>& write) {
    const std::unique_ptr<StageLease> lease = cache.acquire(key);
    REQUIRE(lease != nullptr);
    REQUIRE(lease->put(part, write));
    REQUIRE(lease->finish({}, 1));
  }
};

EncodedImage image_of(float value) {
  EncodedImage image;
  image.width = 10;
  image.height = 20;
  image.features = {at::full({2, 3, 4}, value, at::kFloat), at::full({4}, 2 * value, at::kFloat),
                    at::full({2, 3}, value / 6, at::kFloat)};
  return image;
}

}  // namespace

TEST_CASE("features come back as they were, and errors as sentences") {
  Entries entries;
  EncodedImage broken;
  broken.error = "cannot be read";
  entries.put(part_name(0, ".safetensors"), [&](const std::filesystem::path& file) {
    write_features(file, {"a", "b", "c"}, {image_of(0.1F), broken, image_of(3)}, /*half=*/false);
  });
  const FeatureReader reader(entries.cache.open(entries.key));
  const EncodedImage third = reader.image("c");
  CHECK(third.width == 10);
  CHECK(third.height == 20);
  CHECK(at::equal(third.features.patches, at::full({2, 3, 4}, 3.0F)));
  CHECK(at::equal(reader.image("a").features.global, at::full({4}, 0.2F)));
  CHECK(at::equal(third.features.attention, at::full({2, 3}, 0.5F)));
  CHECK(reader.image("b").error == "cannot be read");
  mentions(refusal_of(ErrorKind::internal, [&] { reader.image("d"); }), "has no features of the image d");
}

TEST_CASE("half keeps ten bits of features, and all of the attention") {
  Entries entries;
  entries.put(part_name(0, ".safetensors"), [&](const std::filesystem::path& file) {
    write_features(file, {"a"}, {image_of(0.1F)}, /*half=*/true);
  });
  const EncodedImage image = FeatureReader(entries.cache.open(entries.key)).image("a");
  CHECK((image.features.patches.scalar_type() == at::kFloat));
  CHECK(at::equal(image.features.patches, at::full({2, 3, 4}, 0.1F).to(at::kHalf).to(at::kFloat)));
  CHECK(at::equal(image.features.attention, at::full({2, 3}, 0.1F / 6)));
}

TEST_CASE("an image may have the global token alone, and a part no image") {
  Entries entries;
  EncodedImage image = image_of(1);
  image.features.patches = at::Tensor();
  image.features.attention = at::Tensor();
  EncodedImage broken;
  broken.error = "no";
  entries.put(part_name(0, ".safetensors"), [&](const std::filesystem::path& file) {
    write_features(file, {"a", "b"}, {image, broken}, false);
  });
  const FeatureReader reader(entries.cache.open(entries.key));
  CHECK_FALSE(reader.image("a").features.patches.defined());
  CHECK(reader.image("a").features.global.defined());
}

TEST_CASE("vectors come back with errors and warnings") {
  Entries entries;
  RegionVectors vectors{at::rand({3, 4}), {"", "outside", ""}, {0, 0, 2}};
  entries.put(part_name(0, ".safetensors"),
              [&](const std::filesystem::path& file) { write_vectors(file, vectors); });
  const RegionVectors read = read_vectors(*entries.cache.open(entries.key), 0);
  CHECK(at::equal(read.vectors, vectors.vectors));
  CHECK(read.errors == vectors.errors);
  CHECK(read.warnings == vectors.warnings);
  CHECK(read.sound() == std::vector<int64_t>{0, 2});
  // A part without regions.
  Entries empty;
  empty.put(part_name(0, ".safetensors"), [](const std::filesystem::path& file) {
    write_vectors(file, {at::zeros({0, 4}), {}, {}});
  });
  CHECK(read_vectors(*empty.cache.open(empty.key), 0).sound().empty());
}

TEST_CASE("a part that is no such file is damage") {
  Entries entries;
  entries.put(part_name(0, ".safetensors"),
              [](const std::filesystem::path& file) { write_file(file, "nothing"); });
  CHECK_THROWS_AS(read_vectors(*entries.cache.open(entries.key), 0), DamagedEntry);
  CHECK_THROWS_AS(FeatureReader(entries.cache.open(entries.key)), DamagedEntry);
  CHECK_THROWS_AS(read_vectors(*entries.cache.open(entries.key), 1), DamagedEntry);
}
