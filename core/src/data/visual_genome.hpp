// Visual Genome's regions as dense-captioning annotations (spec/05 section 11, after ControlCap's
// conversion).
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace patchioner {

/// The phrase in lower case, without ASCII punctuation, some characters spelled out, words joined by one
/// space; may be empty. Nothing when it has more than 15 words.
std::optional<std::string> clean_region_phrase(std::string_view phrase);

/// [x1,y1,x2,y2] of a region with x, y, width and height, clamped into an image of width x height pixels;
/// whole numbers stay whole. Throws an Error of kind data for what is no number.
nlohmann::ordered_json clamp_region_box(const nlohmann::ordered_json& region, int64_t width, int64_t height);

}  // namespace patchioner
