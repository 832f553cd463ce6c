// Results as JSON, and JSON as what pictures show.
#include "caption.hpp"

namespace patchioner::caption {
namespace {

/// Weights are for looking at: six digits keep a line short.
Json grid_json(const at::Tensor& weights) {
  Json rows = Json::array();
  const at::Tensor values = weights.to(at::kCPU).to(at::kFloat).contiguous();  // [rows,columns]
  for (int64_t row = 0; row < values.size(0); ++row) {
    Json line = Json::array();
    for (int64_t column = 0; column < values.size(1); ++column) {
      const float value = values[row][column].item<float>();
      line.push_back(std::isfinite(value) ? Json(std::round(static_cast<double>(value) * 1e6) / 1e6)
                                          : Json());
    }
    rows.push_back(std::move(line));
  }
  return rows;
}

at::Tensor grid_of(const Json& rows) {
  if (!rows.is_array() || rows.empty() || !rows[0].is_array()) {
    return {};
  }
  const auto height = static_cast<int64_t>(rows.size());
  const auto width = static_cast<int64_t>(rows[0].size());
  at::Tensor grid = at::zeros({height, width});
  for (int64_t row = 0; row < height; ++row) {
    for (int64_t column = 0; column < width; ++column) {
      const Json& value = rows[static_cast<size_t>(row)].at(static_cast<size_t>(column));
      grid[row][column] = value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
    }
  }
  return grid;
}

void add_result(Json& region, const RegionResult& result) {
  if (!result.error.empty()) {
    region["error"] = result.error;
    return;
  }
  region["caption"] = result.caption.text;
  region["score"] = result.caption.score;
  for (const AlternativeCaption& other : result.caption.alternatives) {
    region["alternatives"].push_back({{"caption", other.text}, {"score", other.score}});
  }
  if (!result.warnings.empty()) {
    region["warnings"] = result.warnings;
  }
}

void add_explanation(Json& region, const RegionResult& result) {
  const Caption& caption = result.caption;
  if (result.weights.defined()) {
    region["weights"] = grid_json(result.weights);
  }
  for (const MemoryMatch& match : result.memory) {
    region["memory"].push_back(
        {{"text", match.text}, {"similarity", match.similarity}, {"weight", match.weight}});
  }
  if (!caption.prompt.empty()) {
    region["prompt"] = caption.prompt;
  }
  for (const Evidence& found : caption.evidence) {
    region["evidence"].push_back(
        {{"kind", found.kind}, {"text", found.text}, {"score", found.score}, {"used", found.used}});
  }
  for (size_t i = 0; i < std::min(caption.tokens.size(), caption.log_probabilities.size()); ++i) {
    Json token = {{"text", caption.tokens[i]}, {"log_probability", caption.log_probabilities[i]}};
    if (i < caption.token_ids.size()) {
      token["id"] = caption.token_ids[i];
    }
    region["tokens"].push_back(std::move(token));
  }
}

/// A number of a record, where null stands for one that is not finite.
double number_of(const Json& entry, const char* key) {
  const auto found = entry.find(key);
  return found != entry.end() && found->is_number() ? found->get<double>()
                                                    : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

ShownAnswer shown_answer(const Json& entry) {
  ShownAnswer shown;
  shown.caption = entry.value("caption", "");
  shown.error = entry.value("error", "");
  if (entry.contains("score") && entry["score"].is_number()) {
    shown.score = entry["score"].get<double>();
  }
  if (entry.contains("warnings")) {
    shown.warnings = entry["warnings"].get<std::vector<std::string>>();
  }
  shown.prompt = entry.value("prompt", "");
  for (const Json& other : entry.value("alternatives", Json::array())) {
    shown.alternatives.push_back({other.value("caption", ""), {}, number_of(other, "score")});
  }
  for (const Json& found : entry.value("evidence", Json::array())) {
    shown.evidence.push_back({found.value("kind", ""), found.value("text", ""), number_of(found, "score"),
                              found.value("used", false)});
  }
  for (const Json& match : entry.value("memory", Json::array())) {
    shown.memory.push_back(
        {match.value("text", ""), match.value("similarity", 0.0), match.value("weight", 0.0)});
  }
  for (const Json& token : entry.value("tokens", Json::array())) {
    shown.tokens.push_back({token.value("text", ""), number_of(token, "log_probability")});
  }
  return shown;
}

ShownRegion shown_region(const Region& region, const Json& entry) {
  ShownRegion shown;
  shown.region = region;
  shown.answers.push_back(shown_answer(entry));
  if (entry.contains("weights")) {
    shown.weights = grid_of(entry["weights"]);
  }
  return shown;
}

Json record_of(const Loaded& loaded, const std::vector<RegionResult>& results, const std::string& settings,
               bool explain) {
  Json record = {{"image", loaded.item.name}};
  if (!loaded.item.id.is_null()) {
    record["id"] = loaded.item.id;
  }
  if (loaded.error.empty()) {
    record["width"] = loaded.task.geometry.image_width;
    record["height"] = loaded.task.geometry.image_height;
  } else {
    record["error"] = loaded.error;
  }
  Json regions = Json::array();
  size_t next = 0;
  for (size_t i = 0; loaded.item.regions != nullptr && i < loaded.item.regions->asked.size(); ++i) {
    Json region = loaded.item.regions->asked[i];
    if (!region.is_object()) {
      region = {{"asked", region}};
    }
    if (i < loaded.region_errors.size() && !loaded.region_errors[i].empty()) {
      region["error"] = loaded.region_errors[i];
    } else if (loaded.error.empty() && next < results.size()) {
      const RegionResult& result = results[next++];
      add_result(region, result);
      if (explain && result.error.empty()) {
        add_explanation(region, result);
      }
    }
    regions.push_back(std::move(region));
  }
  record["regions"] = std::move(regions);
  record["settings"] = settings;
  return record;
}

ShownImage shown_of(const Loaded& loaded, const std::vector<RegionResult>& results, const Json& record) {
  ShownImage image;
  image.title = loaded.item.name;
  image.pixels = loaded.shown;
  image.geometry = loaded.task.geometry;
  image.error = loaded.error;
  const Json regions = record.value("regions", Json::array());
  size_t next = 0;
  for (size_t i = 0; i < std::min(regions.size(), loaded.regions.size()); ++i) {
    ShownRegion shown = shown_region(loaded.regions[i], regions[i]);
    // Heat maps are drawn even where the record keeps no weights.
    if (i < loaded.region_errors.size() && loaded.region_errors[i].empty() && next < results.size()) {
      const RegionResult& result = results[next++];
      if (result.weights.defined()) {
        shown.weights = result.weights;
      }
    }
    image.regions.push_back(std::move(shown));
  }
  return image;
}

std::string one_line(const Json& record) {
  return record.dump(-1, ' ', false, Json::error_handler_t::replace);
}

size_t errors_in(const Json& record) {
  if (record.contains("error")) {
    return 1;
  }
  size_t errors = 0;
  for (const Json& region : record.value("regions", Json::array())) {
    errors += region.contains("error") ? 1 : 0;
  }
  return errors;
}

}  // namespace patchioner::caption
