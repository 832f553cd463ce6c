#include "measure.hpp"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>
#include <set>
#include <string>
#include <utility>

#include "entities/rule_parser.hpp"
#include "entities/scene_graph.hpp"
#include "support/files.hpp"
#include "support/split.hpp"

namespace patchioner::lexicon {
namespace {

template <class Item>
void add(Score& score, const std::set<Item>& found, const std::set<Item>& wanted) {
  score.found += static_cast<int64_t>(found.size());
  score.wanted += static_cast<int64_t>(wanted.size());
  score.right +=
      std::count_if(found.begin(), found.end(), [&](const Item& item) { return wanted.contains(item); });
}

struct Contents {
  std::set<std::string> entities;
  std::set<std::pair<std::string, std::string>> attributes;
};

Contents contents_of(const std::string& graph) {
  Contents contents;
  for (const SceneNode& node : read_scene_graph(graph)) {
    contents.entities.insert(node.name);
    for (const auto& [attribute, captions] : node.attributes) {
      contents.attributes.emplace(node.name, attribute);
    }
  }
  return contents;
}

}  // namespace

Measure measure_parser(const SceneGraphLexicon& lexicon, const std::filesystem::path& file) {
  const RuleParser parser(lexicon);
  Measure measure;
  for (const std::string& line : split(read_file(file), '\n')) {
    if (line.empty()) {
      continue;
    }
    try {
      const auto json = nlohmann::json::parse(line);
      const Contents found = contents_of(parser.parse(json.at("caption").get<std::string>()));
      const Contents wanted = contents_of(json.at("scene_graph").get<std::string>());
      add(measure.entities, found.entities, wanted.entities);
      add(measure.attributes, found.attributes, wanted.attributes);
      ++measure.captions;
    } catch (const nlohmann::json::exception& error) {
      throw Error(ErrorKind::data, "{}: line {} is no pair of caption and scene_graph ({})", file.string(),
                  measure.captions + 1, error.what());
    }
  }
  return measure;
}

}  // namespace patchioner::lexicon
