// The lexicon as a file, and what of the emoji world goes into it.
#include "lexicon_file.hpp"

#include "entities/scene_graph_lexicon.hpp"
#include "refusals.hpp"
#include "support/files.hpp"
#include "support/split.hpp"
#include "test_folder.hpp"

namespace patchioner::lexicon {
namespace {

TEST_CASE("what is written is what the parser's reader reads, in lines of bounded width") {
  const TestFolder folder;
  Names many;
  for (int i = 0; i < 200; ++i) {
    many.insert("thing " + std::to_string(i));
  }
  const std::string document = lexicon_document(many, {"red", "big"});
  const SceneGraphLexicon lexicon = SceneGraphLexicon::read(folder.write("lexicon.json", document));
  CHECK(lexicon.entities == WordSet(many.begin(), many.end()));
  CHECK(lexicon.attributes == WordSet{"red", "big"});
  CHECK(lexicon.aliases.at("hotdogs") == "hot dogs");
  CHECK(lexicon.numbers.at("seven") == "7");
  CHECK(lexicon.copulas.contains("are"));
  CHECK(lexicon.skip_after_copula.contains(","));
  CHECK(lexicon.dropped_relation_words.contains("'s"));
  for (const std::string& line : split(document, '\n')) {
    CHECK(line.size() <= 151);
  }
}

TEST_CASE("names of at most three words are taken from tables and lists") {
  const TestFolder folder;
  CHECK(names_of_things(folder.write("things.tsv",
                                     "# a comment\n1F412\tmonkey\ta\tmonkeys\tanimal\n1F35F\tfrench "
                                     "fries\tsome\tboxes of french fries\tfood\n")) ==
        Names{"monkey", "monkeys", "french fries"});
  mentions(refusal_of(ErrorKind::data, [&] { names_of_things(folder.write("bad.tsv", "1F412\tmonkey\n")); }),
           "bad.tsv:1: 2 fields");
  CHECK(names_of_list(folder.write("names.txt", "ice cream cone\na b c d\n\nsky\n")) ==
        Names{"ice cream cone", "sky"});
}

TEST_CASE("words of a text are runs of small letters") {
  const TestFolder folder;
  CHECK(words_of_text(folder.write("text.txt", "a red t-shirt, a RED hat\n")) ==
        std::unordered_set<std::string>{"a", "red", "t-shirt", "hat"});
}

}  // namespace
}  // namespace patchioner::lexicon
