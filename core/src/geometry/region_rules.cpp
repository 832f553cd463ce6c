#include "geometry/region_rules.hpp"

namespace patchioner {

MaskRule mask_rule_of(const std::string& text) {
  return text == "any" ? MaskRule::any : text == "half" ? MaskRule::half : MaskRule::coverage;
}

RegionRules rules_of(const RegionOptions& options) {
  RegionRules rules;
  rules.box = options.box_rule == "intersect" ? BoxRule::intersect : BoxRule::reference;
  rules.set = options.region_set == "per_patch" ? RegionSetRule::per_patch : RegionSetRule::per_box;
  rules.mask = mask_rule_of(options.mask_rule);
  rules.trace_geometry =
      options.trace_geometry == "reference" ? TraceGeometry::reference : TraceGeometry::mapped;
  rules.empty = options.empty_region == "nan" ? EmptyRegion::nan : EmptyRegion::nearest;
  return rules;
}

TraceNorm trace_norm_of(const std::string& text) {
  return text == "points" ? TraceNorm::points : TraceNorm::patches;
}

}  // namespace patchioner
