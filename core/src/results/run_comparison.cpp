#include "results/run_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <patchioner/error.hpp>
#include <set>

#include "config/config.hpp"
#include "config/json_value.hpp"
#include "data/json_text.hpp"
#include "evaluation/evaluation_files.hpp"
#include "results/map_bootstrap.hpp"
#include "results/paired_items.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

const std::set<std::string> kDestinations = {"evaluate.output"};  // say where results go, and nothing else

bool is_number(const Value& value) {
  return value.type() == Value::Type::integer || value.type() == Value::Type::number;
}

bool same(const Value& a, const Value& b) {
  return is_number(a) && is_number(b) ? a.as_number() == b.as_number() : a == b;
}

bool holds_maps(const Value& value) {
  return value.is_list() && !value.as_list().empty() &&
         std::all_of(value.as_list().begin(), value.as_list().end(),
                     [](const Value& entry) { return entry.is_map(); });
}

class ConfigDifferences {
 public:
  std::vector<ConfigDifference> of(const Value& a, const Value& b) {
    compare("", &a, &b);
    return std::move(found_);
  }

 private:
  void compare(const std::string& path, const Value* a, const Value* b) {
    if (kDestinations.contains(path)) {
      return;
    }
    if (a != nullptr && b != nullptr && holds_maps(*a) != holds_maps(*b)) {
      // One plugin, and a list of them: its place counts, not how it is written.
      if (a->is_map()) {
        const Value list(Value::List{*a});
        return compare(path, &list, b);
      }
      if (b->is_map()) {
        const Value list(Value::List{*b});
        return compare(path, a, &list);
      }
    }
    if (branches(a) || branches(b)) {
      if (leaf(a) || leaf(b)) {
        add(path, leaf(a) ? a : nullptr, leaf(b) ? b : nullptr);  // a value on one side, keys on the other
      }
      compare_entries(path, a, b);
    } else if (a == nullptr || b == nullptr || !same(*a, *b)) {
      add(path, a, b);
    }
  }

  static bool branches(const Value* value) {
    return value != nullptr && ((value->is_map() && !value->as_map().empty()) || holds_maps(*value));
  }
  static bool leaf(const Value* value) { return value != nullptr && !branches(value); }

  void compare_entries(const std::string& path, const Value* a, const Value* b) {
    const Value::Map of_a = entries(a);
    const Value::Map of_b = entries(b);
    const auto find = [](const Value::Map& map, const std::string& key) -> const Value* {
      const auto at =
          std::find_if(map.begin(), map.end(), [&](const auto& entry) { return entry.first == key; });
      return at == map.end() ? nullptr : &at->second;
    };
    const std::string prefix = path.empty() ? path : path + ".";
    for (const auto& [key, value] : of_a) {
      compare(prefix + key, &value, find(of_b, key));
    }
    for (const auto& [key, value] : of_b) {
      if (find(of_a, key) == nullptr) {
        compare(prefix + key, nullptr, &value);
      }
    }
  }

  /// Of a list its entries by their places.
  static Value::Map entries(const Value* value) {
    if (!branches(value)) {
      return {};
    }
    if (value->is_map()) {
      return value->as_map();
    }
    Value::Map map;
    for (size_t i = 0; i < value->as_list().size(); ++i) {
      map.emplace_back(std::to_string(i), value->as_list()[i]);
    }
    return map;
  }

  void add(const std::string& path, const Value* a, const Value* b) {
    const auto copy = [](const Value* value) { return value ? std::optional(*value) : std::nullopt; };
    found_.push_back({path, copy(a), copy(b)});
  }

  std::vector<ConfigDifference> found_;
};

/// What two folders are called: the last part in which their paths differ.
std::pair<std::string, std::string> names_of(const fs::path& a, const fs::path& b) {
  const auto parts = [](const fs::path& path) {
    std::vector<std::string> names;
    for (const fs::path& part : fs::absolute(path).lexically_normal()) {
      if (!part.empty()) {
        names.push_back(part.string());
      }
    }
    return names;
  };
  std::vector<std::string> of_a = parts(a);
  std::vector<std::string> of_b = parts(b);
  while (!of_a.empty() && !of_b.empty() && of_a.back() == of_b.back()) {
    of_a.pop_back();
    of_b.pop_back();
  }
  if (of_a.empty() || of_b.empty()) {
    return {a.string(), b.string()};
  }
  return {of_a.back(), of_b.back()};
}

std::optional<double> value_of(const RunScores& run, const std::string& name) {
  for (const MetricValue& metric : run.metrics) {
    if (metric.name == name && std::isfinite(metric.value)) {
      return metric.value;
    }
  }
  return std::nullopt;
}

/// mAP of a run, where it has any.
RunMaps maps_of(const RunScores& run, std::span<const ScoredItem> items, const ComparisonOptions& options) {
  if (std::none_of(run.metrics.begin(), run.metrics.end(),
                   [](const MetricValue& metric) { return is_map(metric.name); })) {
    return {};
  }
  DetectionLines lines;
  for (const ScoredItem& item : items) {
    lines.add(item);
  }
  return run_maps(run, std::move(lines), options.resamples, options.seed);
}

/// Names are compared as they are: METEOR without its paraphrases is another metric than METEOR.
std::vector<MetricComparison> compare_metrics(const RunScores& a, const RunScores& b, const RunMaps& maps_a,
                                              const RunMaps& maps_b, std::span<const ItemPair> pairs,
                                              const ComparisonOptions& options) {
  std::vector<std::string> names;
  for (const RunScores* run : {&a, &b}) {
    for (const MetricValue& metric : run->metrics) {
      if (std::find(names.begin(), names.end(), metric.name) == names.end()) {
        names.push_back(metric.name);
      }
    }
  }
  std::vector<MetricComparison> metrics;
  for (const std::string& name : names) {
    MetricComparison metric{name, value_of(a, name), value_of(b, name), std::nullopt};
    if (maps_a.metrics.contains(name) && maps_b.metrics.contains(name)) {
      metric.items = maps_b.bootstrap->against(*maps_a.bootstrap, name);
    }
    const std::vector<double> of_a = values_of(pairs, name, &ItemPair::a);
    const std::vector<double> of_b = values_of(pairs, name, &ItemPair::b);
    bool any = false;
    for (size_t i = 0; i < pairs.size(); ++i) {
      any = any || (std::isfinite(of_a[i]) && std::isfinite(of_b[i]));
    }
    if (any) {
      metric.items = paired_bootstrap(of_b, of_a, options.resamples, options.seed);
    }
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

std::vector<ChangedItem> changed_items(std::span<const ItemPair> pairs,
                                       const std::vector<ItemChange>& changes) {
  std::vector<ChangedItem> items;
  for (const ItemChange& change : changes) {
    items.push_back({*pairs[change.pair].a, *pairs[change.pair].b, change.difference});
  }
  return items;
}

Json number_json(const std::optional<double>& value) {
  return value ? Json(*value) : Json();
}

Json value_json(const std::optional<Value>& value) {
  return value ? json_from_value(*value) : Json();
}

Json changed_json(const std::vector<ChangedItem>& items) {
  Json list = Json::array();
  for (const ChangedItem& item : items) {
    list.push_back({{"place", item.a.place},
                    {"image", item.a.image},
                    {"difference", item.difference},
                    {"caption_a", item.a.caption},
                    {"caption_b", item.b.caption},
                    {"references", item.a.references},
                    {"values_a", item.a.values},
                    {"values_b", item.b.values}});
  }
  return list;
}

Json run_json(const RunScores& run, const std::string& name) {
  return {{"name", name}, {"folder", run.folder.string()}, {"items", run.items}};
}

}  // namespace

std::vector<ConfigDifference> config_differences(const Value& a, const Value& b) {
  return ConfigDifferences().of(a, b);
}

std::string shown_setting(const std::optional<Value>& value) {
  if (!value) {
    return "(absent)";
  }
  return value->is_text() && !value->as_text().empty() ? value->as_text()
                                                       : json_text(json_from_value(*value));
}

RunComparison compare_runs(const fs::path& a, const fs::path& b, const ComparisonOptions& options) {
  RunComparison comparison;
  std::tie(comparison.name_a, comparison.name_b) = names_of(a, b);
  comparison.a = read_run_scores(a);
  comparison.b = read_run_scores(b);
  if (comparison.a.dataset != comparison.b.dataset) {
    throw Error(ErrorKind::usage, "{} is of the data set '{}' and {} of '{}'; compare runs of one data set",
                a.string(), comparison.a.dataset, b.string(), comparison.b.dataset);
  }
  comparison.config =
      config_differences(read_yaml(EvaluationFiles(a).config), read_yaml(EvaluationFiles(b).config));
  const std::vector<ScoredItem> items_a = read_scored_items(a);
  const std::vector<ScoredItem> items_b = read_scored_items(b);
  const PairedItems items = pair_items(items_a, items_b);
  comparison.paired = items.pairs.size();
  comparison.only_a = items.only_a;
  comparison.only_b = items.only_b;
  const RunMaps maps_a = maps_of(comparison.a, items_a, options);
  const RunMaps maps_b = maps_of(comparison.b, items_b, options);
  comparison.metrics = compare_metrics(comparison.a, comparison.b, maps_a, maps_b, items.pairs, options);
  const bool alike = maps_a.missing == maps_b.missing;
  for (const auto& [name, reason] :
       {std::pair(alike ? "A and B" : "A", maps_a.missing), std::pair("B", alike ? "" : maps_b.missing)}) {
    if (!reason.empty()) {
      comparison.notes.push_back(fmt::format("no interval of mAP of {}: {}", name, reason));
    }
  }
  comparison.metric = ordering_metric(items.pairs, options.metric);
  comparison.gained =
      changed_items(items.pairs, most_gained(items.pairs, comparison.metric, options.examples));
  comparison.lost = changed_items(items.pairs, most_lost(items.pairs, comparison.metric, options.examples));
  return comparison;
}

Json to_json(const RunComparison& comparison) {
  Json config = Json::array();
  for (const ConfigDifference& difference : comparison.config) {
    Json entry = {{"path", difference.path}};
    // An absent key has no entry, so that it is told from null.
    if (difference.a) {
      entry["a"] = value_json(difference.a);
    }
    if (difference.b) {
      entry["b"] = value_json(difference.b);
    }
    config.push_back(std::move(entry));
  }
  Json metrics = Json::object();
  for (const MetricComparison& metric : comparison.metrics) {
    Json entry = {{"a", number_json(metric.a)}, {"b", number_json(metric.b)}};
    entry["difference"] = metric.a && metric.b ? Json(*metric.b - *metric.a) : Json();
    if (metric.items) {
      const PairedDifference& items = *metric.items;
      entry["items"] = {{"difference", items.delta},
                        {"low", items.interval.low},
                        {"high", items.interval.high},
                        {"p", items.p_value}};
      if (items.counts_items()) {
        entry["items"].update({{"better", items.wins}, {"worse", items.losses}, {"equal", items.ties}});
      }
    }
    metrics[metric.name] = std::move(entry);
  }
  return {
      {"dataset", comparison.a.dataset},
      {"a", run_json(comparison.a, comparison.name_a)},
      {"b", run_json(comparison.b, comparison.name_b)},
      {"config", std::move(config)},
      {"items", {{"both", comparison.paired}, {"only_a", comparison.only_a}, {"only_b", comparison.only_b}}},
      {"metrics", std::move(metrics)},
      {"notes", comparison.notes},
      {"ordered_by", comparison.metric.empty() ? Json() : Json(comparison.metric)},
      {"gained", changed_json(comparison.gained)},
      {"lost", changed_json(comparison.lost)}};
}

}  // namespace patchioner
