// patchioner bench metrics: how long the caption metrics take, and whether that grows as the captions do.
#include <memory>
#include <patchioner/error.hpp>

#include "bench.hpp"
#include "data/text_source.hpp"
#include "metrics/bleu.hpp"
#include "metrics/caption_scores.hpp"
#include "metrics/cider.hpp"
#include "metrics/meteor.hpp"
#include "metrics/rouge.hpp"
#include "support/split_mix.hpp"

namespace patchioner {
namespace {

struct MetricsBench {
  std::string captions;
  std::vector<int64_t> items = {5000, 100000};
  int64_t references = 5;
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

/// Prints a line for so many items.
void measure_items(const std::vector<ScoredCaption>& items, const CaptionScoreOptions& options,
                   const MeteorData& meteor) {
  std::vector<Segment> words;
  const double tokenised = seconds_of([&] { words = score_words(items, options); });
  std::unique_ptr<CountedSegments> counted;
  const double bleu = seconds_of([&] {
    counted = std::make_unique<CountedSegments>(words);
    bleu_scores(*counted);
  });
  const double cider = seconds_of([&] { cider_scores(*counted, CiderForm::d); });
  counted.reset();
  const double rouge = seconds_of([&] { rouge_l_scores(words); });
  const double meteors = seconds_of([&] { meteor_scores(words, meteor); });
  const double all = tokenised + bleu + cider + rouge + meteors;
  const auto count = static_cast<double>(items.size());
  const double texts = count * static_cast<double>(items.front().references.size() + 1);
  fmt::print("  {:>8} {:>9.2f} {:>10.0f} {:>7.2f} {:>7.2f} {:>7.2f} {:>8.2f} {:>7.2f} {:>9.1f}\n",
             items.size(), tokenised, texts / tokenised, bleu, cider, rouge, meteors, all, all / count * 1e6);
}

void bench_metrics(const MetricsBench& bench) {
  const std::vector<std::string> captions = read_captions(bench.captions);
  CaptionScoreOptions options;
  options.meteor.data = bench.meteor_data;
  const MeteorData meteor = MeteorData::open(options.meteor);
  fmt::print("captions of {}, {} references an item, one thread; {}{}{}\n", bench.captions, bench.references,
             meteor.metric_name(), meteor.missing().empty() ? "" : ": ", meteor.missing());
  fmt::print("  {:>8} {:>9} {:>10} {:>7} {:>7} {:>7} {:>8} {:>7} {:>9}\n", "", "tokenise", "captions", "BLEU",
             "CIDEr", "ROUGE-L", "METEOR", "all", "us an");
  fmt::print("  {:>8} {:>9} {:>10} {:>7} {:>7} {:>7} {:>8} {:>7} {:>9}\n", "items", "s", "a second", "s", "s",
             "s", "s", "s", "item");
  for (const int64_t count : bench.items) {
    measure_items(draw_items(captions, count, bench.references), options, meteor);
  }
}

}  // namespace

void add_bench_metrics(CLI::App& bench) {
  CLI::App* command =
      bench.add_subcommand("metrics", "Words, BLEU, CIDEr, ROUGE-L and METEOR of captions drawn from a file");
  auto options = std::make_shared<MetricsBench>();
  auto common = std::make_shared<BenchOptions>();
  add_bench_options(*command, *common);
  command->add_option("captions", options->captions, "Captions: one a line, or JSON with captions")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--items", options->items, "Items to score; several numbers show how the time grows")
      ->delimiter(',')
      ->check(CLI::Range(1, 10000000))
      ->capture_default_str();
  add_count(*command, "--references", options->references, "References an item", 1, 100);
  command->add_option("--meteor-data", options->meteor_data,
                      "METEOR's data, a folder or meteor-1.5.jar; an installed WordNet without it");
  command->footer("Example:\n  patchioner bench metrics models/emoji/corpus.txt --items 5000,100000");
  command->callback([options, common] {
    begin_bench(*common);
    bench_metrics(*options);
  });
}

}  // namespace patchioner
