// WordNet's files read, on a few lines in their format, and the rules of plurals.
#include "wordnet.hpp"

#include "gloss_counts.hpp"
#include "refusals.hpp"
#include "selection.hpp"
#include "test_folder.hpp"

namespace patchioner::lexicon {
namespace {

/// Nouns: thing (tops) > dog, hot_dog (food), "Rex" an instance of dog.
void write_wordnet(const TestFolder& folder) {
  folder.write(
      "data.noun",
      "  1 a licence\n"
      "00000010 03 n 01 thing 0 000 | what there is  \n"
      "00000020 05 n 02 dog 0 domestic_dog 0 001 @ 00000010 n 0000 | an animal; \"the dog barked\"  \n"
      "00000030 13 n 01 hot_dog 0 001 @ 00000010 n 0000 | a Hot Dog in a bun  \n"
      "00000040 05 n 01 Rex 0 001 @i 00000020 n 0000 | a certain dog  \n");
  folder.write("index.noun",
               "  1 a licence\n"
               "dog n 1 1 @ 1 1 00000020  \n"
               "domestic_dog n 1 1 @ 1 0 00000020  \n"
               "hot_dog n 1 1 @ 1 0 00000030  \n"
               "rex n 1 1 @i 1 0 00000040  \n"
               "thing n 1 0 1 0 00000010  \n");
  folder.write("data.verb", "00000010 29 v 01 dog 0 000 01 + 08 00 | follow all the time  \n");
  folder.write("index.verb", "dog v 1 0 1 1 00000010  \n");
  for (const char* name : {"data.adj", "index.adj", "data.adv", "index.adv"}) {
    folder.write(name, "  1 a licence\n");
  }
  folder.write("cntlist.rev", "dog%1:05:00:: 1 42\ndog%2:29:00:: 1 2\n");
  folder.write("noun.exc", "mice mouse\n");
}

TEST_CASE("words have senses, senses have kinds and what they are kinds of, and uses are counted") {
  const TestFolder folder;
  write_wordnet(folder);
  const WordNet net = WordNet::read(folder.path());
  CHECK(net.words(Part::noun).size() == 5);
  CHECK(net.uses(Part::noun, "dog") == 42);
  CHECK(net.uses(Part::noun, "dog", 1) == 0);
  CHECK(net.uses(Part::verb, "dog") == 2);
  CHECK(net.uses(Part::noun, "cat") == 0);
  const Synset& dog = net.noun(net.noun_sense("dog", 1));
  CHECK(dog.kind == Kind::animal);
  CHECK(dog.words == std::vector<std::string>{"dog", "domestic_dog"});
  CHECK_FALSE(dog.is_instance);
  CHECK(net.noun(net.noun_sense("rex", 1)).is_instance);
  CHECK(net.is_below(net.noun_sense("rex", 1), {net.noun_sense("thing", 1)}));
  CHECK_FALSE(net.is_below(net.noun_sense("thing", 1), {dog.offset}));
  mentions(refusal_of(ErrorKind::data, [&] { net.noun_sense("dog", 2); }), "no sense 2 of the noun 'dog'");
}

TEST_CASE("words and phrases of glosses are counted, and what stands where a noun stands") {
  const TestFolder folder;
  write_wordnet(folder);
  const WordNet net = WordNet::read(folder.path());
  const GlossCounts counts(net, phrases_of(net));
  CHECK(counts.of("dog") == 3);  // "the dog barked", "a Hot Dog in", "a certain dog"
  CHECK(counts.of("hot dog") == 1);
  CHECK(counts.of("a certain dog") == 0);  // no name
  CHECK(counts.as_singular_noun("dog") == 1);
  CHECK(counts.as_plural_noun("dog") == 1);
}

TEST_CASE("plurals follow the exceptions, then the rules of spelling") {
  const TestFolder folder;
  write_wordnet(folder);
  const WordNet net = WordNet::read(folder.path());
  for (const auto& [noun, plural] :
       std::vector<std::pair<std::string, std::string>>{{"dog", "dogs"},
                                                        {"hot dog", "hot dogs"},
                                                        {"field mouse", "field mice"},
                                                        {"box", "boxes"},
                                                        {"dish", "dishes"},
                                                        {"city", "cities"},
                                                        {"toy", "toys"},
                                                        {"fireman", "firemen"}}) {
    CHECK(net.plural(noun) == plural);
  }
}

TEST_CASE("what is no WordNet is refused, and a damaged line is named") {
  const TestFolder folder;
  mentions(refusal_of(ErrorKind::io, [&] { WordNet::read(folder.path()); }), "apt-get install wordnet-base");
  write_wordnet(folder);
  folder.write("index.noun", "dog n 2 1 @ 1 1 00000020\n");
  mentions(refusal_of(ErrorKind::data, [&] { WordNet::read(folder.path()); }), "index.noun:1");
}

}  // namespace
}  // namespace patchioner::lexicon
