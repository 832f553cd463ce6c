#include "verify/kinds.hpp"

namespace patchioner {

const std::vector<CaseKind>& case_kinds() {
  static const std::vector<CaseKind> kinds = {
      {"clip.text_tables", nullptr, "data for the tokenizer, no case"},
      {"clip.alphaclip", nullptr, "the backbone alphaclip is not part of this version"},
      {"clip.denseclip", nullptr, "the backbone denseclip is not part of this version"},
      {"clip.invite", nullptr, "the backbone invite is not part of this version"},
      {"clip.regionclip", nullptr, "the backbone regionclip is not part of this version"},
      {"dino.dinotxt", nullptr, "the backbone dinotxt is not part of this version"},
      {"dino.proxyclip", nullptr, "the backbone proxyclip is not part of this version"},
      {"pipeline.data.trace_benchmark", nullptr, "the trace benchmark builder is not part of this version"},
  };
  return kinds;
}

}  // namespace patchioner
