// Narratives in the manner of Localized Narratives: somebody talks about a picture and moves the pointer over
// what is being named.
#pragma once

#include <string>
#include <vector>

#include "language.hpp"

namespace patchioner::emoji {

struct TimedPoint {
  double x = 0;  ///< relative to the picture; may leave [0,1]
  double y = 0;
  double t = 0;  ///< seconds
};

struct Utterance {
  std::string text;
  double start = 0;  ///< seconds, the clock of the points
  double end = 0;
};

/// One spoken sentence, and what remains of it when the speaking is taken away.
struct Sentence {
  std::string spoken;   ///< "In this image I can see a red car on the road."
  std::string caption;  ///< "A red car on the road."; empty for a sentence that shows nothing
};

struct Narrative {
  std::vector<Sentence> sentences;
  std::vector<Utterance> utterances;
  std::vector<std::vector<TimedPoint>> traces;  ///< segments
};

/// Talks about a scene drawn as `picture`.
Narrative narrate(const std::vector<Thing>& things, const Scene& scene, const Picture& picture,
                  Random& random);

}  // namespace patchioner::emoji
