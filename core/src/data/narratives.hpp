// Records of Localized Narratives: what somebody said about an image, when, and where the pointer was.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace patchioner {

struct TimedPoint {
  double x = 0;  ///< relative to the image; may leave [0,1]
  double y = 0;
  double t = 0;  ///< seconds, the clock of the utterances
};

struct Utterance {
  std::string text;
  double start = 0;  ///< seconds
  double end = 0;
};

struct Narrative {
  std::string image_id;
  std::string caption;
  std::vector<Utterance> utterances;
  std::vector<TimedPoint> points;  ///< of all segments, one behind the other
};

/// Throws an Error of kind data that says what is missing: an utterance without its times, a point without
/// "t".
Narrative narrative_from_json(const nlohmann::ordered_json& record);

}  // namespace patchioner
