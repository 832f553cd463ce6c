// Plots as SVG inside a page: they take its colours, in light and dark, and need no script.
#pragma once

#include <string>
#include <vector>

namespace patchioner {

/// Round numbers (1, 2 or 5 times a power of ten apart) from `low` to `high`, at most `most` (at least 2) of
/// them; nothing unless low < high.
std::vector<double> linear_ticks(double low, double high, int most);

/// The same for a logarithmic axis, 0 < low < high: powers of ten, with 2 and 5 times them where there would
/// be fewer than three, and round numbers where even those are fewer than two.
std::vector<double> log_ticks(double low, double high);

/// Ticks of one axis as text, all with as many digits behind the point as tell them apart, or, as numbers of
/// different sizes on a logarithmic axis want it, each with its own.
std::vector<std::string> tick_texts(const std::vector<double>& ticks, bool each_its_own);

struct PlotPoint {
  std::string name;
  double value = 0;
  double cost = 0;  ///< of a cost plot; above 0
};

/// Which points no other one beats: none that costs no more is better, none as good costs less. Equal points
/// are both among them. In ascending order of cost.
std::vector<size_t> pareto_front(const std::vector<PlotPoint>& points, bool higher_is_better);

/// The points of one value of a factor.
struct PlotGroup {
  std::string name;
  std::vector<PlotPoint> points;
};

/// A line a group with its points as dots, their mean marked and written. `digits` behind the point.
std::string group_plot_svg(const std::string& title, const std::string& axis,
                           const std::vector<PlotGroup>& groups, int digits);

/// Names that a cost plot has room for.
constexpr size_t kMostNamedDots = 60;

/// Values over cost on a logarithmic axis: a dot a point, and a line through those that no other one beats.
/// Names stand beside the first kMostNamedDots, those of the line before the others; all dots tell theirs
/// when they are pointed at.
std::string cost_plot_svg(const std::string& title, const std::string& cost_axis,
                          const std::string& value_axis, const std::vector<PlotPoint>& points,
                          bool higher_is_better);

}  // namespace patchioner
