// What the SDK's interfaces do where a plugin does not say otherwise, and the names of the kinds.
#include <patchioner/plugin.hpp>

namespace patchioner {
namespace {

[[noreturn]] void lacks(std::string_view kind, std::string_view ability) {
  throw Error(ErrorKind::plugin, "this {} {}", kind, ability);
}

}  // namespace

std::string_view to_string(PluginKind kind) {
  switch (kind) {
    case PluginKind::backbone:
      return "backbone";
    case PluginKind::aggregator:
      return "aggregator";
    case PluginKind::gap:
      return "gap";
    case PluginKind::decoder:
      return "decoder";
  }
  return "unknown";
}

at::Tensor Backbone::encode_token_ids(const at::Tensor&) const {
  lacks("backbone", "does not take token ids");
}

RegionFeatures Backbone::encode_regions(const at::Tensor&, std::span<const Region>,
                                        const ImageGeometry&) const {
  lacks("backbone", "does not encode regions itself; choose another aggregator than 'native'");
}

at::Tensor Backbone::probe(const std::string& name, const std::map<std::string, at::Tensor>&) const {
  throw Error(ErrorKind::data, "this backbone has nothing to probe by the name '{}'", name);
}

at::Tensor Decoder::logits(const at::Tensor&, const at::Tensor&) const {
  lacks("decoder", "does not give logits");
}

at::Tensor Decoder::probe(const std::string& name, const std::map<std::string, at::Tensor>&) const {
  throw Error(ErrorKind::data, "this decoder has nothing to probe by the name '{}'", name);
}

at::Tensor Decoder::training_ids(std::span<const std::string>, std::vector<size_t>&) const {
  lacks("decoder", "cannot be trained");
}

std::vector<std::string> Decoder::training_entities(const std::string&) const {
  lacks("decoder", "reads no entities");
}

Decoder::Loss Decoder::loss(const TrainingBatch&, RandomSource&, bool) const {
  lacks("decoder", "cannot be trained");
}

void Decoder::save(const std::string&, const std::string&) const {
  lacks("decoder", "cannot be saved");
}

}  // namespace patchioner
