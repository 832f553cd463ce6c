#include "results/sweep_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <patchioner/error.hpp>

#include "report/page.hpp"
#include "results/result_table_html.hpp"
#include "results/run_index.hpp"
#include "results/sweep_gallery.hpp"
#include "results/sweep_plots.hpp"

namespace patchioner {
namespace {

std::string counted(size_t count, const std::string& what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// The runs' data sets in the order in which the table names them.
std::vector<std::string> datasets_of(const SweepPage& page) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  };
  for (const TableColumn& column : page.table.columns) {
    add(column.dataset);
  }
  for (const RunScores& run : page.runs) {
    add(run.dataset);
  }
  return names;
}

PageHeader header_of(const SweepPage& page) {
  PageHeader header;
  header.title = page.table.title.empty() ? page.table.name : page.table.title;
  const auto finished = static_cast<size_t>(
      std::count_if(page.runs.begin(), page.runs.end(), [](const RunScores& run) { return run.finished; }));
  const auto failed = static_cast<size_t>(std::count_if(
      page.runs.begin(), page.runs.end(), [](const RunScores& run) { return !run.failure.empty(); }));
  header.summary =
      fmt::format("{}, {}; {} of {} finished", counted(page.table.rows.size(), "row"),
                  counted(datasets_of(page).size(), "data set"), finished, counted(page.runs.size(), "run"));
  header.summary += failed > 0 ? fmt::format(", {} failed", failed) : "";
  return header;
}

/// What decides which row is the best of a data set.
double quality(const SweepPage& page, const RunScores& run) {
  std::vector<std::string> metrics = {"CIDEr", "METEOR", "ROUGE_L", "Bleu_4"};
  if (!page.metric.empty()) {
    metrics = {page.metric};
  }
  for (const std::string& metric : metrics) {
    if (const MetricValue* value = run.find(metric); value != nullptr && std::isfinite(value->value)) {
      return value->value;
    }
  }
  return run.metrics.empty() || !std::isfinite(run.metrics.front().value) ? 0 : run.metrics.front().value;
}

/// The finished runs on a data set, in the order of the rows.
std::vector<GalleryRun> gallery_runs(const SweepPage& page, const RunIndex& index,
                                     const std::string& dataset) {
  const std::vector<std::string> names = row_names(page.table);
  std::vector<GalleryRun> runs;
  for (size_t i = 0; i < names.size(); ++i) {
    const RunScores* run = index.find(page.table.rows[i].name, dataset);
    if (run != nullptr && run->finished) {
      runs.push_back({run->row, names[i], run->folder, quality(page, *run)});
    }
  }
  return runs;
}

void add_images(PageWriter& writer, const SweepPage& page, const RunIndex& index,
                const std::string& dataset) {
  const std::vector<GalleryRun> runs = gallery_runs(page, index, dataset);
  if (runs.empty()) {
    return;
  }
  std::shared_ptr<const ResultImages> images;
  std::optional<SweepGallery> gallery;
  try {
    images = page.images ? page.images(dataset)
                         : std::make_shared<const ResultImages>(ResultImages::open(runs.front().folder));
    gallery.emplace(runs, GalleryOptions{page.metric, page.table.baseline, static_cast<size_t>(page.examples),
                                         page.seed});
  } catch (const std::exception& error) {
    writer.section(dataset, fmt::format("Its images cannot be shown: {}", error.what()));
    return;
  }
  gallery->write(writer, dataset, *images);
}

}  // namespace

void write_sweep_page(const SweepPage& page, const std::filesystem::path& file) {
  PageWriter writer(file, header_of(page));
  writer.section("Results", "");
  writer.block(table_html(page.table));
  const RunIndex index(page.runs);
  if (const SweepPlots plots = sweep_plots(page.table, index, page.factors); !plots.note.empty()) {
    writer.section("Plots", plots.note);
    writer.block(plots.html);
  }
  if (page.examples > 0) {
    for (const std::string& dataset : datasets_of(page)) {
      add_images(writer, page, index, dataset);
    }
  }
  writer.commit();
}

}  // namespace patchioner
