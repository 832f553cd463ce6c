#include "sweep/plugin_pool.hpp"

#include "config/value_key.hpp"
#include "runtime/runtime_options.hpp"

namespace patchioner {
namespace {

// A backbone may hold gigabytes, and runs come backbone by backbone; memories and decoders alternate.
constexpr size_t kBackbones = 1;
constexpr size_t kAggregators = 8;
constexpr size_t kGaps = 4;
constexpr size_t kDecoders = 4;

}  // namespace

template <class Interface, class Make>
std::shared_ptr<Interface> PluginPool::take(Shelf<Interface>& shelf, size_t most, const Value& config,
                                            const Value& section, const Make& make) {
  const RuntimeOptions runtime = read_runtime_options(config);
  const std::string key = fmt::format("{} {} {}", key_of(section), runtime.device, runtime.precision);
  for (auto one = shelf.plugins.begin(); one != shelf.plugins.end(); ++one) {
    if (one->first == key) {
      shelf.plugins.splice(shelf.plugins.begin(), shelf.plugins, one);
      return shelf.plugins.front().second;
    }
  }
  while (shelf.plugins.size() >= most) {
    shelf.plugins.pop_back();  // before the next one is loaded
  }
  shelf.plugins.emplace_front(key, make(section, plugin_context(runtime)));
  return shelf.plugins.front().second;
}

std::shared_ptr<Backbone> PluginPool::backbone(const Value& config) {
  return take(
      backbones_, kBackbones, config, config.at("backbone"),
      [&](const Value& section, const PluginContext& context) { return host_.backbone(section, context); });
}

std::shared_ptr<Aggregator> PluginPool::aggregator(const Value& config) {
  return take(
      aggregators_, kAggregators, config, config.at("aggregator"),
      [&](const Value& section, const PluginContext& context) { return host_.aggregator(section, context); });
}

std::vector<std::shared_ptr<Gap>> PluginPool::gaps(const Value& config) {
  const Value& gap = config.at("gap");
  std::vector<std::shared_ptr<Gap>> chain;
  for (const Value& section : gap.is_list() ? gap.as_list() : Value::List{gap}) {
    chain.push_back(take(gaps_, kGaps, config, section, [&](const Value& one, const PluginContext& context) {
      return host_.gap(one, context);
    }));
  }
  return chain;
}

std::shared_ptr<Decoder> PluginPool::decoder(const Value& config) {
  return take(
      decoders_, kDecoders, config, config.at("decoder"),
      [&](const Value& section, const PluginContext& context) { return host_.decoder(section, context); });
}

}  // namespace patchioner
