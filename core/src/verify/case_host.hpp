// The plugins that cases make, all on one device.
#pragma once

#include <memory>
#include <string>

#include "runtime/plugin_host.hpp"

namespace patchioner {

/// A PluginHost, which must outlive it, and what its plugins are made with. Features and token ids may be on
/// any device (docs/plugin_contracts.md); cases move what they compute with by themselves, and pixels of
/// plugins that are not the project's own. [one-thread]
class CaseHost {
 public:
  CaseHost(PluginHost& plugins, const PluginContext& context) : plugins_(plugins), context_(context) {}

  const PluginContext& context() const { return context_; }
  PluginHost& plugins() { return plugins_; }

  /// The section `runtime` of a config that computes where the cases do.
  Value runtime() const { return Value::Map{{"device", context_.device.is_cuda() ? "cuda" : "cpu"}}; }

  std::shared_ptr<Backbone> backbone(const Value& section) { return plugins_.backbone(section, context_); }
  std::shared_ptr<Aggregator> aggregator(const Value& section) {
    return plugins_.aggregator(section, context_);
  }
  std::shared_ptr<Gap> gap(const Value& section) { return plugins_.gap(section, context_); }
  std::shared_ptr<Decoder> decoder(const Value& section) { return plugins_.decoder(section, context_); }

  PluginRecord describe(PluginKind kind, const std::string& name) { return plugins_.describe(kind, name); }

 private:
  PluginHost& plugins_;
  PluginContext context_;
};

}  // namespace patchioner
