// From the features of images to the vectors of regions, to what a decoder reads, to captions.
#include <c10/core/InferenceMode.h>

#include <cmath>
#include <patchioner/error.hpp>

#include "data/json_text.hpp"
#include "runtime/runtime_options.hpp"
#include "support/files.hpp"
#include "sweep/part_work.hpp"

namespace patchioner {
namespace {

using Json = nlohmann::ordered_json;

// Rows that gap and decoder get at once, as the captioner gives them.
constexpr int64_t kRows = 256;

/// Where the work is done, which has to be there.
at::Device work_device(const StageWork& work) {
  return plugin_context(read_runtime_options(work.run().evaluation->config)).device;
}

/// `make` for each part of the run's data set.
StageEnd by_parts_of_regions(
    const StageWork& work, const std::string& extension,
    const std::function<void(size_t part, const std::filesystem::path& file)>& make) {
  const SweepData& data = *work.run().data;
  return work_part_by_part(
      work, part_count(data.dataset->size()), extension, [&](size_t part) { return regions_in(data, part); },
      make);
}

}  // namespace

StageEnd aggregate_regions(const StageWork& work) {
  const PlannedRun& run = work.run();
  const Value& config = run.evaluation->config;
  const RuntimeOptions runtime = read_runtime_options(config);
  const at::Device device = work_device(work);
  const Captioner captioner({work.plugins.backbone(config), work.plugins.aggregator(config), {}, nullptr},
                            runtime.batch, device);
  const FeatureReader features(open_input(work, 0));
  const auto on_device = [&](const at::Tensor& tensor) {
    return tensor.defined() ? tensor.to(device) : tensor;
  };
  return by_parts_of_regions(work, ".safetensors", [&](size_t part, const std::filesystem::path& file) {
    const ImageRange range = images_of_part(*run.data, part);
    VectorCollector collected;
    for (size_t i = range.first; i < range.first + range.count; ++i) {
      const std::vector<Region> regions = regions_of(run.data->dataset->image(i));
      EncodedImage image;
      if (run.data->images[i].empty()) {
        image.error = "the image is in none of the folders of dataset.images";
      } else {
        image = features.image(run.data->images[i]);
      }
      if (!image.error.empty()) {
        collected.add_failed(image.error, regions.size());
        continue;
      }
      const ImageGeometry geometry =
          geometry_of(captioner.backbone().image_spec(), image.width, image.height);
      const PatchFeatures placed = {on_device(image.features.patches), on_device(image.features.global),
                                    on_device(image.features.attention)};
      collected.add(captioner.caption_features(placed, geometry, regions, {.decode = false}));
    }
    write_vectors(file, collected.take(captioner.backbone().dim()));
  });
}

StageEnd bridge_vectors(const StageWork& work) {
  const std::vector<std::shared_ptr<Gap>> gaps = work.plugins.gaps(work.run().evaluation->config);
  const std::shared_ptr<const StageEntry> input = open_input(work, 0);
  const at::Device device = work_device(work);
  return by_parts_of_regions(work, ".safetensors", [&](size_t part, const std::filesystem::path& file) {
    const c10::InferenceMode inference;
    RegionVectors vectors = read_vectors(*input, part);
    const at::Tensor sound = at::tensor(vectors.sound(), at::kLong);
    at::Tensor bridged = at::zeros_like(vectors.vectors);
    for (int64_t first = 0; first < sound.numel(); first += kRows) {
      const at::Tensor rows = sound.slice(0, first, first + kRows);
      at::Tensor block = vectors.vectors.index_select(0, rows).to(device);
      for (const std::shared_ptr<Gap>& gap : gaps) {
        block = gap->to_text_space(block);
      }
      bridged.index_copy_(0, rows, block.to(at::kCPU, at::kFloat));
    }
    vectors.vectors = bridged;
    write_vectors(file, vectors);
  });
}

StageEnd decode_vectors(const StageWork& work) {
  const Value& config = work.run().evaluation->config;
  const std::shared_ptr<Backbone> backbone = work.plugins.backbone(config);
  const std::shared_ptr<Decoder> decoder = work.plugins.decoder(config);
  if (decoder->dim() != backbone->dim()) {
    throw Error(
        ErrorKind::config,
        "the backbone gives features of width {} and the decoder reads width {}; choose a decoder that was "
        "trained for this backbone",
        backbone->dim(), decoder->dim());
  }
  const std::shared_ptr<const StageEntry> vectors_entry = open_input(work, 0);
  const std::shared_ptr<const StageEntry> bridged_entry = open_input(work, 1);
  const at::Device device = work_device(work);
  return by_parts_of_regions(work, ".jsonl", [&](size_t part, const std::filesystem::path& file) {
    const c10::InferenceMode inference;
    const RegionVectors vectors = read_vectors(*vectors_entry, part);
    const RegionVectors bridged = read_vectors(*bridged_entry, part);
    const at::Tensor sound = at::tensor(vectors.sound(), at::kLong);
    std::vector<Caption> captions;
    for (int64_t first = 0; first < sound.numel(); first += kRows) {
      const at::Tensor rows = sound.slice(0, first, first + kRows);
      DecodeInput input;
      input.features = bridged.vectors.index_select(0, rows).to(device);
      input.region_features = vectors.vectors.index_select(0, rows).to(device);
      input.backbone = backbone.get();
      std::vector<Caption> block = decoder->decode(input);
      if (block.size() != static_cast<size_t>(rows.numel())) {
        throw Error(ErrorKind::plugin, "the decoder gave {} captions for {} features", block.size(),
                    rows.numel());
      }
      std::move(block.begin(), block.end(), std::back_inserter(captions));
    }
    std::string lines;
    size_t next = 0;
    for (size_t i = 0; i < vectors.errors.size(); ++i) {
      Json line;
      if (vectors.errors[i].empty()) {
        const Caption& caption = captions[next++];
        line = {{"caption", caption.text},
                {"score", std::isfinite(caption.score) ? Json(caption.score) : Json()}};
      } else {
        line = {{"error", vectors.errors[i]}};
      }
      if (vectors.warnings[i] > 0) {
        line["warnings"] = vectors.warnings[i];
      }
      lines += json_text(line) + "\n";
    }
    write_file(file, lines);
  });
}

StageEnd work_on(const StageWork& work) {
  switch (work.stage.key.stage) {
    case Stage::encode:
      return work.stage.images != nullptr ? encode_images(work) : encode_regions(work);
    case Stage::aggregate:
      return aggregate_regions(work);
    case Stage::bridge:
      return bridge_vectors(work);
    case Stage::decode:
      return decode_vectors(work);
    case Stage::score:
      break;
  }
  return score_captions(work);
}

}  // namespace patchioner
