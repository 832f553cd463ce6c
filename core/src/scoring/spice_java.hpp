// SPICE's original program, run in Java (spec/05 section 7).
#pragma once

#include <array>
#include <filesystem>
#include <span>
#include <vector>

#include "metrics/caption_scores.hpp"
#include "metrics/spice.hpp"

namespace patchioner {

/// F by SpiceCategory; not a number where undefined.
using SpiceValues = std::array<double, kSpiceCategories.size()>;

/// Gives the words to `jar`, spice-1.0.jar with its lib folder, and reads what it writes: a value for each
/// caption, in their order. JAVA_HOME, or else PATH, decides which Java runs. Everything that is written,
/// SPICE's cache of parses included, lies in a folder of its own under the temporary one and goes away.
/// Throws Error: config when the jar or Java is missing or Java is of a version that SPICE cannot run in;
/// data when the program fails, or gives no scores for a caption; io.
std::vector<SpiceValues> run_spice(std::span<const ScoredCaption> captions, std::span<const Segment> words,
                                   const std::filesystem::path& jar);

/// Throws Error as run_spice does for the jar and Java, without a run.
void check_spice_java(const std::filesystem::path& jar);

}  // namespace patchioner
