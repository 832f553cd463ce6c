// Results that a backbone hands out by name: the by-products of a pass, and the windows of Backbone::probe.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <patchioner/error.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nn/vit.hpp"
#include "support/nearest_name.hpp"

namespace patchioner {

/// Everything that can be made from one pass of a backbone, each made only when it is asked for.
template <class Pass>
class NamedResults {
 public:
  using Maker = at::Tensor (*)(const Pass& pass);

  NamedResults(std::string_view backbone, std::vector<std::pair<std::string, Maker>> makers)
      : backbone_(backbone), makers_(std::move(makers)) {}

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, make] : makers_) {
      names.push_back(name);
    }
    return names;
  }

  /// Throws an Error of kind data with the nearest name for an unknown one.
  Maker maker(const std::string& name) const {
    for (const auto& [known, make] : makers_) {
      if (known == name) {
        return make;
      }
    }
    throw Error(ErrorKind::data, "the backbone {} has no intermediate '{}'{}", backbone_, name,
                suggestion(name, names()));
  }

 private:
  std::string backbone_;
  std::vector<std::pair<std::string, Maker>> makers_;
};

/// The input `name` of the probe `probe`; an Error of kind data when it is not given.
const at::Tensor& probe_input(const std::map<std::string, at::Tensor>& inputs, std::string_view probe,
                              const std::string& name);

/// The probe "position_table" of a tower: the input "grid" holds rows and columns -> [1+G,W] on the CPU.
at::Tensor probe_position_table(const VisionTransformer& tower,
                                const std::map<std::string, at::Tensor>& inputs);

}  // namespace patchioner
