#include "entities/scene_graph.hpp"

#include <algorithm>
#include <array>

#include "support/utf8.hpp"
#include "text/unicode.hpp"

namespace patchioner {
namespace {

constexpr std::string_view kPrompt = "Generate Scene Graph:";  // of the published parser
constexpr std::string_view kBetweenFacts = ") , (";

/// 2 to 9 in words, as the reference names them.
constexpr std::array<std::string_view, 8> kNumbers = {"two", "three", "four",  "five",
                                                      "six", "seven", "eight", "nine"};

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::vector<std::string> fields_of(std::string_view segment) {
  std::vector<std::string> fields;
  while (true) {
    const size_t comma = segment.find(',');
    fields.emplace_back(trimmed(segment.substr(0, comma)));
    if (comma == std::string_view::npos) {
      return fields;
    }
    segment.remove_prefix(comma + 1);
  }
}

std::string in_words(const std::string& field) {
  const bool digit = field.size() == 1 && field[0] >= '2' && field[0] <= '9';
  return digit ? std::string(kNumbers[static_cast<size_t>(field[0] - '2')]) : field;
}

/// The node of a name, made when there is none yet.
SceneNode& node_of(SceneGraph& graph, const std::string& name) {
  const auto found =
      std::find_if(graph.begin(), graph.end(), [&](const SceneNode& node) { return node.name == name; });
  return found != graph.end() ? *found : graph.emplace_back(SceneNode{name, 1, {}, {}});
}

/// Notes an attribute, once a caption.
void describe(SceneGraph& graph, const std::string& name, const std::string& attribute) {
  if (name.empty()) {
    return;
  }
  auto& attributes = node_of(graph, name).attributes;
  const auto same = [&](const auto& known) { return known.first == attribute; };
  if (!attribute.empty() && std::none_of(attributes.begin(), attributes.end(), same)) {
    attributes.emplace_back(attribute, 1);
  }
}

void relate(SceneGraph& graph, const std::string& subject, const std::string& object) {
  for (const std::string& name : {subject, object}) {
    if (!name.empty()) {
      (void)node_of(graph, name);
    }
  }
  if (subject.empty() || object.empty()) {
    return;
  }
  auto& relations = node_of(graph, subject).relations;
  if (std::find(relations.begin(), relations.end(), object) == relations.end()) {
    relations.push_back(object);
  }
}

}  // namespace

std::string spaced_scene_graph(std::string_view text) {
  std::string without_prompt(text);
  for (size_t at = without_prompt.find(kPrompt); at != std::string::npos; at = without_prompt.find(kPrompt)) {
    without_prompt.erase(at, kPrompt.size());
  }
  std::u32string spaced;
  for (const char32_t c : decode_utf8(without_prompt)) {
    const bool mark = c == U'(' || c == U')' || c == U',';
    if ((mark || is_trimmed(c)) && !spaced.empty() && spaced.back() != U' ') {
      spaced.push_back(U' ');
    }
    if (mark) {
      spaced.append({c, U' '});
    } else if (!is_trimmed(c)) {
      spaced.push_back(c);
    }
  }
  return encode_utf8(trim(spaced));
}

std::vector<std::string> scene_graph_segments(const std::string& spaced) {
  std::vector<std::string> segments;
  std::string_view rest = spaced;
  while (true) {
    const size_t end = rest.find(kBetweenFacts);
    std::string segment(rest.substr(0, end));
    std::erase_if(segment, [](char c) { return c == '(' || c == ')'; });
    segments.emplace_back(trimmed(segment));
    if (end == std::string_view::npos) {
      return segments;
    }
    rest.remove_prefix(end + kBetweenFacts.size());
  }
}

SceneGraph read_scene_graph(std::string_view text) {
  SceneGraph graph;
  const std::vector<std::string> segments = scene_graph_segments(spaced_scene_graph(text));
  for (const std::string& segment : segments) {
    const std::vector<std::string> fields = fields_of(segment);
    if (fields.size() == 1) {
      if (segments.size() == 1 && !fields[0].empty()) {
        (void)node_of(graph, fields[0]);
      }
    } else if (fields.size() == 2) {
      describe(graph, fields[0], fields[1]);
    } else if (fields.size() == 3 && fields[1] == "is") {
      describe(graph, fields[0], in_words(fields[2]));
    } else {
      relate(graph, fields[0], fields.size() == 3 ? in_words(fields[2]) : fields.back());
    }
  }
  return graph;
}

SceneGraph unite_scene_graphs(std::span<const SceneGraph> graphs) {
  SceneGraph united;
  for (const SceneGraph& graph : graphs) {
    for (const SceneNode& node : graph) {
      const size_t before = united.size();
      SceneNode& whole = node_of(united, node.name);
      if (united.size() > before) {
        whole = node;
      } else {
        whole.captions += node.captions;
        unite_into(whole, node);
      }
    }
  }
  std::stable_sort(united.begin(), united.end(), [](const SceneNode& left, const SceneNode& right) {
    return left.captions > right.captions;
  });
  return united;
}

void unite_into(SceneNode& whole, const SceneNode& part) {
  for (const auto& [attribute, captions] : part.attributes) {
    const auto known = std::find_if(whole.attributes.begin(), whole.attributes.end(),
                                    [&](const auto& other) { return other.first == attribute; });
    if (known == whole.attributes.end()) {
      whole.attributes.emplace_back(attribute, captions);
    } else {
      known->second += captions;
    }
  }
  for (const std::string& target : part.relations) {
    if (std::find(whole.relations.begin(), whole.relations.end(), target) == whole.relations.end()) {
      whole.relations.push_back(target);
    }
  }
}

}  // namespace patchioner
