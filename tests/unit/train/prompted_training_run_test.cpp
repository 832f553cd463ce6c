// Whole trainings of the decoder `viecap`, small and fresh, in the world of test_world.hpp.
#include "test_world.hpp"

namespace patchioner {
namespace {

const std::string kTokenizer =
    std::string(PATCHIONER_SOURCE_DIR) + "/tests/parity/decoders/viecap_train/merges.txt";

/// 3 epochs of 5 updates with noise, dropout and masks.
struct PromptedTrainingRun : SmallTraining {
  using SmallTraining::SmallTraining;

  TrainingOutcome run(const TrainingObserver& observer = {}) {
    options.optimizer = "adamw_transformers";
    at::manual_seed(static_cast<uint64_t>(options.seed));
    const Value section(
        Value::Map{{"plugin", "viecap"},
                   {"tokenizer", Value::Map{{"merges", kTokenizer}}},
                   {"heads", Value::Map{{"mapping", int64_t{2}}, {"language_model", int64_t{2}}}},
                   {"fresh", Value::Map{{"dim", DigestBackbone::kDim},
                                        {"width", int64_t{16}},
                                        {"layers", int64_t{1}},
                                        {"positions", int64_t{100}},
                                        {"prompt_length", int64_t{2}},
                                        {"projected_length", int64_t{2}},
                                        {"mapping_layers", int64_t{1}}}},
                   {"training", Value::Map{{"lexicon", (root / "lexicon.json").string()}}}});
    decoder = host().decoder(section, PluginContext());
    TrainingParts parts;
    parts.backbone = &backbone;
    parts.decoder = decoder.get();
    parts.gaps = {host().gap(Value(Value::Map{{"plugin", "noise"}, {"variance", 0.016}}), PluginContext())};
    return run_training(parts, options, /*restart=*/false, observer);
  }
};

struct PromptedFolder : TrainingFolder {
  PromptedFolder() { write_lexicon(R"("dog", "cat", "bus", "tree", "road", "sea", "night", "grass")"); }

  void write_lexicon(const std::string& entities) {
    write("lexicon.json",
          fmt::format(R"({{"entities": [{}], "attributes": [], "aliases": {{}}, "numbers": {{}},
      "copulas": [], "skip_after_copula": [], "dropped_relation_words": []}})",
                      entities));
  }
};

struct Killed {};

TEST_CASE("a training of ViECap learns, and one that broke off ends with the bits of an uninterrupted one") {
  const PromptedFolder whole_folder;
  PromptedTrainingRun whole(whole_folder.path());
  const TrainingOutcome outcome = whole.run();
  CHECK(outcome.finished);
  CHECK(outcome.epochs.back().loss < outcome.epochs.front().loss);
  for (const int64_t last : {2, 6, 12}) {
    const PromptedFolder folder;
    PromptedTrainingRun broken(folder.path());
    CHECK_THROWS_AS(broken.run([last](int64_t step, const TrainStep&) {
      if (step == last) {
        throw Killed();
      }
    }),
                    Killed);
    PromptedTrainingRun resumed(folder.path());
    CHECK(resumed.run().finished);
    CHECK(equal_weights(*resumed.decoder, *whole.decoder));
    CHECK(read_file(folder / "out/small_steps.csv") == read_file(whole_folder / "out/small_steps.csv"));
  }
}

TEST_CASE("the features are those of the cleaned captions") {
  const PromptedFolder folder;
  folder.write("captions.txt", joined_lines(std::vector<std::string>(8, "a dog")));
  PromptedTrainingRun raw(folder.path());
  raw.options.epochs = 1;
  raw.run();
  const std::string losses = read_file(folder / "out/small_steps.csv");
  folder.write("captions.txt", joined_lines(std::vector<std::string>(8, "A dog.")));
  raw.options.output = (folder / "other").string();
  raw.run();
  CHECK(read_file(folder / "other/small_steps.csv") == losses);
}

TEST_CASE("entities of the data file are taken instead of the caption's own nouns") {
  const PromptedFolder folder;
  const auto losses = [&](const std::string& name, const std::string& entities) {
    std::string lines;
    for (const std::string& caption : small_captions()) {
      lines += fmt::format("{{{}\"caption\": \"{}\"}}\n", entities, caption);
    }
    folder.write("captions.txt", lines);
    PromptedTrainingRun training(folder.path());
    training.options.output = (folder / name).string();
    training.options.epochs = 1;
    training.run();
    return read_file(folder / (name + "/small_steps.csv"));
  };
  const std::string own = losses("own", "");
  CHECK(losses("none", "\"entities\": [], ") != own);
  CHECK(losses("sea", "\"entities\": [\"sea\"], ") != losses("tree", "\"entities\": [\"tree\"], "));
  CHECK(losses("again", "") == own);
}

TEST_CASE("a state made with other entities or another optimizer is refused") {
  PromptedFolder folder;
  PromptedTrainingRun first(folder.path());
  first.options.epochs = 1;
  first.run();
  folder.write_lexicon(R"("dog", "cat")");
  PromptedTrainingRun second(folder.path());
  second.options.epochs = 1;
  mentions(refusal_of(ErrorKind::config, [&] { second.run(); }),
           "the captions (train.data), their entities or their tokenizer changed");
  folder.write_lexicon(R"("dog", "cat", "bus", "tree", "road", "sea", "night", "grass")");
  PromptedTrainingRun third(folder.path());
  third.options.epochs = 1;
  third.options.epsilon = 1e-7;
  mentions(refusal_of(ErrorKind::config, [&] { third.run(); }), "train.epsilon was 1e-06, is 1e-07");
}

}  // namespace
}  // namespace patchioner
