#include "runtime/captioner.hpp"

#include <c10/core/InferenceMode.h>

#include <patchioner/log.hpp>

#include "geometry/region_check.hpp"
#include "runtime/region_crop.hpp"
#include "runtime/runtime_options.hpp"
#include "runtime/weighted_features.hpp"
#include "support/fingerprint_difference.hpp"

namespace patchioner {
namespace {

// Rows that a decoder gets at once: with the paper's decoder (4 layers, 768 wide, 30 steps) their key-value
// cache takes 190 MB.
constexpr size_t kDecodeRows = 256;

std::vector<RegionResult> results_of(std::span<const Region> regions) {
  std::vector<RegionResult> results(regions.size());
  for (size_t i = 0; i < regions.size(); ++i) {
    results[i].region = regions[i];
  }
  return results;
}

/// Notes what is wrong with the regions of one image, before anything is computed from them.
void check_regions(std::vector<RegionResult>& results, const ImageGeometry& geometry) {
  for (RegionResult& result : results) {
    try {
      check_region(result.region.shape, geometry);
    } catch (const Error& error) {
      result.error = error.what();
    }
  }
}

std::vector<RegionResult*> sound(std::vector<RegionResult>& results) {
  std::vector<RegionResult*> found;
  for (RegionResult& result : results) {
    if (result.error.empty()) {
      found.push_back(&result);
    }
  }
  return found;
}

PatchFeatures features_of(const ImageFeatures& features, int64_t index) {
  const auto slice = [index](const at::Tensor& tensor) {
    return tensor.defined() ? tensor[index] : at::Tensor();
  };
  return {slice(features.patches), slice(features.global), slice(features.attention)};
}

/// The crop baseline looks at its cuts in the crop geometry, whatever the config says of whole images
/// (spec/01 section 3.1). A backbone that only squashes need not say what it would crop to.
ImageSpec crop_spec(ImageSpec spec) {
  if (spec.crop_dim <= 0) {
    spec.crop_dim = spec.resize_dim;
  }
  spec.keep_img_ratio = true;
  return spec;
}

/// Puts what a plugin remarks on these regions beside their results.
void note_warnings(const std::vector<RegionWarning>& warnings, std::span<RegionResult*> results,
                   std::string_view plugin) {
  for (const RegionWarning& warning : warnings) {
    if (warning.region >= results.size()) {
      throw Error(ErrorKind::plugin, "the {} warns of region {}, but there are {} regions", plugin,
                  warning.region, results.size());
    }
    results[warning.region]->warnings.push_back(warning.sentence);
  }
}

std::vector<Region> regions_of(std::span<RegionResult*> results) {
  std::vector<Region> regions;
  for (const RegionResult* result : results) {
    regions.push_back(result->region);
  }
  return regions;
}

}  // namespace

Captioner::Captioner(const Value& config, PluginHost& host) {
  const RuntimeOptions runtime = read_runtime_options(config);
  const PluginContext context = plugin_context(runtime);
  batch_ = runtime.batch;
  device_ = context.device;
  parts_.backbone = host.backbone(config.at("backbone"), context);
  parts_.aggregator = host.aggregator(config.at("aggregator"), context);
  const Value& gap = config.at("gap");
  if (gap.type() == Value::Type::list) {
    for (const Value& one : gap.as_list()) {
      parts_.gaps.push_back(host.gap(one, context));
    }
  } else {
    parts_.gaps.push_back(host.gap(gap, context));
  }
  if (const Value* decoder = config.find("decoder"); decoder != nullptr && !decoder->is_null()) {
    parts_.decoder = host.decoder(*decoder, context);
  }
  check();
  text_check_ = check_text_sides();
}

Captioner::Captioner(CaptionerParts parts, int64_t batch, at::Device device)
    : parts_(std::move(parts)), batch_(batch), device_(device) {
  check();
  text_check_ = check_text_sides();
}

void Captioner::check() const {
  if (backbone().image_spec().patch_size < 1) {
    throw Error(
        ErrorKind::config,
        "the backbone has no image side, so there is nothing to caption with it; give it the weights of "
        "an image tower");
  }
  const BackboneCapabilities can = backbone().capabilities();
  const FeatureSource source = aggregator().source();
  if (aggregator().needs_attention() && !can.attention) {
    throw Error(ErrorKind::config,
                "the aggregator weighs patches by attention, but the backbone has no attention map; choose "
                "another aggregator or a backbone with class token and attention");
  }
  if (source == FeatureSource::native && !can.regions) {
    throw Error(ErrorKind::config,
                "the aggregator 'native' lets the backbone encode regions, but this backbone cannot; choose "
                "'uniform' or a region-supervised backbone");
  }
  if ((source == FeatureSource::global || source == FeatureSource::crops) && !can.global) {
    throw Error(ErrorKind::config,
                "the aggregator reads the backbone's global token, but this backbone has none; choose an "
                "aggregator of patches such as 'uniform'");
  }
  const int64_t width = backbone().dim();
  for (const auto& gap : gaps()) {
    if (gap->dim() != 0 && gap->dim() != width) {
      throw Error(ErrorKind::config,
                  "the backbone gives features of width {} and the gap's memory has width {}; build the "
                  "memory with this backbone",
                  width, gap->dim());
    }
  }
  if (decoder() != nullptr && decoder()->dim() != width) {
    throw Error(ErrorKind::config,
                "the backbone gives features of width {} and the decoder reads width {}; choose a decoder "
                "that was trained for this backbone",
                width, decoder()->dim());
  }
}

std::future<void> Captioner::check_text_sides() const {
  std::vector<std::pair<const char*, std::string>> made_with;
  for (const auto& gap : gaps()) {
    made_with.emplace_back("memory was built with another text encoder than the backbone's; build it again",
                           gap->text_fingerprint());
  }
  if (decoder() != nullptr) {
    made_with.emplace_back(
        "decoder was trained with another text encoder than the backbone's; train it again",
        decoder()->text_fingerprint());
  }
  std::erase_if(made_with, [](const auto& one) { return one.second.empty(); });
  if (made_with.empty()) {
    return {};
  }
  return std::async(std::launch::async, [backbone = parts_.backbone, made_with = std::move(made_with)] {
    try {
      const std::string own = backbone->text_fingerprint();
      for (const auto& [what, fingerprint] : made_with) {
        if (!own.empty() && fingerprint != own) {
          warn_once(
              fmt::format("the {} or choose one that belongs to it, or captions may not fit the images ({})",
                          what, fingerprint_difference(fingerprint, own)));
        }
      }
    } catch (const std::exception& error) {
      log(LogLevel::warning, "the text encoder could not be compared with those of memory and decoder: {}",
          error.what());
    }
  });
}

void Captioner::prepare(CaptionTask& task) const {
  const ImageSpec& spec = backbone().image_spec();
  task.geometry = geometry_of(spec, task.image.width(), task.image.height());
  task.input = preprocess(task.image, spec);  // [3,S,S]
}

std::vector<std::vector<RegionResult>> Captioner::caption(std::span<const CaptionTask> tasks,
                                                          const CaptionOptions& options) const {
  const c10::InferenceMode inference;
  std::vector<std::vector<RegionResult>> results(tasks.size());
  for (size_t start = 0; start < tasks.size(); start += static_cast<size_t>(batch_)) {
    const size_t end = std::min(tasks.size(), start + static_cast<size_t>(batch_));
    std::vector<CaptionTask> prepared(end - start);
    std::vector<const CaptionTask*> batch;
    std::vector<std::vector<RegionResult>*> batch_results;
    for (size_t i = start; i < end; ++i) {
      results[i] = results_of(tasks[i].regions);
      const CaptionTask* task = &tasks[i];
      if (!task->input.defined()) {
        prepared[i - start].image = task->image;
        prepare(prepared[i - start]);
        task = &prepared[i - start];
      }
      check_regions(results[i], task->geometry);
      batch.push_back(task);
      batch_results.push_back(&results[i]);
    }
    caption_batch(batch, batch_results, options);
  }
  return results;
}

void Captioner::caption_batch(std::span<const CaptionTask*> tasks,
                              std::span<std::vector<RegionResult>*> results,
                              const CaptionOptions& options) const {
  const FeatureSource source = aggregator().source();
  if (source == FeatureSource::crops) {
    encode_crops(tasks, results);
  } else if (source == FeatureSource::native) {
    for (size_t i = 0; i < tasks.size(); ++i) {
      encode_natively(*tasks[i], *results[i]);
    }
  } else {
    std::vector<at::Tensor> inputs;
    for (const CaptionTask* task : tasks) {
      inputs.push_back(task->input);
    }
    const ImageFeatures features = backbone().encode(at::stack(inputs).to(device_));  // [B,3,S,S]
    for (size_t i = 0; i < tasks.size(); ++i) {
      aggregate(features_of(features, static_cast<int64_t>(i)), tasks[i]->geometry, *results[i], options);
    }
  }
  std::vector<RegionResult*> all;
  for (std::vector<RegionResult>* one : results) {
    const std::vector<RegionResult*> good = sound(*one);
    all.insert(all.end(), good.begin(), good.end());
  }
  bridge_and_decode(all, options);
}

std::vector<RegionResult> Captioner::caption_features(const PatchFeatures& features,
                                                      const ImageGeometry& geometry,
                                                      std::span<const Region> regions,
                                                      const CaptionOptions& options) const {
  const c10::InferenceMode inference;
  if (aggregator().source() == FeatureSource::crops || aggregator().source() == FeatureSource::native) {
    throw Error(ErrorKind::config, "the aggregator needs the image itself, not features of its grid");
  }
  std::vector<RegionResult> results = results_of(regions);
  check_regions(results, geometry);
  aggregate(features, geometry, results, options);
  std::vector<RegionResult*> good = sound(results);
  bridge_and_decode(good, options);
  return results;
}

std::vector<RegionResult> Captioner::caption_vectors(const at::Tensor& features,
                                                     const CaptionOptions& options) const {
  const c10::InferenceMode inference;
  std::vector<RegionResult> results(static_cast<size_t>(features.size(0)));
  for (size_t i = 0; i < results.size(); ++i) {
    results[i].feature = features[static_cast<int64_t>(i)];
  }
  std::vector<RegionResult*> all = sound(results);
  bridge_and_decode(all, options);
  return results;
}

void Captioner::aggregate(const PatchFeatures& features, const ImageGeometry& geometry,
                          std::vector<RegionResult>& results, const CaptionOptions& options) const {
  std::vector<RegionResult*> good = sound(results);
  if (good.empty()) {
    return;
  }
  if (aggregator().source() == FeatureSource::global) {
    for (RegionResult* result : good) {
      result->feature = features.global;  // [D]
    }
    return;
  }
  try {
    weigh(features, geometry, good, options);
    return;
  } catch (const Error&) {
    // One of the regions was refused; which one is found by asking for each alone.
  }
  const std::vector<Region> regions = regions_of(good);
  for (size_t i = 0; i < good.size(); ++i) {
    try {
      aggregator().weights({&regions[i], 1}, geometry, features);
    } catch (const Error& error) {
      good[i]->error = error.what();
    }
  }
  std::vector<RegionResult*> rest = sound(results);
  if (!rest.empty()) {
    weigh(features, geometry, rest, options);
  }
}

void Captioner::weigh(const PatchFeatures& features, const ImageGeometry& geometry,
                      std::span<RegionResult*> results, const CaptionOptions& options) const {
  const std::vector<Region> regions = regions_of(results);
  const RegionWeights weights = aggregator().weights(regions, geometry, features);
  const at::Tensor vectors =
      weighted_features(weights, static_cast<int64_t>(regions.size()), features.patches);  // [R,D]
  for (size_t i = 0; i < results.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    results[i]->feature = vectors[row];
    if (options.explain || options.weights) {
      results[i]->weights = weights.weights[row].reshape({geometry.rows, geometry.columns});
    }
  }
  note_warnings(weights.warnings, results, "aggregator");
}

void Captioner::encode_crops(std::span<const CaptionTask*> tasks,
                             std::span<std::vector<RegionResult>*> results) const {
  const ImageSpec spec = crop_spec(backbone().image_spec());
  std::vector<at::Tensor> inputs;
  std::vector<RegionResult*> owners;
  const auto flush = [&] {
    if (inputs.empty()) {
      return;
    }
    const at::Tensor tokens = backbone().encode(at::stack(inputs).to(device_)).global;  // [R,D]
    for (size_t i = 0; i < owners.size(); ++i) {
      owners[i]->feature = tokens[static_cast<int64_t>(i)];
    }
    inputs.clear();
    owners.clear();
  };
  for (size_t i = 0; i < tasks.size(); ++i) {
    for (RegionResult* result : sound(*results[i])) {
      const Box box = crop_of(result->region.shape, tasks[i]->geometry, result->warnings);
      inputs.push_back(preprocess(crop_box(tasks[i]->image, box), spec));
      owners.push_back(result);
      if (inputs.size() == static_cast<size_t>(batch_)) {
        flush();
      }
    }
  }
  flush();
}

void Captioner::encode_natively(const CaptionTask& task, std::vector<RegionResult>& results) const {
  std::vector<RegionResult*> good = sound(results);
  if (good.empty()) {
    return;
  }
  const at::Tensor pixels = task.input.unsqueeze(0).to(device_);  // [1,3,S,S]
  const auto encode = [&](std::span<RegionResult*> asked) {
    const RegionFeatures found = backbone().encode_regions(pixels, regions_of(asked), task.geometry);
    if (!found.features.defined() || found.features.dim() != 2 ||
        found.features.size(0) != static_cast<int64_t>(asked.size())) {
      throw Error(ErrorKind::plugin, "the backbone gave no row of features for each of {} regions",
                  asked.size());
    }
    for (size_t i = 0; i < asked.size(); ++i) {
      asked[i]->feature = found.features[static_cast<int64_t>(i)];  // [D]
    }
    note_warnings(found.warnings, asked, "backbone");
  };
  try {
    encode(good);
    return;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::data) {
      throw;
    }
  }
  // One of the regions was refused. Each is asked for alone.
  for (RegionResult*& result : good) {
    try {
      encode({&result, 1});
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::data) {
        throw;
      }
      result->error = error.what();
    }
  }
}

void Captioner::bridge_and_decode(std::span<RegionResult*> results, const CaptionOptions& options) const {
  if (results.empty()) {
    return;
  }
  std::vector<at::Tensor> rows;
  for (const RegionResult* result : results) {
    rows.push_back(result->feature);
  }
  const at::Tensor features = at::stack(rows);  // [R,D]
  at::Tensor prefixes = features;
  for (const auto& gap : gaps()) {
    if (options.explain && options.memory_matches > 0) {
      const std::vector<std::vector<MemoryMatch>> matches = gap->nearest(prefixes, options.memory_matches);
      for (size_t i = 0; i < matches.size() && i < results.size(); ++i) {
        results[i]->memory = matches[i];
      }
    }
    prefixes = gap->to_text_space(prefixes);
  }
  for (size_t i = 0; i < results.size(); ++i) {
    results[i]->prefix = prefixes[static_cast<int64_t>(i)];
  }
  if (options.decode) {
    if (decoder() == nullptr) {
      throw Error(
          ErrorKind::config,
          "the config names no decoder, so there is nothing to caption with; add a section 'decoder'");
    }
    decode(results, features, prefixes, options);
  }
}

void Captioner::decode(std::span<RegionResult*> results, const at::Tensor& features,
                       const at::Tensor& prefixes, const CaptionOptions& options) const {
  for (size_t start = 0; start < results.size(); start += kDecodeRows) {
    const size_t end = std::min(results.size(), start + kDecodeRows);
    DecodeInput input;
    input.features = prefixes.slice(0, static_cast<int64_t>(start), static_cast<int64_t>(end));
    input.region_features = features.slice(0, static_cast<int64_t>(start), static_cast<int64_t>(end));
    input.backbone = parts_.backbone.get();
    input.explain = options.explain;
    std::vector<Caption> captions = decoder()->decode(input);
    if (captions.size() != end - start) {
      throw Error(ErrorKind::plugin, "the decoder gave {} captions for {} features", captions.size(),
                  end - start);
    }
    for (size_t i = start; i < end; ++i) {
      results[i]->caption = std::move(captions[i - start]);
    }
  }
}

}  // namespace patchioner
