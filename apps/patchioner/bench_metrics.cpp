// patchioner bench metrics: how long the caption metrics take, and whether that grows as the captions do; of
// captions drawn from a file, or of one's own predictions and references.
#include <memory>
#include <patchioner/error.hpp>

#include "bench.hpp"
#include "data/text_source.hpp"
#include "metrics/bleu.hpp"
#include "metrics/caption_scores.hpp"
#include "metrics/cider.hpp"
#include "metrics/meteor.hpp"
#include "metrics/rouge.hpp"
#include "metrics/score_items.hpp"
#include "scoring/spice_metric.hpp"
#include "support/split_mix.hpp"

namespace patchioner {
namespace {

struct MetricsBench {
  std::string captions;
  std::vector<int64_t> items = {5000, 25000, 50000, 100000};
  int64_t references_an_item = 5;
  std::string predictions;
  std::vector<std::string> references;
  std::string meteor_data;
};

std::vector<std::string> read_captions(const std::string& file) {
  std::vector<std::string> captions;
  visit_texts(
      file, TextFormat::automatic,
      [&](const SourceText& text) {
        captions.push_back(text.text);
        return true;
      },
      file);
  return captions;
}

/// Captions drawn for candidates and references; the same ones every time.
std::vector<ScoredCaption> draw_items(const std::vector<std::string>& captions, int64_t items,
                                      int64_t references) {
  uint64_t counter = 0;
  const auto draw = [&]() -> const std::string& {
    counter += kSplitMixStep;
    return captions[split_mix(counter) % captions.size()];
  };
  std::vector<ScoredCaption> drawn;
  for (int64_t i = 0; i < items; ++i) {
    ScoredCaption item{.id = std::to_string(i), .candidate = draw(), .references = {}};
    for (int64_t j = 0; j < references; ++j) {
      item.references.push_back(draw());
    }
    drawn.push_back(std::move(item));
  }
  return drawn;
}

/// Those of a file of predictions, with their references.
std::vector<ScoredCaption> read_items(const MetricsBench& bench) {
  const Predictions predictions = read_predictions(bench.predictions);
  if (predictions.have_references()) {
    return score_items(predictions).captions;
  }
  DatasetOptions options;
  options.files = {bench.references.begin(), bench.references.end()};
  return score_items(predictions, Dataset::open(options), {}).captions;
}

/// Prints a line for these items.
void measure_items(const std::vector<ScoredCaption>& items, const CaptionScoreOptions& options,
                   const MeteorData& meteor) {
  Took all;
  const auto seconds = [&all](const std::function<void()>& work) {
    const Took took = time_of(work);
    all.seconds += took.seconds;
    all.processor += took.processor;
    return took.seconds;
  };
  std::vector<Segment> words;
  const double tokenised = seconds([&] { words = score_words(items, options); });
  std::unique_ptr<CountedSegments> counted;
  const double bleu = seconds([&] {
    counted = std::make_unique<CountedSegments>(words);
    bleu_scores(*counted);
  });
  const double cider = seconds([&] { cider_scores(*counted, CiderForm::d); });
  counted.reset();
  const double rouge = seconds([&] { rouge_l_scores(words); });
  const double meteors = seconds([&] { meteor_scores(words, meteor); });
  SpiceOptions rules;
  rules.synonyms = options.meteor;
  const double spice = seconds([&] { spice_scores(items, words, rules); });
  size_t texts = items.size();
  for (const ScoredCaption& item : items) {
    texts += item.references.size();
  }
  fmt::print(
      "  {:>8} {:>9.2f} {:>10.0f} {:>7.2f} {:>7.2f} {:>7.2f} {:>8.2f} {:>12.2f} {:>8.2f} {:>9.2f} {:>8.3f}\n",
      items.size(), tokenised, static_cast<double>(texts) / tokenised, bleu, cider, rouge, meteors, spice,
      all.seconds, all.processor, all.seconds / static_cast<double>(items.size()) * 1000);
}

void bench_metrics(const MetricsBench& bench) {
  if (bench.captions.empty() == bench.predictions.empty()) {
    throw Error(ErrorKind::usage,
                "bench metrics takes a file of captions, or --predictions with --references");
  }
  std::vector<std::string> captions;
  std::vector<ScoredCaption> own;
  if (bench.predictions.empty()) {
    captions = read_captions(bench.captions);
  } else {
    own = read_items(bench);
  }
  CaptionScoreOptions options;
  options.meteor.data = bench.meteor_data;
  std::optional<MeteorData> meteor;
  const double opened = seconds_of([&] { meteor = MeteorData::open(options.meteor); });
  fmt::print("{}, one thread; {}{}{}, its data opened in {:.2f} s\n",
             own.empty() ? fmt::format("captions of {}, {} references an item", bench.captions,
                                       bench.references_an_item)
                         : fmt::format("predictions of {}", bench.predictions),
             meteor->metric_name(), meteor->missing().empty() ? "" : ": ", meteor->missing(), opened);
  constexpr auto kHeads = "  {:>8} {:>9} {:>10} {:>7} {:>7} {:>7} {:>8} {:>12} {:>8} {:>9} {:>8}\n";
  fmt::print(kHeads, "", "tokenise", "captions", "BLEU", "CIDEr", "ROUGE-L", "METEOR", "SPICE(rules)", "all",
             "processor", "s a 1000");
  fmt::print(kHeads, "items", "s", "a second", "s", "s", "s", "s", "s", "s", "s", "items");
  if (!own.empty()) {
    measure_items(own, options, *meteor);
    return;
  }
  for (const int64_t count : bench.items) {
    measure_items(draw_items(captions, count, bench.references_an_item), options, *meteor);
  }
}

}  // namespace

void add_bench_metrics(CLI::App& bench) {
  CLI::App* command =
      bench.add_subcommand("metrics", "Words, BLEU, CIDEr, ROUGE-L, METEOR and SPICE of captions");
  auto options = std::make_shared<MetricsBench>();
  auto common = std::make_shared<BenchOptions>();
  add_bench_options(*command, *common);
  command
      ->add_option("captions", options->captions, "Captions to draw from: one a line, or JSON with captions")
      ->check(CLI::ExistingFile);
  command
      ->add_option("--items", options->items,
                   "Items to score, drawn from the captions; several numbers show how the time grows")
      ->delimiter(',')
      ->check(CLI::Range(1, 10000000))
      ->capture_default_str();
  add_count(*command, "--references-an-item", options->references_an_item, "References drawn for an item", 1,
            100);
  command
      ->add_option("--predictions", options->predictions,
                   "Score these instead, all of them once, as `patchioner score` does")
      ->check(CLI::ExistingFile);
  command->add_option("--references", options->references, "Annotations with the references of --predictions")
      ->check(CLI::ExistingPath);
  command->add_option("--meteor-data", options->meteor_data,
                      "METEOR's data, a folder or meteor-1.5.jar; an installed WordNet without it");
  command->footer(
      "Examples:\n  patchioner bench metrics models/emoji/corpus.txt --items 5000,100000\n"
      "  patchioner bench metrics --predictions results.json --references captions_val2014.json");
  command->callback([options, common] {
    begin_bench(*common);
    bench_metrics(*options);
  });
}

}  // namespace patchioner
