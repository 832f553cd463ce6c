#include "train/captions.hpp"

#include "test_world.hpp"

namespace patchioner {
namespace {

TEST_CASE("captions are read from COCO's form with their images") {
  const TestFolder folder;
  const auto captions = read_training_captions(folder.write(
      "coco.json",
      R"({"images": [], "annotations": [{"image_id": 7, "id": 1, "caption": "A dog."}, {"image_id": "b", "caption": "A cat"}]})"));
  CHECK(captions.texts == std::vector<std::string>{"A dog.", "A cat"});
  CHECK(captions.image_ids == std::vector<std::string>{"7", "b"});
  CHECK(captions.digest.size() == 64);
}

TEST_CASE("captions are read from an array and from lines") {
  const TestFolder folder;
  CHECK(read_training_captions(folder.write("list.json", R"( ["one", "two"])")).texts ==
        std::vector<std::string>{"one", "two"});
  const auto lines = read_training_captions(folder.write("lines.txt", "first line\r\n\n  \nlast"));
  CHECK(lines.texts == std::vector<std::string>{"first line", "last"});
  CHECK(lines.image_ids.empty());
}

TEST_CASE("image ids count only when every caption has one") {
  const TestFolder folder;
  const auto captions = read_training_captions(
      folder.write("coco.json", R"({"annotations": [{"image_id": 7, "caption": "a"}, {"caption": "b"}]})"));
  CHECK(captions.image_ids.empty());
}

TEST_CASE("a wrong captions file is refused with the place that is wrong") {
  const TestFolder folder;
  const auto refusal = [&](std::string_view content) {
    const auto file = folder.write("bad.json", content);
    return message_of(ErrorKind::data, [&] { read_training_captions(file); });
  };
  CHECK(contains(refusal(R"({"images": []})"), "without the list 'annotations'"));
  CHECK(contains(refusal(R"({"annotations": [{"caption": "a"}, {"text": "b"}]})"),
                 "annotations[1] has no text 'caption'"));
  CHECK(contains(refusal(R"({"annotations": [{"caption": 3}]})"), "annotations[0]"));
  CHECK(contains(refusal(R"(["a", 2])"), "entry 1 of the list is no text"));
  CHECK(contains(refusal(R"({"annotations": [{"cap)"), "damaged at byte"));
  CHECK(contains(refusal("[]"), "holds no caption"));
  CHECK(contains(refusal(""), "holds no caption"));
  CHECK(contains(message_of(ErrorKind::io, [&] { read_training_captions(folder / "absent"); }), "absent"));
}

}  // namespace
}  // namespace patchioner
