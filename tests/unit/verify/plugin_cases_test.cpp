// Cases of any plugin through its interface; here those that are always there.
#include <doctest/doctest.h>

#include <cmath>

#include "refusals.hpp"
#include "small_case.hpp"

namespace patchioner {
namespace {

CaseResult result_of(const nlohmann::json& json,
                     const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
  const SmallCase small(json, tensors);
  PluginHost host;
  return run_case(small.folder().path(), host);
}

/// Two regions on a grid of 2 by 2 patches of 10 pixels.
nlohmann::json uniform_case() {
  return {{"kind", "plugin.aggregator"},
          {"plugin", "uniform"},
          {"options", {{"box_rule", "intersect"}}},
          {"image_size", {20, 20}},
          {"spec", {{"resize_dim", 20}, {"patch_size", 10}}},
          {"regions", nlohmann::json::array({{{"box", {0, 0, 20, 10}}}, {{"patch", {1, 1}}}})},
          {"tolerance", 1e-6}};
}

at::Tensor uniform_weights() {
  return at::tensor({0.5F, 0.5F, 0.0F, 0.0F, 0.0F, 0.0F, 0.0F, 1.0F}).view({2, 2, 2});
}

}  // namespace

TEST_CASE("an aggregator's case compares weights, scale and features, and names the plugin that it made") {
  const at::Tensor patches = at::arange(8, at::kFloat).view({2, 2, 2});  // [rows,columns,D]
  const at::Tensor features = at::tensor({1.0F, 2.0F, 6.0F, 7.0F}).view({2, 2});
  const CaseResult result = result_of(uniform_case(), {{"in_patches", patches},
                                                       {"weights", uniform_weights()},
                                                       {"scale", at::ones({2})},
                                                       {"features", features}});
  CHECK(result.detail == "weights");
  CHECK(result.status == CaseStatus::passed);
  CHECK(result.plugins == std::vector<std::string>{"aggregator/uniform"});
}

TEST_CASE("a wrong value fails it, and so does one that the kind does not know") {
  const CaseResult wrong = result_of(uniform_case(), {{"weights", uniform_weights().flip(0)}});
  CHECK(wrong.status == CaseStatus::failed);
  CHECK(contains(wrong.detail, "weights: 6 of 8 values differ"));
  const CaseResult unknown =
      result_of(uniform_case(), {{"weights", uniform_weights()}, {"wieghts", at::ones({1})}});
  CHECK(unknown.status == CaseStatus::failed);
  CHECK(contains(unknown.detail, "wieghts: in expected.safetensors, but neither promised nor computed"));
}

TEST_CASE("a gap's case compares what it makes of features, and of texts with given random numbers") {
  const at::Tensor normal = at::tensor({1.0F, -1.0F}).view({1, 2});
  const at::Tensor moved = at::tensor({1.5F, -0.5F}).view({1, 2});  // (1,0) and half the normal numbers
  const CaseResult result = result_of(
      {{"kind", "plugin.gap"}, {"plugin", "noise"}, {"options", {{"std", 0.5}}}, {"tolerance", 1e-6}},
      {{"in_features", at::tensor({3.0F, 4.0F}).view({1, 2})},
       {"features", at::tensor({0.6F, 0.8F}).view({1, 2})},
       {"in_text_features", at::tensor({2.0F, 0.0F}).view({1, 2})},
       {"in_normal", normal},
       {"perturbed", moved / moved.norm()}});
  CHECK(result.status == CaseStatus::passed);
}

TEST_CASE("a file that an option names lies relative to the case; without it the case is skipped") {
  const SmallCase small({{"kind", "plugin.gap"},
                         {"plugin", "memory"},
                         {"options", {{"bank", "bank.safetensors"}}},
                         {"tolerance", 1e-6}},
                        {{"in_features", at::eye(2)}, {"features", at::eye(2)}});
  PluginHost host;
  const CaseResult absent = run_case(small.folder().path(), host);
  CHECK(absent.status == CaseStatus::skipped);
  CHECK(contains(absent.detail, "bank.safetensors is not there"));
  write_safetensors(small.folder() / "bank.safetensors", {{"embeddings", at::eye(2)}});
  small.folder().write("bank.texts.json", R"(["one", "other"])");
  const CaseResult present = run_case(small.folder().path(), host);
  CHECK(present.detail == "features");
  CHECK(present.status == CaseStatus::passed);
}

TEST_CASE("a plugin that is not there, and a wrong option, fail the case") {
  nlohmann::json json = uniform_case();
  json["options"]["box_ruel"] = "intersect";
  CHECK(contains(result_of(json, {{"weights", uniform_weights()}}).detail, "box_ruel"));
  json["plugin"] = "unheard_of";
  const CaseResult result = result_of(json, {{"weights", uniform_weights()}});
  CHECK(result.status == CaseStatus::failed);
  CHECK(contains(result.detail, "no aggregator plugin is called 'unheard_of'"));
}

}  // namespace patchioner
