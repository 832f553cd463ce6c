// Results that a backbone hands out by name: the by-products of a pass, and the windows of Backbone::probe.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>
#include <map>
#include <patchioner/backbone.hpp>
#include <patchioner/error.hpp>
#include <span>
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
  using Maker = std::function<at::Tensor(const Pass& pass)>;

  explicit NamedResults(std::vector<std::pair<std::string, Maker>> makers) : makers_(std::move(makers)) {}

  /// What a pass that `Pass` derives from gives, and more.
  template <class Base>
  NamedResults(const NamedResults<Base>& base, std::vector<std::pair<std::string, Maker>> more)
      : makers_(base.all().begin(), base.all().end()) {
    makers_.insert(makers_.end(), more.begin(), more.end());
  }

  const std::vector<std::pair<std::string, Maker>>& all() const { return makers_; }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, make] : makers_) {
      names.push_back(name);
    }
    return names;
  }

  /// What makes each of the results asked for; to be looked up before anything is computed. Throws an Error
  /// of kind data with the nearest name for an unknown one.
  std::vector<std::pair<std::string, Maker>> makers(std::span<const std::string> wanted,
                                                    std::string_view backbone) const {
    std::vector<std::pair<std::string, Maker>> found;
    for (const std::string& name : wanted) {
      const auto known = std::find_if(makers_.begin(), makers_.end(),
                                      [&name](const auto& maker) { return maker.first == name; });
      if (known == makers_.end()) {
        throw Error(ErrorKind::data, "the backbone {} has no intermediate '{}'{}", backbone, name,
                    suggestion(name, names()));
      }
      found.push_back(*known);
    }
    return found;
  }

 private:
  std::vector<std::pair<std::string, Maker>> makers_;
};

/// Puts the results asked for, made from `pass`, beside the others.
template <class Makers, class Pass>
void add_results(const Makers& wanted, const Pass& pass, at::Device device, ImageFeatures& features) {
  for (const auto& [name, make] : wanted) {
    features.intermediates[name] = make(pass).to(device);
  }
}

/// What a backbone hands out of B images on `device`: patches [B,G,D], row by row of a grid of rows x
/// columns, global token [B,D], attention map [B,G]. The last two may be undefined.
ImageFeatures grid_features(const at::Tensor& patches, int64_t rows, int64_t columns,
                            const at::Tensor& global, const at::Tensor& map, at::Device device);

/// The by-products of a tower's pass that these intermediates need.
VitRequest request_for(std::span<const std::string> intermediates);

/// Checks that `pixels` are one image [1,3,S,S] of the size that its geometry says, as regions are encoded
/// in; an Error of kind data otherwise.
void check_region_pixels(const at::Tensor& pixels, const ImageGeometry& geometry);

/// The input `name` of the probe `probe`; an Error of kind data when it is not given.
const at::Tensor& probe_input(const std::map<std::string, at::Tensor>& inputs, std::string_view probe,
                              const std::string& name);

/// Rows and columns of the input "grid" of the probe "position_table"; an Error of kind data for anything
/// else.
std::pair<int64_t, int64_t> probe_grid(const std::map<std::string, at::Tensor>& inputs);

/// The probe "position_table" of a tower: the input "grid" holds rows and columns -> [1+G,W] on the CPU.
at::Tensor probe_position_table(const VisionTransformer& tower,
                                const std::map<std::string, at::Tensor>& inputs);

}  // namespace patchioner
