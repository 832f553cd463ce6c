// Trainings go on exactly where they were cut off.
#include "trainer.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <patchioner/error.hpp>

#include "recipe.hpp"
#include "refusals.hpp"
#include "support/files.hpp"
#include "support/progress.hpp"
#include "test_folder.hpp"

using namespace patchioner;
using namespace patchioner::emoji;

namespace {

struct Cut {};  // stands for a kill

TrainingPlan plan_in(const std::filesystem::path& folder) {
  TrainingPlan plan;
  plan.name = "line";
  plan.folder = folder;
  plan.steps = 12;
  plan.warmup = 3;
  plan.save_every = 4;
  plan.columns = {"loss"};
  return plan;
}

/// Fits a line to points that depend on the step alone; throws Cut at `cut`.
at::Tensor train(const TrainingPlan& plan, int64_t cut) {
  Progress::set_enabled(false);
  Parameters parameters(1);
  const at::Tensor weight = parameters.get("line.weight", {3, 2});
  const at::Tensor bias = parameters.get("line.bias", {3});
  run_training(plan, parameters, [&](int64_t step) {
    if (step == cut) {
      throw Cut();
    }
    const at::Tensor x = at::arange(8, at::kFloat).reshape({4, 2}).add(static_cast<double>(step)).sin();
    const at::Tensor loss = (at::linear(x, weight, bias) - x.sum(1, true)).square().mean();
    return StepResult{loss, {loss.item<double>()}};
  });
  return at::cat({weight.detach().flatten(), bias.detach()});
}

}  // namespace

TEST_CASE("a training that was killed ends in the same bits as one that was not") {
  const TestFolder folder;
  const TrainingPlan whole = plan_in(folder / "whole");
  const TrainingPlan cut = plan_in(folder / "cut");
  const at::Tensor expected = train(whole, -1);
  CHECK_THROWS_AS(train(cut, 6), Cut);   // two steps after the last save
  CHECK_THROWS_AS(train(cut, 11), Cut);  // and once more
  const at::Tensor resumed = train(cut, -1);
  CHECK(at::equal(expected, resumed));
  // The loss curve holds every step once.
  const std::string curve = read_file(cut.folder / "line.csv");
  CHECK(std::count(curve.begin(), curve.end(), '\n') == 13);
}

TEST_CASE("a finished training is not run again") {
  const TestFolder folder;
  const TrainingPlan plan = plan_in(folder.path());
  const at::Tensor first = train(plan, -1);
  CHECK(at::equal(first, train(plan, 0)));
}

TEST_CASE("a state that belongs to other inputs is refused") {
  const TestFolder folder;
  TrainingPlan plan = plan_in(folder.path());
  plan.inputs = "one recipe";
  train(plan, -1);
  plan.inputs = "another recipe";
  CHECK(contains(refusal_of(ErrorKind::data, [&] { train(plan, -1); }), "another recipe or to other input"));
}

TEST_CASE("a recipe says which lesson a step belongs to") {
  const Recipe recipe = read_recipe(EMOJIWORLD_SOURCE "/recipe.json");
  const Lessons& trunk = recipe.trunk.lessons;
  REQUIRE(trunk.list.size() == 3);
  CHECK(&trunk.lesson_at(0) == &trunk.list[0]);
  CHECK(&trunk.lesson_at(trunk.list[0].steps - 1) == &trunk.list[0]);
  CHECK(&trunk.lesson_at(trunk.list[0].steps) == &trunk.list[1]);
  CHECK(&trunk.lesson_at(trunk.steps() - 1) == &trunk.list[2]);
}

TEST_CASE("a recipe that lacks a number is refused by name") {
  const TestFolder folder;
  const auto short_recipe = folder.write("short.json", R"({"trunk": {"scenes_per_step": 256}})");
  CHECK_THROWS_WITH_AS(read_recipe(short_recipe), doctest::Contains("learning_rate"), Error);
  CHECK_THROWS_AS(read_recipe(folder.write("cut.json", "{")), Error);
}
