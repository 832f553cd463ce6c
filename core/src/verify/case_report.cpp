#include <fmt/ranges.h>

#include "verify/verify.hpp"

namespace patchioner {
namespace {

/// "exact" is zero; a number is absolute; an object has abs and rel, a missing one of the two being 0.
std::pair<double, double> read_tolerance(const nlohmann::json& entry) {
  if (entry.is_number()) {
    return {entry.get<double>(), 0.0};
  }
  if (entry.is_object()) {
    return {entry.value("abs", 0.0), entry.value("rel", 0.0)};
  }
  return {0.0, 0.0};
}

std::string last_part(const std::string& name) {
  const size_t slash = name.find_last_of("/.");
  return slash == std::string::npos ? name : name.substr(slash + 1);
}

std::string shape_text(at::IntArrayRef shape) {
  return fmt::format("[{}]", fmt::join(shape.begin(), shape.end(), ","));
}

/// Row-major index of a flat position, as "[1,4,7]".
std::string index_text(int64_t flat, at::IntArrayRef shape) {
  std::vector<int64_t> index(shape.size());
  for (size_t i = shape.size(); i-- > 0;) {
    index[i] = flat % shape[i];
    flat /= shape[i];
  }
  return shape_text(index);
}

bool is_input_by_name(const std::string& name) {
  return name.starts_with("in_") || name.ends_with("/input") || name == "input";
}

bool is_in(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

CaseReport::CaseReport(const GoldenCase& golden) : golden_(golden) {
  for (const std::string& name : golden_.promised_names()) {
    if (!golden_.has(name)) {
      fail(name + ": promised by the case, but not in expected.safetensors");
    }
  }
}

CaseReport::Tolerance CaseReport::tolerance_for(const std::string& name, const std::string& group,
                                                bool integral) const {
  const nlohmann::json& json = golden_.json();
  if (!json.contains("tolerance")) {
    return {};
  }
  const nlohmann::json& tolerance = json["tolerance"];
  if (!tolerance.is_object()) {
    const auto [absolute, relative] = integral ? std::pair(0.0, 0.0) : read_tolerance(tolerance);
    return {absolute, relative};
  }
  std::vector<std::string> keys = {name, last_part(name)};
  if (!group.empty()) {
    keys.push_back(group);
  }
  if (integral) {
    keys.insert(keys.end(), {"integers", "u8"});
  } else {
    keys.push_back("float");
  }
  for (const std::string& key : keys) {
    if (key != "abs" && key != "rel" && key != "note" && tolerance.contains(key)) {
      const auto [absolute, relative] = read_tolerance(tolerance[key]);
      return {absolute, relative};
    }
  }
  if (integral) {
    return {};
  }
  const auto [absolute, relative] = read_tolerance(tolerance);
  return {absolute, relative};
}

void CaseReport::compare(const std::string& name, const at::Tensor& ours, const std::string& group) {
  compare(name, ours, golden_.tensor(name), group);
}

void CaseReport::compare(const std::string& name, const at::Tensor& ours, const at::Tensor& expected,
                         const std::string& group) {
  seen_.push_back(name);
  ++comparisons_;
  if (!ours.defined() || ours.sizes() != expected.sizes()) {
    failures_.push_back(fmt::format("{}: shape {}, expected {}", name,
                                    ours.defined() ? shape_text(ours.sizes()) : "none",
                                    shape_text(expected.sizes())));
    return;
  }
  if (expected.numel() == 0) {
    return;
  }
  const bool integral = !at::isFloatingType(expected.scalar_type());
  const Tolerance tolerance = tolerance_for(name, group, integral);
  const at::Tensor wanted = expected.to(at::kCPU, at::kDouble).contiguous().view({-1});
  const at::Tensor found = ours.detach().to(at::kCPU, at::kDouble).contiguous().view({-1});
  const at::Tensor same = (wanted == found) | (wanted.isnan() & found.isnan());  // equal infinities too
  at::Tensor difference = (wanted - found).abs();
  difference.masked_fill_(same, 0.0);
  const at::Tensor wrong =
      ~same & ~(difference <= tolerance.absolute + tolerance.relative * wanted.abs());  // NaN counts as wrong
  const at::Tensor finite =
      difference.nan_to_num(std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity());
  const double largest = finite.max().item<double>();
  if (largest > largest_ || largest_name_.empty()) {
    largest_ = largest;
    largest_name_ = name;
  }
  const int64_t count = wrong.sum().item<int64_t>();
  if (count > 0) {
    const int64_t worst = finite.masked_fill(~wrong, -1.0).argmax().item<int64_t>();
    failures_.push_back(fmt::format(
        "{}: {} of {} values differ; at {} ours is {:.9g}, expected {:.9g} (tolerance abs {:g}, rel {:g})",
        name, count, expected.numel(), index_text(worst, expected.sizes()), found[worst].item<double>(),
        wanted[worst].item<double>(), tolerance.absolute, tolerance.relative));
  }
}

void CaseReport::compare_number(const std::string& name, double ours, double expected,
                                const std::string& group) {
  ++comparisons_;
  const Tolerance tolerance = tolerance_for(name, group, false);
  const double difference = std::abs(ours - expected);
  const bool both_nan = std::isnan(ours) && std::isnan(expected);
  if (!both_nan && (difference > largest_ || largest_name_.empty())) {
    largest_ = difference;
    largest_name_ = name;
  }
  if (!both_nan && !(difference <= tolerance.absolute + tolerance.relative * std::abs(expected))) {
    failures_.push_back(fmt::format("{}: ours is {:.9g}, expected {:.9g} (tolerance abs {:g}, rel {:g})",
                                    name, ours, expected, tolerance.absolute, tolerance.relative));
  }
}

void CaseReport::compare_text(const std::string& name, const std::string& ours, const std::string& expected) {
  ++comparisons_;
  if (ours != expected) {
    failures_.push_back(fmt::format("{}: ours is \"{}\", expected \"{}\"", name, ours, expected));
  }
}

void CaseReport::require(const std::string& what, bool holds) {
  ++comparisons_;
  if (!holds) {
    failures_.push_back(what + ": does not hold");
  }
}

void CaseReport::used_as_input(const std::string& name) {
  seen_.push_back(name);
}

void CaseReport::finish() {
  const std::vector<std::string> promised = golden_.promised_names();
  for (const std::string& name : golden_.tensor_names()) {
    if (!is_input_by_name(name) && !is_in(seen_, name)) {
      fail(name + (is_in(promised, name) ? ": expected by the case, but not computed"
                                         : ": in expected.safetensors, but neither promised nor computed"));
    }
  }
  if (comparisons_ == 0) {
    fail("nothing was compared");
  }
}

}  // namespace patchioner
