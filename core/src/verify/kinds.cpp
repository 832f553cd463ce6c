#include "verify/kinds.hpp"

namespace patchioner {

const std::vector<CaseKind>& case_kinds() {
  static const std::vector<CaseKind> kinds = {
      {"clip.checkpoint_reader", verify_checkpoint_reader, nullptr},
      {"clip.openai_state_dict", verify_clip_model, nullptr},
      {"clip.openai_torchscript", verify_clip_model, nullptr},
      {"clip.hf_safetensors", verify_clip_model, nullptr},
      {"clip.timm_safetensors", verify_clip_model, nullptr},
      {"clip.open_clip", verify_clip_model, nullptr},
      {"clip.tokenizer", verify_clip_tokenizer, nullptr},
      {"clip.preprocess", verify_clip_preprocess, nullptr},
      {"clip.preprocess_pad", verify_clip_preprocess, nullptr},
      {"clip.text_tables", nullptr, "data for the tokenizer, no case"},
      {"clip.alphaclip", verify_alphaclip, nullptr},
      {"clip.denseclip", verify_denseclip, nullptr},
      {"clip.invite", verify_invite, nullptr},
      {"clip.regionclip", verify_regionclip, nullptr},
      {"dino.dinov2", verify_dinov2, nullptr},
      {"dino.talk2dino", verify_talk2dino, nullptr},
      {"dino.dinotxt_tokenizer", verify_dinotxt_tokenizer, nullptr},
      {"dino.dinotxt", verify_dinotxt, nullptr},
      {"dino.proxyclip", verify_proxyclip, nullptr},
      {"pipeline.preprocess", verify_preprocess, nullptr},
      {"pipeline.preprocess.crop_baseline", verify_crop_baseline, nullptr},
      {"pipeline.aggregation.boxes", verify_boxes, nullptr},
      {"pipeline.aggregation.region_set", verify_region_set, nullptr},
      {"pipeline.aggregation.trace", verify_trace, nullptr},
      {"pipeline.aggregation.gaussian", verify_gaussian, nullptr},
      {"pipeline.aggregation.attention", verify_attention, nullptr},
      {"pipeline.gap.memory_projection", verify_memory_projection, nullptr},
      {"pipeline.decoder.decap", verify_decap, nullptr},
      {"pipeline.decoder.decap_text", verify_decap_text, nullptr},
      {"pipeline.decoder.decap_data", verify_decap_data, nullptr},
      {"pipeline.decoder.decap_training", verify_decap_training, nullptr},
      {"pipeline.pipeline", verify_pipeline, nullptr},
      {"decoders.bpe_small", verify_byte_pairs, nullptr},
      {"decoders.bpe_gpt2", verify_byte_pairs, nullptr},
      {"decoders.rule_parser", verify_rule_parser, nullptr},
      {"decoders.entity_retrieval", verify_entity_retrieval, nullptr},
      {"decoders.meacap_concepts", verify_meacap_concepts, nullptr},
      {"decoders.minilm_tiny", verify_sentence_encoder, nullptr},
      {"decoders.t5_tiny", verify_t5, nullptr},
      {"decoders.viecap_tiny", verify_viecap, nullptr},
      {"decoders.viecap_train", verify_viecap_training, nullptr},
      {"decoders.capdec", verify_capdec, nullptr},
      {"decoders.noise", verify_noise, nullptr},
      {"pipeline.data.trace_benchmark", nullptr, "the trace benchmark builder is not part of this version"},
  };
  return kinds;
}

}  // namespace patchioner
