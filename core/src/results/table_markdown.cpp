// The table in GitHub's Markdown.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "results/display_width.hpp"
#include "results/table_layout.hpp"

namespace patchioner {
namespace {

bool is_word(const std::string& text, size_t place) {
  return place < text.size() && (std::isalnum(static_cast<unsigned char>(text[place])) != 0 ||
                                 static_cast<unsigned char>(text[place]) >= 0x80);
}

/// Text that Markdown shows as it is. An underscore inside a word needs no backslash.
std::string escaped(const std::string& text) {
  std::string result;
  const std::string line = one_line(text);
  for (size_t i = 0; i < line.size(); ++i) {
    const bool is_inside = line[i] == '_' && i > 0 && is_word(line, i - 1) && is_word(line, i + 1);
    if (std::string_view("\\`*_[]<>|~&").find(line[i]) != std::string_view::npos && !is_inside) {
      result += '\\';
    }
    result += line[i];
  }
  return result;
}

std::string code(const std::string& text) {
  // A path with a backtick in it is fenced by more of them.
  const std::string fence = text.find('`') == std::string::npos ? "`" : "``";
  return fence + one_line(text) + fence;
}

std::string cell_text(const TableColumn& column, const TableCell& cell, bool is_best) {
  std::string text = !cell.failure.empty() ? "failed" : "-";
  if (cell.value) {
    const std::string value = shown_value(column, *cell.value);
    const int better = significance(column, cell);
    text = (is_best ? "**" + value + "**" : value) + (better > 0   ? "<sup>+</sup>"
                                                      : better < 0 ? "<sup>-</sup>"
                                                                   : "");
  }
  if (cell.paper) {
    text +=
        fmt::format(" ({}){}", shown_number(*cell.paper, column.digits), cell.outside_tolerance ? "!" : "");
  }
  if (cell.value && cell.interval) {
    text += fmt::format("<br><sub>[{}, {}]</sub>", shown_value(column, cell.interval->low),
                        shown_value(column, cell.interval->high));
  }
  return text;
}

/// Lines of cells, padded so that the source reads as a table too.
std::string padded(const std::vector<std::vector<std::string>>& lines, size_t head_count) {
  std::vector<size_t> widths(lines.front().size(), 3);  // of "---" and "--:"
  for (const std::vector<std::string>& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(line[i]));
    }
  }
  std::string text;
  for (size_t number = 0; number < lines.size(); ++number) {
    for (size_t i = 0; i < widths.size(); ++i) {
      const std::string space(widths[i] - display_width(lines[number][i]), ' ');
      text += i < head_count ? "| " + lines[number][i] + space + " " : "| " + space + lines[number][i] + " ";
    }
    text += "|\n";
    if (number == 0) {
      for (size_t i = 0; i < widths.size(); ++i) {
        text += i < head_count ? "| " + std::string(widths[i], '-') + " "
                               : "| " + std::string(widths[i] - 1, '-') + ": ";
      }
      text += "|\n";
    }
  }
  return text;
}

std::string footer(const ResultTable& table) {
  std::string text;
  if (has_differences(table)) {
    text += "- <sup>+</sup> <sup>-</sup> " + escaped(significance_legend(table)) + "\n";
  }
  if (has_paper_numbers(table)) {
    text += "- In brackets: " + escaped(paper_legend(table)) + "\n";
  }
  if (has_intervals(table)) {
    text += fmt::format("- Small numbers: 95 % intervals (bootstrap over {})\n", drawn_things(table));
  }
  for (const TableFailure& failure : table_failures(table)) {
    text +=
        fmt::format("- Failed: {} on {}: {}{}\n", escaped(failure.row), escaped(failure.dataset),
                    escaped(failure.reason), failure.log.empty() ? "" : " (log: " + code(failure.log) + ")");
  }
  for (const std::string& note : table.notes) {
    text += "- " + escaped(note) + "\n";
  }
  return text.empty() ? text : "\n" + text;
}

}  // namespace

std::string table_markdown(const ResultTable& table) {
  const RowHeads heads = row_heads(table);
  const std::vector<std::vector<bool>> best = best_cells(table);
  std::vector<std::vector<std::string>> lines(1);
  for (const std::string& title : heads.titles) {
    lines.front().push_back(escaped(title));
  }
  for (const ColumnGroup& group : column_groups(table)) {
    for (size_t i = group.first; i < group.first + group.count; ++i) {
      lines.front().push_back(escaped(group.title) + "<br>" + escaped(column_title(table.columns[i])));
    }
  }
  for (const RowGroup& group : row_groups(table)) {
    if (!group.name.empty()) {
      lines.emplace_back(lines.front().size());
      lines.back().front() = "*" + escaped(group.name) + "*";
    }
    for (const size_t row : group.rows) {
      lines.emplace_back();
      for (const std::string& head : heads.cells[row]) {
        lines.back().push_back(escaped(head));
      }
      for (size_t i = 0; i < table.columns.size(); ++i) {
        lines.back().push_back(cell_text(table.columns[i], table.rows[row].cells[i], best[row][i]));
      }
    }
  }
  const std::string title = table.title.empty() ? table.name : table.title;
  return (title.empty() ? "" : "### " + escaped(title) + "\n\n") + padded(lines, heads.titles.size()) +
         footer(table);
}

}  // namespace patchioner
