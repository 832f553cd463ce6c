// Each promise of the SDK, broken by one of the faulty plugins of tests/broken_plugins, and what is said of
// it.
#include <fmt/ranges.h>

#include <cstdlib>

#include "checked.hpp"

namespace patchioner {
namespace {

/// A fault, the check that must find it, and a part of what that says.
struct Broken {
  std::string fault;
  std::string check;
  std::string sentence;
  std::vector<std::string> more = {};  ///< further overrides
};

void expect_found(const std::string& kind, const std::vector<Broken>& faults) {
  const std::filesystem::path file = broken_plugin("faulty_" + kind);
  for (const Broken& one : faults) {
    std::vector<std::string> overrides = {kind + ".fault=" + one.fault};
    overrides.insert(overrides.end(), one.more.begin(), one.more.end());
    CAPTURE(fmt::format("{}", fmt::join(overrides, " ")));
    const Outcomes outcomes = checked(file, overrides);
    CAPTURE(one.check);
    const CheckOutcome& outcome = outcomes.of(one.check);
    CHECK(to_string(outcome.status) == "failed");
    mentions(outcome.sentence, one.sentence);
  }
}

/// What no method may let out, found by that check. `who` begins the sentence where it is not the method.
void expect_thrown_no_error(const std::string& kind, const std::string& method, const std::string& check,
                            const std::string& who = {}) {
  const std::vector<std::string> in = {kind + ".in=" + method};
  const std::string begin = who.empty() ? method : who;
  expect_found(
      kind, {{"exception", check,
              begin + " threw faulty::OwnException, which is no patchioner::Error: 'the tape is full'", in},
             {"torch", check, begin + " threw c10::Error, which is no patchioner::Error: '", in},
             {"number", check, begin + " threw an object of type int, which is no exception", in}});
}

/// The same of a method that has no reason to throw an Error of kind internal either.
void expect_thrown(const std::string& kind, const std::string& method, const std::string& check,
                   const std::string& who = {}) {
  expect_found(
      kind, {{"error",
              check,
              (who.empty() ? method : who) + " threw an Error of kind internal: 'the dynamo is out of oil'",
              {kind + ".in=" + method}}});
  expect_thrown_no_error(kind, method, check, who);
}

TEST_CASE("without a fault nothing fails") {
  for (const char* kind : {"backbone", "aggregator", "gap", "decoder"}) {
    const Outcomes outcomes = checked(broken_plugin(fmt::format("faulty_{}", kind)));
    CHECK(outcomes.complete);
    CHECK(fmt::format("{}", fmt::join(outcomes.failed(), ", ")) == "");
    CHECK(outcomes.name == fmt::format("faulty_{}", kind));
  }
}

TEST_CASE("what the methods of a backbone throw is a failure that says what and where") {
  expect_thrown("backbone", "image_spec", "description");
  expect_thrown("backbone", "dim", "description");
  expect_thrown("backbone", "capabilities", "description");
  expect_thrown("backbone", "text_fingerprint", "text fingerprint");
  expect_thrown("backbone", "intermediate_names", "intermediates");
  expect_thrown("backbone", "probe", "absent abilities", "probe was given a name that it does not know and");
  expect_thrown("backbone", "encode", "encode");
  expect_thrown("backbone", "encode_text", "texts");
  expect_thrown("backbone", "encode_regions", "regions");
  expect_thrown_no_error("backbone", "encode_token_ids", "token ids");
}

TEST_CASE("what encode throws is told once, and what needs its features is skipped") {
  const Outcomes outcomes =
      checked(broken_plugin("faulty_backbone"), {"backbone.fault=number", "backbone.in=encode"});
  CHECK(to_string(outcomes.of("encode").status) == "failed");
  for (const char* behind : {"finite features", "attention", "no gradients", "images again"}) {
    CHECK(to_string(outcomes.of(behind).status) == "skipped");
    CHECK(outcomes.of(behind).sentence == "encode does not work, see above");
  }
  CHECK(to_string(outcomes.of("texts").status) == "passed");
}

TEST_CASE("a backbone's broken promises are found") {
  expect_found(
      "backbone",
      {{"zero_std", "description", "normalises channel 1 by mean 0 and std 0"},
       {"no_patch", "description", "an input of 16 pixels a side (resize_dim), less than one patch of 32"},
       {"shape", "encode", "the patches have the shape [2,6,4,4]; expected [2,4,4,6]"},
       {"double", "encode", "the patches are of type Double; every interface is float32"},
       {"no_global", "encode", "capabilities().global is true, but encode gives no global token"},
       {"in_place", "encode", "encode changed its input, a tensor [2,3,16,16], in place"},
       {"nan", "finite features", "the patches hold a number that is not finite at [0,0,0,0]: nan"},
       {"attention_sum", "attention", "the attention map of image 1 sums to 0.9; each image's sums to 1"},
       {"attention_sign", "attention", "its values are shares of 1, none below 0"},
       {"gradient", "no gradients", "the patches require gradients"},
       {"inference", "inference mode", "outside of inference mode, after a call in it"},
       {"keeps_inference", "inference mode",
        "encode threw c10::Error, which is no patchioner::Error: 'Inplace"},
       {"text_inference", "inference mode", "the texts' vectors are"},
       {"region_inference", "inference mode", "the regions' features are"},
       {"any_probe", "absent abilities", "probe was given a name that it does not know and threw no Error"},
       {"some_texts", "no texts", "the vectors of no texts have the shape [1,6]; expected [0,6]"},
       {"text_threads", "text threads", "threads instead of 1"},
       {"token_ids", "token ids", "the vectors of token ids have the shape [2,7]; expected [2,6]"},
       {"regions_refused", "regions", "encode_regions refused every region: the whole image, a box"},
       {"region_threads", "region threads", "threads instead of 1"},
       {"region_at_once", "regions at once", "in a call beside another one"},
       {"dropout", "images again", "in a second call with the same image"},
       {"batch", "image batches", "beside another image instead of alone"},
       {"threads", "image threads", "threads instead of 1, and may differ by"},
       {"only_its_size", "one patch",
        "encode threw std::runtime_error, which is no patchioner::Error: 'I was not made for this'"},
       {"only_its_size", "oblong images", "'I was not made for this'"},
       {"bad_pixels", "bad pixels", "encode was given pixels of one channel, [1,1,16,16],"},
       {"any_intermediate", "intermediates",
        "encode was given an intermediate that it does not name and threw no Error"},
       {"forgets_intermediates", "intermediates", "promises 'means', but encode does not give it"},
       {"text_rows", "texts", "the texts' vectors have the shape [3,6]; expected [4,6]"},
       {"same_text", "texts", "different texts have the same vector"},
       {"text_order", "text batches", "in another order"},
       {"no_empty_text", "empty text", "std::out_of_range, which is no patchioner::Error: 'text[0]'"},
       {"region_batch", "regions", "beside other regions instead of alone"},
       {"region_warning", "regions", "warns of region 14 of 7 with the sentence 'somewhere'"},
       {"some_regions", "no regions",
        "the features of no regions are an undefined tensor; expected [0,6] float32"},
       {"undeclared_regions",
        "absent abilities",
        "encode_regions was given regions, which capabilities() rules out, and threw no Error",
        {"backbone.regions=false"}}});
}

TEST_CASE("what the methods of an aggregator throw is a failure that says what and where") {
  expect_thrown("aggregator", "source", "source");
  expect_thrown("aggregator", "needs_attention", "source");
  expect_thrown("aggregator", "needs_attention", "declared features");
  expect_thrown("aggregator", "weights", "weights");
}

TEST_CASE("an aggregator's broken promises are found") {
  expect_found(
      "aggregator",
      {{"shape", "weights", "the weights have the shape [7,7,7]; expected [7,49]"},
       {"double", "weights", "the weights are of type Double"},
       {"scale", "scales", "the scales have the shape [7,1]; expected [7]"},
       {"warning", "scales", "warns of region 7 of 7 with the sentence 'beside'"},
       {"sum", "sum", "the weights of the whole image sum to 2; each row sums to 1"},
       {"nan", "sum", "the weights of the whole image sum to nan; each row sums to 1"},
       {"some_regions", "no regions", "weights threw std::out_of_range, which is no patchioner::Error"},
       {"large_grid", "one patch", "the weights of the whole image sum to 0"},
       {"tiny", "tiny regions", "the weights of a box of a fifth of a pixel sum to 0; each row sums to 1"},
       {"empty", "odd regions", "the weights of a set without boxes sum to 0"},
       {"bad_regions", "bad regions", "weights was given a patch below the grid and threw no Error"},
       {"neighbours", "many regions", "alone instead of beside boxes that do not touch it"},
       {"nan_rows", "sum", "and is NaN only for a region of nothing under empty_region: nan"},
       {"nan_rows", "cropped images", "the weights of the whole image sum to nan"},
       {"nan_tiny", "tiny regions", "the weights of a box of a fifth of a pixel sum to nan"},
       {"nan_empty", "odd regions", "the weights of a set without boxes sum to nan"},
       {"inference", "inference mode", "outside of inference mode, after a call in it"},
       {"random", "again", "in a second call"},
       {"threads", "threads", "threads instead of 1"},
       {"in_place", "input", "weights changed its input, a tensor [7,7,8], in place"},
       {"attention", "declared features",
        "without an attention map, which needs_attention() does not ask for: weights threw"},
       {"cropped", "cropped images",
        "std::logic_error, which is no patchioner::Error: 'crops are not supported'"},
       {"gives_weights",
        "source",
        "source() is not patches, but weights() gives tensors",
        {"aggregator.source=global"}},
       {"needs_attention",
        "source",
        "needs_attention() is true, but source() is not patches",
        {"aggregator.source=global"}}});
}

TEST_CASE("an aggregator may refuse kinds of regions, and what then cannot be looked at is skipped") {
  for (const char* fault : {"boxes_refused", "whole_refused", "crops_refused", "one_patch_refused"}) {
    const Outcomes outcomes =
        checked(broken_plugin("faulty_aggregator"), {fmt::format("aggregator.fault={}", fault)});
    CHECK(fmt::format("{}: {}", fault, fmt::join(outcomes.failed(), ", ")) == fmt::format("{}: ", fault));
    const bool boxes = fault == std::string("boxes_refused");
    CHECK(to_string(outcomes.of("many regions").status) == (boxes ? "skipped" : "passed"));
    const bool crops = fault == std::string("crops_refused");
    CHECK(to_string(outcomes.of("cropped images").status) == (crops ? "skipped" : "passed"));
    const bool one_patch = fault == std::string("one_patch_refused");
    CHECK(to_string(outcomes.of("one patch").status) == (one_patch ? "skipped" : "passed"));
  }
}

TEST_CASE("rows of NaN are right where the options ask for them") {
  for (const char* fault : {"nan_tiny", "nan_empty"}) {
    const Outcomes outcomes =
        checked(broken_plugin("faulty_aggregator"),
                {fmt::format("aggregator.fault={}", fault), "aggregator.empty_region=nan"});
    CHECK(fmt::format("{}", fmt::join(outcomes.failed(), ", ")) == "");
  }
}

TEST_CASE("a backbone may refuse every region that is odd") {
  const Outcomes outcomes = checked(broken_plugin("faulty_backbone"), {"backbone.fault=odd_refused"});
  CHECK(fmt::format("{}", fmt::join(outcomes.failed(), ", ")) == "");
  mentions(outcomes.of("odd regions").sentence, "a mask of one pixel, a box that is the image");
}

TEST_CASE("what the methods of a gap throw is a failure that says what and where") {
  expect_thrown("gap", "dim", "width");
  expect_thrown("gap", "text_fingerprint", "width");
  expect_thrown("gap", "to_text_space", "to_text_space");
  expect_thrown("gap", "perturb", "perturb");
  expect_thrown("gap", "nearest", "nearest");
}

TEST_CASE("a gap's broken promises are found") {
  expect_found("gap", {{"negative_width", "width", "dim() is -1"},
                       {"shape", "to_text_space", "have the shape [16,6]; expected [6,16]"},
                       {"double", "to_text_space", "are of type Double"},
                       {"nan", "finite features", "hold a number that is not finite at [0,0]: nan"},
                       {"inference", "inference mode", "outside of inference mode, after a call in it"},
                       {"some_features", "no features", "std::out_of_range"},
                       {"batch", "batches", "the numbers of feature 1 are"},
                       {"random", "again", "in a second call"},
                       {"threads", "threads", "threads instead of 1"},
                       {"in_place", "input", "to_text_space changed its input, a tensor [6,16], in place"},
                       {"perturb_in_place", "input", "perturb changed its input"},
                       {"perturb_shape", "perturb", "have the shape [5,16]; expected [6,16]"},
                       {"other_noise", "random source", "so something else is random too"},
                       {"nearest_count", "nearest", "nearest() gives 1 lists for 6 features"},
                       {"nearest_order", "nearest", "gives the weight 0.9 behind 0.1"}});
}

TEST_CASE("what the methods of a decoder throw is a failure that says what and where") {
  expect_thrown("decoder", "dim", "width");
  expect_thrown("decoder", "text_fingerprint", "width");
  expect_thrown("decoder", "decode", "decode");
  expect_thrown("decoder", "probe", "unknown probe", "probe was given a name that it does not know and");
  expect_thrown("decoder", "trainable", "training ids");
  expect_thrown("decoder", "training_text", "training ids");
  expect_thrown("decoder", "reads_training_entities", "training ids");
  expect_thrown("decoder", "training_entities", "training ids");
  expect_thrown("decoder", "training_ids", "training ids");
  expect_thrown("decoder", "parameters", "trained parameters");
  expect_thrown("decoder", "loss", "loss");
  expect_thrown_no_error("decoder", "logits", "logits");
  expect_thrown("decoder", "save", "save and load");
  expect_thrown("decoder", "text_fingerprint of the loaded decoder", "save and load");
}

TEST_CASE("a decoder's broken promises are found") {
  expect_found(
      "decoder",
      {{"count", "decode", "decode gives 3 captions for 4 features"},
       {"in_place", "decode", "decode changed its input, a tensor [4,6], in place"},
       {"bytes", "texts", "the text of a caption is no UTF-8 from byte 5 on"},
       {"full_stop", "texts", "begins or ends with a space or a full stop"},
       {"score", "texts", "the score of 'a "},
       {"probability", "log-probabilities", "has a log-probability of 0.5; they are finite and at most 0"},
       {"missing_probability", "log-probabilities", "has 0 log-probabilities for 1 token ids"},
       {"explain", "explain", "when asked to explain"},
       {"some_features", "no features", "std::out_of_range"},
       {"batch", "batches", "alone instead of beside others"},
       {"random", "again", "in a second call"},
       {"threads", "threads", "threads instead of 1"},
       {"inference", "inference mode", "outside of inference mode, after a call in it"},
       {"any_probe", "unknown probe", "probe was given a name that it does not know and threw no Error"},
       {"wants_backbone", "no backbone",
        "std::logic_error, which is no patchioner::Error: 'backbone is null'"},
       {"ids", "training ids",
        "training_ids gives [4,2] of type Float for 4 captions of which 0 are dropped"},
       {"same_names", "trained parameters", "parameters() gives the name 'scale' twice"},
       {"loss_shape", "loss", "loss gives a tensor [2]; expected one number"},
       {"loss_nan", "loss", "the loss of 4 captions is nan"},
       {"random_loss", "loss", "the loss of the same captions is"},
       {"accuracy", "loss", "the accuracy of the loss is 1.5"},
       {"constant_loss", "gradients", "the loss does not depend on parameters()"},
       {"other_parameters", "gradients", "the loss does not depend on parameters()"},
       {"saves_nothing", "save and load", "leaves no such file"},
       {"saves_else", "save and load", "the numbers of 'scale' are 1 and 2 at [0] after save and load"},
       {"loses_fingerprint", "save and load", "is '' and not what save was given, 'the texts of a check'"},
       {"untrainable_loss", "no training", "which trainable() rules out, and threw no Error"}});
}

TEST_CASE("a decoder that cannot be trained is not asked to") {
  const Outcomes outcomes = checked(broken_plugin("faulty_decoder"), {"decoder.fault=untrainable"});
  CHECK(outcomes.failed().empty());
  CHECK(outcomes.of("loss").sentence == "trainable() says that it cannot be trained");
  CHECK(to_string(outcomes.of("no training").status) == "passed");
}

TEST_CASE("an object that cannot be made fails, and what is behind is not run") {
  const Outcomes outcomes =
      checked(broken_plugin("faulty_gap"), {"gap.fault=exception", "gap.in=constructor"});
  CHECK_FALSE(outcomes.complete);
  CHECK(outcomes.numbers.back() == "made");
  mentions(outcomes.of("made").sentence, "could not be made: the tape is full");
}

TEST_CASE("only a file that is missing among the options excuses an object that cannot be made") {
  // `weights` of the decoder is of type path and unset; what is thrown has nothing to do with it.
  const Outcomes outcomes = checked(broken_plugin("needs_file"));
  CHECK(to_string(outcomes.of("made").status) == "skipped");
  mentions(outcomes.of("made").sentence, "its defaults are not enough: ");
  mentions(outcomes.of("made").sentence,
           "name a config that has it with --config FILE, or add decoder.weights=VALUE");
  for (const char* thrown : {"bad_alloc", "torch", "number", "data", "plugin"}) {
    ::setenv("NEEDS_FILE_THROWS", thrown, 1);
    CAPTURE(thrown);
    CHECK(to_string(checked(broken_plugin("needs_file")).of("made").status) == "failed");
  }
  ::unsetenv("NEEDS_FILE_THROWS");
}

TEST_CASE("overrides of what is not read are refused") {
  CHECK(refusal_of(ErrorKind::usage,
                   [] { checked(broken_plugin("faulty_gap"), {"backbone.regions=false"}); }) ==
        "'backbone.regions=false' changes nothing: of 'backbone' nothing is read, since gap 'faulty_gap' is "
        "checked; what is read is gap, plugins, runtime");
  CHECK(checked(broken_plugin("faulty_decoder"), {"runtime.threads=1"}).complete);
}

TEST_CASE("an object that needs options is not made without them, and the sentence says what to type") {
  const std::filesystem::path gaps = std::filesystem::path(PATCHIONER_BINARY_DIR) / "bin/plugins/gap";
  const Outcomes outcomes = checked(gaps / "memory.so");
  CHECK_FALSE(outcomes.complete);
  CHECK(to_string(outcomes.of("made").status) == "skipped");
  CHECK(outcomes.of("made").sentence ==
        "it cannot be made without the option bank; name a config that has it with --config FILE, or add "
        "gap.bank=VALUE");
}

}  // namespace
}  // namespace patchioner
