#include "results/result_table_html.hpp"

#include <fmt/format.h>

#include "report/encode.hpp"
#include "results/table_layout.hpp"

namespace patchioner {
namespace {

constexpr const char* kNothing = "\u2013";

class TableHtml {
 public:
  explicit TableHtml(const ResultTable& table)
      : table_(table), heads_(row_heads(table)), best_(best_cells(table)) {}

  std::string take() {
    html_ = "<div class=\"scroll\"><table class=\"numbers\">\n";
    add_head();
    html_ += "<tbody>\n";
    for (const RowGroup& group : row_groups(table_)) {
      if (!group.name.empty()) {
        html_ += fmt::format(
            "<tr class=\"group\"><th class=\"first\" scope=\"rowgroup\">{}</th><td "
            "colspan=\"{}\"></td></tr>\n",
            escape_html(group.name), heads_.titles.size() - 1 + table_.columns.size());
      }
      for (const size_t row : group.rows) {
        add_row(row);
      }
    }
    html_ += "</tbody></table></div>\n";
    add_legend();
    add_failures();
    for (const std::string& note : table_.notes) {
      add_note(note);
    }
    return std::move(html_);
  }

 private:
  void add_head() {
    html_ += fmt::format(
        "<thead><tr><th class=\"first\"></th>{}",
        heads_.titles.size() > 1 ? fmt::format("<th colspan=\"{}\"></th>", heads_.titles.size() - 1) : "");
    for (const ColumnGroup& group : column_groups(table_)) {
      html_ += fmt::format("<th class=\"group\" scope=\"colgroup\" colspan=\"{}\">{}</th>", group.count,
                           escape_html(group.title));
    }
    html_ += "</tr>\n<tr>";
    for (size_t i = 0; i < heads_.titles.size(); ++i) {
      html_ += fmt::format("<th class=\"{}\" scope=\"col\">{}</th>", i == 0 ? "first" : "text",
                           escape_html(heads_.titles[i]));
    }
    for (const TableColumn& column : table_.columns) {
      html_ += fmt::format("<th scope=\"col\" title=\"{}\">{}{}</th>", escape_html(column.metric),
                           escape_html(column_title(column)), column.higher_is_better ? "" : " \u2193");
    }
    html_ += "</tr></thead>\n";
  }

  void add_row(size_t index) {
    const TableRow& row = table_.rows[index];
    const std::vector<std::string>& heads = heads_.cells[index];
    html_ +=
        fmt::format("<tr><th class=\"first\" scope=\"row\" title=\"{}\">{}{}</th>", escape_html(row.name),
                    escape_html(heads.front()), row.is_baseline ? "<small>baseline</small>" : "");
    for (size_t i = 1; i < heads.size(); ++i) {
      html_ += fmt::format("<td class=\"text\">{}</td>", escape_html(heads[i]));
    }
    for (size_t i = 0; i < row.cells.size(); ++i) {
      add_cell(table_.columns[i], row.cells[i], best_[index][i]);
    }
    html_ += "</tr>\n";
  }

  void add_cell(const TableColumn& column, const TableCell& cell, bool is_best) {
    if (!cell.failure.empty()) {
      html_ += fmt::format("<td class=\"failed\" title=\"{}\">failed", escape_html(cell.failure));
    } else if (!cell.value) {
      html_ += fmt::format("<td class=\"absent\" title=\"not run\">{}", kNothing);
    } else {
      html_ += fmt::format("<td{}>{}{}", is_best ? " class=\"best\"" : "", shown_value(column, *cell.value),
                           mark(column, cell));
      if (cell.interval) {
        html_ += fmt::format("<small>{} \u2013 {}</small>", shown_value(column, cell.interval->low),
                             shown_value(column, cell.interval->high));
      }
    }
    if (cell.paper) {
      html_ +=
          fmt::format("<small class=\"paper{}\">paper {}</small>", cell.outside_tolerance ? " outside" : "",
                      shown_number(*cell.paper, column.digits));
    }
    html_ += "</td>";
  }

  static std::string mark(const TableColumn& column, const TableCell& cell) {
    const int sign = significance(column, cell);
    if (sign == 0) {
      return {};
    }
    const PairedDifference& difference = *cell.against_baseline;
    return fmt::format("<span class=\"{}\" title=\"{}{} against the baseline, p {:.4f}\">{}</span>",
                       sign > 0 ? "rise" : "fall", difference.delta > 0 ? "+" : "",
                       shown_value(column, difference.delta), difference.p_value,
                       sign > 0 ? "\u25b2" : "\u25bc");
  }

  void add_note(const std::string& note) {
    html_ += fmt::format("<p class=\"note\">{}</p>\n", escape_html(note));
  }

  void add_legend() {
    std::string text = "Bold: the best of its column.";
    text += has_intervals(table_)
                ? fmt::format(" Small: the 95 % interval (bootstrap over {}).", drawn_things(table_))
                : "";
    text += has_differences(table_) ? " \u25b2 \u25bc: " + significance_legend(table_) + "." : "";
    if (has_paper_numbers(table_)) {
      text += " Paper: as printed";
      text += table_.tolerance
                  ? fmt::format("; red where ours is further than {} from it.", tolerance_words(table_))
                  : ".";
    }
    add_note(text);
  }

  void add_failures() {
    const std::vector<TableFailure> failures = table_failures(table_);
    if (failures.empty()) {
      return;
    }
    html_ += "<ul class=\"failures\" aria-label=\"failures\">\n";
    for (const TableFailure& failure : failures) {
      html_ += fmt::format("<li><b>{}</b> on {}: {}", escape_html(failure.row), escape_html(failure.dataset),
                           escape_html(failure.reason));
      html_ += failure.log.empty() ? "" : fmt::format("<br><small>log: {}</small>", escape_html(failure.log));
      html_ += "</li>\n";
    }
    html_ += "</ul>\n";
  }

  const ResultTable& table_;
  RowHeads heads_;
  std::vector<std::vector<bool>> best_;
  std::string html_;
};

}  // namespace

std::string table_html(const ResultTable& table) {
  return TableHtml(table).take();
}

}  // namespace patchioner
