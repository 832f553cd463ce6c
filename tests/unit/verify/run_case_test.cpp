// When a case is skipped, and when it fails.
#include <doctest/doctest.h>

#include "refusals.hpp"
#include "small_case.hpp"

namespace patchioner {
namespace {

CaseResult result_of(const SmallCase& small) {
  PluginHost host;
  return run_case(small.folder().path(), host);
}

/// A list of one entry.
nlohmann::json one(nlohmann::json entry) {
  nlohmann::json list = nlohmann::json::array();
  list.push_back(std::move(entry));
  return list;
}

}  // namespace

TEST_CASE("an unknown kind is skipped by its name") {
  const CaseResult result = result_of(SmallCase({{"kind", "metrics.unheard_of"}}, {}));
  CHECK(result.status == CaseStatus::skipped);
  CHECK(result.kind == "metrics.unheard_of");
  CHECK(result.detail == "the kind 'metrics.unheard_of' is not known");
}

TEST_CASE("a case that names an absent file is skipped before anything is compared") {
  const std::string absent = "absent.bin";
  const std::vector<nlohmann::json> ways = {
      {{"files", {{absent, "a file"}}}},
      {{"weights", {{absent, "weights"}}}},
      {{"weights", absent}},
      {{"vocabulary", absent}},
      {{"config", absent}},
      {{"strings", absent}},
      {{"decode", absent}},
      {{"image", absent}},
      {{"images", one(absent)}},
      {{"images", one({{"file", absent}})}},
      {{"runs", one({{"run", "native"}, {"image", absent}})}},
      {{"variants", one({{"weights", absent}})}},
      {{"variants", one({{"config", absent}})}},
      {{"good", one({{"file", absent}})}},
      {{"bad", one({{"file", absent}})}},
  };
  for (nlohmann::json json : ways) {
    json["kind"] = "clip.checkpoint_reader";
    CAPTURE(json.dump());
    const CaseResult result = result_of(SmallCase(json, {}));
    CHECK(result.status == CaseStatus::skipped);
    CHECK(contains(result.detail, "absent.bin is not there"));
  }
}

TEST_CASE("a case that promises tensors and has no file of them fails") {
  const CaseResult result = result_of(SmallCase(
      {{"kind", "pipeline.aggregation.gaussian"}, {"expected", one({{"name", "box_2x2_var1.0"}})}}, {}));
  CHECK(result.status == CaseStatus::failed);
  CHECK(contains(result.detail, "expected.safetensors: the expected values are not there"));
}

TEST_CASE("a description that cannot be read is a failure") {
  const TestFolder folder;
  PluginHost host;
  folder.write("broken/case.json", "{\"kind\": ");
  folder.write("kindless/case.json", "{}");
  const CaseResult broken = run_case(folder / "broken", host);
  CHECK(broken.status == CaseStatus::failed);
  CHECK(contains(broken.detail, "not a case description"));
  const CaseResult kindless = run_case(folder / "kindless", host);
  CHECK(kindless.status == CaseStatus::failed);
  CHECK(contains(kindless.detail, "the key 'kind' is missing"));
}

TEST_CASE("a case that ends half-way fails with what was found before") {
  const CaseResult result = result_of(SmallCase(
      {{"kind", "clip.checkpoint_reader"}, {"tensors", {{"x", {{"shape", {1}}}}}}, {"good", nullptr}},
      {{"y", at::zeros({1})}}));
  CHECK(result.status == CaseStatus::failed);
  CHECK(contains(result.detail, "x: promised by the case, but not in expected.safetensors"));
  CHECK(contains(result.detail, "'bad'"));
}

TEST_CASE("cases are found at and under a folder, in the order of their paths") {
  const TestFolder folder;
  folder.write("case.json", "{}");
  folder.write("b/deep/case.json", "{}");
  folder.write("a/case.json", "{}");
  folder.write("c/other.json", "{}");
  CHECK(find_cases(folder.path()) ==
        std::vector<std::filesystem::path>{folder.path(), folder / "a", folder / "b/deep"});
  CHECK(contains(refusal_of(ErrorKind::usage, [&] { find_cases(folder / "nowhere"); }), "no such folder"));
}

}  // namespace patchioner
