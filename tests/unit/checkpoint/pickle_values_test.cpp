// Settings out of pickled objects.
#include "checkpoint/pickle_values.hpp"

#include "pickle_bytes.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"

using namespace patchioner;
using namespace patchioner::pickle;

TEST_CASE("the attributes of a pickled object are read as plain values") {
  const TestFolder folder;
  const Bytes state = dict_of({{"n_layer", integer(3)},
                               {"resid_pdrop", Bytes("G\x3f\xb9\x99\x99\x99\x99\x99\x9a", 9)},
                               {"tie", "\x88"},
                               {"n_inner", "N"},
                               {"act", text("gelu_new")},
                               {"names", list({text("a"), integer(2)})},
                               {"labels", dict({{integer(0), text("x")}})},
                               {"dtype", global("torch", "float32")}});
  const auto json = read_pickle_plain_values(
      folder.write("config.pkl", whole(new_object("transformers", "GPT2Config", state))));
  CHECK(json["n_layer"] == 3);
  CHECK(json["resid_pdrop"] == 0.1);
  CHECK(json["tie"] == true);
  CHECK(json["n_inner"].is_null());
  CHECK(json["act"] == "gelu_new");
  CHECK(json["names"] == nlohmann::json({"a", 2}));
  CHECK(json["labels"]["0"] == "x");
  CHECK_FALSE(json.contains("dtype"));
}

TEST_CASE("a plain dict, and one inside of a torch archive, are read too") {
  const TestFolder folder;
  CHECK(read_pickle_plain_values(folder.write("d.pkl", whole(dict_of({{"a", integer(1)}}))))["a"] == 1);
  write_archive(folder / "d.pt", dict_of({{"a", integer(1)}}));
  CHECK(read_pickle_plain_values(folder / "d.pt")["a"] == 1);
}

TEST_CASE("what holds no settings, is no pickle, or never ends is refused") {
  const TestFolder folder;
  const auto refusal = [&](const Bytes& content) {
    const auto path = folder.write("c.pkl", content);
    return refusal_of(ErrorKind::checkpoint, [&] { read_pickle_plain_values(path); });
  };
  CHECK(contains(refusal(whole(integer(3))), "no settings"));
  CHECK(contains(refusal(whole(call(global("posix", "system"), {text("true")}))), "no settings"));
  CHECK(contains(refusal("vocab_size: 3"), "no pickle"));
  CHECK(contains(refusal(""), "no pickle"));
  CHECK(contains(refusal(whole("}q\x01" + text("me") + "h\x01s")), "no config"));
  CHECK(contains(refusal("\x80\x02}"), "without a stop"));
}
