// Model files of the reference implementation (spec/01 section 2) as configs of ours that compute the same.
#pragma once

#include <patchioner/value.hpp>
#include <string>
#include <vector>

namespace patchioner {

struct ImportedConfig {
  Value document;
  std::vector<std::string>
      notes;  ///< one sentence for each key that has no counterpart, and for what the user must do
};

/// `reference` is the content of a model file. Weights that the reference fetches by name become their
/// official file names under
/// ${env:PATCHIONER_WEIGHTS,weights}; paths are taken over as they are. No file is opened. Throws an Error of
/// kind config for a key of the wrong type and for a file that is no model file.
ImportedConfig import_reference_config(const Value& reference);

}  // namespace patchioner
