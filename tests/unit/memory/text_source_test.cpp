// Caption files of every form, and damaged ones.
#include "memory/text_source.hpp"

#include "test_banks.hpp"

namespace patchioner {
namespace {

using test::mentions;
using test::refusal;
using Texts = std::vector<std::string>;

Texts read(const std::filesystem::path& path, TextFormat format = TextFormat::automatic) {
  Texts texts;
  visit_texts(
      path, format,
      [&](std::string text) {
        texts.push_back(std::move(text));
        return true;
      },
      path.filename().string());
  return texts;
}

TEST_CASE("captions are found in every form of file, told by content") {
  const test::TestFolder folder;
  const Texts expected = {"a cat", "two \"dogs\"", "café"};
  CHECK(read(folder.write("coco.x", R"({"info": {"caption": "no"}, "images": [{"caption": "no", "id": 1}],
      "annotations": [{"id": 1, "caption": "a cat", "more": {"caption": "no"}}, {"caption": "two \"dogs\"", "image_id": 3}, {"caption": "café"}]})")) ==
        expected);
  CHECK(read(folder.write("array.x", "\xef\xbb\xbf [\"a cat\", \"two \\\"dogs\\\"\", \"caf\\u00e9\"]")) ==
        expected);
  CHECK(read(folder.write(
            "objects.x",
            R"([{"caption": "a cat", "image": "x"}, {"text": "two \"dogs\""}, {"caption": "café"}])")) ==
        expected);
  CHECK(
      read(folder.write(
          "lines.x", "{\"caption\": \"a cat\"}\n\"two \\\"dogs\\\"\"\n\n{\"id\": 7, \"text\": \"café\"}")) ==
      expected);
  CHECK(read(folder.write("strings.x", "\"a cat\"\n\"two \\\"dogs\\\"\"\r\n\"café\"\n")) == expected);
  CHECK(read(folder.write("plain.x", "a cat\r\n\ntwo \"dogs\"\ncafé")) == expected);
}

TEST_CASE("captions that look like JSON at first are still captions") {
  const test::TestFolder folder;
  CHECK(read(folder.write("a.txt", "\"stop\" reads the sign\n")) == Texts{"\"stop\" reads the sign"});
  CHECK(read(folder.write("b.txt", "[cat] a cat\n{x}\n")) == Texts{"[cat] a cat", "{x}"});
  CHECK(read(folder.write("c.txt", "[\"a\"]\n"), TextFormat::lines) == Texts{"[\"a\"]"});
}

TEST_CASE("plain lines that are no UTF-8 are replaced, not refused") {
  const test::TestFolder folder;
  CHECK(read(folder.write("latin.txt", "caf\xe9\n")) == Texts{"caf\xef\xbf\xbd"});
}

TEST_CASE("reading stops when it is asked to") {
  const test::TestFolder folder;
  for (const char* content : {R"(["a", "b", "c"])", "a\nb\nc\n", "\"a\"\n\"b\"\n\"c\"\n"}) {
    int seen = 0;
    visit_texts(
        folder.write("texts", content), TextFormat::automatic, [&](std::string) { return ++seen < 2; },
        "texts");
    CHECK(seen == 2);
  }
}

TEST_CASE("a file that is damaged or holds no captions is refused with its place") {
  const test::TestFolder folder;
  const auto message = [&](std::string_view content, TextFormat format = TextFormat::automatic) {
    const auto path = folder.write("texts.x", content);
    return refusal(ErrorKind::data, [&] { (void)read(path, format); });
  };
  CHECK(mentions(message(""), "empty"));
  CHECK(mentions(message(" \n\n"), "empty"));
  CHECK(mentions(message(R"(["a", "b)"), "behind 1 texts"));
  CHECK(mentions(message(R"({"annotations": [{"caption": "a"}, {"caption": )"), "behind 1 texts"));
  CHECK(mentions(message(R"({"annotations": [{"segmentation": [1, 2]}]})"), "holds no captions"));
  CHECK(mentions(message("[]"), "holds no captions"));
  CHECK(mentions(message("\"a\"\n{\"id\": 1}\n"), "texts.x:2"));
  CHECK(mentions(message("\"a\"\nplain\n", TextFormat::json_lines), "texts.x:2"));
  CHECK(mentions(message(std::string("PK\x03\x04\0\0\0", 7)), "no text file"));
  CHECK(mentions(message("{\"a\": " + std::string(100000, '[')), "nested"));
  CHECK(mentions(message("plain", TextFormat::json), "no valid JSON"));
  CHECK(mentions(refusal(ErrorKind::io, [&] { (void)read(folder / "absent"); }), "absent"));
}

TEST_CASE("formats have four names") {
  CHECK(text_format_from("auto") == TextFormat::automatic);
  CHECK(text_format_from("jsonl") == TextFormat::json_lines);
  CHECK(mentions(refusal(ErrorKind::usage, [] { (void)text_format_from("csv"); }),
                 "auto, json, jsonl and text"));
}

}  // namespace
}  // namespace patchioner
