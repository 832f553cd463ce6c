#include <fmt/ranges.h>

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "checkpoint/state_dict.hpp"
#include "checkpoint/tensor_bytes.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

/// Rows of each part of the report: enough to see the pattern, few enough to stay on a screen.
constexpr size_t kMostRows = 10;

bool fits(std::span<const int64_t> found, std::span<const int64_t> expected) {
  if (found.size() != expected.size()) {
    return false;
  }
  for (size_t i = 0; i < found.size(); ++i) {
    if (expected[i] >= 0 && found[i] != expected[i]) {
      return false;
    }
  }
  return true;
}

/// "[768,any]": an expected shape, in which -1 accepts any size.
std::string expected_text(std::span<const int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += fmt::format("{}{}", i > 0 ? "," : "", shape[i] < 0 ? "any" : std::to_string(shape[i]));
  }
  return text + "]";
}

std::string and_more(size_t total) {
  return total > kMostRows ? fmt::format("\n  ... and {} more", total - kMostRows) : std::string();
}

}  // namespace

TensorLoader::TensorLoader(StateDict state_dict, std::string what)
    : state_dict_(std::move(state_dict)), what_(std::move(what)) {}

at::Tensor TensorLoader::get(const std::string& name, std::vector<int64_t> shape) {
  return accept(name, std::move(shape)) ? read(name) : at::empty({0});
}

at::Tensor TensorLoader::get_optional(const std::string& name, std::vector<int64_t> shape) {
  return state_dict_.contains(name) ? get(name, std::move(shape)) : at::Tensor();
}

void TensorLoader::check(const std::string& name, std::vector<int64_t> shape) {
  accept(name, std::move(shape));
}

bool TensorLoader::accept(const std::string& name, std::vector<int64_t> shape) {
  const TensorInfo* info = state_dict_.info(name);
  if (info == nullptr) {
    missing_.push_back({name, std::move(shape)});
    return false;
  }
  used_.insert(info->name);
  if (!fits(info->shape, shape)) {
    mis_shaped_.push_back({name, info->shape, std::move(shape)});
    return false;
  }
  return true;
}

at::Tensor TensorLoader::read(const std::string& name) const {
  return state_dict_.tensor(name).to(at::kFloat).contiguous();
}

void TensorLoader::ignore(const std::string& name) {
  used_.insert(name);
}

void TensorLoader::ignore_prefix(const std::string& prefix) {
  ignored_prefixes_.push_back(prefix);
}

std::vector<std::string> TensorLoader::unexpected() const {
  std::vector<std::string> names = state_dict_.names();
  std::erase_if(names, [this](const std::string& name) {
    return used_.contains(name) ||
           std::any_of(ignored_prefixes_.begin(), ignored_prefixes_.end(),
                       [&name](const std::string& prefix) { return name.starts_with(prefix); });
  });
  return names;
}

std::string TensorLoader::report() const {
  const std::vector<std::string> extra = unexpected();
  std::vector<std::string> counts;
  if (!missing_.empty()) {
    counts.push_back(fmt::format("{} missing", missing_.size()));
  }
  if (!mis_shaped_.empty()) {
    counts.push_back(fmt::format("{} of another shape", mis_shaped_.size()));
  }
  if (!extra.empty()) {
    counts.push_back(fmt::format("{} unexpected", extra.size()));
  }
  std::string text = fmt::format("{} does not fit {}: tensors {}", state_dict_.description(), what_,
                                 fmt::join(counts, ", "));
  for (size_t i = 0; i < std::min(missing_.size(), kMostRows); ++i) {
    const Missing& row = missing_[i];
    text += fmt::format("\n  missing      {} {}", row.name, expected_text(row.shape));
    if (const std::string problem = state_dict_.unreadable(row.name); !problem.empty()) {
      text += fmt::format(" (the file has {} there)", problem);
    } else if (const std::string nearest = nearest_name(row.name, extra); !nearest.empty()) {
      text += fmt::format("; the file has {} {}", nearest, shape_text(state_dict_.info(nearest)->shape));
    }
  }
  text += and_more(missing_.size());
  for (size_t i = 0; i < std::min(mis_shaped_.size(), kMostRows); ++i) {
    const MisShaped& row = mis_shaped_[i];
    text += fmt::format("\n  wrong shape  {} is {}, expected {}", row.name, shape_text(row.found),
                        expected_text(row.expected));
  }
  text += and_more(mis_shaped_.size());
  for (size_t i = 0; i < std::min(extra.size(), kMostRows); ++i) {
    text += fmt::format("\n  unexpected   {} {}", extra[i], shape_text(state_dict_.info(extra[i])->shape));
  }
  return text + and_more(extra.size());
}

void TensorLoader::finish() {
  if (!missing_.empty() || !mis_shaped_.empty()) {
    throw Error(ErrorKind::checkpoint, "{}", report());
  }
  const std::vector<std::string> extra = unexpected();
  if (!extra.empty()) {
    const std::span<const std::string> first(extra.data(), std::min<size_t>(extra.size(), 3));
    log(LogLevel::info, "{}: {} tensors are not used by {}: {}{}", state_dict_.path().filename().string(),
        extra.size(), what_, fmt::join(first, ", "), extra.size() > first.size() ? " ..." : "");
  }
}

}  // namespace patchioner
