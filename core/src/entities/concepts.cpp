#include "entities/concepts.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <patchioner/error.hpp>

#include "nn/unit_length.hpp"
#include "support/utf8.hpp"
#include "text/unicode.hpp"

namespace patchioner {
namespace {

bool contains(const std::vector<size_t>& places, size_t place) {
  return std::find(places.begin(), places.end(), place) != places.end();
}

bool is_word_part(std::u32string_view text, size_t at) {
  return at < text.size() && (is_letter(text[at]) || is_number(text[at]));
}

/// Where a caption names a thing, or nothing.
std::optional<size_t> place_in(std::u32string_view caption, std::u32string_view name, bool position_fix) {
  size_t at = caption.find(name);
  if (!position_fix) {
    return at == std::u32string_view::npos || at == 0 ? std::nullopt : std::optional(at);
  }
  while (at != std::u32string_view::npos) {
    const bool begins = at == 0 || !is_word_part(caption, at - 1);
    if (begins && !is_word_part(caption, at + name.size())) {
      return at;
    }
    at = caption.find(name, at + 1);
  }
  return std::nullopt;
}

double mean_position(const std::string& name, const std::vector<std::string>& captions, bool position_fix) {
  const std::u32string wanted = decode_utf8(name);
  double sum = 0;
  int count = 0;
  for (const std::string& text : captions) {
    const std::u32string caption = decode_utf8(text);
    if (const auto place = place_in(caption, wanted, position_fix); place && !caption.empty()) {
      sum += static_cast<double>(*place) / static_cast<double>(caption.size());
      ++count;
    }
  }
  return count == 0 ? 1 : sum / count;
}

/// What becomes of similar names. Pairs are visited in order, with counts and attributes as they are by then,
/// as the reference does; a name that was merged away still gathers what is said of the names like it.
class Merging {
 public:
  Merging(const SceneGraph& graph, const at::Tensor& similarities, double threshold)
      : nodes(graph), keeps_(graph.size()), away_like_(graph.size()), removed_(graph.size()) {
    const at::Tensor cosines = similarities.to(at::kCPU, at::kFloat).contiguous();  // [n,n]
    const float* cosine = cosines.const_data_ptr<float>();
    std::vector<size_t> gone;
    for (size_t i = 0; i < nodes.size(); ++i) {
      for (size_t j = 0; j < nodes.size(); ++j) {
        if (i == j || !(cosine[i * nodes.size() + j] > static_cast<float>(threshold))) {
          continue;
        }
        if (contains(gone, i)) {
          away_like_[i].push_back(j);
        } else {
          keeps_[i].push_back(j);
          nodes[i].captions += nodes[j].captions;
        }
        if (keeps_[j].empty()) {
          gone.push_back(j);
        }
        unite_into(nodes[i], nodes[j]);
      }
    }
    for (const std::vector<size_t>& similar : keeps_) {
      for (const size_t j : similar) {
        removed_[j] = true;
      }
    }
  }

  bool removed(size_t i) const { return removed_[i]; }

  std::vector<std::string> merged_into(size_t i) const {
    std::vector<std::string> names;
    for (const size_t j : keeps_[i]) {
      names.push_back(nodes[j].name);
    }
    return names;
  }

  /// The name that a removed one is now told by.
  std::optional<size_t> redirect(size_t i) const {
    for (const size_t j : away_like_[i]) {
      if (!removed_[j]) {
        return j;
      }
    }
    return std::nullopt;
  }

  SceneGraph nodes;

 private:
  std::vector<std::vector<size_t>> keeps_;      // of a name that stays: those merged into it
  std::vector<std::vector<size_t>> away_like_;  // of a name that goes: those that it is like
  std::vector<bool> removed_;
};

std::string text_of(const SceneNode& node, int64_t attribute_min) {
  for (const auto& [attribute, captions] : node.attributes) {
    if (captions >= attribute_min) {
      return attribute + ' ' + node.name;
    }
  }
  return node.name;
}

}  // namespace

at::Tensor name_similarities(const at::Tensor& embeddings) {
  const at::Tensor units = unit_rows(embeddings.to(at::kFloat));  // [n,D]
  return at::matmul(units, units.t());                            // [n,n]
}

std::vector<Concept> find_concepts(const SceneGraph& graph, const std::vector<std::string>& captions,
                                   const at::Tensor& similarities, const ConceptOptions& options) {
  const auto count = static_cast<int64_t>(graph.size());
  if (similarities.sizes() != at::IntArrayRef({count, count})) {
    throw Error(ErrorKind::data,
                "the captions name {} things, but the similarities of names have the shape [{}]", count,
                fmt::join(similarities.sizes(), ","));
  }
  const Merging merging(graph, similarities, options.similarity);
  const SceneGraph& nodes = merging.nodes;
  const auto is_kept = [&](size_t i) {
    return !merging.removed(i) && nodes[i].captions >= options.min_count;
  };
  // Names, each with those that it is related to: of names at the same place the first of these comes first.
  std::vector<size_t> order;
  const auto list = [&](size_t i) {
    if (is_kept(i) && !contains(order, i)) {
      order.push_back(i);
    }
  };
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!is_kept(i)) {
      continue;
    }
    list(i);
    for (const std::string& target : nodes[i].relations) {
      const auto found = std::find_if(nodes.begin(), nodes.end(),
                                      [&](const SceneNode& node) { return node.name == target; });
      const auto place = static_cast<size_t>(found - nodes.begin());
      if (found == nodes.end()) {
        continue;
      }
      if (is_kept(place)) {
        list(place);
      } else if (const auto other = merging.redirect(place)) {
        list(*other);
      }
    }
  }
  std::vector<Concept> concepts;
  for (const size_t i : order) {
    concepts.push_back({nodes[i], mean_position(nodes[i].name, captions, options.position_fix),
                        text_of(nodes[i], options.attribute_min), merging.merged_into(i)});
  }
  std::stable_sort(concepts.begin(), concepts.end(),
                   [](const Concept& left, const Concept& right) { return left.position < right.position; });
  return concepts;
}

std::vector<std::string> concept_texts(const std::vector<Concept>& concepts, const ConceptOptions& options) {
  std::vector<std::string> texts;
  for (const Concept& found : concepts) {
    if (static_cast<int64_t>(texts.size()) == options.max_concepts) {
      break;
    }
    texts.push_back(found.text);
  }
  return texts;
}

}  // namespace patchioner
