#include "results/run_scores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>
#include <unordered_map>
#include <utility>

#include "support/files.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Numbers that JSON cannot say, as the programs that write such files say them.
const std::unordered_map<std::string, double> kNumberTexts = {
    {"nan", kNotANumber}, {"NaN", kNotANumber},      {".nan", kNotANumber},
    {"inf", kInfinity},   {"Infinity", kInfinity},   {".inf", kInfinity},
    {"-inf", -kInfinity}, {"-Infinity", -kInfinity}, {"-.inf", -kInfinity}};

/// Entries of a line of items.jsonl that are numbers and no metrics.
constexpr std::array<std::string_view, 5> kItemNumbers = {"id", "place", "score", "overlap",
                                                          "boxes_of_image"};

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& what) {
  throw Error(ErrorKind::data, "{}: {}; evaluate again to write it anew", file.string(), what);
}

Json read_object(const std::filesystem::path& file) {
  const Json json = Json::parse(read_file(file), nullptr, false);
  if (!json.is_object()) {
    refuse(file, json.is_discarded() ? "is no valid JSON" : "holds no JSON object");
  }
  return json;
}

double metric_value(const Json& value, const std::string& name, const std::filesystem::path& file) {
  if (value.is_number()) {
    return value.get<double>();
  }
  if (value.is_null()) {
    return kNotANumber;
  }
  if (value.is_string()) {
    if (const auto found = kNumberTexts.find(value.get<std::string>()); found != kNumberTexts.end()) {
      return found->second;
    }
  }
  refuse(file, fmt::format("metrics.{} is {}, not a number", name, value.dump()));
}

double number_or_zero(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<double>() : 0;
}

size_t count_or_zero(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_unsigned() ? found->get<size_t>() : 0;
}

std::string text_or_empty(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

double stage_seconds(const std::filesystem::path& file) {
  const Json run = read_object(file);
  double seconds = 0;
  if (const auto stages = run.find("stages"); stages != run.end() && stages->is_array()) {
    for (const Json& stage : *stages) {
      seconds += stage.is_object() ? number_or_zero(stage, "seconds") : 0;
    }
  }
  return seconds;
}

std::optional<ScoredDetection> detection_of(const Json& line) {
  const auto score = line.find("score");
  const auto overlap = line.find("overlap");
  const auto is_first = line.find("first_of_its_box");
  const auto boxes = line.find("boxes_of_image");
  if (score == line.end() || !score->is_number() || overlap == line.end() || !overlap->is_number() ||
      is_first == line.end() || !is_first->is_boolean() || boxes == line.end() ||
      !boxes->is_number_unsigned() || boxes->get<uint64_t>() > std::numeric_limits<int32_t>::max()) {
    return std::nullopt;
  }
  return ScoredDetection{score->get<double>(), overlap->get<double>(), is_first->get<bool>(),
                         boxes->get<int32_t>()};
}

ScoredItem item_of(const Json& line, size_t number) {
  ScoredItem item;
  item.place = text_or_empty(line, "place");
  if (item.place.empty()) {
    item.place = fmt::format("#{}", number);
  }
  item.image = text_or_empty(line, "file_name");
  item.caption = text_or_empty(line, "caption");
  if (const auto references = line.find("references"); references != line.end() && references->is_array()) {
    for (const Json& reference : *references) {
      item.references.push_back(reference.is_string() ? reference.get<std::string>() : reference.dump());
    }
  }
  for (const auto& [key, value] : line.items()) {
    if (value.is_number() && std::find(kItemNumbers.begin(), kItemNumbers.end(), key) == kItemNumbers.end()) {
      item.values[key] = value.get<double>();
    }
  }
  item.detection = detection_of(line);
  return item;
}

}  // namespace

const MetricValue* RunScores::find(const std::string& metric) const {
  for (const MetricValue& value : metrics) {
    if (value.name == metric) {
      return &value;
    }
  }
  for (const MetricValue& value : metrics) {
    if (value.name.starts_with(metric + "(")) {
      return &value;
    }
  }
  return nullptr;
}

RunScores read_run_scores(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "metrics.json";
  const Json json = read_object(file);
  const auto metrics = json.find("metrics");
  if (metrics == json.end() || !metrics->is_object()) {
    refuse(file, "has no \"metrics\"");
  }
  RunScores run;
  run.folder = folder;
  // "runs/eval/" ends in an empty name, "." has none of its own.
  const std::filesystem::path whole = std::filesystem::absolute(folder).lexically_normal();
  run.row = (whole.has_filename() ? whole : whole.parent_path()).filename().string();
  run.dataset = text_or_empty(json, "name");
  run.finished = true;
  for (const auto& [name, value] : metrics->items()) {
    run.metrics.push_back({name, metric_value(value, name, file)});
  }
  run.items = count_or_zero(json, "items");
  if (const auto dataset = json.find("dataset"); dataset != json.end() && dataset->is_object()) {
    run.images = count_or_zero(*dataset, "images");
    run.regions = count_or_zero(*dataset, "regions");
  }
  if (const auto options = json.find("options"); options != json.end() && options->is_object()) {
    run.dense_variant = text_or_empty(*options, "dense_variant");
  }
  if (const auto boxes = json.find("boxes"); boxes != json.end() && boxes->is_object()) {
    run.boxes = count_or_zero(*boxes, "merged_boxes");
  }
  if (const std::filesystem::path stages = folder / "run.json"; std::filesystem::exists(stages)) {
    run.seconds = stage_seconds(stages);
  } else if (const auto timing = json.find("timing"); timing != json.end() && timing->is_object()) {
    run.seconds = number_or_zero(*timing, "captioning_seconds") + number_or_zero(*timing, "scoring_seconds");
  }
  return run;
}

void visit_scored_items(const std::filesystem::path& folder,
                        const std::function<void(ScoredItem&& item)>& visit) {
  const std::filesystem::path file = folder / "items.jsonl";
  const auto mapped = MappedFile::open(file);
  const std::string_view text = mapped->text();
  size_t number = 0;
  for (size_t begin = 0; begin < text.size(); ++number) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
      continue;
    }
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) {
      refuse(file, fmt::format("line {} is no JSON object", number + 1));
    }
    visit(item_of(json, number));
  }
}

std::vector<ScoredItem> read_scored_items(const std::filesystem::path& folder) {
  std::vector<ScoredItem> items;
  visit_scored_items(folder, [&](ScoredItem&& item) { items.push_back(std::move(item)); });
  return items;
}

}  // namespace patchioner
