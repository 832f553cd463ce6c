#include "results/svg_plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "report/encode.hpp"

namespace patchioner {
namespace {

constexpr double kLetterWidth = 7.2;  // of a letter of 12 pixels, on average
constexpr double kTextHeight = 14;
constexpr double kDotRadius = 4.5;
constexpr double kRoom = 0.06;  // free at both ends of an axis, of the values' span

/// A span of values and where they lie in the picture.
struct Scale {
  double low = 0;
  double high = 1;
  double begin = 0;  ///< pixels, of `low`
  double end = 0;    ///< pixels, of `high`
  bool logarithmic = false;

  double at(double value) const {
    const double share =
        logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return begin + share * (end - begin);
  }
  std::vector<double> ticks(int most) const {
    return logarithmic ? log_ticks(low, high) : linear_ticks(low, high, most);
  }
};

Scale linear_scale(double least, double most, double begin, double end) {
  double room = kRoom * (most - least);
  if (room <= 0) {
    room = std::max(std::abs(most) * kRoom, 1e-3);  // all values are one
  }
  return {least - room, most + room, begin, end, false};
}

Scale log_scale(double least, double most, double begin, double end) {
  constexpr double kLeastRoom = 1.15;
  const double room = std::max(std::pow(most / least, kRoom), kLeastRoom);
  return {least / room, most * room, begin, end, true};
}

size_t letters(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xc0) != 0x80; }));
}

/// At most `most` letters, the last of them an ellipsis where there were more.
std::string shortened(const std::string& text, size_t most) {
  if (letters(text) <= most) {
    return text;
  }
  size_t end = 0;
  for (size_t count = 0; end < text.size(); ++end) {
    if ((text[end] & 0xc0) != 0x80 && ++count == most) {
      break;
    }
  }
  return text.substr(0, end) + "\u2026";
}

std::string text_svg(double x, double y, const std::string& text, const char* style_class,
                     const char* anchor = "start") {
  return fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>", style_class,
                     x, y, anchor, escape_html(text));
}

std::string line_svg(double x1, double y1, double x2, double y2, const char* style_class) {
  return fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>",
                     style_class, x1, y1, x2, y2);
}

std::string dot_svg(double x, double y, const std::string& says, const char* style_class) {
  return fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"><title>{}</title></circle>",
                     style_class, x, y, kDotRadius, escape_html(says));
}

std::string begin_svg(double width, double height, const std::string& title) {
  return fmt::format(
             "<svg class=\"plot\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" role=\"img\" "
             "aria-label=\"{2}\">",
             width, height, escape_html(title)) +
         text_svg(0, 16, title, "title");
}

/// Ticks below the plot with lines upwards through it.
std::string x_axis(const Scale& scale, double top, double bottom, const std::string& name) {
  std::string svg;
  constexpr int kMostTicks = 7;
  const std::vector<double> ticks = scale.ticks(kMostTicks);
  const std::vector<std::string> texts = tick_texts(ticks, scale.logarithmic);
  for (size_t i = 0; i < ticks.size(); ++i) {
    svg += line_svg(scale.at(ticks[i]), top, scale.at(ticks[i]), bottom, "grid") +
           text_svg(scale.at(ticks[i]), bottom + 16, texts[i], "tick", "middle");
  }
  return svg + line_svg(scale.begin, bottom, scale.end, bottom, "axis") +
         text_svg((scale.begin + scale.end) / 2, bottom + 36, name, "tick", "middle");
}

std::string y_axis(const Scale& scale, double left, double right, const std::string& name) {
  std::string svg;
  constexpr int kMostTicks = 7;
  const std::vector<double> ticks = scale.ticks(kMostTicks);
  const std::vector<std::string> texts = tick_texts(ticks, scale.logarithmic);
  for (size_t i = 0; i < ticks.size(); ++i) {
    svg += line_svg(left, scale.at(ticks[i]), right, scale.at(ticks[i]), "grid") +
           text_svg(left - 8, scale.at(ticks[i]) + 4, texts[i], "tick", "end");
  }
  const double middle = (scale.begin + scale.end) / 2;
  return svg + line_svg(left, scale.begin, left, scale.end, "axis") +
         fmt::format(
             "<text class=\"tick\" text-anchor=\"middle\" transform=\"translate(14 {:.1f}) "
             "rotate(-90)\">{}</text>",
             middle, escape_html(name));
}

/// Multiples of `step` from low to high; the ends count when they are multiples but for rounding.
std::vector<double> multiples(double low, double high, double step) {
  constexpr double kRounding = 1e-9;
  std::vector<double> ticks;
  const auto last = static_cast<int64_t>(std::floor(high / step + kRounding));
  for (auto i = static_cast<int64_t>(std::ceil(low / step - kRounding)); i <= last; ++i) {
    ticks.push_back(static_cast<double>(i) * step);
  }
  return ticks;
}

struct Rectangle {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;

  double shared(const Rectangle& other) const {
    return std::max(0.0, std::min(right, other.right) - std::max(left, other.left)) *
           std::max(0.0, std::min(bottom, other.bottom) - std::max(top, other.top));
  }
};

/// Names beside dots where they cover as little as possible.
class LabelPlaces {
 public:
  explicit LabelPlaces(const Rectangle& inside) : inside_(inside) {}

  void add_dot(double x, double y) {
    taken_.push_back({x - kDotRadius, y - kDotRadius, x + kDotRadius, y + kDotRadius});
  }

  /// Takes the first free place around the dot, near ones first; if there is none, the least covered one.
  Rectangle place(double x, double y, double width) {
    Rectangle best;
    double least = -1;
    for (const double distance : {kDotRadius + 3, kDotRadius + 14, kDotRadius + 28, kDotRadius + 46}) {
      for (const auto& [across, down] : kDirections) {
        const double left = x + across * distance - (across < 0 ? width : across == 0 ? width / 2 : 0);
        const double middle = y + down * (distance + kTextHeight / 2);
        const Rectangle at = {left, middle - kTextHeight / 2, left + width, middle + kTextHeight / 2};
        const double covered = covers(at);
        if (least < 0 || covered < least) {
          best = at;
          least = covered;
        }
        if (covered == 0) {
          taken_.push_back(at);
          return at;
        }
      }
    }
    taken_.push_back(best);
    return best;
  }

 private:
  static constexpr std::pair<double, double> kDirections[] = {{1, 0},  {-1, 0}, {0, -1},  {0, 1},
                                                              {1, -1}, {1, 1},  {-1, -1}, {-1, 1}};

  double covers(const Rectangle& at) const {
    double covered = (at.right - at.left) * (at.bottom - at.top) - at.shared(inside_);
    covered = covered < 1e-6 ? 0 : 10 * covered;  // what is cut off cannot be read at all
    for (const Rectangle& other : taken_) {
      covered += at.shared(other);
    }
    return covered;
  }

  Rectangle inside_;
  std::vector<Rectangle> taken_;
};

}  // namespace

std::vector<double> linear_ticks(double low, double high, int most) {
  if (!(low < high)) {
    return {};
  }
  double power = std::pow(10.0, std::floor(std::log10((high - low) / most)));
  for (;; power *= 10) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      std::vector<double> ticks = multiples(low, high, digit * power);
      if (ticks.size() <= static_cast<size_t>(most)) {
        return ticks;
      }
    }
  }
}

std::vector<double> log_ticks(double low, double high) {
  const auto between = [&](std::initializer_list<double> digits) {
    std::vector<double> ticks;
    for (auto power = static_cast<int>(std::floor(std::log10(low))); std::pow(10.0, power) <= high; ++power) {
      for (const double digit : digits) {
        if (const double tick = digit * std::pow(10.0, power); tick >= low && tick <= high) {
          ticks.push_back(tick);
        }
      }
    }
    return ticks;
  };
  if (const std::vector<double> powers = between({1}); powers.size() >= 3) {
    return powers;
  }
  if (const std::vector<double> ticks = between({1, 2, 5}); ticks.size() >= 2) {
    return ticks;
  }
  constexpr int kMostTicks = 5;
  return linear_ticks(low, high, kMostTicks);
}

std::vector<std::string> tick_texts(const std::vector<double>& ticks, bool each_its_own) {
  // Enough digits that each text is its number again.
  constexpr int kMostDigits = 12;
  const auto digits_of = [](double tick) {
    int digits = 0;
    while (digits < kMostDigits) {
      const double shown = std::stod(fmt::format("{:.{}f}", tick, digits));
      if (std::abs(shown - tick) <= 1e-9 * std::abs(tick)) {
        break;
      }
      ++digits;
    }
    return digits;
  };
  int digits = 0;
  for (const double tick : ticks) {
    digits = std::max(digits, digits_of(tick));
  }
  std::vector<std::string> texts;
  for (const double tick : ticks) {
    texts.push_back(fmt::format("{:.{}f}", tick == 0 ? 0.0 : tick, each_its_own ? digits_of(tick) : digits));
  }
  return texts;
}

std::vector<size_t> pareto_front(const std::vector<PlotPoint>& points, bool higher_is_better) {
  const double sign = higher_is_better ? 1 : -1;
  std::vector<size_t> order(points.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t left, size_t right) {
    const PlotPoint& a = points[left];
    const PlotPoint& b = points[right];
    return a.cost != b.cost ? a.cost < b.cost : sign * a.value > sign * b.value;
  });
  // From the cheapest on, what is better than all before it is beaten by none, and so are its equals.
  std::vector<size_t> front;
  for (const size_t i : order) {
    const PlotPoint* last = front.empty() ? nullptr : &points[front.back()];
    if (last == nullptr || sign * points[i].value > sign * last->value ||
        (points[i].value == last->value && points[i].cost == last->cost)) {
      front.push_back(i);
    }
  }
  return front;
}

std::string group_plot_svg(const std::string& title, const std::string& axis,
                           const std::vector<PlotGroup>& groups, int digits) {
  constexpr double kWidth = 520;
  constexpr double kTop = 34;
  constexpr double kLine = 30;
  constexpr double kMeanRoom = 64;
  constexpr size_t kMostLetters = 24;
  size_t longest = 4;
  double least = 0;
  double most = 0;
  bool any = false;
  for (const PlotGroup& group : groups) {
    longest = std::max(longest, std::min(letters(group.name), kMostLetters));
    for (const PlotPoint& point : group.points) {
      least = any ? std::min(least, point.value) : point.value;
      most = any ? std::max(most, point.value) : point.value;
      any = true;
    }
  }
  const double left = kLetterWidth * static_cast<double>(longest) + 18;
  const double bottom = kTop + kLine * static_cast<double>(groups.size());
  const Scale scale = linear_scale(least, most, left, kWidth - kMeanRoom);
  std::string svg = begin_svg(kWidth, bottom + 46, title) + x_axis(scale, kTop, bottom, axis) +
                    text_svg(kWidth, kTop - 4, "mean", "tick", "end");
  for (size_t i = 0; i < groups.size(); ++i) {
    const double y = kTop + kLine * (static_cast<double>(i) + 0.5);
    const std::vector<PlotPoint>& points = groups[i].points;
    svg += text_svg(left - 10, y + 4, shortened(groups[i].name, kMostLetters), "name", "end");
    if (points.empty()) {
      svg += text_svg(kWidth, y + 4, "\u2013", "name", "end");
      continue;
    }
    double sum = 0;
    for (const PlotPoint& point : points) {
      sum += point.value;
      svg += dot_svg(scale.at(point.value), y, fmt::format("{}: {:.{}f}", point.name, point.value, digits),
                     "dot");
    }
    const double mean = sum / static_cast<double>(points.size());
    if (points.size() > 1) {
      svg += line_svg(scale.at(mean), y - 10, scale.at(mean), y + 10, "mean");
    }
    svg += text_svg(kWidth, y + 4, fmt::format("{:.{}f}", mean, digits), "name", "end");
  }
  return svg + "</svg>";
}

std::string cost_plot_svg(const std::string& title, const std::string& cost_axis,
                          const std::string& value_axis, const std::vector<PlotPoint>& points,
                          bool higher_is_better) {
  constexpr double kWidth = 1096;
  constexpr double kHeight = 460;
  constexpr size_t kMostLetters = 30;
  const Rectangle plot = {72, 34, kWidth - 12, kHeight - 48};
  if (points.empty()) {
    return {};
  }
  const auto [cheapest, dearest] = std::minmax_element(
      points.begin(), points.end(), [](const auto& a, const auto& b) { return a.cost < b.cost; });
  const auto [least, most] = std::minmax_element(
      points.begin(), points.end(), [](const auto& a, const auto& b) { return a.value < b.value; });
  const Scale x = log_scale(cheapest->cost, dearest->cost, plot.left, plot.right);
  const Scale y = linear_scale(least->value, most->value, plot.bottom, plot.top);
  std::string svg = begin_svg(kWidth, kHeight, title) + x_axis(x, plot.top, plot.bottom, cost_axis) +
                    y_axis(y, plot.left, plot.right, value_axis);
  const std::vector<size_t> front = pareto_front(points, higher_is_better);
  std::string line;
  for (const size_t i : front) {
    line += fmt::format("{:.1f},{:.1f} ", x.at(points[i].cost), y.at(points[i].value));
  }
  svg += fmt::format("<polyline class=\"front\" points=\"{}\"/>", line);
  // Those of the front first: they get the best places.
  std::vector<size_t> order = front;
  const std::set<size_t> of_front(front.begin(), front.end());
  for (size_t i = 0; i < points.size(); ++i) {
    if (!of_front.contains(i)) {
      order.push_back(i);
    }
  }
  LabelPlaces places(plot);
  for (const PlotPoint& point : points) {
    places.add_dot(x.at(point.cost), y.at(point.value));
  }
  std::string labels;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    const PlotPoint& point = points[order[rank]];
    const double dot_x = x.at(point.cost);
    const double dot_y = y.at(point.value);
    svg += dot_svg(dot_x, dot_y, fmt::format("{}: {:.4g} at {:.3g}", point.name, point.value, point.cost),
                   rank < front.size() ? "dot" : "dot beaten");
    if (rank >= kMostNamedDots) {
      continue;
    }
    const std::string name = shortened(point.name, kMostLetters);
    const Rectangle at = places.place(dot_x, dot_y, kLetterWidth * static_cast<double>(letters(name)));
    const double nearest_x = std::clamp(dot_x, at.left, at.right);
    const double nearest_y = std::clamp(dot_y, at.top, at.bottom);
    if (std::hypot(nearest_x - dot_x, nearest_y - dot_y) > kDotRadius + 8) {
      labels += line_svg(dot_x, dot_y, nearest_x, nearest_y, "leader");
    }
    labels += text_svg((at.left + at.right) / 2, at.bottom - 3, name, "name", "middle");
  }
  return svg + labels + "</svg>";
}

}  // namespace patchioner
