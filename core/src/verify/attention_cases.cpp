// Golden cases of attention maps and what is weighted with them (spec/01 sections 4.3, 4.5 and 4.7).
#include "nn/attention.hpp"
#include "verify/kinds.hpp"
#include "verify/region_inputs.hpp"

namespace patchioner {
namespace {

constexpr double kLogitScale = 0.125;  // spec/01 section 4.7, whatever the number of heads

/// The numbers of a case, and the aggregators that it is about.
struct AttentionCase {
  AttentionCase(const GoldenCase& golden, CaseHost& host)
      : dims(golden.json().at("dims")),
        geometry(identity_geometry(dims.at("grid").get<int64_t>(), dims.at("patch_size").get<int64_t>())),
        qkv(golden.tensor("in_qkv").to(host.context().device)),
        patches(golden.tensor("in_patches").to(host.context().device)),
        boxes(golden.tensor("in_boxes_xywh")),
        attention(aggregator(host, "attention")),
        writeback(aggregator(host, "attention", {{"attention_writeback", true}})),
        uniform(aggregator(host, "uniform")) {}

  int64_t images() const { return patches.size(0); }

  /// `compute` of each image, stacked.
  template <class Compute>
  at::Tensor each_image(const Compute& compute) const {
    std::vector<at::Tensor> results;
    for (int64_t image = 0; image < images(); ++image) {
      results.push_back(compute(image));
    }
    return at::stack(results);
  }

  const nlohmann::json& dims;
  ImageGeometry geometry;
  at::Tensor qkv;      // [B,T,3*D]
  at::Tensor patches;  // [B,G,D]
  at::Tensor boxes;    // [B,N,4]
  std::shared_ptr<Aggregator> attention;
  std::shared_ptr<Aggregator> writeback;
  std::shared_ptr<Aggregator> uniform;
};

/// Maps and tokens for one head count; returns the map [B,G].
at::Tensor compare_heads(const AttentionCase& inputs, CaseReport& report, int64_t heads) {
  const auto global_tokens = inputs.dims.at("global_tokens").get<int64_t>();
  const at::Tensor logits = class_attention_logits(inputs.qkv, heads, kLogitScale, global_tokens);  // [B,H,G]
  const at::Tensor map = attention_map(logits, MapReduce::logits);                                  // [B,G]
  const std::vector<Region> whole = {{WholeImage{}, ""}};
  report.compare(fmt::format("attn_h{}", heads), map);
  report.compare(fmt::format("attn_probs_h{}", heads), attention_map(logits, MapReduce::probs));
  report.compare(fmt::format("token_h{}", heads), inputs.each_image([&](int64_t image) {
    return region_features(*inputs.attention, whole, inputs.geometry, inputs.patches[image], map[image])[0];
  }));
  report.compare(fmt::format("head_tokens_h{}", heads), inputs.each_image([&](int64_t image) {
    std::vector<at::Tensor> tokens;
    for (int64_t head = 0; head < heads; ++head) {
      const at::Tensor own = attention_map(logits.select(1, head).unsqueeze(1), MapReduce::logits);  // [B,G]
      tokens.push_back(
          region_features(*inputs.attention, whole, inputs.geometry, inputs.patches[image], own[image])[0]);
    }
    return at::stack(tokens);  // [H,D]
  }));
  return map;
}

std::vector<Region> boxes_of(const at::Tensor& boxes) {
  std::vector<Region> regions;
  for (const Box& box : real_boxes(boxes)) {
    regions.push_back({box, ""});
  }
  return regions;
}

}  // namespace

void verify_attention(const GoldenCase& golden, CaseReport& report, CaseHost& host) {
  const AttentionCase inputs(golden, host);
  for (const char* name : {"in_qkv", "in_patches", "in_boxes_xywh"}) {
    report.used_as_input(name);
  }
  at::Tensor map;  // [B,G] of the first head count, which boxes and traces use
  for (const auto& count : inputs.dims.at("heads")) {
    const at::Tensor one = compare_heads(inputs, report, count.get<int64_t>());
    map = map.defined() ? map : one;
  }
  const auto box_tokens = [&](const Aggregator& weighting) {
    return inputs.each_image([&](int64_t image) {
      return region_features(weighting, boxes_of(inputs.boxes[image]), inputs.geometry, inputs.patches[image],
                             map[image]);
    });
  };
  report.compare("box_tokens_reference", box_tokens(*inputs.writeback));
  report.compare("box_tokens_clean", box_tokens(*inputs.attention));

  const std::vector<Region> traces = read_traces(golden.file(named_file(golden, ".json")));
  report.require("one trace an image", static_cast<int64_t>(traces.size()) == inputs.images());
  const auto trace_tokens = [&](const Aggregator& weighting) {
    return inputs.each_image([&](int64_t image) {
      return region_features(weighting, {traces.at(image)}, inputs.geometry, inputs.patches[image],
                             map[image])[0];
    });
  };
  report.compare("trace_token_uniform", trace_tokens(*inputs.uniform));
  report.compare("trace_token_attention", trace_tokens(*inputs.attention));
}

}  // namespace patchioner
