// Vocabularies in each of their forms, and damaged ones. The pickles were written by Python 3's pickle.dumps.
#include "entities/entity_names.hpp"

#include "refusals.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

using Names = std::vector<std::string>;
using namespace std::string_literals;

// {'objects': {'vg': {'x'}, 'joint': {'Dog '}}, 'attributes': {'joint': {'red'}}}, protocol 2
const std::string kPickle =
    "\200\002}q\000(X\007\000\000\000objectsq\001}q\002(X\002\000\000\000vgq\003c__builtin__\012set\012q\004]"
    "q\005X"
    "\001\000\000\000xq\006a\205q\007Rq\010X\005\000\000\000jointq\011h\004]q\012X\004\000\000\000Dog "
    "q\013a\205q\014Rq"
    "\015uX\012\000\000\000attributesq\016}q\017h\011h\004]q\020X\003\000\000\000redq\021a\205q\022Rq\023su."s;
// {'objects': {'joint': {'cat'}}}, protocol 4
const std::string kNewerPickle =
    "\200\004\225#\000\000\000\000\000\000\000}\224\214\007objects\224}\224\214\005joint\224\217\224("
    "\214\003cat\224\220"
    "ss."s;
// ['dog', what calls os.system('true') when it is unpickled]
const std::string kHostileList =
    "\200\002]q\000(X\003\000\000\000dogq\001cposix\012system\012q\002X\004\000\000\000trueq\003\205q\004Rq\005e."s;
const std::string kHostile = "\200\002cposix\012system\012q\000X\004\000\000\000trueq\001\205q\002Rq\003."s;

Names names_in(std::string_view content, const EntityNameOptions& options = {}) {
  const TestFolder folder;
  return read_entity_names(folder.write("v", content), options);
}

std::string refusal_for(std::string_view content, ErrorKind kind = ErrorKind::data) {
  return refusal_of(kind, [&] { (void)names_in(content); });
}

TEST_CASE(
    "a text file has a name a line, which are brought to lower case, stripped and sorted by code point") {
  CHECK(names_in("dog\n Traffic Light \r\n\n\u00c9clair\nCat\nt-shirt\n") ==
        Names{"cat", "dog", "t-shirt", "traffic light", "\u00e9clair"});
}

TEST_CASE("JSON is a list, an object whose keys are names, or one with counts of objects") {
  CHECK(names_in(R"(["zebra", "Apple"])") == Names{"apple", "zebra"});
  CHECK(names_in(R"({"zebra": 2, "apple": 1})") == Names{"apple", "zebra"});
  CHECK(names_in(R"({"label_to_idx": {"x": 1}, "object_count": {"zebra": 20, "apple": 3}})") ==
        Names{"apple", "zebra"});
}

TEST_CASE("of a table the column DisplayName counts, without what stands in brackets at the end") {
  CHECK(
      names_in("LabelName,DisplayName\n/m/1,Mouse (animal)\n/m/2,\"Dog, \"\"big\"\"\"\n/m/3,Bow (x) tie\n") ==
      Names{"bow (x) tie", "dog, \"big\"", "mouse"});
}

TEST_CASE("of the published pickle the set objects, joint counts") {
  CHECK(names_in(kPickle) == Names{"dog"});
  CHECK(names_in(kNewerPickle) == Names{"cat"});
}

TEST_CASE("single words can be asked for alone") {
  CHECK(names_in("dog\nhot dog\nt-shirt\ntea\u00a0cup\n", {.single_words_only = true}) ==
        Names{"dog", "t-shirt"});
}

TEST_CASE("a name that is there twice is refused with both places") {
  mentions(refusal_for("dog\n\ncat\n Dog\n"), "the vocabulary has 'dog' twice, in line 1 and in line 4");
  mentions(refusal_for(R"(["cat", "dog", "CAT"])"), "'cat' twice, in entry 1 and in entry 3");
}

TEST_CASE("a vocabulary without names, or with an empty one, is refused") {
  mentions(refusal_for("\n \n"), "the vocabulary has no names (0 in all)");
  mentions(refusal_for("[]"), "the vocabulary has no names");
  mentions(refusal_for(R"(["dog", " "])"), "the name in entry 2 is empty");
  mentions(refusal_of(ErrorKind::data, [] { (void)names_in("hot dog\n", {.single_words_only = true}); }),
           "no single-word names (1 in all)");
}

TEST_CASE("what is no vocabulary is refused") {
  mentions(refusal_for("[\"dog\", 3]"), "entry 2 of the vocabulary is number");
  mentions(refusal_for("{\"dog\": "), "no valid JSON");
  mentions(refusal_for("dog\n\xff\n"), "neither UTF-8 text (byte 4) nor a pickle");
  mentions(refusal_for("DisplayName,LabelName\ndog,1\n\"\"\n"), "the name in line 3 is empty");
  mentions(refusal_for("LabelName,DisplayName\n/m/1\n"),
           ":2: the line has 1 fields, but DisplayName is column 2");
  mentions(refusal_of(ErrorKind::io, [] { (void)read_entity_names("/nowhere/names.txt"); }),
           "/nowhere/names.txt");
}

TEST_CASE("a pickle of anything else is refused by what it holds, and nothing of it is called") {
  mentions(refusal_for(kHostileList, ErrorKind::checkpoint),
           "entry 2 of the vocabulary is no text but 'posix.system'");
  mentions(refusal_for(kHostile, ErrorKind::checkpoint), "it holds an object of 'posix.system'");
  mentions(refusal_for(kPickle.substr(0, 60), ErrorKind::checkpoint), "pickle");
}

}  // namespace
}  // namespace patchioner
