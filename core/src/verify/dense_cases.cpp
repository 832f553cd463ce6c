// Golden cases of dense captioning's mean average precision.
#include "metrics/dense.hpp"
#include "verify/case_json.hpp"
#include "verify/kinds.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;

std::vector<DenseImage> images_of(const Json& json) {
  std::vector<DenseImage> images;
  for (const auto& entry : json) {
    images.push_back({.id = entry.at("id").dump(),
                      .boxes = entry.at("boxes").get<std::vector<DenseBox>>(),
                      .scores = entry.at("scores").get<std::vector<double>>(),
                      .texts = entry.at("texts").get<std::vector<std::string>>(),
                      .true_boxes = entry.at("gt_boxes").get<std::vector<DenseBox>>(),
                      .true_texts = entry.at("gt_texts").get<std::vector<std::string>>()});
  }
  return images;
}

void compare_images(CaseReport& report, const std::string& variant, const DenseMatches& matches,
                    const Json& expected) {
  report.require(variant + ".images in number", matches.truths.size() == expected.size());
  for (size_t i = 0; i < std::min(matches.truths.size(), expected.size()); ++i) {
    const std::string name = fmt::format("{}.images[{}].", variant, i);
    const DenseTruth& truth = matches.truths[i];
    report.require(name + "groups",
                   truth.groups == expected[i].at("groups").get<std::vector<std::vector<size_t>>>());
    report.require(name + "npos", truth.boxes.size() == expected[i].at("npos").get<size_t>());
    const auto boxes = expected[i].at("merged_boxes").get<std::vector<DenseBox>>();
    report.require(name + "merged_boxes in number", truth.boxes.size() == boxes.size());
    for (size_t j = 0; j < std::min(truth.boxes.size(), boxes.size()); ++j) {
      for (size_t side = 0; side < boxes[j].size(); ++side) {
        report.compare_number(fmt::format("{}merged_boxes[{}][{}]", name, j, side), truth.boxes[j][side],
                              boxes[j][side], "iou");
      }
    }
  }
}

void compare_records(CaseReport& report, const std::string& variant, const std::vector<DenseImage>& images,
                     const DenseMatches& matches, const std::vector<double>& meteors, const Json& expected) {
  report.require(variant + ".records in number", matches.records.size() == expected.size());
  for (size_t i = 0; i < std::min(matches.records.size(), expected.size()); ++i) {
    const std::string name = fmt::format("{}.records[{}].", variant, i);
    const DenseRecord& record = matches.records[i];
    report.compare_text(name + "image", images[record.image].id, expected[i].at("image").dump());
    report.require(name + "ok", record.is_first == (expected[i].at("ok").get<int>() != 0));
    report.compare_number(name + "iou", record.overlap, expected[i].at("iou").get<double>(), "iou");
    report.compare_text(name + "candidate", record.candidate, expected[i].at("candidate").get<std::string>());
    report.require(name + "references",
                   record.references == expected[i].at("references").get<std::vector<std::string>>());
    report.compare_number(name + "meteor", meteors[i], expected[i].at("meteor").get<double>(), "meteor");
  }
}

void compare_precisions(CaseReport& report, const std::string& variant, const DenseScores& scores,
                        const Json& expected) {
  report.compare_number(variant + ".map", scores.map, expected.at("map").get<double>(), "ap");
  report.compare_number(variant + ".detmap", scores.detection_map, expected.at("detmap").get<double>(), "ap");
  for (size_t i = 0; i < kDenseOverlaps.size(); ++i) {
    const std::string overlap = fmt::format("iou_{:g}", kDenseOverlaps[i]);
    report.compare_number(variant + "." + overlap, scores.detections[i],
                          expected.at("det_breakdown").at(overlap).get<double>(), "ap");
    for (size_t j = 0; j < kDenseMeteors.size(); ++j) {
      const std::string name = fmt::format("{}_meteor_{:g}", overlap, kDenseMeteors[j]);
      report.compare_number(variant + "." + name, scores.precisions[i][j],
                            expected.at("ap_breakdown").at(name).get<double>(), "ap");
    }
  }
}

}  // namespace

void verify_dense_map(const GoldenCase& golden, CaseReport& report, CaseHost&) {
  const MeteorData data = meteor_data_of(golden);
  const Json expected = expected_json(golden);
  for (const auto& [variant, values] : expected.items()) {
    report.require(variant + " is a variant", variant == "python" || variant == "lua");
    const DenseOptions options{.variant = variant == "lua" ? DenseVariant::lua : DenseVariant::python};
    const std::vector<DenseImage> images = images_of(case_json(golden, "images.json"));
    const DenseMatches matches = match_detections(images, options);
    const std::vector<double> meteors = meteor_scores(segments_of(matches), data).scores().segments;
    compare_images(report, variant, matches, values.at("images"));
    compare_records(report, variant, images, matches, meteors, values.at("records"));
    report.require(variant + ".npos", matches.boxes == values.at("npos").get<size_t>());
    compare_precisions(report, variant, dense_scores(matches, meteors, options), values);
  }
}

}  // namespace patchioner
