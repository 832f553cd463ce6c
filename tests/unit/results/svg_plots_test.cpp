#include "results/svg_plots.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "refusals.hpp"
#include "text_search.hpp"

using namespace patchioner;

namespace {

using Numbers = std::vector<double>;
using Texts = std::vector<std::string>;

void check_ticks(const Numbers& found, const Numbers& expected) {
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i] == doctest::Approx(expected[i]));
  }
}

}  // namespace

TEST_CASE("ticks are round numbers within the axis") {
  check_ticks(linear_ticks(0, 1, 6), {0, 0.2, 0.4, 0.6, 0.8, 1});
  check_ticks(linear_ticks(0.03, 1.07, 6), {0.2, 0.4, 0.6, 0.8, 1});
  check_ticks(linear_ticks(67, 89, 7), {70, 75, 80, 85});
  check_ticks(linear_ticks(-3, 7, 6), {-2, 0, 2, 4, 6});
  check_ticks(linear_ticks(0.30001, 0.30004, 5), {0.30001, 0.30002, 0.30003, 0.30004});
  CHECK(linear_ticks(1, 1, 5).empty());
  CHECK(linear_ticks(2, 1, 5).empty());
  CHECK(linear_ticks(std::numeric_limits<double>::quiet_NaN(), 1, 5).empty());
}

TEST_CASE("there are never more ticks than asked for, and always two when five may be") {
  for (double span = 1e-6; span < 1e6; span *= 1.37) {
    for (const double low : {-0.77 * span, 0.0, 0.4 * span, 3.3 * span}) {
      const Numbers ticks = linear_ticks(low, low + span, 5);
      CHECK(ticks.size() >= 2);
      CHECK(ticks.size() <= 5);
      CHECK(ticks.front() >= low - 1e-9 * span);
      CHECK(ticks.back() <= low + span + 1e-9 * span);
    }
  }
}

TEST_CASE("a logarithmic axis has powers of ten, or what is between them where these are few") {
  check_ticks(log_ticks(0.008, 20), {0.01, 0.1, 1, 10});
  check_ticks(log_ticks(0.03, 2.2), {0.05, 0.1, 0.2, 0.5, 1, 2});
  check_ticks(log_ticks(0.011, 0.013), {0.011, 0.0115, 0.012, 0.0125, 0.013});
}

TEST_CASE("ticks are written with the digits that tell them apart") {
  CHECK(tick_texts({0, 0.5, 1}, false) == Texts{"0.0", "0.5", "1.0"});
  CHECK(tick_texts({70, 75, 80}, false) == Texts{"70", "75", "80"});
  CHECK(tick_texts({-0.0, 0.25}, false) == Texts{"0.00", "0.25"});
  CHECK(tick_texts({0.01, 0.1, 1, 10}, true) == Texts{"0.01", "0.1", "1", "10"});
  CHECK(tick_texts({3 * 0.1, 0.4}, false) == Texts{"0.3", "0.4"});
  CHECK(tick_texts({}, false).empty());
}

TEST_CASE("the front has what no other point beats, cheapest first") {
  const std::vector<PlotPoint> points = {{"slow and good", 9, 5},   {"cheap", 1, 1},
                                         {"beaten", 0.9, 2},        {"middle", 5, 2},
                                         {"as middle", 5, 2},       {"dearer, no better", 5, 3},
                                         {"same cost, worse", 8, 5}};
  CHECK(pareto_front(points, true) == std::vector<size_t>{1, 3, 4, 0});
  CHECK(pareto_front(points, false) == std::vector<size_t>{1, 2});
  CHECK(pareto_front({}, true).empty());
}

TEST_CASE("a plot of groups has a dot a point and the mean of each group") {
  const std::string svg =
      group_plot_svg("CIDEr by <gap>", "CIDEr",
                     {{"memory", {{"a", 60, 0}, {"b", 70, 0}}}, {"none", {{"c", 50, 0}}}, {"noise", {}}}, 1);
  CHECK(count(svg, "<circle class=\"dot\"") == 3);
  CHECK(count(svg, "class=\"mean\"") == 1);  // of one point there is nothing to be the mean of
  mentions(svg, ">65.0</text>");
  mentions(svg, ">50.0</text>");
  mentions(svg, "<title>b: 70.0</title>");
  mentions(svg, "CIDEr by &lt;gap&gt;");
  CHECK(count(svg, "class=\"name\"") == 6);  // a name and a mean each
  CHECK(svg.find("nan") == std::string::npos);
}

TEST_CASE("points of equal value or cost have a plot too") {
  for (const std::string& svg : {group_plot_svg("t", "x", {{"g", {{"a", 0, 0}, {"b", 0, 0}}}}, 1),
                                 group_plot_svg("t", "x", {{"g", {}}}, 1),
                                 cost_plot_svg("t", "s", "m", {{"a", 3, 0.5}, {"b", 3, 0.5}}, true),
                                 cost_plot_svg("t", "s", "m", {{"a", -2, 1e-4}}, true)}) {
    CHECK(svg.find("nan") == std::string::npos);
    CHECK(svg.find("inf") == std::string::npos);
    CHECK(svg.ends_with("</svg>"));
  }
  CHECK(cost_plot_svg("t", "s", "m", {}, true).empty());
}

TEST_CASE("a cost plot names every point inside the picture") {
  std::vector<PlotPoint> points;
  for (int i = 0; i < 30; ++i) {
    // All close together: names must move aside.
    points.push_back({"row " + std::to_string(i), 50 + 0.01 * i, 0.1 + 0.0001 * i});
  }
  points.push_back({"far", 90, 9});
  points.push_back({std::string(60, 'w'), 89, 9});
  const std::string svg = cost_plot_svg("t", "s", "m", points, true);
  CHECK(count(svg, "class=\"name\"") == points.size());
  mentions(svg, ">wwwwwwwwwwwwwwwwwwwwwwwwwwwww\u2026</text>");
  // The text of a label is anchored at its middle.
  for (size_t at = svg.find("class=\"name\" x=\""); at != std::string::npos;
       at = svg.find("class=\"name\" x=\"", at + 1)) {
    const double x = std::stod(svg.substr(at + 16, 8));
    CHECK(x > 72);
    CHECK(x < 1084);
  }
}

TEST_CASE("of many points those of the front have their names before the others, and all are dots") {
  std::vector<PlotPoint> points;
  for (int i = 0; i < 200; ++i) {
    points.push_back({"row " + std::to_string(i), 50.0 - i, 1.0 + i});
  }
  points.push_back({"dear and good", 90, 500});
  const std::string svg = cost_plot_svg("t", "s", "m", points, true);
  CHECK(count(svg, "<circle") == points.size());
  CHECK(count(svg, "class=\"name\"") == kMostNamedDots);
  mentions(svg, ">row 0</text>");
  mentions(svg, ">dear and good</text>");
  mentions(svg, ">row 58</text>");
  CHECK(svg.find(">row 59</text>") == std::string::npos);
  mentions(svg, "<title>row 199: ");
}
