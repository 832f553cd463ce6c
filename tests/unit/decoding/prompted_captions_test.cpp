// Captions and their alternatives over the small model of the golden case decoders/viecap.
#include "decoding/prompted_captions.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/unit_length.hpp"
#include "refusals.hpp"
#include "text/caption_text.hpp"

namespace patchioner {
namespace {

const std::string kFolder = std::string(PATCHIONER_SOURCE_DIR) + "/tests/parity/decoders/viecap/";

PromptedOptions options_with(const Value::Map& search, const std::string& score = "log_probability") {
  PromptedOptions options;
  options.weights = kFolder + "coco_prefix-0014.pt";
  options.tokenizer = Value::Map{{"merges", kFolder + "merges.txt"}};
  options.heads = Value::Map{{"mapping", int64_t{8}}, {"language_model", int64_t{4}}};
  options.search = search;
  options.layout = "no_hard";
  options.score = score;
  return options;
}

PromptedCaptions captions_of(const PromptedOptions& options) {
  return PromptedCaptions(options, PromptedKind::viecap, PluginContext());
}

at::Tensor three_features() {
  return unit_rows(at::sin(at::arange(72, at::kFloat).view({3, 24})));
}

/// The search's texts of `features`, as PromptedGpt2 gives them.
std::vector<std::vector<FoundText>> found_by(const PromptedCaptions& captions,
                                             const PromptedOptions& options) {
  return captions.model().search(captions.model().prompts(three_features(), {}, PromptLayout::no_hard),
                                 options.search_options());
}

TEST_CASE(
    "the best text of a search is the caption, the next ones its alternatives, scored by the same rule") {
  for (const Value::Map& search :
       {Value::Map{{"type", "beam"}, {"beam_width", int64_t{4}}, {"n_best", int64_t{3}}},
        Value::Map{{"type", "nucleus"}, {"n_best", int64_t{3}}}}) {
    const PromptedOptions options = options_with(search);
    const PromptedCaptions likely = captions_of(options);
    const auto found = found_by(likely, options);
    const auto captions = likely.captions(three_features(), {}, true);
    const auto perplex = captions_of(options_with(search, "perplexity")).captions(three_features(), {}, true);
    REQUIRE(captions.size() == 3);
    for (size_t row = 0; row < captions.size(); ++row) {
      const Caption& caption = captions[row];
      REQUIRE(caption.alternatives.size() == 2);
      REQUIRE(perplex[row].alternatives.size() == 2);
      CHECK(caption.token_ids == found[row][0].ids);
      CHECK(caption.score == found[row][0].score);
      double previous = caption.score;
      for (size_t i = 0; i < 2; ++i) {
        const AlternativeCaption& other = caption.alternatives[i];
        CHECK(other.raw_text == likely.model().tokenizer().decode(found[row][i + 1].ids));
        CHECK(other.text == strip_caption(other.raw_text));
        CHECK(other.score == found[row][i + 1].score);
        CHECK(other.score <= previous);
        previous = other.score;
        // The order stays the search's, whatever is reported.
        CHECK(perplex[row].alternatives[i].raw_text == other.raw_text);
        CHECK(perplex[row].alternatives[i].score ==
              doctest::Approx(likely.model().perplexities(std::span(&other.raw_text, 1))[0]).epsilon(1e-4));
      }
    }
  }
}

TEST_CASE("without n_best there are no alternatives") {
  for (const char* type : {"greedy", "beam", "nucleus"}) {
    for (const Caption& caption :
         captions_of(options_with({{"type", type}})).captions(three_features(), {}, false)) {
      CHECK(caption.alternatives.empty());
      CHECK_FALSE(caption.token_ids.empty());
    }
  }
}

TEST_CASE("sampling follows its options: no share is greedy, equal rows are equal, seeds differ") {
  const auto ids = [](const Value::Map& search, const at::Tensor& features) {
    std::vector<std::vector<int64_t>> all;
    for (const Caption& caption : captions_of(options_with(search)).captions(features, {}, false)) {
      all.push_back(caption.token_ids);
    }
    return all;
  };
  CHECK(ids({{"type", "nucleus"}, {"top_p", 1e-6}}, three_features()) ==
        ids({{"type", "greedy"}}, three_features()));
  const Value::Map flat{{"type", "nucleus"}, {"top_p", 1.0}, {"temperature", 3.0}};
  Value::Map other = flat;
  other.emplace_back("seed", int64_t{1});
  const auto first = ids(flat, three_features());
  CHECK(first == ids(flat, three_features()));
  CHECK(first != ids(other, three_features()));
  const at::Tensor equal = three_features().index_select(0, at::tensor({2, 2}, at::kLong));
  const auto twice = ids(flat, equal);
  CHECK(twice[0] == twice[1]);
  CHECK(twice[0] == first[2]);
}

TEST_CASE("a score is the perplexity, the same negated, or the search's own") {
  const auto scored = [](const std::string& score) {
    return captions_of(options_with(Value::Map{}, score)).captions(three_features(), {}, false)[0].score;
  };
  CHECK(scored("perplexity") > 1);
  CHECK(scored("neg_perplexity") == -scored("perplexity"));
  CHECK(scored("log_probability") < 0);
}

TEST_CASE("a caption that reads as more ids than the model has places is scored by those it has") {
  const PromptedCaptions captions = captions_of(options_with(Value::Map{}));
  std::string text;
  for (int i = 0; i < 300; ++i) {
    text += "\xEF\xBF\xBD";  // what a broken byte is shown as
  }
  CHECK(std::isfinite(captions.model().perplexities(std::vector<std::string>{text})[0]));
}

TEST_CASE("an empty text that captions should stop behind is refused where it is said") {
  const std::string message = refusal_of(ErrorKind::config, [&] {
    captions_of(options_with(Value::Map{{"stop", Value::List{""}}}));
  });
  CHECK(contains(message, "decoder.search.stop holds an empty text"));
}

TEST_CASE("a prompt that leaves no room for a caption is refused with file and numbers") {
  PromptedOptions options = options_with(Value::Map{{"max_length", int64_t{126}}});
  const std::string message =
      refusal_of(ErrorKind::config, [&] { captions_of(options).captions(three_features(), {}, false); });
  CHECK(contains(message,
                 "coco_prefix-0014.pt: a prompt of 4 positions and the 126 tokens of a caption are "
                 "more than the 128 positions"));
}

TEST_CASE("a search that cannot find the texts that are wanted is refused with both numbers") {
  const auto refusal = [](const Value::Map& search) {
    return refusal_of(ErrorKind::config, [&] { (void)options_with(search).search_options(); });
  };
  const std::string greedy = refusal({{"n_best", int64_t{2}}});
  mentions(greedy, "n_best' is 2");
  mentions(greedy, "nucleus");
  const std::string beam = refusal({{"type", "beam"}, {"beam_width", int64_t{3}}, {"n_best", int64_t{4}}});
  mentions(beam, "n_best' is 4");
  mentions(beam, "width 3");
  mentions(refusal({{"type", "nucleus"}, {"n_best", int64_t{0}}}), "n_best");
  mentions(refusal({{"type", "nucleus"}, {"top_p", 1.5}}), "top_p");
  mentions(refusal({{"type", "nucleus"}, {"seed", int64_t{-1}}}), "seed");
}

}  // namespace
}  // namespace patchioner
