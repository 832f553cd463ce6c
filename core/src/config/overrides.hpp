// The grammar of changes on the command line, which is Hydra's where Hydra has one.
#pragma once

#include <patchioner/value.hpp>
#include <string>
#include <vector>

namespace patchioner {

/// One change.
struct Override {
  enum class Kind {
    choice,  ///< gap=memory, gap=gap/memory, gap=[noise,memory]: another choice of a group
    set,     ///< gap.temperature=0.02
    add,     ///< +gap.new=1: refused when it is there already
    force,   ///< ++gap.new=1: whether it is there or not
    remove,  ///< ~gap.temperature
  };
  Kind kind = Kind::set;
  std::string text;  ///< as it was typed
  std::string key;   ///< dotted; entries of lists count from 0
  Value value;       ///< typed as YAML types it
  std::vector<std::string> choices;
};

/// Throws an Error of kind config for a text that is no override and for an unknown section.
Override parse_override(const std::string& text);

/// Changes `document`. Later ones win, except that `x.plugin=` comes before the options of x whatever their
/// order. Choices are compose()'s business and left out here.
void apply_overrides(Value& document, const std::vector<Override>& overrides);

}  // namespace patchioner
