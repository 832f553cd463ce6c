#include "verify/kinds.hpp"

namespace patchioner {

const std::vector<CaseKind>& case_kinds() {
  static const std::vector<CaseKind> kinds = {
      {"clip.preprocess", verify_clip_preprocess, nullptr},
      {"clip.preprocess_pad", verify_clip_preprocess, nullptr},
      {"clip.text_tables", nullptr, "data for the tokenizer, no case"},
      {"clip.alphaclip", nullptr, "the backbone alphaclip is not part of this version"},
      {"clip.denseclip", nullptr, "the backbone denseclip is not part of this version"},
      {"clip.invite", nullptr, "the backbone invite is not part of this version"},
      {"clip.regionclip", nullptr, "the backbone regionclip is not part of this version"},
      {"dino.dinotxt", nullptr, "the backbone dinotxt is not part of this version"},
      {"dino.proxyclip", nullptr, "the backbone proxyclip is not part of this version"},
      {"pipeline.preprocess", verify_preprocess, nullptr},
      {"pipeline.preprocess.crop_baseline", verify_crop_baseline, nullptr},
      {"pipeline.aggregation.boxes", verify_boxes, nullptr},
      {"pipeline.aggregation.region_set", verify_region_set, nullptr},
      {"pipeline.aggregation.trace", verify_trace, nullptr},
      {"pipeline.aggregation.gaussian", verify_gaussian, nullptr},
      {"pipeline.aggregation.attention", verify_attention, nullptr},
      {"pipeline.data.trace_benchmark", nullptr, "the trace benchmark builder is not part of this version"},
  };
  return kinds;
}

}  // namespace patchioner
