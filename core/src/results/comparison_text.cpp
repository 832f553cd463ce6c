// A comparison for a terminal.
#include <fmt/format.h>

#include <algorithm>

#include "results/run_comparison.hpp"
#include "support/printable.hpp"

namespace patchioner {
namespace {

/// Rows of cells under one another; the first column on the left, all others on the right.
class AlignedRows {
 public:
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  std::string text() const {
    std::vector<size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()));
      for (size_t i = 0; i < row.size(); ++i) {
        widths[i] = std::max(widths[i], row[i].size());
      }
    }
    std::string text;
    for (const auto& row : rows_) {
      std::string line;
      for (size_t i = 0; i < row.size(); ++i) {
        line +=
            i == 0 ? fmt::format("  {:<{}}", row[i], widths[i]) : fmt::format("  {:>{}}", row[i], widths[i]);
      }
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
    return text;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

std::string fraction(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : "-";
}

std::string config_text(const RunComparison& comparison) {
  if (comparison.config.empty()) {
    return "The configs do not differ.\n";
  }
  std::string text = fmt::format("The configs differ in {} key{}, from A to B:\n", comparison.config.size(),
                                 comparison.config.size() == 1 ? "" : "s");
  constexpr size_t kLineWidth = 110;
  for (const ConfigDifference& difference : comparison.config) {
    const std::string path = printable(difference.path);
    const std::string a = printable(shown_setting(difference.a));
    const std::string b = printable(shown_setting(difference.b));
    const std::string line = fmt::format("  {}: {} -> {}\n", path, a, b);
    text += line.size() <= kLineWidth ? line : fmt::format("  {}:\n      {}\n   -> {}\n", path, a, b);
  }
  return text;
}

std::string metrics_text(const RunComparison& comparison) {
  AlignedRows rows;
  rows.add({"metric", "A", "B", "B - A", "of items", "95 %", "p", "better", "worse", "equal"});
  for (const MetricComparison& metric : comparison.metrics) {
    std::vector<std::string> cells = {printable(metric.name), fraction(metric.a), fraction(metric.b)};
    cells.push_back(metric.a && metric.b ? fmt::format("{:+.4f}", *metric.b - *metric.a) : "-");
    if (metric.items) {
      const PairedDifference& items = *metric.items;
      cells.push_back(fmt::format("{:+.4f}", items.delta));
      cells.push_back(fmt::format("{:+.4f} to {:+.4f}", items.interval.low, items.interval.high));
      cells.push_back(fmt::format("{:.4f}", items.p_value));
      for (const int64_t count : {items.wins, items.losses, items.ties}) {
        cells.push_back(items.counts_items() ? std::to_string(count) : "-");
      }
    }
    rows.add(std::move(cells));
  }
  return rows.text();
}

std::string items_text(const std::vector<ChangedItem>& items, const std::string& metric) {
  std::string text;
  for (const ChangedItem& item : items) {
    text += fmt::format("  {:+.4f}  {}, place {}\n", item.difference, printable(item.a.image),
                        printable(item.a.place));
    text += fmt::format("    A {:.4f}  {}\n    B {:.4f}  {}\n", item.a.values.at(metric),
                        printable(item.a.caption), item.b.values.at(metric), printable(item.b.caption));
    for (const std::string& reference : item.a.references) {
      text += fmt::format("    said      {}\n", printable(reference));
    }
  }
  return text;
}

}  // namespace

std::string comparison_text(const RunComparison& comparison) {
  std::string text = fmt::format("A  {}  {}\nB  {}  {}\n", printable(comparison.name_a),
                                 printable(comparison.a.folder.string()), printable(comparison.name_b),
                                 printable(comparison.b.folder.string()));
  text += fmt::format("{}: {} items of both", printable(comparison.a.dataset), comparison.paired);
  if (comparison.only_a + comparison.only_b > 0) {
    text += fmt::format("; {} of A alone and {} of B alone, which the other left out", comparison.only_a,
                        comparison.only_b);
  }
  text += ".\n\n" + config_text(comparison) + "\n" + metrics_text(comparison);
  for (const std::string& note : comparison.notes) {
    text += "note: " + printable(note) + "\n";
  }
  if (!comparison.metric.empty()) {
    text += fmt::format(
        "\nGained most {}, from A to B:\n{}", printable(comparison.metric),
        comparison.gained.empty() ? "  none\n" : items_text(comparison.gained, comparison.metric));
    text +=
        fmt::format("\nLost most {}:\n{}", printable(comparison.metric),
                    comparison.lost.empty() ? "  none\n" : items_text(comparison.lost, comparison.metric));
  }
  return text;
}

}  // namespace patchioner
