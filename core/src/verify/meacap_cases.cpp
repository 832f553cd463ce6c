// Golden cases of the decoder `meacap`, from features over retrieved captions and concepts to texts.
#include <c10/core/InferenceMode.h>

#include <patchioner/error.hpp>

#include "entities/caption_memory.hpp"
#include "support/files.hpp"
#include "support/temporary_folder.hpp"
#include "text/gpt2_tokenizer.hpp"
#include "verify/kinds.hpp"
#include "verify/prompted_case_files.hpp"

namespace patchioner {
namespace {

/// The checkpoint, which has no fixed name.
std::filesystem::path weights_of(const GoldenCase& golden) {
  for (const auto& [name, meaning] : golden.json().at("files").items()) {
    if ((name.ends_with(".pt") || name.ends_with(".safetensors")) && !name.starts_with("memory_")) {
      return golden.file(name);
    }
  }
  throw Error(ErrorKind::data, "{}: the case names no checkpoint", golden.folder().string());
}

/// The case's memory as a folder that the decoder reads: its files, and the names' vectors beside them, which
/// the case holds among its tensors.
void lay_out_memory(const GoldenCase& golden, const std::filesystem::path& folder) {
  for (const auto& [name, meaning] : golden.json().at("files").items()) {
    if (name.starts_with("memory_")) {
      std::filesystem::create_symlink(std::filesystem::absolute(golden.file(name)), folder / name);
    }
  }
  std::string names;
  for (const auto& name : golden.json().at("entity_names")) {
    names += name.get<std::string>() + "\n";
  }
  write_file(folder / "entity_names.txt", names);
  write_safetensors(folder / "entity_embeddings.safetensors",
                    {{"embeddings", golden.tensor("entity_embeddings")}});
}

std::vector<Caption> captions_of(const GoldenCase& golden, CaseHost& host,
                                 const std::filesystem::path& memory, const std::string& search,
                                 bool reference_batch_padding = false) {
  const nlohmann::json& json = golden.json();
  const nlohmann::json& dims = json.at("dims");
  const Value section(Value::Map{
      {"plugin", "meacap"},
      {"weights", weights_of(golden).string()},
      {"tokenizer", case_tokenizer(golden)},
      {"heads", Value::Map{{"mapping", dims.at("mapping_heads").get<int64_t>()},
                           {"language_model", dims.at("gpt_heads").get<int64_t>()}}},
      {"search", Value::Map{{"type", search}}},
      {"meacap",
       Value::Map{{"memory", memory.string()}, {"captions", json.at("memory_caption_num").get<int64_t>()}}},
      {"reference_batch_padding", reference_batch_padding}});
  DecodeInput input;
  input.features = golden.tensor("features");  // [R,D]
  input.region_features = input.features;
  input.explain = true;
  return host.decoder(section)->decode(input);
}

/// Similarities to all captions, and which of them are retrieved.
void compare_retrieval(const GoldenCase& golden, CaseReport& report, const CaptionMemory& memory) {
  const at::Tensor features = golden.tensor("features");  // [R,D]
  report.compare("memory_embeddings", memory.bank().embeddings());
  const int64_t rows = memory.bank().rows();
  at::Tensor cosine = at::zeros({features.size(0), rows});  // [R,N]
  at::Tensor share = at::zeros_like(cosine);
  const auto all = memory.bank().nearest(features, rows, 1 / golden.json().at("logit_scale").get<double>());
  for (size_t region = 0; region < all.size(); ++region) {
    for (const MemoryMatch& match : all[region]) {
      cosine[static_cast<int64_t>(region)][match.row] = match.similarity;
      share[static_cast<int64_t>(region)][match.row] = match.weight;
    }
  }
  report.compare("cosine", cosine);
  report.compare("memory_probs", share);
  std::vector<at::Tensor> retrieved;
  for (const auto& captions :
       memory.nearest(features, golden.json().at("memory_caption_num").get<int64_t>())) {
    std::vector<int64_t> places;
    for (const MemoryMatch& match : captions) {
      places.push_back(match.row);
    }
    retrieved.push_back(at::tensor(places, at::kLong));
  }
  report.compare("memory_topk_index", at::stack(retrieved));
}

/// Texts of the evidence of one kind; of concepts those of the prompt.
std::vector<std::string> evidence_texts(const Caption& caption, const std::string& kind) {
  std::vector<std::string> texts;
  for (const Evidence& found : caption.evidence) {
    if (found.kind == kind && (found.used || kind != "concept")) {
      texts.push_back(found.text);
    }
  }
  return texts;
}

}  // namespace

void verify_meacap(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const c10::InferenceMode no_gradients;
  const nlohmann::json& json = golden.json();
  report.used_as_input("features");
  report.used_as_input("entity_embeddings");
  const TemporaryFolder folder;
  lay_out_memory(golden, folder.path());
  compare_retrieval(golden, report, *CaptionMemory::open(folder.path()));

  const auto tokenizer = Gpt2Tokenizer::open(golden.file(kCaseMerges), golden.file(kCaseVocabulary));
  const std::vector<Caption> greedy = captions_of(golden, host, folder.path(), "greedy");
  const std::vector<Caption> beam = captions_of(golden, host, folder.path(), "beam");
  const nlohmann::json& rows = json.at("rows");
  report.require("rows", greedy.size() == rows.size() && beam.size() == rows.size());
  for (size_t i = 0; i < std::min(rows.size(), greedy.size()); ++i) {
    const nlohmann::json& row = rows[i];
    const std::string name = fmt::format("rows[{}].", i);
    report.require(name + "retrieved",
                   nlohmann::json(evidence_texts(greedy[i], "memory caption")) == row.at("retrieved"));
    report.require(name + "concepts",
                   nlohmann::json(evidence_texts(greedy[i], "concept")) == row.at("concepts"));
    report.compare_text(name + "hard_prompt", greedy[i].prompt, row.at("hard_prompt").get<std::string>());
    report.require(name + "hard_prompt_ids",
                   nlohmann::json(tokenizer->encode(greedy[i].prompt)) == row.at("hard_prompt_ids"));
    report.require(name + "greedy_ids", nlohmann::json(greedy[i].token_ids) == row.at("greedy_ids"));
    report.compare_text(name + "greedy", greedy[i].raw_text, row.at("greedy").get<std::string>());
    report.compare_text(name + "beam5", beam.at(i).raw_text, row.at("beam5").get<std::string>());
  }
  if (json.contains("reference_batch_padding_greedy")) {
    const auto expected = json["reference_batch_padding_greedy"].get<std::vector<std::string>>();
    const std::vector<Caption> padded = captions_of(golden, host, folder.path(), "greedy", true);
    report.require("reference_batch_padding_greedy rows", padded.size() == expected.size());
    for (size_t i = 0; i < std::min(padded.size(), expected.size()); ++i) {
      report.compare_text(fmt::format("reference_batch_padding_greedy[{}]", i), padded[i].raw_text,
                          expected[i]);
    }
  }
}

}  // namespace patchioner
