// The pickle machine: every opcode gives a node, nothing is executed, and damage is refused (spec/02
// section 13.2).
#include "checkpoint/pickle_graph.hpp"
#include "pickle_bytes.hpp"
#include "refusals.hpp"

using namespace patchioner;

namespace {

PickleGraph read(const std::string& bytes) {
  // The graph points into the bytes, so they are kept beside it.
  auto kept = std::make_shared<std::string>(bytes);
  return read_pickle({std::as_bytes(std::span<const char>(kept->data(), kept->size())), kept}, "test.pkl");
}

std::string refusal(const std::string& bytes) {
  return refusal_of(ErrorKind::checkpoint, [&] { read(bytes); });
}

int64_t integer_of(const std::string& bytes) {
  const PickleGraph graph = read(bytes);
  REQUIRE(graph.is(graph.root(), NodeKind::integer));
  return graph[graph.root()].integer;
}

double number_of(const std::string& bytes) {
  const PickleGraph graph = read(bytes);
  REQUIRE(graph.is(graph.root(), NodeKind::number));
  return graph[graph.root()].number;
}

std::string text_of(const std::string& bytes) {
  const PickleGraph graph = read(bytes);
  REQUIRE((graph.is(graph.root(), NodeKind::text) || graph.is(graph.root(), NodeKind::bytes)));
  return std::string(graph[graph.root()].text);
}

NodeKind kind_of(const std::string& bytes) {
  const PickleGraph graph = read(bytes);
  return graph[graph.root()].kind;
}

std::string with_zeros(std::string_view text) {
  return std::string(text);
}

}  // namespace

TEST_CASE("integers of every form") {
  CHECK(integer_of("K\xff.") == 255);
  CHECK(integer_of("M\x34\x12.") == 0x1234);
  CHECK(integer_of("J\xfe\xff\xff\xff.") == -2);
  CHECK(integer_of("\x8a\x01\xff.") == -1);
  CHECK(integer_of(with_zeros({"\x8a\x02\xff\x00.", 5})) == 255);
  CHECK(integer_of(with_zeros({"\x8a\x00.", 3})) == 0);
  CHECK(integer_of(with_zeros({"\x8b\x02\x00\x00\x00\x34\x12.", 8})) == 0x1234);
  CHECK(integer_of("I-42\n.") == -42);
  CHECK(integer_of("L123L\n.") == 123);
  CHECK((kind_of("I01\n.") == NodeKind::boolean));
  CHECK((kind_of("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.") == NodeKind::big_integer));
  CHECK((kind_of("L123456789012345678901234567890L\n.") == NodeKind::big_integer));
}

TEST_CASE("numbers of both forms") {
  CHECK(number_of(with_zeros({"G\xbf\xf8\x00\x00\x00\x00\x00\x00.", 10})) == -1.5);
  CHECK(number_of("F2.5\n.") == 2.5);
  CHECK(std::isnan(number_of("Fnan\n.")));
  CHECK(number_of("F-inf\n.") == -std::numeric_limits<double>::infinity());
}

TEST_CASE("texts and bytes of every form") {
  CHECK(text_of(with_zeros({"X\x02\x00\x00\x00hi.", 8})) == "hi");
  CHECK(text_of("\x8c\x02hi.") == "hi");
  CHECK(text_of(with_zeros({"\x8d\x02\x00\x00\x00\x00\x00\x00\x00hi.", 12})) == "hi");
  CHECK(text_of("Vh\\u00e9\xe9\n.") == "h\xc3\xa9\xc3\xa9");
  CHECK(text_of("V\\U0001f600\n.") == "\xf0\x9f\x98\x80");
  CHECK(text_of("S'a\\x41\\n\\''\n.") == "aA\n'");
  CHECK(text_of("U\x02hi.") == "hi");
  CHECK(text_of(with_zeros({"T\x02\x00\x00\x00hi.", 8})) == "hi");
  CHECK((kind_of("C\x02hi.") == NodeKind::bytes));
  CHECK(text_of(with_zeros({"B\x02\x00\x00\x00hi.", 8})) == "hi");
  CHECK(text_of(with_zeros({"\x96\x02\x00\x00\x00\x00\x00\x00\x00hi.", 12})) == "hi");
}

TEST_CASE("what is no character in a text becomes U+FFFD, so that every text is UTF-8") {
  // As Python writes "a\ud800b", in binary and in textual form.
  CHECK(text_of(pickle::text("a\xed\xa0\x80z") + ".") == "a\ufffd\ufffd\ufffdz");
  CHECK(text_of(with_zeros({"\x8c\x01\xff.", 4})) == "\ufffd");
  CHECK(text_of(with_zeros({"\x8d\x01\0\0\0\0\0\0\0\xff.", 11})) == "\ufffd");
  CHECK(text_of("Va\\ud800z\n.") == "a\ufffdz");
  CHECK(text_of("V\\U00110000\n.") == "\ufffd");
  // Bytes are not text, and neither are the strings of Python 2.
  CHECK(text_of(pickle::bytes("\xff") + ".") == "\xff");
  CHECK(text_of(with_zeros({"U\x01\xff.", 4})) == "\xff");
}

TEST_CASE("containers keep their items in order") {
  for (const char* bytes : {"(K\x01K\x02K\x03t.", "K\x01K\x02K\x03\x87.",
                            "](K\x01K\x02K\x03"
                            "e.",
                            "(K\x01K\x02K\x03l.",
                            "]K\x01"
                            "aK\x02"
                            "aK\x03"
                            "a.",
                            "\x8f(K\x01K\x02K\x03\x90.", "(K\x01K\x02K\x03\x91."}) {
    const PickleGraph graph = read(bytes);
    const std::vector<NodeId>& items = graph[graph.root()].items;
    REQUIRE(items.size() == 3);
    for (size_t i = 0; i < 3; ++i) {
      CHECK(graph[items[i]].integer == static_cast<int64_t>(i) + 1);
    }
  }
}

TEST_CASE("maps are built by every opcode, and the last value of a key counts") {
  for (const char* bytes : {"}(\x8c\x01"
                            "aK\x01\x8c\x01"
                            "aK\x02u.",
                            "}\x8c\x01"
                            "aK\x01s\x8c\x01"
                            "aK\x02s.",
                            "(\x8c\x01"
                            "aK\x01\x8c\x01"
                            "aK\x02"
                            "d.",
                            "ccollections\nOrderedDict\n)R\x8c\x01"
                            "aK\x02s."}) {
    const PickleGraph graph = read(bytes);
    REQUIRE(graph.is(graph.root(), NodeKind::dict));
    CHECK(graph[graph.find(graph.root(), "a")].integer == 2);
  }
}

TEST_CASE("an ordered map may be made from a list of pairs") {
  const PickleGraph graph = read(
      pickle::whole(pickle::call(pickle::global("collections", "OrderedDict"),
                                 {pickle::list({pickle::list({pickle::text("a"), pickle::integer(1)}),
                                                pickle::tuple({pickle::text("b"), pickle::integer(2)})})})));
  CHECK(graph[graph.find(graph.root(), "b")].integer == 2);
}

TEST_CASE("the memo gives back what was put into it") {
  CHECK(integer_of("K\x07q\x05"
                   "0h\x05.") == 7);
  CHECK(integer_of(with_zeros({"K\x07r\x00\x00\x01\x00"
                               "0j\x00\x00\x01\x00.",
                               14})) == 7);
  CHECK(integer_of("K\x07p12\n0g12\n.") == 7);
  CHECK(integer_of(with_zeros({"K\x07\x94"
                               "0h\x00.",
                               7})) == 7);
}

TEST_CASE("the stack's own opcodes") {
  CHECK(integer_of("K\x01K\x02"
                   "0.") == 1);
  CHECK(integer_of("K\x01(K\x02K\x03"
                   "1.") == 1);
  CHECK(integer_of("K\x01(0.") == 1);
  const PickleGraph graph = read(
      "K\x01"
      "2\x86.");
  CHECK(graph[graph.root()].items.size() == 2);
}

TEST_CASE("calls stay nodes that name their callable, by every opcode") {
  for (const char* bytes : {"cposix\nsystem\n(K\x01tR.", "cposix\nsystem\n(K\x01t\x81.",
                            "\x8c\x05posix\x8c\x06system\x93(K\x01tR.", "cposix\nsystem\n(K\x01t}\x92.",
                            "(cposix\nsystem\nK\x01o.", "(K\x01iposix\nsystem\n."}) {
    const PickleGraph graph = read(bytes);
    REQUIRE(graph.is(graph.root(), NodeKind::object));
    CHECK(graph.qualified_name(graph.root()) == "posix.system");
    CHECK(graph[graph[graph.root()].items[0]].integer == 1);
  }
}

TEST_CASE("what is done to an unknown object is accepted and only its state is kept") {
  const PickleGraph graph = read(
      "cargparse\nNamespace\n)\x81(K\x01K\x02u(K\x01"
      "e}\x8c\x01xK\x05sb.");
  REQUIRE(graph.is(graph.root(), NodeKind::object));
  CHECK(graph[graph.root()].items.empty());
  CHECK(graph[graph.find(graph[graph.root()].state, "x")].integer == 5);
}

TEST_CASE("a list that holds itself is harmless") {
  const PickleGraph graph = read(
      "]q\x01h\x01"
      "a.");
  CHECK(graph[graph.root()].items == std::vector<NodeId>{graph.root()});
}

TEST_CASE("damaged pickles are refused with the reason and the place") {
  CHECK(contains(refusal(""), "without a stop"));
  CHECK(contains(refusal("K\x01"), "without a stop"));
  CHECK(contains(refusal("."), "empty stack"));
  CHECK(contains(refusal("0."), "empty stack"));
  CHECK(contains(refusal("K\x01("
                         "a."),
                 "empty stack"));
  CHECK(contains(refusal("t."), "mark that was never set"));
  CHECK(contains(refusal("h\x05."), "never remembered"));
  CHECK(contains(refusal("gx\n."), "memo slot"));
  CHECK(contains(refusal("\xff."), "opcode 0xff"));
  CHECK(contains(refusal("\x82\x01."), "opcode 0x82"));  // EXT1
  CHECK(contains(refusal("Pabc\n."), "opcode 0x50"));    // PERSID
  CHECK(contains(refusal("\x97."), "opcode 0x97"));      // NEXT_BUFFER
  CHECK(contains(refusal("\x80\x06."), "protocol 6"));
  CHECK(contains(refusal(with_zeros({"X\xff\xff\xff\x7f"
                                     "a.",
                                     7})),
                 "past the end"));
  CHECK(contains(refusal(with_zeros({"\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", 10})), "past the end"));
  CHECK(contains(refusal(with_zeros({"\x95\xff\xff\xff\xff\xff\xff\xff\xff.", 10})), "frame"));
  CHECK(contains(refusal("T\xff\xff\xff\xff."), "negative"));
  CHECK(contains(refusal("Iabc\n."), "no integer"));
  CHECK(contains(refusal("Fabc\n."), "no number"));
  CHECK(contains(refusal("S'abc\n."), "not quoted"));
  CHECK(contains(refusal("I12"), "line does not end"));
  CHECK(contains(refusal("}(K\x01u."), "without a value"));
  CHECK(contains(refusal("]K\x01K\x02s."), "no map"));
  CHECK(contains(refusal("}K\x01"
                         "a."),
                 "does not take them"));
  CHECK(contains(refusal("cposix\nsystem\nK\x01R."), "tuple of arguments"));
  CHECK(contains(refusal("K\x01K\x02\x93."), "no text"));
  CHECK(contains(refusal("(o."), "no class"));
  CHECK(contains(refusal("K\x01Q."), "persistent id"));
  CHECK(contains(refusal("(\x8c\x05other\x8c\x01xtQ."), "persistent id"));
  CHECK(contains(refusal("ccollections\nOrderedDict\n(](K\x01"
                         "etR."),
                 "pairs"));
}

TEST_CASE("deep nesting is refused, and freeing it does not need the stack") {
  std::string tuples(200'000, '(');
  tuples.append(200'000, 't');
  tuples += '.';
  CHECK(contains(refusal(tuples), "levels deep"));
  std::string lists = "]q\x01";
  for (int i = 0; i < 200'000; ++i) {
    lists +=
        "h\x01]q\x01"
        "a0";  // each list goes into the one before it, so that depth grows unseen
  }
  lists += '.';
  CHECK_NOTHROW(read(lists));
}

TEST_CASE("a remembered container cannot be copied until memory is gone") {
  std::string bytes = "(";
  bytes.append(200'000, ')');
  bytes +=
      "tq\x01"
      "0";
  for (int i = 0; i < 2'000; ++i) {
    bytes += "cx\ny\nh\x01R0";
  }
  CHECK(contains(refusal(bytes), "items"));
}
