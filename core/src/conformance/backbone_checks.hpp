// What backbone.hpp promises of every backbone.
#pragma once

#include <memory>
#include <patchioner/backbone.hpp>
#include <span>

#include "conformance/check.hpp"
#include "conformance/tensor_checks.hpp"

namespace patchioner {

/// A backbone that is checked. What several checks look at is computed once.
class BackboneSubject {
 public:
  BackboneSubject(std::shared_ptr<const Backbone> backbone, Another<Backbone> another, CheckSettings settings)
      : settings(settings), another(std::move(another)), backbone_(std::move(backbone)) {}

  const Backbone& plugin() const { return *backbone_; }
  const CheckSettings settings;
  const Another<Backbone> another;

  BackboneCapabilities capabilities() const;
  int64_t width() const;  ///< D

  /// Skips the check when there is no image side.
  const ImageSpec& spec() const;

  /// Of an image of the size that the regions of made_inputs.hpp lie in.
  ImageGeometry geometry() const;

  /// Two images [2,3,S,S] as image_spec() wants them, on the plugin's device.
  const at::Tensor& pixels();

  /// What `encode` gives of them. When it throws, the first check that asks for it fails, those behind are
  /// skipped.
  const ImageFeatures& features();

  /// What `encode` gives of the first of them alone.
  const ImageFeatures& features_alone();

 private:
  std::shared_ptr<const Backbone> backbone_;
  at::Tensor pixels_;
  std::shared_ptr<const ImageFeatures> features_, alone_;
  bool failed_ = false;
};

/// Of what it says of itself, and of its image side.
std::span<const CheckOf<BackboneSubject>> backbone_checks();

std::span<const CheckOf<BackboneSubject>> text_side_checks();

std::span<const CheckOf<BackboneSubject>> region_side_checks();

}  // namespace patchioner
