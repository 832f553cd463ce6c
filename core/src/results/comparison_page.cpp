// A comparison as one HTML page.
#include <fmt/format.h>

#include <algorithm>

#include "report/encode.hpp"
#include "report/page.hpp"
#include "results/map_bootstrap.hpp"
#include "results/run_comparison.hpp"

namespace patchioner {
namespace {

std::string fraction(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : "\u2013";
}

std::string config_html(const RunComparison& comparison) {
  std::string html = "<div class=\"scroll\"><table class=\"numbers\"><thead><tr><th scope=\"col\">key</th>";
  for (const std::string& name : {comparison.name_a, comparison.name_b}) {
    html += fmt::format("<th class=\"text\" scope=\"col\">{}</th>", escape_html(name));
  }
  html += "</tr></thead><tbody>\n";
  for (const ConfigDifference& difference : comparison.config) {
    html += fmt::format("<tr><th scope=\"row\">{}</th>", escape_html(difference.path));
    for (const std::optional<Value>* value : {&difference.a, &difference.b}) {
      html += fmt::format("<td class=\"text{}\">{}</td>", *value ? "" : " absent",
                          escape_html(shown_setting(*value)));
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string metric_row(const MetricComparison& metric) {
  std::string html = fmt::format("<tr><th scope=\"row\">{}</th>", escape_html(metric.name));
  const bool both = metric.a && metric.b;
  for (const auto& [value, is_best] : {std::pair(metric.a, both && *metric.a > *metric.b),
                                       std::pair(metric.b, both && *metric.b > *metric.a)}) {
    html += fmt::format("<td{}>{}</td>", is_best ? " class=\"best\"" : "", fraction(value));
  }
  html += fmt::format("<td>{}</td>", both ? fmt::format("{:+.4f}", *metric.b - *metric.a) : "\u2013");
  if (!metric.items) {
    return html + "<td>\u2013</td><td></td><td></td><td></td><td></td></tr>\n";
  }
  const PairedDifference& items = *metric.items;
  html += fmt::format("<td>{:+.4f}<br><small>{:+.4f} to {:+.4f}</small></td><td>{:.4f}</td>", items.delta,
                      items.interval.low, items.interval.high, items.p_value);
  for (const int64_t count : {items.wins, items.losses, items.ties}) {
    html += fmt::format("<td>{}</td>", items.counts_items() ? std::to_string(count) : "\u2013");
  }
  return html + "</tr>\n";
}

std::string metrics_html(const RunComparison& comparison) {
  std::string html = fmt::format(
      "<div class=\"scroll\"><table class=\"numbers\"><thead><tr><th scope=\"col\">metric</th><th "
      "scope=\"col\">A: {}</th><th scope=\"col\">B: {}</th><th scope=\"col\">B \u2212 A</th><th "
      "scope=\"col\">of items</th><th scope=\"col\">p</th><th scope=\"col\">better</th><th "
      "scope=\"col\">worse</th><th scope=\"col\">equal</th></tr></thead><tbody>\n",
      escape_html(comparison.name_a), escape_html(comparison.name_b));
  for (const MetricComparison& metric : comparison.metrics) {
    html += metric_row(metric);
  }
  html += "</tbody></table></div>\n";
  for (const std::string& note : comparison.notes) {
    html += fmt::format("<p>Note: {}</p>\n", escape_html(note));
  }
  return html;
}

std::string plural_keys(size_t count) {
  return count == 1 ? "One key differs." : fmt::format("{} keys differ.", count);
}

}  // namespace

void write_comparison_page(const RunComparison& comparison, const ResultImages& images,
                           const std::filesystem::path& file) {
  PageHeader header;
  header.title = fmt::format("{} and {}", comparison.name_a, comparison.name_b);
  header.summary = fmt::format("{}, {} items of both", comparison.a.dataset, comparison.paired);
  if (comparison.only_a + comparison.only_b > 0) {
    header.summary += fmt::format("; {} of {} alone, {} of {} alone", comparison.only_a, comparison.name_a,
                                  comparison.only_b, comparison.name_b);
  }
  PageWriter page(file, header);
  page.section("Configs",
               comparison.config.empty() ? "They do not differ." : plural_keys(comparison.config.size()));
  if (!comparison.config.empty()) {
    page.block(config_html(comparison));
  }
  const bool any_map = std::any_of(
      comparison.metrics.begin(), comparison.metrics.end(),
      [](const MetricComparison& metric) { return is_map(metric.name) && metric.items.has_value(); });
  page.section("Metrics",
               fmt::format("Of all captions together, and the mean of the items' differences with its 95 % "
                           "interval (paired bootstrap){}.",
                           any_map ? "; of mAP, which no item has a value of, over images" : ""));
  page.block(metrics_html(comparison));
  const auto add = [&](const std::string& title, const std::string& note,
                       const std::vector<ChangedItem>& items) {
    page.section(title, items.empty() ? "None." : note);
    for (const ChangedItem& item : items) {
      ShownImage shown = images.shown(item.a);
      shown.title += fmt::format(" ({} {:+.3f})", comparison.metric, item.difference);
      shown.regions.front().answers = {answer_of(item.a, comparison.name_a),
                                       answer_of(item.b, comparison.name_b)};
      page.add(shown);
    }
  };
  if (!comparison.metric.empty()) {
    add("Gained most",
        fmt::format("Where {} rose most from {} to {}.", comparison.metric, comparison.name_a,
                    comparison.name_b),
        comparison.gained);
    add("Lost most", fmt::format("Where {} fell most.", comparison.metric), comparison.lost);
  }
  page.commit();
}

}  // namespace patchioner
