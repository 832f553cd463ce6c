// METEOR's parts on small data of the tests' own; the golden cases compare them with METEOR itself.
#include "metrics/meteor.hpp"

#include <zlib.h>

#include "refusals.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

using Words = std::vector<std::string>;

Words words_of(std::string_view text) {
  return meteor_words_of(text, NonbreakingPrefixes::english());
}

void write_gzip(const std::filesystem::path& file, std::string_view content) {
  gzFile out = gzopen(file.c_str(), "wb");
  REQUIRE(gzwrite(out, content.data(), static_cast<unsigned>(content.size())) ==
          static_cast<int>(content.size()));
  gzclose(out);
}

/// Data with a handful of entries.
void write_data(const TestFolder& folder) {
  folder.write("english.words", "the\na\nof\n.\n");
  folder.write("english.prefixes", "# comment\nMr\nNo #NUMERIC_ONLY#\n");
  folder.write("english.synsets",
               "car\n00000010 00000011\nautomobile\n00000010\ngoose\n00000020\nbird\n00000020\n");
  folder.write("english.exceptions", "goose\ngeese\n");
  write_gzip(folder / "paraphrase-en.gz", "0.5\nin front of\nbefore\n0.1\nunseen phrase\nbefore\n");
}

MeteorResult score(const TestFolder& folder, const std::vector<Segment>& segments) {
  return meteor_scores(segments, MeteorData::open({.data = folder.path()}));
}

TEST_CASE("the normaliser sets punctuation apart as METEOR does") {
  CHECK(words_of("A man's dog, isn't it?") == Words{"a", "man", "'s", "dog", ",", "isn", "'t", "it", "?"});
  CHECK(words_of("a-b-c 1,000 x,y") == Words{"a", "b-c", "1,000", "x", ",", "y"});
  CHECK(words_of("U.S. Mr. Fox. No. 5 No. The end.") ==
        Words{"us", "mr.", "fox", ".", "no.", "5", "no", ".", "the", "end", "."});
  CHECK(words_of("dog. the wait... (so)") == Words{"dog.", "the", "wait", "...", "(", "so", ")"});
  CHECK(words_of("\u2019tis \u201cx\u201d \u2013") == Words{"'", "tis", "\"", "x", "\"", "-"});
  CHECK(words_of("plain words 12") == Words{"plain", "words", "12"});
  CHECK(words_of("") == Words{});
}

TEST_CASE("stems are those of Snowball's English of 2010") {
  const EnglishStemmer stemmer;
  CHECK(stemmer.stem("running") == "run");
  CHECK(stemmer.stem("evening") == "even");
  CHECK(stemmer.stem("generously") == "generous");
  CHECK(stemmer.stem("news") == "news");
}

TEST_CASE("words are looked up with their base forms, regular and irregular ones") {
  const TestFolder folder;
  write_data(folder);
  const MeteorData data = MeteorData::open({.data = folder.path()});
  REQUIRE(data.synonyms() != nullptr);
  CHECK(data.synonyms()->synsets_of("cars") == std::vector<uint32_t>{10, 11});
  CHECK(data.synonyms()->synsets_of("geese") == std::vector<uint32_t>{20});
  CHECK(data.synonyms()->synsets_of("gooses").size() == 1);
  CHECK(data.synonyms()->synsets_of("carss").empty());
  CHECK(data.metric_name() == "METEOR");
  CHECK(data.missing().empty());
}

TEST_CASE("exact words, stems, synonyms and paraphrases match") {
  const TestFolder folder;
  write_data(folder);
  const MeteorResult result = score(folder, {{"dogs before the automobile", {"a dog in front of the car"}}});
  const std::vector<MeteorMatch>& matches = result.items[0].alignment.matches;
  REQUIRE(matches.size() == 4);
  CHECK(matches[0] == MeteorMatch{1, 1, 0, 1, MeteorModule::stem});
  CHECK(matches[1] == MeteorMatch{2, 3, 1, 1, MeteorModule::paraphrase});
  CHECK(matches[2] == MeteorMatch{5, 1, 2, 1, MeteorModule::exact});
  CHECK(matches[3] == MeteorMatch{6, 1, 3, 1, MeteorModule::synonym});
  CHECK(result.items[0].alignment.chunks == 1);
  const auto values = result.items[0].statistics.values();
  CHECK(values[0] == 4);   // words of the candidate
  CHECK(values[3] == 3);   // function words of the reference: a of the
  CHECK(values[20] == 1);  // chunks
  CHECK(values[22] == 6);  // matched words of the reference
}

TEST_CASE("a perfect caption scores 1, an empty one 0, and the best reference counts") {
  const TestFolder folder;
  write_data(folder);
  const MeteorResult result = score(folder, {{"a red car", {"dogs", "a red car"}}, {"", {"a"}}, {"x", {}}});
  CHECK(result.items[0].score.score == 1);
  CHECK(result.items[1].score.score == 0);
  CHECK(result.items[2].score.score == 0);
  CHECK(result.corpus.score > 0);
  CHECK(result.corpus.score < 1);
  CHECK(score(folder, {{"a red car", {"a red car"}}, {"dogs", {"dogs"}}}).corpus.score == 1);
}

TEST_CASE("what two words can match is searched for the fewest chunks") {
  const TestFolder folder;
  write_data(folder);
  const MeteorResult result = score(folder, {{"the cat the dog", {"the dog"}}});
  REQUIRE(result.items[0].alignment.matches.size() == 2);
  CHECK(result.items[0].alignment.matches[0].hypothesis_start == 2);
  CHECK(result.items[0].alignment.chunks == 1);
}

TEST_CASE("long texts are aligned as short ones are") {
  const TestFolder folder;
  write_data(folder);
  std::string text;
  for (int i = 0; i < 150; ++i) {
    text += "word" + std::to_string(i % 140) + " ";
  }
  const MeteorResult result = score(folder, {{text, {text + "end"}}});
  CHECK(result.items[0].statistics.hypothesis.matched_words == 150);
  CHECK(result.items[0].alignment.chunks == 1);
}

TEST_CASE("what is missing changes the metric's name and is said") {
  const TestFolder folder;
  write_data(folder);
  std::filesystem::remove(folder / "paraphrase-en.gz");
  const MeteorData without = MeteorData::open({.data = folder.path()});
  CHECK(without.metric_name() == "METEOR(no-paraphrase)");
  mentions(without.missing(), "without paraphrases (paraphrase-en.gz)");

  const TestFolder empty;
  const MeteorData bare = MeteorData::open({.data = {}, .wordnet = empty.path()});
  CHECK(bare.metric_name() == "METEOR(exact-stem)");
  mentions(bare.missing(), "no WordNet in ");
  mentions(refusal_of(ErrorKind::config,
                      [&] { MeteorData::open({.data = {}, .fallback = MeteorFallback::none}); }),
           "set meteor_data (--meteor-data) to a folder with METEOR 1.5's files");
  mentions(refusal_of(ErrorKind::data, [&] { MeteorData::open({.data = empty.path()}); }),
           "none of METEOR's data");
  mentions(refusal_of(ErrorKind::io, [&] { MeteorData::open({.data = empty / "nowhere"}); }),
           "no such file or folder; meteor_data (--meteor-data) names");
}

TEST_CASE("an installed WordNet takes the place of METEOR's synonyms") {
  const TestFolder folder;
  folder.write("index.noun", "  1 licence\ncar n 2 1 @ 2 1 00000010 00000011  \nauto n 1 0 1 1 00000010\n");
  for (const char* name : {"index.verb", "index.adj", "index.adv", "verb.exc", "adj.exc", "adv.exc"}) {
    folder.write(name, "");
  }
  folder.write("noun.exc", "karren car\n");
  const MeteorData data = MeteorData::open({.data = {}, .wordnet = folder.path()});
  CHECK(data.metric_name() == "METEOR(no-paraphrase)");
  CHECK(data.synonyms()->synsets_of("karren") == std::vector<uint32_t>{10, 11});
  CHECK(data.synonyms()->synsets_of("auto") == std::vector<uint32_t>{10});
  folder.write("index.noun", "car n 3 1 @ 2 1 00000010\n");
  mentions(refusal_of(ErrorKind::data, [&] { MeteorData::open({.data = {}, .wordnet = folder.path()}); }),
           "index.noun:1");
}

TEST_CASE("damaged data is refused with its place") {
  const TestFolder folder;
  write_data(folder);
  folder.write("english.synsets", "car\n00000010\nodd\n");
  mentions(refusal_of(ErrorKind::data,
                      [&] {
                        score(folder, {{"a", {"a"}}});
                      }),
           "english.synsets: the last of its 3");
  folder.write("english.synsets", "car\nx10\n");
  mentions(refusal_of(ErrorKind::data, [&] { score(folder, {{"a", {"a"}}}); }), "english.synsets:2");
  write_data(folder);
  write_gzip(folder / "paraphrase-en.gz", "0.5\nin front of\n");
  mentions(refusal_of(ErrorKind::data, [&] { score(folder, {{"a", {"a"}}}); }), "it has 2 lines");
  folder.write("paraphrase-en.gz", "no gzip");
  mentions(refusal_of(ErrorKind::data, [&] { score(folder, {{"a", {"a"}}}); }), "damaged or cut");
}

}  // namespace
}  // namespace patchioner
