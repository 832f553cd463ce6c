#include "train/training_run.hpp"

#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>

#include "checkpoint/state_dict.hpp"
#include "support/interrupt.hpp"
#include "test_world.hpp"
#include "train/training_state.hpp"

namespace patchioner {
namespace {

struct Killed {};

/// Runs this program again on the test case "in another process" and gives its wait status.
int in_another_process(const std::string& what, const std::filesystem::path& folder) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("PATCHIONER_TEST_CHILD", what.c_str(), 1);
    ::setenv("PATCHIONER_TEST_FOLDER", folder.c_str(), 1);
    const char* arguments[] = {"unit_train", "--no-skip", "--test-case=in another process", "--out=/dev/null",
                               nullptr};
    ::execv("/proc/self/exe", const_cast<char* const*>(arguments));
    ::_exit(127);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

// Not a test of its own: what `in_another_process` runs.
TEST_CASE("in another process" * doctest::skip()) {
  const char* what = std::getenv("PATCHIONER_TEST_CHILD");
  const char* root = std::getenv("PATCHIONER_TEST_FOLDER");
  REQUIRE(what != nullptr);
  REQUIRE(root != nullptr);
  const PoliteInterrupt polite;
  SmallTraining training(root);
  const TrainingOutcome outcome = training.run(false, [&](int64_t step, const TrainStep&) {
    if (step == 6) {
      ::raise(std::string_view(what) == "kill" ? SIGKILL : SIGINT);
    }
  });
  CHECK_FALSE(outcome.finished);
  CHECK(outcome.steps == 7);
}

TEST_CASE("a training writes a checkpoint an epoch, the curves, and learns") {
  const TrainingFolder folder;
  SmallTraining training(folder.path());
  training.options.tensorboard = true;
  const TrainingOutcome outcome = training.run();
  CHECK(outcome.finished);
  CHECK(outcome.steps == 15);
  CHECK(outcome.epochs.size() == 3);
  CHECK(outcome.epochs.back().loss < outcome.epochs.front().loss);
  CHECK(outcome.checkpoint == folder / "out/small-002.pt");
  CHECK(std::filesystem::exists(folder / "out/small-000.pt"));
  CHECK(std::filesystem::exists(folder / "out/small-000_config.json"));
  const std::string epochs = read_file(folder / "out/small_epoch_losses.csv");
  CHECK(epochs.starts_with("epoch,loss,accuracy\n0,"));
  CHECK(std::count(epochs.begin(), epochs.end(), '\n') == 4);
  const std::string steps = read_file(folder / "out/small_steps.csv");
  CHECK(steps.starts_with("step,epoch,learning_rate,loss,accuracy,gradient_norm\n0,0,0,"));
  CHECK(std::count(steps.begin(), steps.end(), '\n') == 16);
  bool has_events = false;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "out")) {
    has_events = has_events || entry.path().filename().string().starts_with("events.out.tfevents.");
  }
  CHECK(has_events);
}

TEST_CASE("a checkpoint loads again and decodes as the trained decoder does") {
  const TrainingFolder folder;
  SmallTraining training(folder.path());
  const TrainingOutcome outcome = training.run();
  const Value section(Value::Map{{"plugin", "plain"},
                                 {"vocabulary", (folder / "vocabulary.txt").string()},
                                 {"weights", outcome.checkpoint.string()}});
  const auto loaded = host().decoder(section, PluginContext());
  CHECK(equal_weights(*loaded, *training.decoder));
  DecodeInput input;
  input.features = training.backbone.encode_text(small_captions()).slice(0, 0, 4);
  const auto ours = training.decoder->decode(input);
  const auto theirs = loaded->decode(input);
  for (size_t i = 0; i < ours.size(); ++i) {
    CHECK(ours[i].token_ids == theirs[i].token_ids);
  }
}

TEST_CASE("two trainings with one seed give the same bits, another seed does not") {
  const TrainingFolder first_folder, second_folder, third_folder;
  SmallTraining first(first_folder.path()), second(second_folder.path()), third(third_folder.path());
  third.options.seed = 43;
  first.run();
  second.run();
  third.run();
  CHECK(equal_weights(*first.decoder, *second.decoder));
  CHECK_FALSE(equal_weights(*first.decoder, *third.decoder));
}

TEST_CASE("a training that broke off anywhere ends with the bits of an uninterrupted one") {
  const TrainingFolder whole_folder;
  SmallTraining whole(whole_folder.path());
  whole.run();
  const std::string steps = read_file(whole_folder / "out/small_steps.csv");
  // Before the first saved state, between two, right behind one, in the last epoch.
  for (const int64_t last : {2, 5, 7, 12}) {
    const TrainingFolder folder;
    SmallTraining broken(folder.path());
    CHECK_THROWS_AS(broken.run(false,
                               [last](int64_t step, const TrainStep&) {
                                 if (step == last) {
                                   throw Killed();
                                 }
                               }),
                    Killed);
    SmallTraining resumed(folder.path());
    const TrainingOutcome outcome = resumed.run();
    CHECK(outcome.finished);
    CHECK(equal_weights(*resumed.decoder, *whole.decoder));
    CHECK(read_file(folder / "out/small_steps.csv") == steps);
    CHECK(read_file(folder / "out/small_epoch_losses.csv") ==
          read_file(whole_folder / "out/small_epoch_losses.csv"));
  }
}

TEST_CASE("kill -9 in the middle of a training loses nothing but the updates since the last saved state") {
  const TrainingFolder whole_folder, folder;
  SmallTraining whole(whole_folder.path());
  whole.run();
  const int status = in_another_process("kill", folder.path());
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
  SmallTraining resumed(folder.path());
  int64_t first_step = -1;
  resumed.run(false,
              [&](int64_t step, const TrainStep&) { first_step = first_step < 0 ? step : first_step; });
  CHECK(first_step == 5);  // the end of the first epoch was saved
  CHECK(equal_weights(*resumed.decoder, *whole.decoder));
}

TEST_CASE("Ctrl-C finishes the update in flight, saves, and the same call goes on") {
  const TrainingFolder whole_folder, folder;
  SmallTraining whole(whole_folder.path());
  whole.run();
  const int status = in_another_process("interrupt", folder.path());
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  SmallTraining resumed(folder.path());
  int64_t first_step = -1;
  resumed.run(false,
              [&](int64_t step, const TrainStep&) { first_step = first_step < 0 ? step : first_step; });
  CHECK(first_step == 7);
  CHECK(equal_weights(*resumed.decoder, *whole.decoder));
}

TEST_CASE("a finished training is not trained again, unless it is restarted") {
  const TrainingFolder folder;
  SmallTraining training(folder.path());
  training.run();
  int64_t updates = 0;
  const auto count = [&](int64_t, const TrainStep&) { ++updates; };
  SmallTraining again(folder.path());
  CHECK(again.run(false, count).finished);
  CHECK(updates == 0);
  CHECK(equal_weights(*again.decoder, *training.decoder));
  SmallTraining anew(folder.path());
  anew.run(true, count);
  CHECK(updates == 15);
}

TEST_CASE("a state that was made under other settings is refused with what differs") {
  const TrainingFolder folder;
  SmallTraining training(folder.path());
  training.run();
  SmallTraining other(folder.path());
  other.options.lr = 0.02;
  const std::string message = refusal_of(ErrorKind::config, [&] { other.run(); });
  CHECK(contains(message, "train.lr was 0.01, is 0.02"));
  CHECK(contains(message, "--restart"));
  folder.write("captions.txt", joined_lines(small_captions()) + "one more caption\n");
  SmallTraining other_data(folder.path());
  CHECK(contains(refusal_of(ErrorKind::config, [&] { other_data.run(); }),
                 "the captions (train.data), their entities or their tokenizer changed"));
  CHECK(other_data.backbone.encoded == 0);
  folder.write("captions.txt", joined_lines(small_captions()));
  SmallTraining other_encoder(folder.path());
  other_encoder.backbone.fingerprint = "another";
  CHECK(contains(refusal_of(ErrorKind::config, [&] { other_encoder.run(); }), "the text encoder changed"));
  CHECK(other_encoder.backbone.encoded == 0);
}

TEST_CASE("a second training with the same output and prefix is refused while the first one runs") {
  const TrainingFolder folder;
  SmallTraining first(folder.path());
  std::string message;
  first.run(false, [&](int64_t step, const TrainStep&) {
    if (step == 2) {
      SmallTraining second(folder.path());
      message = refusal_of(ErrorKind::io, [&] { second.run(); });
    }
  });
  CHECK(contains(message, "another training with this train.output and train.prefix is running"));
  CHECK_FALSE(std::filesystem::exists(folder / "out/small_train.lock"));
  SmallTraining other(folder.path());
  other.options.prefix = "other";
  CHECK(other.run().finished);
}

TEST_CASE("a restart takes away what the earlier run left, and nothing of another prefix") {
  const TrainingFolder folder;
  SmallTraining longer(folder.path());
  longer.run();
  for (const char* name : {"small-2-000.pt", "small-notes.pt", "small-001.txt"}) {
    folder.write(std::string("out/") + name, "kept");
  }
  SmallTraining shorter(folder.path());
  shorter.options.epochs = 1;
  CHECK(shorter.run(true).finished);
  CHECK(std::filesystem::exists(folder / "out/small-000.pt"));
  CHECK_FALSE(std::filesystem::exists(folder / "out/small-001.pt"));
  CHECK_FALSE(std::filesystem::exists(folder / "out/small-002_config.json"));
  const std::string epochs = read_file(folder / "out/small_epoch_losses.csv");
  CHECK(std::count(epochs.begin(), epochs.end(), '\n') == 2);
  for (const char* name : {"small-2-000.pt", "small-notes.pt", "small-001.txt"}) {
    CHECK(std::filesystem::exists(folder / (std::string("out/") + name)));
  }
}

TEST_CASE("what a killed process left half-written is removed, that of a running one stays") {
  const TrainingFolder folder;
  const pid_t dead = ::fork();
  if (dead == 0) {
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(dead, &status, 0) == dead);
  const auto left = folder.write(fmt::format("out/small_state.safetensors.{}.partial", dead), "half");
  const auto running = folder.write(fmt::format("out/small-000.pt.{}.partial", ::getppid()), "half");
  const auto foreign = folder.write(fmt::format("out/other_state.safetensors.{}.partial", dead), "half");
  SmallTraining training(folder.path());
  training.run();
  CHECK_FALSE(std::filesystem::exists(left));
  CHECK(std::filesystem::exists(running));
  CHECK(std::filesystem::exists(foreign));
}

TEST_CASE("two decoders of different sizes in one folder keep their own settings") {
  const TrainingFolder folder;
  SmallTraining first(folder.path());
  first.options.epochs = 1;
  first.run();
  const auto wide = host().decoder(Value(Value::Map{{"plugin", "plain"},
                                                    {"vocabulary", (folder / "vocabulary.txt").string()},
                                                    {"prefix_size", DigestBackbone::kDim},
                                                    {"vocab_size", kVocabularySize},
                                                    {"n_positions", 32},
                                                    {"n_embd", 16},
                                                    {"n_layer", 2},
                                                    {"n_head", 8}}),
                                   PluginContext());
  SmallTraining second(folder.path());
  second.options.epochs = 1;
  second.options.prefix = "wide";
  TrainingParts parts;
  parts.backbone = &second.backbone;
  parts.decoder = wide.get();
  run_training(parts, second.options, false);
  CHECK(contains(read_file(folder / "out/small-000_config.json"), "\"n_head\": 2"));
  CHECK(contains(read_file(folder / "out/wide-000_config.json"), "\"n_head\": 8"));
  const auto loaded = host().decoder(Value(Value::Map{{"plugin", "plain"},
                                                      {"vocabulary", (folder / "vocabulary.txt").string()},
                                                      {"weights", (folder / "out/wide-000.pt").string()}}),
                                     PluginContext());
  const at::Tensor features = at::ones({1, DigestBackbone::kDim});
  const at::Tensor ids = at::tensor({1, 2, 3}, at::kLong).view({1, 3});
  CHECK(at::allclose(loaded->logits(features, ids), wide->logits(features, ids), 1e-4, 1e-5));
}

TEST_CASE("a gap of another width than the backbone's is refused before anything is encoded") {
  const TrainingFolder folder;
  write_safetensors(folder / "bank.safetensors", {{"embeddings", at::ones({2, 5})}});
  folder.write("bank.texts.json", R"(["a", "b"])");
  SmallTraining training(folder.path());
  training.decoder = small_decoder(folder.path());
  TrainingParts parts;
  parts.backbone = &training.backbone;
  parts.decoder = training.decoder.get();
  parts.gaps = {
      host().gap(Value(Value::Map{{"plugin", "memory"}, {"bank", (folder / "bank.safetensors").string()}}),
                 PluginContext())};
  CHECK(contains(refusal_of(ErrorKind::config, [&] { run_training(parts, training.options, false); }),
                 "the gap reads features of width 5"));
  CHECK(training.backbone.encoded == 0);
}

TEST_CASE("a damaged state is refused, and a restart gets over it") {
  const TrainingFolder folder;
  SmallTraining training(folder.path());
  training.run();
  const auto state = folder / "out/small_state.safetensors";
  std::filesystem::resize_file(state, std::filesystem::file_size(state) / 2);
  SmallTraining again(folder.path());
  refusal_of(ErrorKind::checkpoint, [&] { again.run(); });
  SmallTraining anew(folder.path());
  CHECK(anew.run(true).finished);
}

TEST_CASE("a batch that is larger than the data is refused") {
  const TrainingFolder folder;
  SmallTraining training(folder.path());
  training.options.batch_size = 41;
  CHECK(contains(refusal_of(ErrorKind::config, [&] { training.run(); }),
                 "40 usable captions do not fill one batch of 41"));
}

TEST_CASE("a decoder of another width than the backbone's is refused before anything is encoded") {
  const TrainingFolder folder;
  SmallTraining training(folder.path());
  const auto decoder = host().decoder(Value(Value::Map{{"plugin", "plain"},
                                                       {"vocabulary", (folder / "vocabulary.txt").string()},
                                                       {"prefix_size", 5},
                                                       {"vocab_size", kVocabularySize},
                                                       {"n_embd", 8},
                                                       {"n_layer", 1},
                                                       {"n_head", 1}}),
                                      PluginContext());
  TrainingParts parts;
  parts.backbone = &training.backbone;
  parts.decoder = decoder.get();
  CHECK(contains(refusal_of(ErrorKind::config, [&] { run_training(parts, training.options, false); }),
                 "say 8 where the decoder's sizes are (prefix_size of plain"));
  CHECK(training.backbone.encoded == 0);
}

TEST_CASE("mixed captions take the feature of a caption of the same image, and need to know the images") {
  const TrainingFolder folder;
  SmallTraining training(folder.path());
  training.options.mix_captions = true;
  CHECK(contains(refusal_of(ErrorKind::config, [&] { training.run(); }), "needs an image_id"));
  std::string json = R"({"annotations": [)";
  const auto captions = small_captions();
  for (size_t i = 0; i < captions.size(); ++i) {
    json += fmt::format(R"({}{{"image_id": {}, "caption": "{}"}})", i == 0 ? "" : ",", i / 2, captions[i]);
  }
  training.options.data = folder.write("captions.json", json + "]}").string();
  CHECK(training.run().finished);
}

TEST_CASE("the documentation lists every option of a training") {
  const std::string page = read_file(std::filesystem::path(PATCHIONER_SOURCE_DIR) / "docs/training.md");
  for (const Parameter& parameter : schema_of<TrainOptions>()) {
    CAPTURE(parameter.name);
    CHECK(contains(page, "`" + parameter.name + "`"));
  }
}

TEST_CASE("an output folder that cannot be made or written is an error with its path") {
  const TrainingFolder folder;
  folder.write("file", "");
  SmallTraining training(folder.path());
  training.options.output = (folder / "file/out").string();
  CHECK(contains(refusal_of(ErrorKind::io, [&] { training.run(); }), "file/out"));
}

}  // namespace
}  // namespace patchioner
