#include "meacap.hpp"

#include <c10/core/GradMode.h>

#include <optional>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "decoding/finite_rows.hpp"
#include "decoding/nested_section.hpp"
#include "entities/entity_retrieval.hpp"
#include "entities/rule_parser.hpp"
#include "entities/shipped_lexicon.hpp"
#include "nn/unit_length.hpp"
#include "support/fingerprint_difference.hpp"

namespace patchioner {
namespace {

ConceptOptions concept_options(const MeacapSection& section) {
  ConceptOptions options;
  options.min_count = section.min_count;
  options.attribute_min = section.attribute_min;
  options.max_concepts = section.max_concepts;
  options.position_fix = section.position_fix;
  return options;
}

/// The memory's own scene graphs, or without them those of the rules.
bool reads_precomputed(const ParserSection& section, const CaptionMemory& memory, const std::string& path) {
  if (section.type == "precomputed" && !memory.has_scene_graphs()) {
    throw Error(
        ErrorKind::config,
        "{}: the memory has no memory_scene_graphs.json; with decoder.meacap.parser.type: rule graphs are "
        "made of its captions",
        path);
  }
  return section.type != "rule" && memory.has_scene_graphs();
}

/// What a region's memory and concepts say of its caption.
std::vector<Evidence> evidence_of(const std::vector<MemoryMatch>& captions, const FoundConcepts& found) {
  std::vector<Evidence> evidence;
  for (size_t i = 0; i < captions.size(); ++i) {
    evidence.push_back({"memory caption", captions[i].text, captions[i].similarity, found.naming[i]});
  }
  for (size_t i = 0; i < found.concepts.size(); ++i) {
    const Concept& one = found.concepts[i];
    evidence.push_back({"concept", one.text, static_cast<double>(one.node.captions), i < found.texts.size()});
  }
  return evidence;
}

}  // namespace

MeacapDecoder::MeacapDecoder(const MeacapOptions& options, const PluginContext& context)
    : model_(options, PromptedKind::viecap, {}, context), bridged_(options.retrieval_feature == "bridged") {
  if (!model_.reads_hard_prompts()) {
    return;
  }
  section_ = read_section<MeacapSection>(options.meacap, "decoder.meacap");
  const auto parser = read_section<ParserSection>(section_.parser, "decoder.meacap.parser");
  auto names = read_section<NamesSection>(section_.names, "decoder.meacap.names");
  const auto vocabulary = read_section<EntitiesSection>(options.entities, "decoder.entities");
  memory_ = CaptionMemory::open(section_.memory);
  if (memory_->dim() != dim()) {
    throw Error(
        ErrorKind::config,
        "{}: the memory's embeddings are {} wide, but the decoder {} reads features of width {}; both must "
        "belong to the backbone's space",
        section_.memory, memory_->dim(), options.weights, dim());
  }
  if (context.device != at::kCPU) {
    memory_ = memory_->to(context.device);
  }
  const bool precomputed = reads_precomputed(parser, *memory_, section_.memory);
  names.type = type_of(names, *memory_);
  if (precomputed && names.type != "lexical" && !parser.lexicon.empty()) {
    throw Error(ErrorKind::config,
                "decoder.meacap.parser: 'lexicon' is not read with the type precomputed, which is that of "
                "the memory {}; leave it out, or choose the type rule",
                section_.memory);
  }
  std::optional<SceneGraphLexicon> lexicon;
  if (!precomputed || names.type == "lexical") {
    lexicon = SceneGraphLexicon::read(parser.lexicon.empty() ? shipped_lexicon()
                                                             : std::filesystem::path(parser.lexicon));
  }
  names_ = std::make_unique<const NameMeasure>(section_.similarity, names, vocabulary, *memory_,
                                               lexicon ? &*lexicon : nullptr, dim(), options.weights,
                                               context.device);
  CaptionParser parse;
  if (precomputed) {
    parse = [memory = memory_](const MemoryMatch& caption) { return memory->scene_graph(caption.row); };
  } else {
    parse = [rules = RuleParser(std::move(*lexicon))](const MemoryMatch& caption) {
      return rules.parse(caption.text);
    };
  }
  finder_ = std::make_unique<const ConceptFinder>(std::move(parse), concept_options(section_));
}

void MeacapDecoder::compare_texts(const Backbone* backbone) const {
  const std::string made_with = memory_->text_fingerprint();
  if (made_with.empty()) {
    return;
  }
  std::string asked_of = "backbone's";
  std::string own = backbone == nullptr ? std::string() : backbone->text_fingerprint();
  if (own.empty()) {
    asked_of = "weights'";
    own = model_.text_fingerprint();
  }
  if (!own.empty() && made_with != own) {
    warn_once(fmt::format(
        "{}: the memory of captions was built with another text encoder than the {}; build it again, or "
        "captions may not fit the images ({})",
        section_.memory, asked_of, fingerprint_difference(made_with, own)));
  }
}

std::vector<Caption> MeacapDecoder::decode(const DecodeInput& input) const {
  const c10::NoGradGuard no_gradients;
  return decode_finite_rows(
      input.features, dim(), "meacap", [&](const at::Tensor& features, const at::Tensor& rows) {
        std::vector<std::vector<MemoryMatch>> near;
        std::vector<FoundConcepts> found;
        std::vector<std::string> hard_prompts;
        if (model_.reads_hard_prompts()) {
          const bool own = !bridged_ && input.region_features.defined();
          const at::Tensor asked = own ? input.region_features.index_select(0, rows) : features;  // [r,D]
          std::call_once(texts_compared_, [&] { compare_texts(input.backbone); });
          const NameMeasure::Result names = names_->with(input.backbone);
          near = memory_->nearest(asked, section_.captions);
          for (const std::vector<MemoryMatch>& captions : near) {
            found.push_back(finder_->find(captions, *names.similarity, names.threshold));
            hard_prompts.push_back(hard_prompt(found.back().texts));
          }
        }
        std::vector<Caption> captions = model_.captions(unit_rows(features), hard_prompts, input.explain);
        for (size_t i = 0; input.explain && i < found.size(); ++i) {
          captions[i].evidence = evidence_of(near[i], found[i]);
        }
        return captions;
      });
}

}  // namespace patchioner

PATCHIONER_PLUGIN(decoder, meacap, "1.0",
                  "MeaCap: ViECap's GPT-2, prompted with concepts of a memory of captions",
                  patchioner::MeacapDecoder, patchioner::MeacapOptions)
