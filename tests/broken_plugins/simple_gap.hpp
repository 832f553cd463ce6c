// A gap without options, for the plugins here that are broken elsewhere.
#pragma once

#include <patchioner/plugin.hpp>

namespace {

struct SimpleOptions {};

[[maybe_unused]] void declare(patchioner::ParameterList<SimpleOptions>&) {}

class Simple : public patchioner::Gap {
 public:
  Simple(SimpleOptions, const patchioner::PluginContext&) {}
  at::Tensor to_text_space(const at::Tensor& features) const override { return features; }
};

}  // namespace
