// A table of results as a piece of a page.
#pragma once

#include <string>

#include "results/result_table.hpp"

namespace patchioner {

/// The best of each column in bold, intervals small below values, significance against the baseline (p <
/// 0.05) as an arrow, the paper's numbers beside where there are any; failures red, with reasons and logs in
/// a list below, then the notes. Needs the style of PageWriter.
std::string table_html(const ResultTable& table);

}  // namespace patchioner
