// CLIP-S and PAC-S of captions: images and texts through a CLIP (spec/05 section 8).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scoring/scoring.hpp"

namespace patchioner {

/// What a model gives: "CLIP-S", "RefCLIP-S", "CLIP-S_cropped", and the same of PAC-S.
const std::vector<std::string>& clip_metric_names();
const std::vector<std::string>& pac_metric_names();

/// Whether a metric looks at images: all of them but RefPAC-S as the paper reports it, which compares texts.
bool needs_images(const std::string& metric, const ScoringOptions& options);

/// Whether CLIP-S can be of this region: whole images, boxes, sets of boxes and traces.
bool can_be_shown(const RegionShape& shape);

/// Throws an Error of kind usage that begins with the place `where`, for a region that cannot be shown, and a
/// cut, among the wanted metrics, of what is no box.
void check_shown(const RegionShape& shape, const std::vector<std::string>& wanted, const std::string& where);

/// The wanted ones of these metrics, in the order asked for; `options` names their models. Throws Error:
/// usage, with places, for regions that cannot be shown, a cut of what is no box, and when nobody says where
/// the images are; data when an image is not there; as ScoringModel does.
std::vector<CaptionScores> embedding_metrics(const ScoreItems& items, const ScoringInput& input,
                                             const std::vector<std::string>& wanted,
                                             const ScoringOptions& options);

}  // namespace patchioner
