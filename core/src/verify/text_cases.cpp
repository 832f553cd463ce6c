// Golden cases of the tokenizers.
#include <patchioner/error.hpp>

#include "support/files.hpp"
#include "text/clip_tokenizer.hpp"
#include "text/gpt2_tokenizer.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

nlohmann::json read_json(const std::filesystem::path& path) {
  return nlohmann::json::parse(read_file(path));
}

/// Texts of `strings` that cannot be tokenised into `context` ids without truncation.
std::vector<size_t> too_long(const ClipTokenizer& tokenizer, const std::vector<std::string>& strings,
                             int64_t context) {
  std::vector<size_t> refused;
  for (size_t index = 0; index < strings.size(); ++index) {
    try {
      (void)tokenizer.tokenize(std::span(&strings[index], 1), context, false);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::data) {
        throw;
      }
      refused.push_back(index);
    }
  }
  return refused;
}

/// Ids as a tensor, so that they are compared as numbers are.
at::Tensor as_tensor(const std::vector<int64_t>& ids) {
  return at::tensor(ids, at::kLong);
}

}  // namespace

void verify_clip_tokenizer(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const nlohmann::json& json = golden.json();
  const auto tokenizer = ClipTokenizer::open(golden.file(json.at("vocabulary").get<std::string>()));

  std::vector<std::string> strings;
  for (const auto& entry : read_json(golden.file(json.at("strings").get<std::string>()))) {
    const auto& text = strings.emplace_back(entry.at("text").get<std::string>());
    const std::string name = fmt::format("string {}", strings.size() - 1);
    report.compare_text(name + " cleaned", clean_text(text, TextClean::full),
                        entry.at("cleaned").get<std::string>());
    report.compare(name, as_tensor(tokenizer->encode(text)),
                   as_tensor(entry.at("ids").get<std::vector<int64_t>>()));
  }
  if (json.contains("decode")) {
    size_t index = 0;
    for (const auto& entry : read_json(golden.file(json.at("decode").get<std::string>()))) {
      const auto ids = entry.at("ids").get<std::vector<int64_t>>();
      report.compare_text(fmt::format("decoded {}", index++), tokenizer->decode(ids),
                          entry.at("text").get<std::string>());
    }
  }
  // "tokens_77" holds rows of 77 ids, "too_long_for_77" the texts that do not fit into them.
  const std::string rows = "tokens_";
  for (const auto& [name, entry] : json.at("expected").items()) {
    if (!name.starts_with(rows)) {
      continue;
    }
    const int64_t context = std::stoll(name.substr(rows.size()));
    report.compare(name, tokenizer->tokenize(strings, context, true));
    const std::string refused = fmt::format("too_long_for_{}", context);
    if (json.contains(refused)) {
      report.require(refused,
                     too_long(*tokenizer, strings, context) == json[refused].get<std::vector<size_t>>());
    }
  }
}

void verify_dinotxt_tokenizer(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const nlohmann::json& json = golden.json();
  const auto tokenizer = ClipTokenizer::open(golden.file(json.at("vocabulary").get<std::string>()));
  report.require("start token", tokenizer->start_id() == json.at("start_token").get<int64_t>());
  report.require("end token", tokenizer->end_id() == json.at("end_token").get<int64_t>());
  const auto context = json.at("context_length").get<int64_t>();
  for (const auto& entry : json.at("cases")) {
    const std::vector<std::string> text = {entry.at("text").get<std::string>()};
    at::Tensor expected = at::zeros({1, context}, at::kLong);
    const at::Tensor ids = as_tensor(entry.at("ids").get<std::vector<int64_t>>());
    report.require("\"" + text[0] + "\" has as many ids as it says",
                   ids.size(0) == entry.at("length").get<int64_t>());
    expected[0].narrow(0, 0, ids.size(0)).copy_(ids);
    report.compare("\"" + text[0] + "\"", tokenizer->tokenize(text, context, true), expected);
  }
}

void verify_byte_pairs(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const nlohmann::json& json = golden.json();
  std::filesystem::path merges;
  std::filesystem::path vocabulary;
  for (const auto& [name, meaning] : json.at("files").items()) {
    (name.ends_with(".json") ? vocabulary : merges) = golden.file(name);
  }
  const auto tokenizer = Gpt2Tokenizer::open(merges, vocabulary);
  report.require("vocab_size", tokenizer->size() == json.at("vocab_size").get<int64_t>());
  report.require("eos_id", tokenizer->end_id() == json.at("eos_id").get<int64_t>());
  if (json.contains("known_ids")) {
    for (const auto& [text, ids] : json["known_ids"].items()) {
      report.compare("known_ids \"" + text + "\"", as_tensor(tokenizer->encode(text)),
                     as_tensor(ids.get<std::vector<int64_t>>()));
    }
  }
  size_t index = 0;
  for (const auto& entry : json.at("encode")) {
    report.compare(fmt::format("encode[{}]", index++),
                   as_tensor(tokenizer->encode(entry.at("text").get<std::string>())),
                   as_tensor(entry.at("ids").get<std::vector<int64_t>>()));
  }
  index = 0;
  for (const auto& entry : json.at("decode")) {
    const auto ids = entry.at("ids").get<std::vector<int64_t>>();
    const std::string name = fmt::format("decode[{}].", index++);
    const std::pair<const char*, Gpt2Decoding> forms[] = {
        {"text", {}}, {"text_clean_up", {false, true}}, {"text_skip_special", {true, false}}};
    for (const auto& [form, options] : forms) {
      if (entry.contains(form)) {
        report.compare_text(name + form, tokenizer->decode(ids, options), entry[form].get<std::string>());
      }
    }
  }
}

}  // namespace patchioner
