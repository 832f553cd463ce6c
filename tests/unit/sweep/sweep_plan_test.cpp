#include "sweep/sweep_plan.hpp"

#include <doctest/doctest.h>

#include <patchioner/error.hpp>
#include <set>

#include "config/config.hpp"
#include "refusals.hpp"
#include "support/files.hpp"
#include "test_folder.hpp"

using namespace patchioner;

namespace {

const std::filesystem::path kSource = PATCHIONER_SOURCE_DIR;

/// Plans sweeps of the shipped model; the results' folder is not made.
class Planning {
 public:
  Planning() { set_config_directory(kSource / "configs"); }

  SweepPlan plan(const std::string& rows, const std::string& head = "datasets: [emoji_dense]\n") {
    Sweep sweep = read_sweep(folder.write(
        "s.yaml",
        "base: experiment/emoji\nset: [evaluate.limit=4]\nmetrics: [CIDEr]\n" + head + rows + "\n"));
    sweep.cache.folder = cache_folder.string();
    host_ = std::make_unique<SweepHost>(cache_folder);
    return plan_sweep(std::move(sweep), *host_);
  }

  TestFolder folder;
  std::filesystem::path cache_folder = folder / "cache";

 private:
  std::unique_ptr<SweepHost> host_;
};

std::vector<size_t> all_stages(const SweepPlan& plan) {
  std::vector<size_t> places;
  for (size_t i = 0; i < plan.stages.size(); ++i) {
    places.push_back(i);
  }
  return places;
}

std::string digest(const SweepPlan& plan, size_t run, Stage stage) {
  for (const size_t place : plan.runs.at(run).stages) {
    if (plan.stages[place].key.stage == stage) {
      return plan.stages[place].key.digest;
    }
  }
  return "";
}

/// The first stage in which two runs differ.
std::string parting(const SweepPlan& plan, size_t a, size_t b) {
  for (const Stage stage : kStages) {
    if (digest(plan, a, stage) != digest(plan, b, stage)) {
      return std::string(to_string(stage));
    }
  }
  return "none";
}

bool has_models() {
  const bool there = std::filesystem::exists(kSource / "models/emoji/decoder_talk2dino.pt");
  if (!there) {
    MESSAGE("skipped: the shipped model is not there");
  }
  return there;
}

}  // namespace

TEST_CASE("equal stages of rows and data sets are one") {
  if (!has_models()) {
    return;
  }
  Planning planning;
  const SweepPlan plan = planning.plan("grid: {aggregator: [uniform, gaussian], gap: [none, emoji_memory]}",
                                       "datasets: [emoji_dense, emoji_image]\n");
  CHECK(plan.missing.empty());
  CHECK(plan.runs.size() == 8);
  CHECK(stage_counts(plan, all_stages(plan)) == "encode 1, aggregate 4, bridge 8, decode 8, score 8");
  for (size_t place = 0; place < plan.stages.size(); ++place) {
    for (const size_t input : plan.stages[place].inputs) {
      CHECK(input < place);  // so that they can be done in their order
    }
  }
  CHECK(plan.stages.front().images->size() == 4);
  CHECK(plan.stages.front().all_features);
}

TEST_CASE("images that are part of others need no encoding of their own") {
  if (!has_models()) {
    return;
  }
  Planning planning;
  const SweepPlan plan =
      planning.plan("rows: [{name: a}]",
                    "datasets: [{name: few, choice: emoji_image, set: [evaluate.limit=2]}, "
                    "{name: many, choice: emoji_dense, set: [evaluate.limit=5]}]\n");
  CHECK(stage_counts(plan, all_stages(plan)) == "encode 1, aggregate 2, bridge 2, decode 2, score 2");
  CHECK(plan.stages.front().images->size() == 5);
}

TEST_CASE("runs part at the stage that their difference is of") {
  if (!has_models()) {
    return;
  }
  Planning planning;
  std::filesystem::copy_file(kSource / "models/emoji/memory_talk2dino.safetensors",
                             planning.folder / "same_bank.safetensors");
  const SweepPlan plan = planning.plan(
      "rows:\n"
      "  - {name: own}\n"
      "  - {name: other backbone, set: [backbone.keep_img_ratio=true]}\n"
      "  - {name: other aggregator, set: [aggregator=gaussian]}\n"
      "  - {name: other temperature, set: [gap.temperature=0.02]}\n"
      "  - {name: other search, set: [decoder.max_length=9]}\n"
      "  - {name: other metrics, set: ['score.metrics=[ROUGE_L]']}\n"
      "  - {name: same bank elsewhere, set: ['gap.bank=" +
      (planning.folder / "same_bank.safetensors").string() +
      "']}\n"
      "  - {name: other batches, set: [runtime.batch=3, runtime.threads=1]}");
  CHECK(parting(plan, 0, 1) == "encode");
  CHECK(parting(plan, 0, 2) == "aggregate");
  CHECK(parting(plan, 0, 3) == "bridge");
  CHECK(parting(plan, 0, 4) == "decode");
  CHECK(parting(plan, 0, 5) == "score");
  CHECK(parting(plan, 0, 6) == "none");
  CHECK(parting(plan, 0, 7) == "none");
}

TEST_CASE("the content of weights counts") {
  if (!has_models()) {
    return;
  }
  Planning planning;
  const std::string file = (planning.folder / "bank.safetensors").string();
  std::filesystem::copy_file(kSource / "models/emoji/memory_talk2dino.safetensors", file);
  const std::string rows = "rows: [{name: a, set: ['gap.bank=" + file + "']}]";
  const std::string before = digest(planning.plan(rows), 0, Stage::bridge);
  std::string content = read_file(file);
  content.back() = static_cast<char>(content.back() ^ 1);
  write_file(file, content);
  const SweepPlan after = planning.plan(rows);
  CHECK(digest(after, 0, Stage::bridge) != before);
}

TEST_CASE("the global token alone is encoded where no row looks at patches") {
  if (!has_models()) {
    return;
  }
  Planning planning;
  const SweepPlan alone = planning.plan("rows: [{name: a, set: [aggregator=cls]}]");
  CHECK_FALSE(alone.stages.front().all_features);
  const SweepPlan both = planning.plan("rows: [{name: a, set: [aggregator=cls]}, {name: b}]");
  CHECK(both.stages.front().all_features);
  CHECK(digest(both, 0, Stage::encode) == digest(both, 1, Stage::encode));
  // What comes of it is the same, whichever of the two encodings served.
  CHECK(digest(alone, 0, Stage::aggregate) == digest(both, 0, Stage::aggregate));
}

TEST_CASE("cuts are encoded for their own regions") {
  if (!has_models()) {
    return;
  }
  Planning planning;
  const SweepPlan plan =
      planning.plan("rows: [{name: a, set: [aggregator=crop]}, {name: b, set: [aggregator=crop, gap=none]}]",
                    "datasets: [emoji_dense, emoji_image]\n");
  CHECK(stage_counts(plan, all_stages(plan)) == "encode 2, aggregate 0, bridge 4, decode 4, score 4");
  CHECK(plan.stages.front().images == nullptr);
}

TEST_CASE("rounded features are another encoding") {
  if (!has_models()) {
    return;
  }
  Planning planning;
  const std::string rows = "rows: [{name: a}]";
  const SweepPlan exact = planning.plan(rows);
  const SweepPlan half = planning.plan(rows, "datasets: [emoji_dense]\ncache: {features: half}\n");
  CHECK(digest(exact, 0, Stage::encode) != digest(half, 0, Stage::encode));
  CHECK(digest(exact, 0, Stage::score) != digest(half, 0, Stage::score));
}

TEST_CASE("what is not there is noted, of all runs at once") {
  if (!has_models()) {
    return;
  }
  Planning planning;
  const SweepPlan plan = planning.plan(
      "rows: [{name: a}, {name: b, set: [decoder.weights=/absent/x.pt]}, {name: c, set: "
      "[decoder.weights=/absent/x.pt, "
      "gap.bank=/absent/y.safetensors]}]");
  CHECK(plan.missing == std::vector<std::string>{"/absent/x.pt (decoder.weights) [2 runs]",
                                                 "/absent/y.safetensors (gap.bank) [1 run]"});
  CHECK(plan.runs[0].missing.empty());
  CHECK(plan.runs[2].missing.size() == 2);
  CHECK(plan.runs[2].stages.empty());
}

TEST_CASE("only what the cache does not hold is computed, and what that reads") {
  if (!has_models()) {
    return;
  }
  Planning planning;
  const SweepPlan plan = planning.plan("rows: [{name: a}, {name: b, set: [aggregator=gaussian]}]");
  StageCache cache({.folder = planning.folder / "kept"});
  const auto finish = [&](size_t run, Stage stage) {
    const std::unique_ptr<StageLease> lease = cache.acquire({stage, digest(plan, run, stage)});
    REQUIRE(lease != nullptr);
    REQUIRE(lease->finish({}, 0));
  };
  const auto needed = [&] { return stage_counts(plan, stages_to_compute(plan, {0, 1}, cache)); };
  CHECK(needed() == "encode 1, aggregate 2, bridge 2, decode 2, score 2");
  finish(0, Stage::score);
  CHECK(needed() == "encode 1, aggregate 1, bridge 1, decode 1, score 1");
  // Features are not missed once the vectors are there.
  finish(1, Stage::aggregate);
  CHECK(needed() == "encode 0, aggregate 0, bridge 1, decode 1, score 1");
  finish(1, Stage::decode);
  CHECK(needed() == "encode 0, aggregate 0, bridge 0, decode 0, score 1");
  finish(1, Stage::score);
  CHECK(needed() == "encode 0, aggregate 0, bridge 0, decode 0, score 0");
}

TEST_CASE("a config that cannot work is refused with its row") {
  if (!has_models()) {
    return;
  }
  Planning planning;
  mentions(
      refusal_of(ErrorKind::config, [&] { planning.plan("rows: [{name: a, set: [gap.temprature=1]}]"); }),
      "s.yaml:5:8: row 'a' on 'emoji_dense'");
  mentions(refusal_of([&] { planning.plan("rows: [{name: a, set: [backbone=emoji_klip]}]"); }),
           "row 'a' on 'emoji_dense'");
  mentions(refusal_of([&] { planning.plan("rows: [{name: a, set: ['score.metrics=[CIDER]']}]"); }), "CIDEr");
}
