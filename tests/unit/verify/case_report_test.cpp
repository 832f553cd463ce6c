// What counts as equal, and what a case must have compared to pass.
#include <doctest/doctest.h>

#include <limits>

#include "refusals.hpp"
#include "small_case.hpp"

namespace patchioner {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

at::Tensor numbers(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}

/// Whether `ours` passes for `expected` as the tensor `name` of a case with that tolerance.
bool accepts(const nlohmann::json& tolerance, const std::string& name, const at::Tensor& ours,
             const at::Tensor& expected, const std::string& group = "") {
  const SmallCase small({{"kind", "test"}, {"tolerance", tolerance}}, {{name, expected}});
  const GoldenCase golden = small.golden();
  CaseReport report(golden);
  report.compare(name, ours, group);
  report.finish();
  return report.passed();
}

std::string all_failures(const CaseReport& report) {
  std::string all;
  for (const std::string& failure : report.failures()) {
    all += failure + "\n";
  }
  return all;
}

}  // namespace

TEST_CASE("a tolerance is absolute plus relative") {
  CHECK(accepts(0.5, "x", numbers({10.5}), numbers({10})));
  CHECK_FALSE(accepts(0.5, "x", numbers({10.51}), numbers({10})));
  CHECK(accepts({{"abs", 0.5}, {"rel", 0.1}}, "x", numbers({11.5}), numbers({10})));
  CHECK_FALSE(accepts({{"abs", 0.5}, {"rel", 0.1}}, "x", numbers({11.51}), numbers({10})));
  CHECK(accepts({{"rel", 0.1}}, "x", numbers({-11}), numbers({-10})));
  CHECK_FALSE(accepts({{"rel", 0.1}}, "x", numbers({0.001}), numbers({0})));
}

TEST_CASE("'exact' and no tolerance at all accept no difference") {
  CHECK(accepts("exact", "x", numbers({0.25}), numbers({0.25})));
  CHECK_FALSE(accepts("exact", "x", numbers({0.25000001}), numbers({0.25})));
  const SmallCase small({{"kind", "test"}}, {{"x", numbers({0.25})}});
  const GoldenCase golden = small.golden();
  CaseReport report(golden);
  report.compare("x", numbers({0.25000001}));
  CHECK_FALSE(report.passed());
}

TEST_CASE(
    "the tolerance of the name goes before that of its last part, the group, 'float' and the general one") {
  nlohmann::json tolerance = {{"abs", 5.0}, {"float", 4.0}, {"losses", 3.0}, {"pos", 2.0}, {"run/pos", 1.0}};
  const auto largest_accepted = [&] {
    for (const double difference : {5.0, 4.0, 3.0, 2.0, 1.0}) {
      if (accepts(tolerance, "run/pos", numbers({difference}), numbers({0}), "losses")) {
        return difference;
      }
    }
    return 0.0;
  };
  CHECK(largest_accepted() == 1.0);
  tolerance.erase("run/pos");
  CHECK(largest_accepted() == 2.0);
  tolerance.erase("pos");
  CHECK(largest_accepted() == 3.0);
  tolerance.erase("losses");
  CHECK(largest_accepted() == 4.0);
  tolerance.erase("float");
  CHECK(largest_accepted() == 5.0);
}

TEST_CASE("an entry of a name replaces the general tolerance, also where it is stricter") {
  CHECK_FALSE(
      accepts({{"abs", 1.0}, {"rel", 1.0}, {"x", {{"abs", 0.1}}}}, "x", numbers({10.2}), numbers({10})));
  CHECK_FALSE(accepts({{"abs", 1.0}, {"x", "exact"}}, "x", numbers({10.001}), numbers({10})));
}

TEST_CASE("integers are exact unless an entry says otherwise") {
  const at::Tensor three = at::tensor({int64_t{3}});
  const at::Tensor four = at::tensor({int64_t{4}});
  CHECK(accepts(1.0, "ids", three, three));
  CHECK_FALSE(accepts(1.0, "ids", four, three));
  CHECK_FALSE(accepts({{"abs", 1.0}, {"float", 1.0}}, "ids", four, three));
  CHECK(accepts({{"abs", 0.0}, {"integers", 1.0}}, "ids", four, three));
  CHECK(accepts({{"abs", 0.0}, {"jpeg", 1.0}}, "ids", four.to(at::kByte), three.to(at::kByte), "jpeg"));
  // Numbers that are nearly the integer are not it.
  CHECK_FALSE(accepts({{"abs", 1.0}}, "ids", numbers({3.0001}), three));
}

TEST_CASE("an expected NaN wants a NaN, and a NaN nothing else") {
  CHECK(accepts(1.0, "x", numbers({kNaN, 1}), numbers({kNaN, 1})));
  CHECK_FALSE(accepts(1.0, "x", numbers({0, 1}), numbers({kNaN, 1})));
  CHECK_FALSE(accepts(1.0, "x", numbers({kNaN, 1}), numbers({0, 1})));
  CHECK_FALSE(accepts(kInfinity, "x", numbers({kNaN}), numbers({0})));
}

TEST_CASE("infinities are equal to themselves only") {
  CHECK(accepts("exact", "x", numbers({kInfinity}), numbers({kInfinity})));
  CHECK_FALSE(accepts(1.0, "x", numbers({-kInfinity}), numbers({kInfinity})));
  CHECK_FALSE(accepts(1.0, "x", numbers({1e300}), numbers({kInfinity})));
}

TEST_CASE("shapes must agree, whatever the values") {
  CHECK_FALSE(accepts(1.0, "x", numbers({1, 2}).view({2, 1}), numbers({1, 2})));
  CHECK_FALSE(accepts(1.0, "x", at::Tensor(), numbers({1, 2})));
}

TEST_CASE("a failure names the tensor, how many values, the worst of them and the tolerance") {
  const SmallCase small({{"kind", "test"}, {"tolerance", 0.25}}, {{"x", numbers({1, 2, 3, 4}).view({2, 2})}});
  const GoldenCase golden = small.golden();
  CaseReport report(golden);
  report.compare("x", numbers({1, 2.5, 4, 4}).view({2, 2}));
  REQUIRE(report.failures().size() == 1);
  CHECK(report.failures()[0] ==
        "x: 2 of 4 values differ; at [1,0] ours is 4, expected 3 (tolerance abs 0.25, rel 0)");
  CHECK(report.largest_difference() == 1.0);
  CHECK(report.largest_name() == "x");
}

TEST_CASE("numbers are compared with their group's tolerance, texts exactly") {
  const SmallCase small({{"kind", "test"}, {"tolerance", {{"abs", 0.0}, {"scores", {{"rel", 0.01}}}}}}, {});
  const GoldenCase golden = small.golden();
  CaseReport report(golden);
  report.compare_number("scores[0]", 1.009, 1.0);
  report.compare_number("scores[1]", kNaN, kNaN);
  report.compare_text("text", "a cat", "a cat");
  report.require("it holds", true);
  CHECK(report.passed());
  report.compare_number("scores[2]", 1.011, 1.0);
  report.compare_number("scores[3]", kNaN, 1.0);
  report.compare_text("text", "a cat ", "a cat");
  report.require("it holds", false);
  CHECK(report.failures().size() == 4);
}

TEST_CASE("a tensor that the case promises and does not hold makes it fail") {
  for (const nlohmann::json& promise :
       {nlohmann::json{{"expected", {{{"name", "x"}}, {{"name", "y"}}}}},
        nlohmann::json{{"expected", {{"x", {{"shape", {1}}}}, {"y", {{"shape", {1}}}}}}},
        nlohmann::json{{"tensors", {{"x", {{"shape", {1}}}}, {"y", {{"shape", {1}}}}}}}}) {
    nlohmann::json json = promise;
    json["kind"] = "test";
    const SmallCase small(json, {{"x", numbers({1})}});
    const GoldenCase golden = small.golden();
    CaseReport report(golden);
    report.compare("x", numbers({1}));
    report.finish();
    CHECK(all_failures(report) == "y: promised by the case, but not in expected.safetensors\n");
  }
}

TEST_CASE("a tensor that nobody looked at makes the case fail, promised or not") {
  const SmallCase small({{"kind", "test"}, {"tensors", {{"x", {{"shape", {1}}}}, {"y", {{"shape", {1}}}}}}},
                        {{"x", numbers({1})}, {"y", numbers({1})}, {"z", numbers({1})}});
  const GoldenCase golden = small.golden();
  CaseReport report(golden);
  report.compare("x", numbers({1}));
  report.finish();
  CHECK(all_failures(report) ==
        "y: expected by the case, but not computed\n"
        "z: in expected.safetensors, but neither promised nor computed\n");
}

TEST_CASE("inputs need no comparison") {
  const SmallCase small({{"kind", "test"}}, {{"in_features", numbers({1})},
                                             {"native/input", numbers({1})},
                                             {"input", numbers({1})},
                                             {"text", numbers({1})},
                                             {"x", numbers({1})}});
  const GoldenCase golden = small.golden();
  CaseReport report(golden);
  report.used_as_input("text");
  report.compare("x", numbers({1}));
  report.finish();
  CHECK(all_failures(report).empty());
}

TEST_CASE("a case in which nothing was compared fails") {
  const SmallCase small({{"kind", "test"}}, {});
  const GoldenCase golden = small.golden();
  CaseReport report(golden);
  report.finish();
  CHECK(all_failures(report) == "nothing was compared\n");
}

}  // namespace patchioner
