// The JSON form of images and regions, one for `--regions FILE`, JSON lines on standard input and results:
//
//     {"image": "cat.jpg", "id": "cat", "regions": [
//        {"image": true}, {"box": [x,y,w,h]}, {"boxes": [[x,y,w,h], ...]}, {"trace": [[x,y], ...]}, {"trace":
//        [{"x":..,"y":..,"t":..}]},
//        {"mask": "cat.png"}, {"mask": {"size": [h,w], "counts": [...] or "compressed"}}, {"patch":
//        [row,column]}, {"point": [x,y]}]}
//
// A region may carry "id". Without "regions" the whole image is meant.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <patchioner/region.hpp>
#include <string>
#include <vector>

namespace patchioner {

/// One region. Relative mask paths are relative to `folder`. Throws an Error of kind data: none or two of the
/// keys, wrong number of values, not a finite number; a box with negative width or height is inverted and
/// refused. `where` stands in front of the message ("regions.json: region 2").
Region region_from_json(const nlohmann::json& json, const std::filesystem::path& folder,
                        const std::string& where);
nlohmann::json region_to_json(const Region& region);

/// COCO run-length encoding, compressed text or counts, column-major, as [H,W] bool.
at::Tensor decode_rle(const nlohmann::json& rle, const std::string& where);

}  // namespace patchioner
