// The table for a terminal.
#include <fmt/format.h>

#include <algorithm>

#include "results/display_width.hpp"
#include "results/table_layout.hpp"
#include "support/printable.hpp"

namespace patchioner {
namespace {

constexpr std::string_view kGap = "  ";

std::string spaces(size_t count) {
  return std::string(count, ' ');
}

std::string left(const std::string& text, size_t width) {
  return text + spaces(width - std::min(width, display_width(text)));
}

std::string right(const std::string& text, size_t width) {
  return spaces(width - std::min(width, display_width(text))) + text;
}

std::string centred(const std::string& text, size_t width) {
  const size_t space = width - std::min(width, display_width(text));
  return spaces(space / 2) + text + spaces(space - space / 2);
}

/// A cell in parts, each of which is aligned with those above and below.
struct Parts {
  std::string value;    // to the right
  std::string marks;    // to the left: best, significance
  std::string paper;    // to the right
  std::string outside;  // to the left
};

Parts parts_of(const TableColumn& column, const TableCell& cell, bool is_best) {
  Parts parts;
  if (!cell.failure.empty()) {
    parts.value = "failed";
  } else if (!cell.value) {
    parts.value = "-";
  } else {
    parts.value = shown_value(column, *cell.value);
    const int better = significance(column, cell);
    parts.marks = std::string(is_best ? "*" : "") + (better > 0 ? "+" : better < 0 ? "-" : "");
  }
  if (cell.paper) {
    parts.paper = fmt::format("({})", shown_number(*cell.paper, column.digits));
    parts.outside = cell.outside_tolerance ? "!" : "";
  }
  return parts;
}

struct Widths {
  size_t value = 0;
  size_t marks = 0;
  size_t paper = 0;
  size_t outside = 0;
  size_t sum() const { return value + marks + (paper > 0 ? 1 + paper : 0) + outside; }
};

std::string aligned(const Parts& parts, const Widths& widths) {
  return right(parts.value, widths.value) + left(parts.marks, widths.marks) +
         (widths.paper > 0 ? " " + right(parts.paper, widths.paper) : "") +
         left(parts.outside, widths.outside);
}

class TextTable {
 public:
  explicit TextTable(const ResultTable& table)
      : table_(table), heads_(row_heads(table)), groups_(column_groups(table)) {
    const std::vector<std::vector<bool>> best = best_cells(table);
    indent_ = std::any_of(table.rows.begin(), table.rows.end(),
                          [](const TableRow& row) { return !row.group.empty(); })
                  ? kGap.size()
                  : 0;
    for (size_t row = 0; row < table.rows.size(); ++row) {
      cells_.emplace_back();
      for (size_t i = 0; i < table.columns.size(); ++i) {
        cells_.back().push_back(parts_of(table.columns[i], table.rows[row].cells[i], best[row][i]));
      }
    }
    measure();
  }

  std::string text() const {
    std::string text;
    const std::string title = table_.title.empty() ? table_.name : table_.title;
    if (!title.empty()) {
      text += printable(title) + "\n\n";
    }
    text += group_lines();
    text += line(heads_.titles, [&](size_t i) {
      const Widths& widths = widths_[i];
      return left(right(printable(column_title(table_.columns[i])), widths.value), widths.sum());
    });
    text += std::string(head_width() + columns_width(0, widths_.size()) + (widths_.empty() ? 0 : kGap.size()),
                        '-') +
            "\n";
    for (const RowGroup& group : row_groups(table_)) {
      if (!group.name.empty()) {
        text += printable(group.name) + "\n";
      }
      for (const size_t row : group.rows) {
        std::vector<std::string> heads = heads_.cells[row];
        heads.front().insert(0, group.name.empty() ? 0 : indent_, ' ');
        text += line(heads, [&](size_t i) { return aligned(cells_[row][i], widths_[i]); });
      }
    }
    return text + footer();
  }

 private:
  void measure() {
    for (size_t i = 0; i < heads_.titles.size(); ++i) {
      size_t width = display_width(printable(heads_.titles[i]));
      for (const std::vector<std::string>& cells : heads_.cells) {
        width = std::max(width, display_width(printable(cells[i])) + (i == 0 ? indent_ : 0));
      }
      head_widths_.push_back(width);
    }
    for (size_t i = 0; i < table_.columns.size(); ++i) {
      Widths widths{.value = display_width(printable(column_title(table_.columns[i])))};
      for (const std::vector<Parts>& row : cells_) {
        widths.value = std::max(widths.value, display_width(row[i].value));
        widths.marks = std::max(widths.marks, row[i].marks.size());
        widths.paper = std::max(widths.paper, row[i].paper.size());
        widths.outside = std::max(widths.outside, row[i].outside.size());
      }
      widths_.push_back(widths);
    }
    for (const ColumnGroup& group : groups_) {
      const size_t wanted = display_width(printable(group.title));
      widths_[group.first].value += wanted - std::min(wanted, columns_width(group.first, group.count));
    }
  }

  size_t columns_width(size_t first, size_t count) const {
    size_t width = count == 0 ? 0 : (count - 1) * kGap.size();
    for (size_t i = first; i < first + count; ++i) {
      width += widths_[i].sum();
    }
    return width;
  }

  size_t head_width() const {
    size_t width = (head_widths_.size() - 1) * kGap.size();
    for (const size_t head : head_widths_) {
      width += head;
    }
    return width;
  }

  static std::string trimmed(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
  }

  std::string group_lines() const {
    std::string titles = spaces(head_width());
    std::string rules = titles;
    for (const ColumnGroup& group : groups_) {
      const size_t width = columns_width(group.first, group.count);
      titles.append(kGap).append(centred(printable(group.title), width));
      rules.append(kGap).append(width, '-');
    }
    return groups_.empty() ? "" : trimmed(titles) + trimmed(rules);
  }

  template <class Cell>
  std::string line(const std::vector<std::string>& heads, const Cell& cell) const {
    std::string text;
    for (size_t i = 0; i < heads.size(); ++i) {
      text.append(i == 0 ? "" : kGap).append(left(printable(heads[i]), head_widths_[i]));
    }
    for (size_t i = 0; i < widths_.size(); ++i) {
      text.append(kGap).append(cell(i));
    }
    return trimmed(text);
  }

  std::string footer() const {
    std::string text;
    const bool any_best = std::any_of(cells_.begin(), cells_.end(), [](const std::vector<Parts>& row) {
      return std::any_of(row.begin(), row.end(),
                         [](const Parts& parts) { return parts.marks.starts_with('*'); });
    });
    text += any_best ? "*: best of its column\n" : "";
    text += has_differences(table_) ? "+ -: " + printable(significance_legend(table_)) + "\n" : "";
    text += has_paper_numbers(table_) ? "in brackets: " + paper_legend(table_) + "\n" : "";
    for (const TableFailure& failure : table_failures(table_)) {
      text += fmt::format("failed: {} on {}: {}\n", printable(failure.row), printable(failure.dataset),
                          printable(failure.reason));
      text += failure.log.empty() ? "" : fmt::format("        log: {}\n", printable(failure.log));
    }
    for (const std::string& note : table_.notes) {
      text += "note: " + printable(one_line(note)) + "\n";
    }
    return text.empty() ? text : "\n" + text;
  }

  const ResultTable& table_;
  RowHeads heads_;
  std::vector<ColumnGroup> groups_;
  size_t indent_ = 0;
  std::vector<std::vector<Parts>> cells_;
  std::vector<size_t> head_widths_;
  std::vector<Widths> widths_;
};

}  // namespace

std::string table_text(const ResultTable& table) {
  return TextTable(table).text();
}

}  // namespace patchioner
