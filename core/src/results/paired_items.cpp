#include "results/paired_items.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>
#include <patchioner/error.hpp>
#include <random>
#include <unordered_map>

#include "support/nearest_name.hpp"

namespace patchioner {
namespace {

/// The metrics that pairs have on both sides, in the order of their names.
std::vector<std::string> shared_metrics(std::span<const ItemPair> pairs) {
  std::vector<std::string> names;
  for (const ItemPair& pair : pairs) {
    for (const auto& [name, value] : pair.a->values) {
      const auto at = std::lower_bound(names.begin(), names.end(), name);
      if ((at == names.end() || *at != name) && pair.b->values.contains(name)) {
        names.insert(at, name);
      }
    }
  }
  return names;
}

std::vector<ItemChange> changes(std::span<const ItemPair> pairs, const std::string& metric) {
  const std::vector<double> a = values_of(pairs, metric, &ItemPair::a);
  const std::vector<double> b = values_of(pairs, metric, &ItemPair::b);
  std::vector<ItemChange> all;
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (std::isfinite(a[i]) && std::isfinite(b[i])) {
      all.push_back({i, b[i] - a[i]});
    }
  }
  return all;
}

/// Those of one sign (1 or -1), the largest change first.
std::vector<ItemChange> most_changed(std::span<const ItemPair> pairs, const std::string& metric, size_t count,
                                     double sign) {
  std::vector<ItemChange> found = changes(pairs, metric);
  std::erase_if(found, [sign](const ItemChange& change) { return sign * change.difference <= 0; });
  std::stable_sort(found.begin(), found.end(), [sign](const ItemChange& left, const ItemChange& right) {
    return sign * left.difference > sign * right.difference;
  });
  found.resize(std::min(count, found.size()));
  return found;
}

}  // namespace

RegionPlace region_place(const std::string& place) {
  RegionPlace result;
  const char* const end = place.data() + place.size();
  const auto image = std::from_chars(place.data(), end, result.image);
  if (image.ec == std::errc() && image.ptr != end && *image.ptr == '.') {
    const auto region = std::from_chars(image.ptr + 1, end, result.region);
    if (region.ec == std::errc() && region.ptr == end) {
      return result;
    }
  }
  throw Error(ErrorKind::data, "'{}' is no place in a data set, which is IMAGE.REGION, two numbers", place);
}

PairedItems pair_items(std::span<const ScoredItem> a, std::span<const ScoredItem> b) {
  std::unordered_map<std::string_view, const ScoredItem*> places;
  for (const ScoredItem& item : b) {
    if (!places.emplace(item.place, &item).second) {
      throw Error(ErrorKind::data, "the place {} ({}) has two items in one run", item.place, item.image);
    }
  }
  PairedItems result;
  for (const ScoredItem& item : a) {
    const auto found = places.find(item.place);
    if (found == places.end()) {
      ++result.only_a;
      continue;
    }
    const ScoredItem& other = *found->second;
    if (item.image != other.image) {
      throw Error(ErrorKind::usage,
                  "the runs are of different data: the place {} is of the image {} in one and of {} in the "
                  "other; compare runs of one data set",
                  item.place, item.image, other.image);
    }
    if (!item.references.empty() && !other.references.empty() && item.references != other.references) {
      throw Error(ErrorKind::usage,
                  "the runs are of different data: the place {} ({}) has other references in one than in the "
                  "other; compare runs of one data set",
                  item.place, item.image);
    }
    result.pairs.push_back({&item, &other});
    places.erase(found);
  }
  result.only_b = places.size();
  if (result.pairs.empty()) {
    throw Error(
        ErrorKind::usage,
        "the runs have no item in common ({} items in one, {} in the other); compare runs of one data "
        "set",
        a.size(), b.size());
  }
  return result;
}

std::string ordering_metric(std::span<const ItemPair> pairs, const std::string& wanted) {
  const std::vector<std::string> names = shared_metrics(pairs);
  std::vector<std::string> candidates = {"CIDEr", "METEOR", "ROUGE_L", "Bleu_4", "box_METEOR"};
  if (!wanted.empty()) {
    candidates = {wanted};
  }
  for (const std::string& candidate : candidates) {
    for (const std::string& name : names) {
      if (name == candidate || name.starts_with(candidate + "(")) {
        return name;
      }
    }
  }
  if (!wanted.empty()) {
    throw Error(ErrorKind::usage, "items of both runs have no values of '{}'{}", wanted,
                suggestion(wanted, names));
  }
  return names.empty() ? std::string() : names.front();
}

std::vector<double> values_of(std::span<const ItemPair> pairs, const std::string& metric,
                              const ScoredItem* ItemPair::*side) {
  std::vector<double> values;
  values.reserve(pairs.size());
  for (const ItemPair& pair : pairs) {
    const auto& of_item = (pair.*side)->values;
    const auto found = of_item.find(metric);
    values.push_back(found != of_item.end() ? found->second : std::numeric_limits<double>::quiet_NaN());
  }
  return values;
}

std::vector<ItemChange> most_gained(std::span<const ItemPair> pairs, const std::string& metric,
                                    size_t count) {
  return most_changed(pairs, metric, count, 1);
}

std::vector<ItemChange> most_lost(std::span<const ItemPair> pairs, const std::string& metric, size_t count) {
  return most_changed(pairs, metric, count, -1);
}

std::vector<size_t> drawn(size_t size, size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<size_t> numbers(size);
  std::iota(numbers.begin(), numbers.end(), size_t{0});
  count = std::min(count, size);
  for (size_t i = 0; i < count; ++i) {
    std::swap(numbers[i], numbers[i + random() % (size - i)]);
  }
  numbers.resize(count);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace patchioner
