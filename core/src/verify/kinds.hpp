// One function a kind of golden case; each stands in the file of its topic (<topic>_cases.cpp) and is listed
// in kinds.cpp.
#pragma once

#include "verify/verify.hpp"

namespace patchioner {

void verify_plugin_backbone(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_plugin_aggregator(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_plugin_gap(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_plugin_decoder(const GoldenCase& golden, CaseReport& report, CaseHost& host);

void verify_checkpoint_reader(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_clip_model(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_invite(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_denseclip(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_alphaclip(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_torchscript(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_regionclip(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_clip_tokenizer(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_dinov2(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_talk2dino(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_dinotxt(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_proxyclip(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_dinotxt_tokenizer(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_memory_projection(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_decap(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_decap_text(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_decap_data(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_decap_training(const GoldenCase& golden, CaseReport& report, CaseHost& host);

void verify_pipeline(const GoldenCase& golden, CaseReport& report, CaseHost& host);

void verify_byte_pairs(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_rule_parser(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_entity_retrieval(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_meacap_concepts(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_sentence_encoder(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_t5(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_viecap(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_meacap(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_viecap_training(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_capdec(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_noise(const GoldenCase& golden, CaseReport& report, CaseHost& host);

void verify_preprocess(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_crop_baseline(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_clip_preprocess(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_boxes(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_region_set(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_trace(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_gaussian(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_attention(const GoldenCase& golden, CaseReport& report, CaseHost& host);

void verify_ptb_tokenizer(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_ptb_batch(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_caption_scores(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_cider_frequencies(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_embedding_scores(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_meteor_pairs(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_meteor_words(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_meteor_normalize(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_spice_tuples(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_dense_map(const GoldenCase& golden, CaseReport& report, CaseHost& host);

void verify_trace_benchmark(const GoldenCase& golden, CaseReport& report, CaseHost& host);
void verify_vg_conversion(const GoldenCase& golden, CaseReport& report, CaseHost& host);

}  // namespace patchioner
