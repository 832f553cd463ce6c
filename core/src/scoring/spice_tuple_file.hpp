// Scene graphs that somebody parsed, for SPICE(tuples) (spec/05 section 7.3).
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "metrics/caption_scores.hpp"
#include "metrics/spice.hpp"

namespace patchioner {

/// The items of `captions` in their order, from a JSON list of {"image_id", "test": tuples, "refs": tuples}.
/// A tuple is a list of one to three texts; "refs" holds the tuples of all references one behind the other,
/// or a list of them for each reference; "id" and "ref" are read as "image_id" and "refs". Items of other ids
/// are left alone. Throws Error: io; data, with place and id, for what is broken or there twice, and naming
/// ids for captions that have no item.
std::vector<SpiceItem> read_spice_tuples(const std::filesystem::path& path,
                                         std::span<const ScoredCaption> captions);

}  // namespace patchioner
