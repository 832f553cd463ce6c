// The section `score` of a config.
#include "scoring/scoring_options.hpp"

#include "config/config.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"

namespace patchioner {
namespace {

TEST_CASE("without a section everything is as papers print it") {
  const ScoringOptions options = read_scoring_options(parse_yaml("backbone: {plugin: x}", "c.yaml"));
  CHECK(options.metrics.empty());
  CHECK(options.tokenizer == "ptb");
  CHECK(options.spice == "rules");
  CHECK(options.cider_df.empty());
  CHECK(options.clip.empty());
}

TEST_CASE("paths start at the file that says them, and names of configs stay names") {
  set_config_directory(PATCHIONER_SOURCE_DIR "/configs");
  const TestFolder folder;
  folder.write("clip.pth", "weights");
  const auto file = folder.write(
      "c.yaml", "score: {meteor_data: meteor, clip: clip.pth, pac: experiment/decap_b32, metrics: [CIDEr]}");
  const ScoringOptions options = read_scoring_options(read_yaml(file));
  CHECK(options.meteor_data == (folder / "meteor").string());
  CHECK(options.clip == (folder / "clip.pth").string());
  CHECK(options.pac == "experiment/decap_b32");
  CHECK(options.metrics == std::vector<std::string>{"CIDEr"});
}

TEST_CASE("mistakes are told with their place") {
  const auto refused = [](const std::string& yaml) {
    return refusal_of([&] { read_scoring_options(parse_yaml(yaml, "c.yaml")); });
  };
  mentions(refused("score: {spice: javas}"), "java");
  mentions(refused("score: {tokeniser: ptb}"), "did you mean 'tokenizer'?");
  mentions(refused("score:\n  metrics: [CIDEr, Blue_4]"),
           "c.yaml:2:3: score.metrics: there is no metric 'Blue_4'; did you mean 'Bleu_4'?");
}

}  // namespace
}  // namespace patchioner
