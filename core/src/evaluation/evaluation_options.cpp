#include "evaluation/evaluation_options.hpp"

#include "config/paths.hpp"

namespace patchioner {

void declare(ParameterList<EvaluationOptions>& list) {
  using E = EvaluationOptions;
  constexpr double kMany = 1e9;
  list.add("output", &E::output, "folder of results; each data set gets a folder of its name in it").path();
  list.add("limit", &E::limit, "the first images of the data set only; 0: all").range(0, kMany);
  list.add("failures", &E::failures,
           "of images that are missing or broken and regions that cannot be captioned: refuse to score, or "
           "leave_out, which is noted beside the scores")
      .choices({"refuse", "leave_out"});
  list.add("exif", &E::exif,
           "ignore: annotations are of the pixels as they are stored, as in the reference; apply: of the "
           "image "
           "as it is shown")
      .choices({"ignore", "apply"});
  list.add("confidence", &E::confidence,
           "by which mAP orders captions: the decoder's score; or one for all, as the reference gives crops")
      .choices({"decoder", "one"});
  list.add("examples", &E::examples, "best, worst and random items on the page, of each; 0: no page")
      .range(0, 1000);
  list.add("examples_by", &E::examples_by,
           "metric that orders the items; auto: CIDEr where it was asked for");
  list.add("seed", &E::seed, "of the random items on the page").range(0, kMany);
}

Value complete_evaluate_section(const Value& config) {
  return complete_section(config, schema_of<EvaluationOptions>(), "evaluate");
}

EvaluationOptions read_evaluation_options(const Value& config) {
  ParameterList<EvaluationOptions> list;
  declare(list);
  return list.read(complete_evaluate_section(config));
}

}  // namespace patchioner
