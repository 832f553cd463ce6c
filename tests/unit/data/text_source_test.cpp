// Caption files of every form, and damaged ones.
#include "data/text_source.hpp"

#include <doctest/doctest.h>

#include "refusals.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

using Texts = std::vector<std::string>;

Texts read(const std::filesystem::path& path, TextFormat format = TextFormat::automatic) {
  Texts texts;
  visit_texts(
      path, format,
      [&](SourceText found) {
        texts.push_back(std::move(found.text));
        return true;
      },
      path.filename().string());
  return texts;
}

TEST_CASE("captions are found in every form of file, told by content") {
  const TestFolder folder;
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

TEST_CASE("the text of tab-separated columns is the second one") {
  const TestFolder folder;
  CHECK(read(folder.write("queries.tsv", "7\ta cat\r\n\n8\ta \"dog\"\tmore\n"), TextFormat::tsv) ==
        Texts{"a cat", "a \"dog\""});
  CHECK(contains(refusal_of(ErrorKind::data,
                            [&] { read(folder.write("bad.tsv", "7\ta cat\nno tab\n"), TextFormat::tsv); }),
                 "bad.tsv:2: the line has no second column"));
  CHECK(text_format_from("tsv") == TextFormat::tsv);
}

TEST_CASE("a long document without line ends is told from JSON lines by its beginning") {
  const TestFolder folder;
  std::string document = R"({"info": {}, "annotations": [)";
  for (int i = 0; i < 40000; ++i) {
    document += fmt::format(R"({}{{"caption": "a cat and {} trees beside a house"}})", i == 0 ? "" : ",", i);
  }
  const Texts texts = read(folder.write("coco.json", document + "]}"));
  REQUIRE(texts.size() == 40000);
  CHECK(texts.back() == "a cat and 39999 trees beside a house");
}

TEST_CASE("captions that were stored with features by torch.save are refused by name") {
  const TestFolder folder;
  CHECK(contains(refusal_of(ErrorKind::data, [&] { read(folder.write("captions.pt", "PK\x03\x04rest")); }),
                 "stored with their features by torch.save"));
}

TEST_CASE("a text comes with its image where the file names it, whatever the order of the keys") {
  const TestFolder folder;
  const auto images = [&](std::string_view content) {
    Texts ids;
    visit_texts(
        folder.write("texts", content), TextFormat::automatic,
        [&](const SourceText& found) {
          ids.push_back(found.image_id);
          return true;
        },
        "texts");
    return ids;
  };
  CHECK(images(R"({"annotations": [{"image_id": 7, "caption": "a"}, {"caption": "b", "image_id": "x"},
                                   {"caption": "c", "of": {"image_id": 9}}]})") == Texts{"7", "x", ""});
  CHECK(images(R"([{"text": "a", "image_id": 12345678901}, "b"])") == Texts{"12345678901", ""});
  CHECK(images("{\"caption\": \"a\", \"image_id\": 3}\n\"b\"\n") == Texts{"3", ""});
}

TEST_CASE("a text comes with its entities where the file names them") {
  const TestFolder folder;
  const auto entities = [&](std::string_view content) {
    std::vector<std::optional<Texts>> lists;
    visit_texts(
        folder.write("texts", content), TextFormat::automatic,
        [&](const SourceText& found) {
          lists.push_back(found.entities);
          return true;
        },
        "texts");
    return lists;
  };
  const std::vector<std::optional<Texts>> expected = {Texts{"cat", "dog"}, Texts{}, std::nullopt};
  CHECK((entities("{\"entities\": [\"cat\", \"dog\"], \"caption\": \"a\"}\n"
                  "{\"caption\": \"b\", \"entities\": []}\n\"c\"\n") == expected));
  CHECK((entities(R"([{"text": "a", "entities": ["cat", "dog"]}, {"entities": [], "text": "b"}, "c"])") ==
         expected));
  CHECK((entities(R"({"annotations": [{"entities": ["cat", "dog"], "caption": "a"},
                                     {"caption": "b", "entities": []}, {"caption": "c"}]})") == expected));
  for (const char* wrong :
       {R"("cat")", R"(["cat", 7])", R"([["cat"]])", R"([{"cat": 1}])", "{}", "null", "3"}) {
    CAPTURE(wrong);
    CHECK(contains(
        refusal_of(ErrorKind::data,
                   [&] { entities(fmt::format("\"a\"\n{{\"caption\": \"b\", \"entities\": {}}}", wrong)); }),
        "texts:2: \"entities\" must be an array of texts"));
    CHECK(contains(
        refusal_of(
            ErrorKind::data,
            [&] { entities(fmt::format("[\"a\", {{\"caption\": \"b\", \"entities\": {}}}]", wrong)); }),
        "texts: \"entities\" of entry 1 must be an array of texts"));
  }
}

TEST_CASE("of an object with a caption and a text the caption counts") {
  const TestFolder folder;
  CHECK(read(folder.write("a", R"([{"text": "t", "caption": "c"}, {"caption": "c", "text": "t"}])")) ==
        Texts{"c", "c"});
}

TEST_CASE("captions that look like JSON at first are still captions") {
  const TestFolder folder;
  CHECK(read(folder.write("a.txt", "\"stop\" reads the sign\n")) == Texts{"\"stop\" reads the sign"});
  CHECK(read(folder.write("b.txt", "[cat] a cat\n{x}\n")) == Texts{"[cat] a cat", "{x}"});
  CHECK(read(folder.write("c.txt", "[\"a\"]\n"), TextFormat::lines) == Texts{"[\"a\"]"});
}

TEST_CASE("plain lines that are no UTF-8 are replaced, not refused") {
  const TestFolder folder;
  CHECK(read(folder.write("latin.txt", "caf\xe9\n")) == Texts{"caf\xef\xbf\xbd"});
}

TEST_CASE("reading stops when it is asked to") {
  const TestFolder folder;
  for (const char* content : {R"(["a", "b", "c"])", "a\nb\nc\n", "\"a\"\n\"b\"\n\"c\"\n"}) {
    int seen = 0;
    visit_texts(
        folder.write("texts", content), TextFormat::automatic, [&](const SourceText&) { return ++seen < 2; },
        "texts");
    CHECK(seen == 2);
  }
}

TEST_CASE("a file that is damaged or holds no captions is refused with its place") {
  const TestFolder folder;
  const auto message = [&](std::string_view content, TextFormat format = TextFormat::automatic) {
    const auto path = folder.write("texts.x", content);
    return refusal_of(ErrorKind::data, [&] { (void)read(path, format); });
  };
  CHECK(contains(message(""), "empty"));
  CHECK(contains(message(" \n\n"), "empty"));
  CHECK(contains(message(R"(["a", "b)"), "behind 1 texts"));
  CHECK(contains(message(R"({"annotations": [{"caption": "a"}, {"caption": )"), "behind 1 texts"));
  CHECK(contains(message(R"({"images": []})"), "holds no captions"));
  CHECK(contains(message(R"({"annotations": [{"caption": "a"}, {"text": "b"}]})"),
                 "annotations[1] has no text 'caption'"));
  CHECK(contains(message(R"({"annotations": [{"caption": 3, "segmentation": [1, 2]}]})"), "annotations[0]"));
  CHECK(contains(message(R"({"annotations": ["a"]})"), "annotations[0] has no text 'caption'"));
  CHECK(contains(message(R"(["a", 2])"), "entry 1 of the list has no text"));
  CHECK(contains(message(R"(["a", ["b"]])"), "entry 1 of the list has no text"));
  CHECK(contains(message(R"([{"text": "a"}, {"words": "b"}])"), "entry 1 of the list has no text"));
  CHECK(contains(message("[]"), "holds no captions"));
  CHECK(contains(message("\"a\"\n{\"id\": 1}\n"), "texts.x:2"));
  CHECK(contains(message("\"a\"\nplain\n", TextFormat::json_lines), "texts.x:2"));
  CHECK(contains(message(std::string("\x89PNG\r\n\0\0\0", 9)), "no text file"));
  CHECK(contains(message("{\"a\": " + std::string(100000, '[')), "nested"));
  CHECK(contains(message("plain", TextFormat::json), "no valid JSON"));
  CHECK(contains(refusal_of(ErrorKind::io, [&] { (void)read(folder / "absent"); }), "absent"));
}

TEST_CASE("formats have five names") {
  CHECK(text_format_from("auto") == TextFormat::automatic);
  CHECK(text_format_from("jsonl") == TextFormat::json_lines);
  CHECK(contains(refusal_of(ErrorKind::usage, [] { (void)text_format_from("csv"); }),
                 "auto, json, jsonl, tsv and text"));
}

}  // namespace
}  // namespace patchioner
