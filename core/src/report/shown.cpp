#include "report/shown.hpp"

namespace patchioner {
namespace {

std::string plural(size_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : (one.back() == 'x' ? "es" : "s"));
}

}  // namespace

std::string describe(const RegionShape& shape) {
  if (std::holds_alternative<WholeImage>(shape)) {
    return "image";
  }
  if (const auto* box = std::get_if<Box>(&shape)) {
    return fmt::format("box {:g},{:g} {:g}\u00d7{:g}", box->x, box->y, box->width, box->height);
  }
  if (const auto* set = std::get_if<BoxSet>(&shape)) {
    return fmt::format("set of {}", plural(set->boxes.size(), "box"));
  }
  if (const auto* trace = std::get_if<Trace>(&shape)) {
    return fmt::format("trace of {}", plural(trace->points.size(), "point"));
  }
  if (const auto* mask = std::get_if<Mask>(&shape)) {
    const int64_t pixels = mask->pixels.defined() ? mask->pixels.sum().item<int64_t>() : 0;
    return fmt::format("mask of {}", plural(static_cast<size_t>(pixels), "pixel"));
  }
  if (const auto* patch = std::get_if<Patch>(&shape)) {
    return fmt::format("patch {},{}", patch->row, patch->column);
  }
  const auto& point = std::get<ImagePoint>(shape);
  return fmt::format("point {:g},{:g}", point.x, point.y);
}

std::string format_score(double score) {
  return fmt::format("{:.3g}", score);
}

}  // namespace patchioner
