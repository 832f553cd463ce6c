#include "evaluation/evaluation_gallery.hpp"

#include <fmt/ranges.h>

#include <patchioner/error.hpp>
#include <random>

#include "image/image.hpp"
#include "report/encode.hpp"
#include "report/page.hpp"
#include "runtime/caption_images.hpp"
#include "runtime/plugin_sections.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kShownSide = 1600;  // pixels; the page shrinks further

/// An item that has a value, by its line.
struct Ranked {
  size_t line = 0;
  double value = 0;
};

/// The keys of a line that are values of metrics.
std::vector<std::string> measured(const Json& line) {
  std::vector<std::string> names;
  for (const auto& [key, value] : line.items()) {
    const bool is_metric =
        key != "score" && key != "overlap" && key != "boxes_of_image" && key != "id" && value.is_number();
    if (is_metric && std::isfinite(value.get<double>())) {
      names.push_back(key);
    }
  }
  return names;
}

/// Those that any line has, in the order in which they come up.
std::vector<std::string> measured(const std::vector<Json>& lines) {
  std::vector<std::string> all;
  for (const Json& line : lines) {
    for (std::string& name : measured(line)) {
      if (std::find(all.begin(), all.end(), name) == all.end()) {
        all.push_back(std::move(name));
      }
    }
  }
  return all;
}

/// Items with a value of the metric, in the order of the predictions.
std::vector<Ranked> valued(const std::vector<Json>& lines, const std::string& metric) {
  std::vector<Ranked> items;
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto value = lines[i].find(metric);
    if (value != lines[i].end() && value->is_number() && std::isfinite(value->get<double>())) {
      items.push_back({i, value->get<double>()});
    }
  }
  return items;
}

/// The first `count` of them when the best, or the worst, stand first.
std::vector<Ranked> extremes(std::vector<Ranked> items, size_t count, bool best) {
  std::stable_sort(items.begin(), items.end(), [&](const Ranked& a, const Ranked& b) {
    return best ? a.value > b.value : a.value < b.value;
  });
  items.resize(std::min(count, items.size()));
  return items;
}

/// `count` of the items, each at most once, in the order of the lines.
std::vector<Ranked> drawn(std::vector<Ranked> items, size_t count, int64_t seed) {
  std::mt19937_64 random(static_cast<uint64_t>(seed));
  count = std::min(count, items.size());
  for (size_t i = 0; i < count; ++i) {
    std::swap(items[i], items[i + random() % (items.size() - i)]);
  }
  items.resize(count);
  std::sort(items.begin(), items.end(), [](const Ranked& a, const Ranked& b) { return a.line < b.line; });
  return items;
}

class EvaluationPage {
 public:
  EvaluationPage(const Evaluation& evaluation, const Dataset& dataset, const Captioner& captioner,
                 const DatasetPredictions& predictions, const ScoreReport& report,
                 const std::filesystem::path& file)
      : evaluation_(evaluation),
        dataset_(dataset),
        captioner_(captioner),
        predictions_(predictions),
        report_(report),
        page_(file, header()) {}

  void write() {
    const std::string metric = ordering_metric(report_, evaluation_.options);
    if (!metric.empty()) {
      const std::vector<Ranked> items = valued(report_.lines, metric);
      const size_t count = std::min(static_cast<size_t>(evaluation_.options.examples), items.size());
      add("Best", fmt::format("The {} captions with the highest {}.", count, metric),
          extremes(items, count, true));
      add("Worst", fmt::format("The {} captions with the lowest {}, the lowest first.", count, metric),
          extremes(items, count, false));
      add("Random", fmt::format("{} captions drawn by the seed {}.", count, evaluation_.options.seed),
          drawn(items, count, evaluation_.options.seed));
    }
    page_.commit();
  }

 private:
  PageHeader header() const {
    PageHeader header;
    header.title = evaluation_.name();
    header.chain = plugin_chain(evaluation_.config);
    for (const CaptionScores& score : report_.metrics) {
      header.measures.push_back({score.name, score.scores.corpus});
    }
    return header;
  }

  void add(const std::string& title, const std::string& note, const std::vector<Ranked>& items) {
    page_.section(title, note);
    for (const Ranked& item : items) {
      page_.add(shown(item.line));
    }
  }

  ShownImage shown(size_t line) const {
    const size_t prediction = report_.line_predictions[line];
    const RegionPlace& place = predictions_.places[prediction];
    const DatasetImage image = dataset_.image(place.image);
    ShownImage shown;
    shown.title = image.file_name;
    ShownRegion& region = shown.regions.emplace_back();
    region.region = {image.regions[place.region].shape, image.regions[place.region].id};
    region.answers.push_back(answer(report_.lines[line], predictions_.predictions.items[prediction]));
    try {
      CaptionTask task;
      task.image = read_image(image.path, evaluation_.orientation());
      task.regions = {region.region};
      captioner_.prepare(task);
      shown.geometry = task.geometry;
      shown.pixels = shrink(task.image.pixels, kShownSide);
      if (captioner_.aggregator().source() == FeatureSource::patches) {
        region.weights =
            captioner_.caption({&task, 1}, {.weights = true, .decode = false}).front().front().weights;
      }
    } catch (const std::exception& error) {
      shown.error = sentence_of(error);
    }
    return shown;
  }

  static ShownAnswer answer(const Json& line, const Prediction& prediction) {
    ShownAnswer answer;
    answer.caption = prediction.caption;
    answer.score = prediction.score;
    for (const char* key : {"references", "box_references"}) {
      if (answer.references.empty() && line.contains(key)) {
        answer.references = line[key].get<std::vector<std::string>>();
      }
    }
    for (const std::string& name : measured(line)) {
      answer.measures.push_back({name, line[name].get<double>()});
    }
    return answer;
  }

  const Evaluation& evaluation_;
  const Dataset& dataset_;
  const Captioner& captioner_;
  const DatasetPredictions& predictions_;
  const ScoreReport& report_;
  PageWriter page_;
};

}  // namespace

void check_ordering(const EvaluationOptions& options, const std::vector<std::string>& metrics) {
  const std::string& wanted = options.examples_by;
  const bool is_of_items = wanted != "map" && wanted != "detmap";
  if (wanted == "auto" || options.examples == 0 ||
      (is_of_items && std::find(metrics.begin(), metrics.end(), wanted) != metrics.end())) {
    return;
  }
  throw Error(ErrorKind::config,
              "evaluate.examples_by is '{}', of which captions have no values{}; take auto or one of {}",
              wanted, suggestion(wanted, metrics), fmt::join(metrics, ", "));
}

std::string ordering_metric(const ScoreReport& report, const EvaluationOptions& options) {
  const std::vector<std::string> names = measured(report.lines);
  std::vector<std::string> wanted = {"CIDEr", "METEOR", "ROUGE_L", "Bleu_4", "box_METEOR"};
  if (options.examples_by != "auto") {
    wanted = {options.examples_by};
  }
  for (const std::string& metric : wanted) {
    for (const std::string& name : names) {
      // "METEOR(no-paraphrase)" is METEOR as far as it could be had.
      if (name == metric || name.starts_with(metric + "(")) {
        return name;
      }
    }
  }
  return names.empty() || options.examples_by != "auto" ? std::string() : names.front();
}

void write_evaluation_page(const Evaluation& evaluation, const Dataset& dataset, const Captioner& captioner,
                           const DatasetPredictions& predictions, const ScoreReport& report,
                           const std::filesystem::path& file) {
  EvaluationPage(evaluation, dataset, captioner, predictions, report, file).write();
}

}  // namespace patchioner
