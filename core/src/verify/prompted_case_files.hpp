// What golden cases of decoders with prompts have in common: their tokenizer's files, and how they name the
// reference's settings.
#pragma once

#include <nlohmann/json.hpp>
#include <patchioner/value.hpp>
#include <string>

#include "verify/verify.hpp"

namespace patchioner {

constexpr const char* kCaseMerges = "merges.txt";
constexpr const char* kCaseVocabulary = "vocab.json";

/// The section `tokenizer` of a decoder that reads the case's files.
inline Value case_tokenizer(const GoldenCase& golden) {
  return Value::Map{{"merges", golden.file(kCaseMerges).string()},
                    {"vocabulary", golden.file(kCaseVocabulary).string()}};
}

/// The option `layout` of the reference's settings, all three of which must be there.
inline std::string case_layout(const nlohmann::json& config) {
  if (!config.at("using_hard_prompt").get<bool>()) {
    return "no_hard";
  }
  if (config.at("only_hard_prompt").get<bool>()) {
    return "only_hard";
  }
  return config.at("soft_prompt_first").get<bool>() ? "soft_first" : "hard_first";
}

}  // namespace patchioner
