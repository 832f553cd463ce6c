#include "sweep/factor_grid.hpp"

#include <doctest/doctest.h>

#include "config/config.hpp"
#include "refusals.hpp"

using namespace patchioner;

namespace {

std::vector<std::string> names_of(const std::vector<SweepRow>& rows) {
  std::vector<std::string> names;
  for (const SweepRow& row : rows) {
    names.push_back(row.name);
  }
  return names;
}

FactorGrid grid_of(const std::string& yaml) {
  const Value document = parse_yaml(yaml, "grid.yaml");
  const Value* exclude = document.find("exclude");
  return FactorGrid(document.at("grid"), exclude == nullptr ? Value() : *exclude);
}

std::string refusal(const std::string& yaml) {
  return refusal_of(ErrorKind::config, [&] { grid_of(yaml).rows(); });
}

}  // namespace

TEST_CASE("every combination is a row, the last key changing fastest") {
  const FactorGrid grid = grid_of("grid: {backbone: [clip, dino], aggregator: [uniform, cls, crop]}");
  CHECK(grid.combinations() == 6);
  const std::vector<SweepRow> rows = grid.rows();
  CHECK(names_of(rows) == std::vector<std::string>{"clip-uniform", "clip-cls", "clip-crop", "dino-uniform",
                                                   "dino-cls", "dino-crop"});
  CHECK(rows[4].overrides == std::vector<std::string>{"backbone=dino", "aggregator=cls"});
  CHECK(rows[4].labels == rows[4].factors);
  CHECK(rows[4].factors ==
        std::vector<std::pair<std::string, std::string>>{{"backbone", "dino"}, {"aggregator", "cls"}});
}

TEST_CASE("values are words, numbers, lists and configs") {
  const std::vector<SweepRow> rows =
      grid_of(
          "grid:\n  config: [experiment/emoji]\n  gap.temperature: [0.01, 1e6]\n"
          "  gap: [[noise, memory]]\n  score.sanitize_line_breaks: [true]\n")
          .rows();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].config == "experiment/emoji");
  CHECK(rows[0].name == "emoji-0.01-noise+memory-true");
  CHECK(rows[0].overrides == std::vector<std::string>{"gap.temperature=0.01", "gap=[noise,memory]",
                                                      "score.sanitize_line_breaks=true"});
}

TEST_CASE("a named value brings overrides, labels, and words for those of the other values") {
  const std::vector<SweepRow> rows =
      grid_of(
          "grid:\n  backbone:\n"
          "    - {name: CLIP, set: [backbone=emoji_clip], with: {bank: emoji_clip_memory}, "
          "labels: {Encoder: CLIP, Size: 14}}\n"
          "  gap:\n    - {name: memory, set: ['gap={bank}', 'x=${env:HOME}', 'y={a: 1}']}\n")
          .rows();
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].name == "CLIP-memory");
  CHECK(rows[0].overrides == std::vector<std::string>{"backbone=emoji_clip", "gap=emoji_clip_memory",
                                                      "x=${env:HOME}", "y={a: 1}"});
  CHECK(rows[0].labels == std::vector<std::pair<std::string, std::string>>{
                              {"Encoder", "CLIP"}, {"Size", "14"}, {"gap", "memory"}});
}

TEST_CASE("excluded combinations are left out") {
  CHECK(names_of(grid_of("grid: {a: [1, 2], b: [x, y, z]}\nexclude: [{a: 1, b: [x, y]}, {b: z}]").rows()) ==
        std::vector<std::string>{"2-x", "2-y"});
  CHECK(grid_of("grid: {a: [1]}\nexclude: [{a: 1}]").rows().empty());
}

TEST_CASE("a grid that means nothing is refused where it stands") {
  CHECK(refusal("grid: []") == "grid.yaml:1:1: 'grid' is a map of overrides to lists of values");
  CHECK(refusal("grid: {a: 1}") == "grid.yaml:1:8: 'grid.a' is a list of at least one value");
  CHECK(refusal("grid: {a: []}") == "grid.yaml:1:8: 'grid.a' is a list of at least one value");
  mentions(refusal("grid: {a: [x, x]}"), "grid.yaml:1:15: two values of 'grid.a' are called 'x'");
  mentions(refusal("grid: {a: [{name: x, sett: [b=1]}]}"), "did you mean 'set'?");
  mentions(refusal("grid: {backbone: [x]}\nexclude: [{backbon: x}]"),
           "grid.yaml:2:12: 'backbon' is no key of the grid; did you mean 'backbone'?");
  mentions(refusal("grid: {backbone: [clip]}\nexclude: [{backbone: clap}]"),
           "'grid.backbone' has no value 'clap'; did you mean 'clip'?");
  mentions(refusal("grid: {a: [{name: x, set: ['gap={bank}']}]}"),
           "'gap={bank}' has {bank}, which no value of this row");
}
