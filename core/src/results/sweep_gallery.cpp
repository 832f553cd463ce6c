#include "results/sweep_gallery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace patchioner {
namespace {

ShownAnswer answer(const std::string& name, const std::optional<ScoredItem>& item,
                   const std::string& metric) {
  if (item) {
    return answer_of(*item, name, {metric});
  }
  ShownAnswer answer;
  answer.from = name;
  answer.error = "left out by this run";
  return answer;
}

}  // namespace

std::pair<size_t, size_t> best_and_baseline(const std::vector<GalleryRun>& runs,
                                            const std::string& baseline) {
  size_t best = 0;
  size_t worst = 0;
  std::optional<size_t> named;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (!baseline.empty() && runs[i].row == baseline) {
      named = i;
    }
    worst = runs[i].value < runs[worst].value ? i : worst;
  }
  const size_t against = named.value_or(worst);
  best = against == 0 && runs.size() > 1 ? 1 : 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (i != against && runs[i].value > runs[best].value) {
      best = i;
    }
  }
  return {best, against};
}

std::vector<GalleryRun> runs_to_show(const std::vector<GalleryRun>& runs, const std::string& baseline,
                                     size_t most) {
  if (runs.size() <= most) {
    return runs;
  }
  std::vector<size_t> order(runs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t left, size_t right) { return runs[left].value > runs[right].value; });
  const auto [best, against] = best_and_baseline(runs, baseline);
  std::set<size_t> chosen = {best, against, order.back()};
  std::erase_if(order, [&](size_t place) { return chosen.contains(place); });
  const size_t steps = most - chosen.size();
  for (size_t step = 0; step < steps; ++step) {
    chosen.insert(order[(2 * step + 1) * order.size() / (2 * steps)]);
  }
  std::vector<GalleryRun> shown;
  for (const size_t place : chosen) {
    shown.push_back(runs[place]);
  }
  return shown;
}

SweepGallery::SweepGallery(const std::vector<GalleryRun>& runs, const GalleryOptions& options)
    : runs_(runs_to_show(runs, options.baseline, kMostAnswers)) {
  if (runs_.size() < runs.size()) {
    left_out_note_ =
        fmt::format(" Of {} rows {} are shown, from the best to the worst in equal steps; {} are left out.",
                    runs.size(), runs_.size(), runs.size() - runs_.size());
  }
  std::tie(best_, baseline_) = best_and_baseline(runs_, options.baseline);
  random_note_ = fmt::format("Drawn by the seed {}.", options.seed);
  read_examples(options);
  // One run after another, so that of large data sets no more than two are in memory.
  for (size_t i = 0; i < runs_.size(); ++i) {
    visit_scored_items(runs_[i].folder, [&](ScoredItem&& item) {
      if (const auto place = said_.find(item.place); place != said_.end()) {
        place->second[i] = std::move(item);
      }
    });
  }
}

void SweepGallery::read_examples(const GalleryOptions& options) {
  const std::vector<ScoredItem> of_best = read_scored_items(runs_[best_].folder);
  const std::vector<ScoredItem> of_baseline =
      best_ == baseline_ ? of_best : read_scored_items(runs_[baseline_].folder);
  const PairedItems items = pair_items(of_baseline, of_best);
  metric_ = ordering_metric(items.pairs, options.metric);
  const auto add = [&](std::vector<Example>& examples, const ItemChange& change) {
    const std::string& place = items.pairs[change.pair].b->place;
    examples.push_back({place, change.difference});
    said_[place].resize(runs_.size());
  };
  for (const ItemChange& change : most_gained(items.pairs, metric_, options.examples)) {
    add(gained_, change);
  }
  for (const ItemChange& change : most_lost(items.pairs, metric_, options.examples)) {
    add(lost_, change);
  }
  for (const size_t pair : drawn(items.pairs.size(), options.examples, options.seed)) {
    add(random_, {pair, 0});
  }
}

void SweepGallery::write(PageWriter& page, const std::string& title, const ResultImages& images) const {
  if (best_ != baseline_ && !metric_.empty()) {
    const auto note = [&](const char* side, const std::vector<Example>& examples) {
      return examples.empty() ? "None."
                              : fmt::format("Where {} of {} is farthest {} that of {}.", metric_,
                                            runs_[best_].name, side, runs_[baseline_].name);
    };
    page.section(title + ": gained most", note("above", gained_) + left_out_note_);
    show(page, images, gained_);
    page.section(title + ": lost most", note("below", lost_) + left_out_note_);
    show(page, images, lost_);
  }
  page.section(title + ": at random", random_note_ + left_out_note_);
  show(page, images, random_);
}

void SweepGallery::show(PageWriter& page, const ResultImages& images,
                        const std::vector<Example>& examples) const {
  for (const Example& example : examples) {
    const std::vector<std::optional<ScoredItem>>& said = said_.at(example.place);
    ShownImage image = images.shown(*said[best_]);
    if (example.difference != 0) {
      image.title += fmt::format(" ({} {:+.3f})", metric_, example.difference);
    }
    for (size_t i = 0; i < runs_.size(); ++i) {
      image.regions.front().answers.push_back(answer(runs_[i].name, said[i], metric_));
    }
    page.add(image);
  }
}

}  // namespace patchioner
