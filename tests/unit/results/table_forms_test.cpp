// One table with everything in it in all four forms, to the letter.
#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "results/display_width.hpp"
#include "results/result_table_html.hpp"
#include "results/table_layout.hpp"
#include "text_search.hpp"
#include "unit/results/small_table.hpp"

using namespace patchioner;

namespace {

/// One row "a", no groups, no labels.
ResultTable bare_table(const std::string& name, const std::string& note) {
  ResultTable table;
  table.columns = {{.dataset = "d", .metric = "m", .title = "", .group = "", .paper = {}}};
  TableRow row{.name = name, .group = "", .labels = {}, .cells = {}};
  row.cells.resize(1);
  row.cells[0].value = -0.0001;
  table.rows = {row};
  table.notes = {note};
  return table;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

}  // namespace

TEST_CASE("for a terminal") {
  CHECK(table_text(small_table()) == R"(Backbones & more

                                      boxes              Image captions
                          -----------------------------  --------------
Encoder        Size_in_%   mAP          CIDEr                     Time
-----------------------------------------------------------------------
Whole image
  CLIP         100        13.6*          19.1   (19.4)!              -
Regions
  CLIP         50         13.6*           9.0-                    3.50+
  Talk2DINO β  100           -  (21.0)   31.9*+ (31.9)          failed

*: best of its column
+ -: better or worse (p < 0.05, paired bootstrap over items) than CLIP, 100
in brackets: the paper's numbers; !: ours is further than 0.1 from it
failed: Talk2DINO β, 100 on images: the image 7.jpg cannot be read
        log: runs/talk2dino/log.txt
note: METEOR was left out_
)");
}

TEST_CASE("for programs") {
  CHECK(
      table_csv(small_table()) ==
      R"(row,group,Encoder,Size_in_%,boxes.map,boxes.map_paper,boxes.CIDEr,boxes.CIDEr_low,boxes.CIDEr_high,boxes.CIDEr_delta,boxes.CIDEr_p,boxes.CIDEr_paper,images.seconds,images.seconds_low,images.seconds_high,images.seconds_delta,images.seconds_p,failures
clip,Whole image,CLIP,100,0.13604,,0.191,0.18,0.202,,,0.194,,,,,,
crops,Regions,CLIP,50,0.13602,,0.0903,0.081,0.0997,-0.1,0.001,,3.5,3.25,3.75,-1,0.0005,
talk2dino,Regions,Talk2DINO β,100,,0.21,0.319,0.3,0.338,0.128,0.049,0.319,,,,,,images: the image 7.jpg cannot be read
)");
}

TEST_CASE("for GitHub") {
  CHECK(table_markdown(small_table()) == R"(### Backbones \& more

| Encoder       | Size_in\_% | boxes<br>mAP |                                         boxes<br>CIDEr |                      Image captions<br>Time |
| ------------- | ---------- | -----------: | -----------------------------------------------------: | ------------------------------------------: |
| *Whole image* |            |              |                                                        |                                             |
| CLIP          | 100        |     **13.6** |                19.1 (19.4)!<br><sub>[18.0, 20.2]</sub> |                                           - |
| *Regions*     |            |              |                                                        |                                             |
| CLIP          | 50         |     **13.6** |              9.0<sup>-</sup><br><sub>[8.1, 10.0]</sub> | 3.50<sup>+</sup><br><sub>[3.25, 3.75]</sub> |
| Talk2DINO β   | 100        |     - (21.0) | **31.9**<sup>+</sup> (31.9)<br><sub>[30.0, 33.8]</sub> |                                      failed |

- <sup>+</sup> <sup>-</sup> better or worse (p \< 0.05, paired bootstrap over items) than CLIP, 100
- In brackets: the paper's numbers; !: ours is further than 0.1 from it
- Small numbers: 95 % intervals (bootstrap over items)
- Failed: Talk2DINO β, 100 on images: the image 7.jpg cannot be read (log: `runs/talk2dino/log.txt`)
- METEOR was left out\_
)");
}

TEST_CASE("for a paper") {
  CHECK(table_latex(small_table(), true) == R"(% \usepackage{booktabs}
% failed: Talk2DINO β, 100 on images: the image 7.jpg cannot be read
\begin{tabular}{llrrr}
\toprule
 &  & \multicolumn{2}{c}{boxes} & \multicolumn{1}{c}{Image captions} \\
\cmidrule(lr){3-4}\cmidrule(lr){5-5}
Encoder & Size\_in\_\% & mAP & CIDEr & Time \\
\midrule
\multicolumn{5}{l}{\textit{Whole image}} \\
CLIP & 100 & \textbf{13.6} & 19.1 {\scriptsize (19.4)!} & -- \\
 &  &  & {\scriptsize [18.0, 20.2]} &  \\
\midrule
\multicolumn{5}{l}{\textit{Regions}} \\
CLIP & 50 & \textbf{13.6} & 9.0$^{-}$ & 3.50$^{+}$ \\
 &  &  & {\scriptsize [8.1, 10.0]} & {\scriptsize [3.25, 3.75]} \\
Talk2DINO β & 100 & -- {\scriptsize (21.0)} & \textbf{31.9}$^{+}$ {\scriptsize (31.9)} & \textemdash \\
 &  &  & {\scriptsize [30.0, 33.8]} &  \\
\bottomrule
\end{tabular}
\par\smallskip
{\footnotesize
$^{+}$ $^{-}$ better or worse (p \textless{} 0.05, paired bootstrap over items) than CLIP, 100.
In brackets: the paper's numbers; !: ours is further than 0.1 from it.
Small numbers: 95\,\% intervals (bootstrap over items).
METEOR was left out\_.\par}
)");
}

TEST_CASE("legends say what was drawn: items, and of mAP images") {
  ResultTable table = small_table();
  CHECK(drawn_things(table) == "items");
  TableCell& map = table.rows[1].cells[0];
  map = cell_with(0.136, {0.12, 0.15}, -0.01, 0.01);
  map.metric = "map(no-paraphrase)";
  const std::string both = "bootstrap over items, of mAP over images)";
  CHECK(count(table_text(table), both) == 1);
  CHECK(count(table_markdown(table), both) == 2);
  CHECK(count(table_latex(table, true), both) == 2);
  CHECK(count(table_html(table), both) == 2);
  for (TableRow& row : table.rows) {
    for (size_t i = 1; i < row.cells.size(); ++i) {
      row.cells[i].interval.reset();
    }
  }
  CHECK(drawn_things(table) == "images");
}

TEST_CASE("LaTeX without intervals has no small lines") {
  const std::string whole = table_latex(small_table(), true);
  std::string expected;
  for (const std::string& line : lines_of(whole)) {
    expected += line.starts_with(" &  &  & {") || line.starts_with("Small numbers") ? "" : line + "\n";
  }
  CHECK(expected.size() < whole.size());
  CHECK(table_latex(small_table(), false) == expected);
}

TEST_CASE("LaTeX: braces close, and every row has as many cells as there are columns") {
  const std::string text = table_latex(small_table(), true);
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_escaped = i > 0 && text[i - 1] == '\\';
    depth += text[i] == '{' && !is_escaped ? 1 : text[i] == '}' && !is_escaped ? -1 : 0;
    REQUIRE(depth >= 0);
  }
  CHECK(depth == 0);
  size_t rows = 0;
  for (const std::string& line : lines_of(text)) {
    if (line.ends_with("\\\\") && line.find("\\multicolumn{5}") == std::string::npos) {
      // The line of groups covers two columns by one cell.
      const size_t covered = line.find("\\multicolumn{2}") != std::string::npos ? 1 : 0;
      size_t cells = 1;
      for (size_t i = 1; i < line.size(); ++i) {
        cells += line[i] == '&' && line[i - 1] != '\\' ? 1 : 0;
      }
      CHECK(cells + covered == 5);
      ++rows;
    }
  }
  CHECK(rows == 8);
}

TEST_CASE("names that a form would read otherwise") {
  const std::string name = "[a]|b*c_d\\~^<$50%>#{&}\"x\",\ny";
  const ResultTable table = bare_table(name, "100% of it.");
  CHECK(
      table_latex(table, false) ==
      "% \\usepackage{booktabs}\n\\begin{tabular}{lr}\n\\toprule\n"
      " & \\multicolumn{1}{c}{d} \\\\\n\\cmidrule(lr){2-2}\nRow & m \\\\\n\\midrule\n"
      "{[}a{]}\\textbar{}b{*}c\\_d\\textbackslash{}\\textasciitilde{}\\textasciicircum{}\\textless{}\\$50\\%"
      "\\textgreater{}\\#\\{\\&\\}\"x\", y & 0.0 \\\\\n\\bottomrule\n\\end{tabular}\n"
      "\\par\\smallskip\n{\\footnotesize\n100\\% of it.\\par}\n");
  CHECK(table_csv(table) == "row,group,d.m\n\"[a]|b*c_d\\~^<$50%>#{&}\"\"x\"\",\ny\",,-0.0001\n");
  const std::vector<std::string> markdown = lines_of(table_markdown(table));
  CHECK(markdown[2] == "| \\[a\\]\\|b\\*c_d\\\\\\~^\\<$50%\\>#{\\&}\"x\", y |    0.0 |");
  // What would steer a terminal does not reach it.
  CHECK(table_text(bare_table("a\x1b[2J", "b\x07")).find_first_of("\x1b\x07") == std::string::npos);
}

TEST_CASE("names stand before the numbers where labels do not tell rows apart") {
  ResultTable table = small_table();
  table.rows[2].labels = table.rows[1].labels;
  CHECK(row_heads(table).titles == std::vector<std::string>{"Row", "Encoder", "Size_in_%"});
  CHECK(row_heads(table).cells[2] == std::vector<std::string>{"talk2dino", "CLIP", "50"});
  CHECK(row_titles(table)[2] == "talk2dino");
  table.rows[2].group = "Whole image";
  CHECK(row_heads(table).titles == std::vector<std::string>{"Encoder", "Size_in_%"});
}

TEST_CASE("a row without labels among others has its name in their place") {
  ResultTable table = small_table();
  table.rows[2].labels.clear();
  CHECK(row_heads(table).titles == std::vector<std::string>{"Encoder", "Size_in_%"});
  CHECK(row_heads(table).cells[2] == std::vector<std::string>{"talk2dino", ""});
  CHECK(row_titles(table)[2] == "talk2dino");
}

TEST_CASE("rows of a group come together, wherever the sweep has them") {
  ResultTable table = small_table();
  std::swap(table.rows[0], table.rows[1]);
  const std::vector<RowGroup> groups = row_groups(table);
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].name == "Regions");
  CHECK(groups[0].rows == std::vector<size_t>{0, 2});
  CHECK(groups[1].rows == std::vector<size_t>{1});
}

TEST_CASE("CSV names a metric as it was found, and tells each row's where they differ") {
  ResultTable table = bare_table("a", "");
  table.rows.push_back(table.rows[0]);
  table.rows[1].name = "b";
  table.rows[0].cells[0].metric = "m(rules)";
  table.rows[1].cells[0].metric = "m(rules)";
  CHECK(lines_of(table_csv(table))[0] == "row,group,d.m(rules)");
  table.rows[1].cells[0].metric = "m";
  CHECK(table_csv(table) == "row,group,d.m,d.m_metric\na,,-0.0001,m(rules)\nb,,-0.0001,m\n");
}

TEST_CASE("a table without columns, or without rows") {
  ResultTable table;
  table.name = "empty";
  CHECK(table_text(table) == "empty\n\nRow\n---\n");
  CHECK(table_csv(table) == "row,group\n");
  CHECK(table_markdown(table) == "### empty\n\n| Row |\n| --- |\n");
  table = bare_table("a", "b");
  table.rows.clear();
  CHECK(table_text(table) == "     d\n     -\nRow  m\n------\n\nnote: b\n");
}

TEST_CASE("width on a terminal") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("β†’") == 3);
  CHECK(display_width("e\u0301") == 1);
  CHECK(display_width("犬") == 2);
  CHECK(display_width("🐕") == 2);
}
