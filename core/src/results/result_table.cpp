#include "results/result_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <patchioner/error.hpp>
#include <set>
#include <span>
#include <unordered_map>

#include "results/map_bootstrap.hpp"
#include "results/run_index.hpp"
#include "results/table_layout.hpp"
#include "support/nearest_name.hpp"
#include "support/some_names.hpp"

namespace patchioner {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

TableCell cell_of(const RunScores* run, const std::string& metric) {
  TableCell cell;
  if (run == nullptr) {
    return cell;
  }
  if (!run->finished) {
    cell.failure = run->failure;
    cell.log = run->log.string();
    return cell;
  }
  if (const MetricValue* value = run->find(metric)) {
    cell.metric = value->name;
    cell.value = value->value;
  }
  return cell;
}

/// A sentence when some runs of the column's data set have finished and none has its metric.
std::string without_metric(const TableColumn& column, const std::vector<const RunScores*>& runs) {
  std::vector<std::string> known;
  for (const RunScores* run : runs) {
    if (run == nullptr || !run->finished) {
      continue;
    }
    if (run->find(column.metric) != nullptr) {
      return {};
    }
    for (const MetricValue& metric : run->metrics) {
      if (std::find(known.begin(), known.end(), metric.name) == known.end()) {
        known.push_back(metric.name);
      }
    }
  }
  return known.empty() ? std::string()
                       : fmt::format("no run on '{}' has {}; there are {}", column.dataset, column.metric,
                                     fmt::join(known, ", "));
}

/// "METEOR is METEOR(no-paraphrase) here": such values are others than those the column's name promises.
void note_variants(ResultTable& table, const std::vector<std::string>& titles) {
  struct Variant {
    std::string metric;
    std::string found;
    std::set<size_t> rows;
  };
  std::vector<Variant> variants;
  std::map<std::string, std::set<size_t>> rows_with;  // of each metric, those that have it in any form
  for (size_t place = 0; place < table.rows.size(); ++place) {
    const TableRow& row = table.rows[place];
    for (size_t i = 0; i < row.cells.size(); ++i) {
      const std::string& metric = table.columns[i].metric;
      const std::string& found = row.cells[i].metric;
      if (found.empty()) {
        continue;
      }
      rows_with[metric].insert(place);
      if (found == metric) {
        continue;
      }
      auto variant = std::find_if(variants.begin(), variants.end(), [&](const Variant& known) {
        return known.metric == metric && known.found == found;
      });
      if (variant == variants.end()) {
        variant = variants.insert(variants.end(), {metric, found, {}});
      }
      variant->rows.insert(place);
    }
  }
  for (const Variant& variant : variants) {
    std::vector<std::string> names;
    for (const size_t place : variant.rows) {
      names.push_back(titles[place]);
    }
    const bool everywhere = variant.rows.size() == rows_with[variant.metric].size();
    table.notes.push_back(fmt::format("{} is {} {}: such values compare only with each other", variant.metric,
                                      variant.found, everywhere ? "here" : "of " + some_names(names)));
  }
}

/// What intervals need of a run's items. Not-a-number where an item has no value.
struct ItemValues {
  std::vector<std::string> places;
  std::map<std::string, std::vector<double>> values;  ///< by metric, parallel to the places
  std::optional<RunMaps> maps;                        ///< where mAP is wanted: no item has a value of it

  std::span<const double> of(const std::string& metric) const {
    const auto found = values.find(metric);
    return found == values.end() ? std::span<const double>() : found->second;
  }
};

ItemValues read_item_values(const RunScores& run, const std::set<std::string>& metrics,
                            const TableOptions& options) {
  ItemValues items;
  std::optional<DetectionLines> detections;
  for (const std::string& metric : metrics) {
    if (is_map(metric)) {
      detections.emplace();
    } else {
      items.values[metric];
    }
  }
  visit_scored_items(run.folder, [&](ScoredItem&& item) {
    if (detections) {
      detections->add(item);
    }
    for (auto& [metric, values] : items.values) {
      const auto value = item.values.find(metric);
      values.push_back(value == item.values.end() ? kNone : value->second);
    }
    items.places.push_back(std::move(item.place));
  });
  if (detections) {
    items.maps = run_maps(run, std::move(*detections), options.resamples, options.seed);
  }
  std::erase_if(items.values, [](const auto& entry) {
    return std::all_of(entry.second.begin(), entry.second.end(),
                       [](double value) { return std::isnan(value); });
  });
  return items;
}

/// The baseline of one data set.
struct Baseline {
  std::string title;
  ItemValues items;
  std::unordered_map<std::string, size_t> order;  ///< of its places

  Baseline(std::string row, ItemValues read) : title(std::move(row)), items(std::move(read)) {
    for (size_t i = 0; i < items.places.size(); ++i) {
      order.emplace(items.places[i], i);
    }
  }

  size_t count_shared(const ItemValues& row) const {
    return static_cast<size_t>(
        std::count_if(row.places.begin(), row.places.end(),
                      [&](const std::string& place) { return order.contains(place); }));
  }

  /// A row's values in the baseline's order.
  std::vector<double> aligned(const ItemValues& row, std::span<const double> values) const {
    std::vector<double> result(items.places.size(), kNone);
    for (size_t i = 0; i < values.size(); ++i) {
      if (const auto place = order.find(row.places[i]); place != order.end()) {
        result[place->second] = values[i];
      }
    }
    return result;
  }
};

PairedDifference difference(const Baseline& baseline, const ItemValues& row, const TableColumn& column,
                            const std::string& metric, const TableOptions& options) {
  PairedDifference result = paired_bootstrap(baseline.aligned(row, row.of(metric)), baseline.items.of(metric),
                                             options.resamples, options.seed);
  if (!column.higher_is_better) {
    std::swap(result.wins, result.losses);
  }
  return result;
}

/// Fills in the intervals of one data set's columns, a run at a time: items of all of them would not fit into
/// memory.
class IntervalFiller {
 public:
  /// `titles` are parallel to the rows.
  IntervalFiller(ResultTable& table, const RunIndex& runs, const std::vector<std::string>& titles,
                 const TableOptions& options)
      : table_(table), runs_(runs), titles_(titles), options_(options) {}

  void fill(const std::string& dataset) {
    std::optional<Baseline> baseline;
    for (size_t place = 0; place < table_.rows.size(); ++place) {
      if (table_.rows[place].is_baseline) {
        if (std::optional<ItemValues> items = read(place, dataset)) {
          baseline.emplace(titles_[place], std::move(*items));
        }
      }
    }
    for (size_t place = 0; place < table_.rows.size(); ++place) {
      if (table_.rows[place].is_baseline) {
        if (baseline) {
          fill_row(place, dataset, baseline->items, nullptr);
        }
      } else if (const std::optional<ItemValues> items = read(place, dataset)) {
        fill_row(place, dataset, *items, baseline ? &*baseline : nullptr);
      }
    }
  }

  void add_notes() {
    if (!without_items_.empty()) {
      table_.notes.push_back(fmt::format("no intervals of {}: no items.jsonl lies in their folders",
                                         some_names(without_items_)));
    }
    for (const auto& [reason, runs] : without_maps_) {
      table_.notes.push_back(fmt::format("no intervals of mAP of {}: {}", some_names(runs), reason));
    }
    table_.notes.insert(table_.notes.end(), notes_.begin(), notes_.end());
  }

 private:
  std::optional<ItemValues> read(size_t place, const std::string& dataset) {
    const TableRow& row = table_.rows[place];
    const RunScores* run = runs_.find(row.name, dataset);
    std::set<std::string> metrics;
    for (size_t i = 0; i < row.cells.size(); ++i) {
      if (table_.columns[i].dataset == dataset && row.cells[i].value) {
        metrics.insert(row.cells[i].metric);
      }
    }
    if (metrics.empty()) {
      return std::nullopt;
    }
    if (!std::filesystem::exists(run->folder / "items.jsonl")) {
      without_items_.push_back(fmt::format("{} on {}", titles_[place], dataset));
      return std::nullopt;
    }
    ItemValues items = read_item_values(*run, metrics, options_);
    if (items.maps && !items.maps->missing.empty()) {
      const std::string& reason = items.maps->missing;
      auto same = std::find_if(without_maps_.begin(), without_maps_.end(),
                               [&](const auto& known) { return known.first == reason; });
      if (same == without_maps_.end()) {
        same = without_maps_.insert(same, {reason, {}});
      }
      same->second.push_back(fmt::format("{} on {}", titles_[place], dataset));
    }
    return items;
  }

  void fill_row(size_t place, const std::string& dataset, const ItemValues& items, const Baseline* baseline) {
    TableRow& row = table_.rows[place];
    const size_t shared = baseline != nullptr ? baseline->count_shared(items) : 0;
    if (baseline != nullptr && (shared < items.places.size() || shared < baseline->items.places.size())) {
      notes_.push_back(fmt::format(
          "differences of {} to {} on {} are of the {} items that both have, of {} and {}", titles_[place],
          baseline->title, dataset, shared, items.places.size(), baseline->items.places.size()));
    }
    for (size_t i = 0; i < row.cells.size(); ++i) {
      TableCell& cell = row.cells[i];
      if (table_.columns[i].dataset != dataset || !cell.value || !std::isfinite(*cell.value)) {
        continue;
      }
      if (is_map(cell.metric)) {
        fill_map(cell, *items.maps, baseline);
        continue;
      }
      if (items.of(cell.metric).empty()) {
        continue;
      }
      cell.interval =
          bootstrap_interval(items.of(cell.metric), *cell.value, options_.resamples, options_.seed);
      if (shared > 0 && !baseline->items.of(cell.metric).empty()) {
        cell.against_baseline = difference(*baseline, items, table_.columns[i], cell.metric, options_);
      }
    }
  }

  static void fill_map(TableCell& cell, const RunMaps& maps, const Baseline* baseline) {
    if (!maps.metrics.contains(cell.metric)) {
      return;
    }
    cell.interval = maps.bootstrap->interval(cell.metric);
    if (baseline != nullptr && baseline->items.maps && baseline->items.maps->metrics.contains(cell.metric)) {
      cell.against_baseline = maps.bootstrap->against(*baseline->items.maps->bootstrap, cell.metric);
    }
  }

  ResultTable& table_;
  const RunIndex& runs_;
  const std::vector<std::string>& titles_;
  const TableOptions& options_;
  std::vector<std::string> without_items_;                                      ///< "CLIP on emoji_dense"
  std::vector<std::pair<std::string, std::vector<std::string>>> without_maps_;  ///< by the reason, likewise
  std::vector<std::string> notes_;
};

void mark_baseline(ResultTable& table) {
  std::vector<std::string> names;
  bool found = table.baseline.empty();
  for (TableRow& row : table.rows) {
    row.is_baseline = !table.baseline.empty() && row.name == table.baseline;
    found |= row.is_baseline;
    names.push_back(row.name);
  }
  if (!found) {
    throw Error(ErrorKind::usage, "the baseline '{}' is no row of the table{}", table.baseline,
                suggestion(table.baseline, names));
  }
}

}  // namespace

void fill_table(ResultTable& table, const std::vector<RunScores>& runs, const TableOptions& options) {
  mark_baseline(table);
  for (TableRow& row : table.rows) {
    row.cells.clear();
  }
  const RunIndex index(runs);
  const std::vector<std::string> titles = row_titles(table);
  std::vector<std::string> datasets;
  for (const TableColumn& column : table.columns) {
    std::vector<const RunScores*> of_dataset;
    for (TableRow& row : table.rows) {
      of_dataset.push_back(index.find(row.name, column.dataset));
      row.cells.push_back(cell_of(of_dataset.back(), column.metric));
    }
    if (const std::string note = without_metric(column, of_dataset);
        !note.empty() && std::find(table.notes.begin(), table.notes.end(), note) == table.notes.end()) {
      table.notes.push_back(note);
    }
    if (std::find(datasets.begin(), datasets.end(), column.dataset) == datasets.end()) {
      datasets.push_back(column.dataset);
    }
  }
  note_variants(table, titles);
  if (options.intervals) {
    IntervalFiller filler(table, index, titles, options);
    for (const std::string& dataset : datasets) {
      filler.fill(dataset);
    }
    filler.add_notes();
  }
}

std::vector<std::vector<bool>> best_cells(const ResultTable& table) {
  std::vector<std::vector<bool>> best(table.rows.size(), std::vector<bool>(table.columns.size(), false));
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const TableColumn& column = table.columns[i];
    // Rounded as they are shown: whoever reads equal digits sees equal values.
    std::vector<double> shown;
    for (const TableRow& row : table.rows) {
      const bool has_value = row.cells[i].value && !std::isnan(*row.cells[i].value);
      shown.push_back(has_value ? std::stod(shown_value(column, *row.cells[i].value)) : kNone);
    }
    const auto better = [&](double left, double right) {
      return column.higher_is_better ? left > right : left < right;
    };
    double most = kNone;
    size_t count = 0;
    for (const double value : shown) {
      count += std::isnan(value) ? 0 : 1;
      most = std::isnan(most) || better(value, most) ? value : most;
    }
    for (size_t row = 0; row < shown.size(); ++row) {
      best[row][i] = count > 1 && shown[row] == most;
    }
  }
  return best;
}

}  // namespace patchioner
