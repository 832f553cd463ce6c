// The table for a paper.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "results/table_layout.hpp"

namespace patchioner {
namespace {

/// Text that LaTeX sets as it is. Brackets and stars are braced: behind \\ they would be its options.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char character : one_line(text)) {
    switch (character) {
      case '&':
      case '%':
      case '_':
      case '#':
      case '$':
      case '{':
      case '}':
        result += '\\';
        result += character;
        break;
      case '\\':
        result += "\\textbackslash{}";
        break;
      case '~':
        result += "\\textasciitilde{}";
        break;
      case '^':
        result += "\\textasciicircum{}";
        break;
      case '<':
        result += "\\textless{}";
        break;
      case '>':
        result += "\\textgreater{}";
        break;
      case '|':
        result += "\\textbar{}";
        break;
      case '[':
      case ']':
      case '*':
        result += fmt::format("{{{}}}", character);
        break;
      default:
        result += character;
    }
  }
  return result;
}

/// A number, its sign as a minus.
std::string number(const std::string& shown) {
  return shown.starts_with('-') ? "$-$" + shown.substr(1) : shown;
}

std::string cell_text(const TableColumn& column, const TableCell& cell, bool is_best) {
  std::string text = !cell.failure.empty() ? "\\textemdash" : "--";
  if (cell.value) {
    const std::string value = number(shown_value(column, *cell.value));
    const int better = significance(column, cell);
    text = (is_best ? "\\textbf{" + value + "}" : value) + (better > 0   ? "$^{+}$"
                                                            : better < 0 ? "$^{-}$"
                                                                         : "");
  }
  if (cell.paper) {
    text += fmt::format(" {{\\scriptsize ({}){}}}", number(shown_number(*cell.paper, column.digits)),
                        cell.outside_tolerance ? "!" : "");
  }
  return text;
}

std::string interval_text(const TableColumn& column, const TableCell& cell) {
  return cell.value && cell.interval
             ? fmt::format("{{\\scriptsize [{}, {}]}}", number(shown_value(column, cell.interval->low)),
                           number(shown_value(column, cell.interval->high)))
             : "";
}

std::string line(const std::vector<std::string>& cells) {
  return fmt::format("{} \\\\\n", fmt::join(cells, " & "));
}

/// Names above several columns, and a rule below each.
std::string group_lines(const ResultTable& table, size_t head_count) {
  std::vector<std::string> cells(head_count);
  std::string rules;
  for (const ColumnGroup& group : column_groups(table)) {
    cells.push_back(fmt::format("\\multicolumn{{{}}}{{c}}{{{}}}", group.count, escaped(group.title)));
    rules += fmt::format("\\cmidrule(lr){{{}-{}}}", head_count + group.first + 1,
                         head_count + group.first + group.count);
  }
  return line(cells) + rules + "\n";
}

std::string row_lines(const ResultTable& table, const std::vector<std::string>& heads, const TableRow& row,
                      const std::vector<bool>& best, bool intervals) {
  std::vector<std::string> cells;
  for (const std::string& head : heads) {
    cells.push_back(escaped(head));
  }
  std::vector<std::string> small(heads.size());
  bool any_small = false;
  for (size_t i = 0; i < row.cells.size(); ++i) {
    cells.push_back(cell_text(table.columns[i], row.cells[i], best[i]));
    small.push_back(intervals ? interval_text(table.columns[i], row.cells[i]) : "");
    any_small |= !small.back().empty();
  }
  return line(cells) + (any_small ? line(small) : "");
}

std::string footer(const ResultTable& table, bool intervals) {
  std::vector<std::string> sentences;
  if (has_differences(table)) {
    sentences.push_back("$^{+}$ $^{-}$ " + escaped(significance_legend(table)));
  }
  if (has_paper_numbers(table)) {
    sentences.push_back("In brackets: " + escaped(paper_legend(table)));
  }
  if (intervals && has_intervals(table)) {
    sentences.push_back(
        fmt::format("Small numbers: 95\\,\\% intervals (bootstrap over {})", drawn_things(table)));
  }
  for (const std::string& note : table.notes) {
    sentences.push_back(escaped(note.ends_with('.') ? note.substr(0, note.size() - 1) : note));
  }
  return sentences.empty()
             ? ""
             : fmt::format("\\par\\smallskip\n{{\\footnotesize\n{}.\\par}}\n", fmt::join(sentences, ".\n"));
}

}  // namespace

std::string table_latex(const ResultTable& table, bool intervals) {
  const RowHeads heads = row_heads(table);
  const std::vector<std::vector<bool>> best = best_cells(table);
  std::string text = "% \\usepackage{booktabs}\n";
  for (const TableFailure& failure : table_failures(table)) {
    text += fmt::format("% failed: {} on {}: {}\n", one_line(failure.row), one_line(failure.dataset),
                        failure.reason);
  }
  text += fmt::format("\\begin{{tabular}}{{{}{}}}\n\\toprule\n", std::string(heads.titles.size(), 'l'),
                      std::string(table.columns.size(), 'r'));
  if (!table.columns.empty()) {
    text += group_lines(table, heads.titles.size());
  }
  std::vector<std::string> titles;
  for (const std::string& title : heads.titles) {
    titles.push_back(escaped(title));
  }
  for (const TableColumn& column : table.columns) {
    titles.push_back(escaped(column_title(column)));
  }
  text += line(titles);
  for (const RowGroup& group : row_groups(table)) {
    text += "\\midrule\n";
    if (!group.name.empty()) {
      text += fmt::format("\\multicolumn{{{}}}{{l}}{{\\textit{{{}}}}} \\\\\n", titles.size(),
                          escaped(group.name));
    }
    for (const size_t row : group.rows) {
      text += row_lines(table, heads.cells[row], table.rows[row], best[row], intervals);
    }
  }
  return text + "\\bottomrule\n\\end{tabular}\n" + footer(table, intervals);
}

}  // namespace patchioner
