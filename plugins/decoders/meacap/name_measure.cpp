#include "name_measure.hpp"

#include <algorithm>
#include <array>
#include <patchioner/error.hpp>
#include <set>

#include "entities/scene_graph.hpp"
#include "entities/sentence_encoder.hpp"
#include "support/files.hpp"
#include "support/split.hpp"

namespace patchioner {
namespace {

/// MiniLM's, which the reference compares names with (spec/04 section 11.4).
constexpr double kUsualThreshold = 0.55;

/// Names that tell how alike names are, where no vocabulary is given: as good as all, and encoded in seconds.
constexpr size_t kMostSampled = 128;
/// Captions whose scene graphs are looked through for such names.
constexpr size_t kMostCaptions = 2048;

/// Every so-many-th of some things, so that at most `most` are left.
template <class Thing>
std::vector<Thing> sample(const std::vector<Thing>& things, size_t most) {
  if (things.size() <= most) {
    return things;
  }
  std::vector<Thing> chosen;
  for (size_t i = 0; i < most; ++i) {
    chosen.push_back(things[i * things.size() / most]);
  }
  return chosen;
}

/// A vocabulary for want of one: names of the lexicon, or in the memory's scene graphs.
std::vector<std::string> names_at_hand(const SceneGraphLexicon* lexicon, const CaptionMemory& memory) {
  std::set<std::string> names;
  if (lexicon != nullptr) {
    names.insert(lexicon->entities.begin(), lexicon->entities.end());
  } else {
    const auto rows = static_cast<size_t>(memory.bank().rows());
    const size_t step = std::max<size_t>(1, rows / kMostCaptions);
    for (size_t row = 0; row < rows; row += step) {
      for (const SceneNode& node : read_scene_graph(memory.scene_graph(static_cast<int64_t>(row)))) {
        names.insert(node.name);
      }
    }
  }
  return sample(std::vector<std::string>(names.begin(), names.end()), kMostSampled);
}

/// Groups of names, one a line.
std::vector<std::vector<std::string>> read_synonyms(const std::string& path) {
  std::vector<std::vector<std::string>> groups;
  for (const std::string& line : split(read_file(path), '\n')) {
    std::vector<std::string> group;
    for (const std::string& name : split(line, ',')) {
      const size_t begin = name.find_first_not_of(" \t\r");
      if (begin != std::string::npos) {
        group.push_back(name.substr(begin, name.find_last_not_of(" \t\r") + 1 - begin));
      }
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

/// Fewer than two names have no pairs whose cosines could tell a threshold.
void check_vocabulary(size_t names, const std::string& place) {
  if (names < 2) {
    throw Error(
        ErrorKind::config,
        "{}: the threshold of name similarity is found from two or more names, but the vocabulary has "
        "{}; add names, or give decoder.meacap.similarity as a number",
        place, names);
  }
}

/// The number that the section gives; nothing for "auto".
std::optional<double> threshold_of(const Value& similarity) {
  if (similarity.is_text() && similarity.as_text() == "auto") {
    return std::nullopt;
  }
  const bool number = similarity.type() == Value::Type::number || similarity.type() == Value::Type::integer;
  if (!number || similarity.as_number() < -1 || similarity.as_number() > 1) {
    throw Error(ErrorKind::config, "{}: decoder.meacap.similarity must be 'auto' or a cosine from -1 to 1",
                similarity.origin().to_string());
  }
  return similarity.as_number();
}

std::shared_ptr<const NameSimilarity> table_of(const NamesSection& section, const CaptionMemory& memory) {
  if (section.names.empty() != section.embeddings.empty()) {
    throw Error(ErrorKind::config,
                "decoder.meacap.names: a table has 'names' and 'embeddings', but only '{}' is given",
                section.names.empty() ? "embeddings" : "names");
  }
  if (!section.names.empty()) {
    return table_similarity(section.names, section.embeddings);
  }
  if (memory.entity_names().empty()) {
    throw Error(ErrorKind::config,
                "decoder.meacap.names: the memory has no entity_names.txt and entity_embeddings.safetensors; "
                "give 'names' and 'embeddings', or another type");
  }
  return table_similarity(memory.entity_names(), memory.entity_embeddings());
}

std::shared_ptr<const NameSimilarity> lexical_of(const NamesSection& section,
                                                 const SceneGraphLexicon& lexicon) {
  std::vector<std::vector<std::string>> synonyms;
  if (!section.synonyms.empty()) {
    synonyms = read_synonyms(section.synonyms);
  }
  return lexical_similarity(NounExtractor(lexicon), lexicon.aliases, std::move(synonyms));
}

std::shared_ptr<const NameSimilarity> bert_of(const NamesSection& section, at::Device device) {
  if (section.encoder.empty()) {
    throw Error(
        ErrorKind::config,
        "decoder.meacap.names: the type bert reads a sentence encoder; name its folder under 'encoder'");
  }
  const auto encoder = SentenceEncoder::open(section.encoder, device);
  const auto known = std::make_shared<NameVectors>();
  return encoder_similarity([encoder, known](std::span<const std::string> names) {
    return known->of(names, [&](std::span<const std::string> unknown) { return encoder->encode(unknown); });
  });
}

}  // namespace

std::string type_of(const NamesSection& section, const CaptionMemory& memory) {
  struct Key {
    const char* name;
    const std::string& value;
    const char* type;  // the one that reads it
  };
  const std::array<Key, 4> keys = {{{"encoder", section.encoder, "bert"},
                                    {"names", section.names, "table"},
                                    {"embeddings", section.embeddings, "table"},
                                    {"synonyms", section.synonyms, "lexical"}}};
  std::string type = section.type;
  if (type == "auto") {
    const auto given =
        std::find_if(keys.begin(), keys.end(), [](const Key& key) { return !key.value.empty(); });
    type = given != keys.end() ? given->type : memory.entity_names().empty() ? "backbone" : "table";
  }
  for (const Key& key : keys) {
    if (!key.value.empty() && key.type != type) {
      throw Error(ErrorKind::config,
                  "decoder.meacap.names: '{}' is read with the type {}, but the type is {}; leave it out, or "
                  "choose its type",
                  key.name, key.type, type);
    }
  }
  return type;
}

struct NameMeasure::Space {
  std::string fingerprint;
  double threshold = 0;
  NameVectors vectors;
};

NameMeasure::NameMeasure(const Value& similarity, const NamesSection& names,
                         const VocabularySection& vocabulary, const CaptionMemory& memory,
                         const SceneGraphLexicon* lexicon, int64_t dim, const std::string& weights,
                         at::Device device)
    : threshold_(threshold_of(similarity)), section_(vocabulary) {
  if (names.type == "table") {
    similarity_ = table_of(names, memory);
  } else if (names.type == "lexical") {
    similarity_ = lexical_of(names, *lexicon);
  } else if (names.type == "bert") {
    similarity_ = bert_of(names, device);
  }
  if (similarity_ != nullptr) {
    threshold_ = threshold_.value_or(kUsualThreshold);
    return;
  }
  if (vocabulary.names.empty()) {
    if (!threshold_) {
      vocabulary_ = names_at_hand(lexicon, memory);
      check_vocabulary(vocabulary_.size(), lexicon != nullptr ? "the lexicon of decoder.meacap.parser"
                                                              : "the memory's scene graphs");
    }
    return;
  }
  vocabulary_ = section_.read_names();
  embeddings_ = section_.read_embeddings(vocabulary_, dim, weights);
  if (!threshold_) {
    check_vocabulary(vocabulary_.size(), section_.names);
    if (embeddings_.defined()) {
      threshold_ = similarity_threshold(embeddings_, section_.embeddings);
    }
  }
}

std::shared_ptr<NameMeasure::Space> NameMeasure::space_of(const Backbone& backbone) const {
  const std::string fingerprint = backbone.text_fingerprint();
  const std::lock_guard lock(mutex_);
  if (space_ != nullptr && space_->fingerprint == fingerprint) {
    return space_;
  }
  auto space = std::make_shared<Space>();
  space->fingerprint = fingerprint;
  space->threshold = threshold_.value_or(0);
  if (!vocabulary_.empty()) {
    const at::Tensor vectors =
        embeddings_.defined() ? embeddings_ : section_.made_embeddings(vocabulary_, backbone);  // [M,D]
    space->threshold = threshold_ ? *threshold_ : similarity_threshold(vectors, section_.names);
    space->vectors.keep(vocabulary_, vectors);
  }
  space_ = std::move(space);
  return space_;
}

NameMeasure::Result NameMeasure::with(const Backbone* backbone) const {
  if (similarity_ != nullptr) {
    return {similarity_, *threshold_};
  }
  if (backbone == nullptr || !backbone->capabilities().text) {
    throw Error(
        ErrorKind::config,
        "decoder.meacap.names: names are compared in the backbone's text space, but there is no backbone "
        "with a text side; choose another type, such as lexical, or give a table");
  }
  const std::shared_ptr<Space> space = space_of(*backbone);
  const auto encode = [this, space, backbone](std::span<const std::string> names) {
    return space->vectors.of(names, [&](std::span<const std::string> unknown) {
      return embed_entities({unknown.begin(), unknown.end()}, section_.entity_prompts(),
                            encoder_of(*backbone));
    });
  };
  return {encoder_similarity(encode), space->threshold};
}

}  // namespace patchioner
