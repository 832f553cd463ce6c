#include <patchioner/region.hpp>

namespace patchioner {

std::string_view kind_name(const RegionShape& shape) {
  constexpr std::array<std::string_view, std::variant_size_v<RegionShape>> kNames = {
      "image", "box", "boxes", "trace", "mask", "patch", "point"};  // in the order of RegionShape
  return kNames[shape.index()];
}

}  // namespace patchioner
