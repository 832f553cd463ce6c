// The trainable side of ViECap (spec/04 section 9).
#include <patchioner/error.hpp>

#include "decoding/prompted_training.hpp"
#include "entities/entity_names.hpp"
#include "entities/shipped_lexicon.hpp"
#include "viecap.hpp"

namespace patchioner {
namespace {

/// What every hard prompt has (hard_prompt); its ids are five with GPT-2's vocabulary.
constexpr const char* kFrame[] = {"There are", " in image."};

}  // namespace

std::string ViecapDecoder::training_text(const std::string& caption) const {
  return clean_training_caption(caption);
}

const SceneGraphLexicon& ViecapDecoder::lexicon() const {
  if (lexicon_ == nullptr) {
    lexicon_ = std::make_unique<const SceneGraphLexicon>(SceneGraphLexicon::read(
        training_.lexicon.empty() ? shipped_lexicon() : std::filesystem::path(training_.lexicon)));
  }
  return *lexicon_;
}

const std::unordered_set<std::string>& ViecapDecoder::vocabulary() const {
  const std::lock_guard lock(words_mutex_);
  if (vocabulary_ != nullptr) {
    return *vocabulary_;
  }
  if (training_.vocabulary.empty()) {
    vocabulary_ = std::make_unique<const std::unordered_set<std::string>>(single_word_entities(lexicon()));
    return *vocabulary_;
  }
  EntityNameOptions single;
  single.single_words_only = true;
  const std::vector<std::string> names = read_entity_names(training_.vocabulary, single);
  vocabulary_ = std::make_unique<const std::unordered_set<std::string>>(names.begin(), names.end());
  return *vocabulary_;
}

const NounExtractor& ViecapDecoder::nouns() const {
  const std::unordered_set<std::string>& lemmas = vocabulary();
  const std::lock_guard lock(words_mutex_);
  if (nouns_ == nullptr) {
    std::unordered_set<std::string> entities = lexicon().entities;
    entities.insert(lemmas.begin(), lemmas.end());
    nouns_ = std::make_unique<const NounExtractor>(entities, lemmas);
  }
  return *nouns_;
}

std::vector<std::string> ViecapDecoder::training_entities(const std::string& caption) const {
  return nouns().extract(caption);
}

int64_t ViecapDecoder::room() const {
  int64_t frame = 0;
  for (const char* part : kFrame) {
    frame += static_cast<int64_t>(model_.tokenizer().encode(part).size());
  }
  return hard_prompt_room(training_.max_entities, frame);
}

at::Tensor ViecapDecoder::training_ids(std::span<const std::string> captions,
                                       std::vector<size_t>& dropped) const {
  if (model_.reads_hard_prompts()) {
    vocabulary();  // whatever is missing is said before anything is encoded
  }
  return model_.training_ids(captions, dropped, room());
}

Decoder::Loss ViecapDecoder::loss(const TrainingBatch& batch, RandomSource& random, bool training) const {
  std::vector<std::string> prompts;
  if (model_.reads_hard_prompts()) {
    EntityFilterOptions filter;
    filter.max_entities = static_cast<size_t>(training_.max_entities);
    filter.random_mask = training_.random_mask;
    filter.mask_probability = training_.mask_probability;
    filter.filter_without_mask = training_.filter_without_mask;
    for (const std::vector<std::string>& entities : batch.entities) {
      prompts.push_back(hard_prompt(filter_entities(entities, vocabulary(), filter,
                                                    [&] { return random.uniform({1}).item<double>(); })));
    }
  }
  return model_.loss(batch, prompts, room(), training);
}

}  // namespace patchioner
