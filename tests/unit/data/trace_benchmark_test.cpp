// The steps of spec/01 section 10; the golden case pipeline/trace_benchmark has a whole file.
#include "data/trace_benchmark.hpp"

#include "data/narrator_rules.hpp"
#include "data/sentence_rewriter.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

Narrative narrative_of(const std::vector<Utterance>& utterances, int points, double step) {
  Narrative narrative;
  narrative.image_id = "0042";
  narrative.utterances = utterances;
  for (int i = 0; i < points; ++i) {
    narrative.points.push_back({0.5, 0.5, i * step});
  }
  return narrative;
}

}  // namespace

TEST_CASE("sentences end with a full stop, and what is left is one") {
  const auto sentences = trace_sentences(narrative_of(
      {{" A dog ", 0, 1}, {"runs. ", 1, 2}, {"Wow!", 3, 4}, {"and", 5, 6}, {" ", 6, 7}, {"grass", 7, 8}}, 0,
      1));
  REQUIRE(sentences.size() == 3);
  CHECK(sentences[0].text == "A dog runs.");
  CHECK(sentences[0].end == 2);
  CHECK(sentences[1].text == "Wow!");
  CHECK(sentences[2].text == "and grass");
  CHECK(sentences[2].start == 5);
  CHECK(sentences[2].end == 8);
}

TEST_CASE("a sentence has the points within its span, both ends included, less 15 % at each end") {
  const auto sentences = trace_sentences(narrative_of({{"A.", 1, 20}, {"B.", 20, 21}}, 100, 1));
  CHECK(sentences[0].point_count == 20);
  CHECK(sentences[0].trimmed == 3);
  REQUIRE(sentences[0].points.size() == 14);
  CHECK(sentences[0].points.front().t == 4);
  CHECK(sentences[0].points.back().t == 17);
  CHECK(sentences[1].point_count == 2);  // the point at 20 belongs to both
  CHECK(sentences[1].trimmed == 0);
}

TEST_CASE("a reply is what stands between braces") {
  CHECK(parse_reply("Sure: {A dog.}\n").caption == "A dog.");
  CHECK(parse_reply("{ a {b} c } and").caption == "a {b} c");
  CHECK(parse_reply("{<INVALID>}").fate == SentenceFate::invalid);
  CHECK(parse_reply("I cannot help.").fate == SentenceFate::no_braces);
  CHECK(parse_reply("} {").fate == SentenceFate::no_braces);
  CHECK(parse_reply("{ }").fate == SentenceFate::empty);
}

TEST_CASE("the benchmark has the images with samples, by whole numbers") {
  TraceBenchmark benchmark;
  benchmark.add(
      narrative_of({{"A dog.", 0, 5}, {"Bad.", 0, 5}, {"Unanswered.", 0, 5}, {"Late.", 50, 60}}, 6, 1));
  Narrative other = narrative_of({{"Bad.", 0, 5}}, 6, 1);
  other.image_id = "7";
  benchmark.add(other);
  CHECK(benchmark.sentences() == std::vector<std::string>{"A dog.", "Bad.", "Unanswered."});
  std::map<SentenceFate, size_t> fates;
  nlohmann::ordered_json all;
  benchmark.write(
      {{"A dog.", "{Dog.}"}, {"Bad.", "no"}},
      [&](const std::string& key, const nlohmann::ordered_json& value) { all[key] = value; }, fates);
  REQUIRE(all.size() == 1);
  CHECK(all["42"]["captions"].dump() == R"(["Dog."])");
  CHECK(all["42"]["traces"][0].size() == 6);
  CHECK(fates[SentenceFate::no_braces] == 2);
  CHECK(fates[SentenceFate::no_points] == 1);
  CHECK(fates[SentenceFate::no_reply] == 1);
}

TEST_CASE("rules make captions of what narrators say") {
  const std::vector<std::pair<std::string, std::string>> examples = {
      // The paper's examples (section 10), where rules can give what its language model gave.
      {"We can see a young elephant stands which is near the water in a wooded area.",
       "A young elephant stands near the water in a wooded area."},
      {"In the left of the image, we see a pole that has two green street signs on it.",
       "A pole has two green street signs on it."},
      {"We can see two surfboards which are stuck in the sand along the seashore.",
       "Two surfboards stuck in the sand along the seashore."},
      {"This image consists of a man which rides a wakeboard behind a boat.",
       "A man rides a wakeboard behind a boat."},
      {"In the background, there are a bunch of sticky notes and a pair of scissors.",
       "A bunch of sticky notes and a pair of scissors."},
      {"It looks like a sepia-toned photograph of a motorcycle underneath the shadow of a tree.",
       "A sepia-toned photograph of a motorcycle underneath the shadow of a tree."},
      {"There is a sky", "A sky."},
      {"She is smiling.", "A smiling girl."},
      {"The image is taken indoor.", ""},
      {"This image is edited.", ""},
      {"The image is blurred.", ""},
      {"I think he is about to jump.", ""},
      {"At the bottom of the image there are side mirrors.", "Side mirrors."},
      {"I can observe water and grass on the ground.", "Water and grass on the ground."},
      {"The background of the image is blurred.", ""},
      // And of our own.
      {"On the table there is a cup.", "A cup on the table."},
      {"On the table there is a cup on a plate.", "A cup on a plate."},
      {"This is the picture of a road on which there are vehicles.", "A road on which there are vehicles."},
      {"On the left side of the image uh there is a man who is walking.", "A man walking."},
      {"It is a black and white image.", ""},
      {"On the left.", ""},
      {"Wow!", ""},
      {"", ""},
  };
  for (const auto& [spoken, caption] : examples) {
    CAPTURE(spoken);
    CHECK(caption_by_rules(spoken).value_or("") == caption);
  }
}

TEST_CASE("replies come from a file, by sentence") {
  const TestFolder folder;
  const std::vector<std::string> sentences = {"A.", "B."};
  const auto object = reply_file_rewriter(folder.write("o.json", R"({"A.": "{a}", "C.": "{c}"})"));
  CHECK(object->rewrite(sentences) == Replies{{"A.", "{a}"}});
  const auto lines = reply_file_rewriter(
      folder.write("l.jsonl", "{\"sentence\": \"B.\", \"prompt\": \"p\", \"reply\": \"{b}\"}\n\n"));
  CHECK(lines->rewrite(sentences) == Replies{{"B.", "{b}"}});
  mentions(refusal_of(ErrorKind::data, [&] { reply_file_rewriter(folder.write("x.json", R"({"A.": 3})")); }),
           "the reply to \"A.\" (byte 7) is not a text");
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        reply_file_rewriter(folder.write(
                            "y.jsonl", "{\"sentence\": \"B.\", \"reply\": \"b\"}\n{\"sentence\": 1}\n"));
                      }),
           "y.jsonl:2");
  CHECK(prompt_for("Rewrite <INPUT CAPTION>!", "A.") == "Rewrite A.!");
  mentions(refusal_of(ErrorKind::data, [] { prompt_for("Rewrite", "A."); }), "<INPUT CAPTION>");
}
