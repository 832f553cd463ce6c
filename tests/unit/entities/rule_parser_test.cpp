// The rules one by one, on a lexicon of a few words (spec/04 section 12.2).
#include "entities/rule_parser.hpp"

#include <nlohmann/json.hpp>

#include "refusals.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

nlohmann::json small_lexicon() {
  return nlohmann::json::parse(R"({
    "entities": ["dog", "dogs", "man", "hat", "kitchen", "counter", "fire truck", "tall tree top", "t-shirt"],
    "attributes": ["red", "big", "old", "asleep"],
    "aliases": {"guy": "man", "firetruck": "fire truck", "tee": "t-shirt"},
    "numbers": {"two": "2", "2": "2"},
    "copulas": ["is", "are"],
    "skip_after_copula": ["very", "and"],
    "dropped_relation_words": ["the", "a", "is", "are", "'s", "very"]})");
}

std::string graph_of(const std::string& caption) {
  const TestFolder folder;
  return RuleParser(SceneGraphLexicon::read(folder.write("lexicon.json", small_lexicon().dump())))
      .parse(caption);
}

TEST_CASE("a caption without things has no graph, one with a bare thing has that") {
  CHECK(graph_of("") == "");
  CHECK(graph_of("Nothing is red.") == "");
  CHECK(graph_of("The DOG.") == "( dog )");
}

TEST_CASE("each thing is related to the next by the words between them") {
  CHECK(graph_of("a man walking the dog") == "( man , walking , dog )");
  CHECK(graph_of("the man's hat") == "( man , and , hat )");
  CHECK(graph_of("man; dog in a hat") == "( man , and , dog ) , ( dog , in , hat )");
}

TEST_CASE("attributes stand in front, joined or not, and numbers are digits") {
  CHECK(graph_of("two big, old and red dogs") ==
        "( dogs , is , 2 ) , ( dogs , is , big ) , ( dogs , is , old ) , ( dogs , is , red )");
  CHECK(graph_of("a man and a red dog") == "( man , and , dog ) , ( dog , is , red )");
  CHECK(graph_of("a man and red dog") == "( man , and , dog ) , ( dog , is , red )");
}

TEST_CASE("attributes stand behind a copula") {
  CHECK(graph_of("the dog is very old and asleep near the man") ==
        "( dog , is , old ) , ( dog , is , asleep ) , ( dog , and near , man )");
  CHECK(graph_of("the dog is big, red") == "( dog , is , big ) , ( dog , is , red )");
  CHECK(graph_of("the dog is sleeping") == "( dog )");
}

TEST_CASE("the longest name counts, and of names that touch the last one") {
  CHECK(graph_of("red tall tree top") == "( tall tree top , is , red )");
  CHECK(graph_of("a red kitchen counter") == "( counter , is , red )");
  CHECK(graph_of("kitchen, counter") == "( kitchen , and , counter )");
}

TEST_CASE("aliases are read as what they stand for, as one word") {
  CHECK(graph_of("a guy in a firetruck in a tee") ==
        "( man , in , fire truck ) , ( fire truck , in , t-shirt )");
}

TEST_CASE("the same fact is said once") {
  CHECK(graph_of("red dog and red dog and red dog") == "( dog , is , red ) , ( dog , and , dog )");
}

TEST_CASE("characters of other scripts and broken bytes are no words") {
  CHECK(graph_of("caf\u00e9 dog\xff man") == "( dog , and , man )");
}

TEST_CASE("a lexicon that lacks a field or holds something else is refused") {
  const TestFolder folder;
  const auto message_of = [&](const nlohmann::json& json) {
    return refusal_of(ErrorKind::data,
                      [&] { (void)SceneGraphLexicon::read(folder.write("l.json", json.dump())); });
  };
  nlohmann::json lexicon = small_lexicon();
  lexicon.erase("copulas");
  mentions(message_of(lexicon), "l.json: the lexicon must have a list 'copulas'");
  lexicon = small_lexicon();
  lexicon["aliases"] = nlohmann::json::array();
  mentions(message_of(lexicon), "must have an object 'aliases', but that is array");
  lexicon = small_lexicon();
  lexicon["attributes"].push_back(3);
  mentions(message_of(lexicon), "'attributes' must hold texts only, but holds 3");
  lexicon["attributes"] = nlohmann::json::array();
  lexicon["entities"] = nlohmann::json::array();
  mentions(message_of(lexicon), "the lexicon has no entities");
  mentions(refusal_of(ErrorKind::data, [&] { (void)SceneGraphLexicon::read(folder.write("m.json", "{")); }),
           "m.json: the lexicon is no valid JSON");
}

}  // namespace
}  // namespace patchioner
