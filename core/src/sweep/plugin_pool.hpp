// Plugins that stages have in common: made once, kept while they are likely to be wanted again.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "evaluation/evaluation.hpp"
#include "runtime/captioner.hpp"

namespace patchioner {

/// Holds the few plugins of each kind that were used last; weights of the others are let go. [one-thread]
class PluginPool {
 public:
  explicit PluginPool(PluginHost& host) : host_(host) {}

  /// Those of a config. Throws what the host throws.
  std::shared_ptr<Backbone> backbone(const Value& config);
  std::shared_ptr<Aggregator> aggregator(const Value& config);
  std::vector<std::shared_ptr<Gap>> gaps(const Value& config);
  std::shared_ptr<Decoder> decoder(const Value& config);

 private:
  template <class Interface>
  struct Shelf {
    std::list<std::pair<std::string, std::shared_ptr<Interface>>> plugins;  ///< the last used first
  };
  template <class Interface, class Make>
  std::shared_ptr<Interface> take(Shelf<Interface>& shelf, size_t most, const Value& config,
                                  const Value& section, const Make& make);

  PluginHost& host_;
  Shelf<Backbone> backbones_;
  Shelf<Aggregator> aggregators_;
  Shelf<Gap> gaps_;
  Shelf<Decoder> decoders_;
};

}  // namespace patchioner
