// Images, or single regions of them, through the backbone, once for all rows that look at them with it.
#include <c10/core/InferenceMode.h>

#include <patchioner/error.hpp>
#include <type_traits>
#include <unordered_map>

#include "image/image_file.hpp"
#include "runtime/caption_images.hpp"
#include "runtime/prefetch.hpp"
#include "runtime/runtime_options.hpp"
#include "support/interrupt.hpp"
#include "sweep/part_work.hpp"

namespace patchioner {
namespace {

constexpr size_t kLoadThreads = 2;  // reading and resizing is much faster than encoding

/// A whole image that is ready to be encoded, or cannot be.
struct Loaded {
  size_t place = 0;  ///< in its part
  ImageGeometry geometry;
  at::Tensor input;  ///< [3,S,S]
  std::string error;
};

/// Gives `take` what `load` makes of 0 to `count`, in order; some of it is made ahead by other threads.
template <class Load, class Take>
void load_ahead(size_t count, size_t window, const Load& load, const Take& take) {
  using Loaded = std::invoke_result_t<Load, size_t>;
  size_t next = 0;
  Prefetch<Loaded> ahead(
      [&](const std::stop_token&) -> std::optional<typename Prefetch<Loaded>::Job> {
        if (next == count) {
          return std::nullopt;
        }
        return [&load, place = next++] { return load(place); };
      },
      kLoadThreads, window);
  while (std::optional<Loaded> one = ahead.next(/*only_if_known=*/false, [] { return false; })) {
    take(std::move(*one));
  }
}

/// Where the images lie, by their digests.
std::unordered_map<std::string, std::filesystem::path> paths_of(const StageWork& work) {
  std::unordered_map<std::string, std::filesystem::path> paths;
  for (const PlannedRun& run : work.plan.runs) {
    if (run.stages.empty() || &work.plan.stages[run.stages.front()] != &work.stage) {
      continue;
    }
    for (size_t i = 0; i < run.data->images.size(); ++i) {
      if (!run.data->images[i].empty() && !paths.contains(run.data->images[i])) {
        paths[run.data->images[i]] = run.data->dataset->image(i).path;
      }
    }
  }
  return paths;
}

class Encoding {
 public:
  explicit Encoding(const StageWork& work)
      : work_(work),
        backbone_(work.plugins.backbone(work.run().evaluation->config)),
        device_(plugin_context(read_runtime_options(work.run().evaluation->config)).device),
        batch_(static_cast<size_t>(read_runtime_options(work.run().evaluation->config).batch)),
        paths_(paths_of(work)) {}

  void part(size_t part, const std::filesystem::path& file) {
    const std::vector<std::string>& all = *work_.stage.images;
    const size_t first = part * kImagesAPart;
    const std::vector<std::string> digests(
        all.begin() + static_cast<std::ptrdiff_t>(first),
        all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), first + kImagesAPart)));
    std::vector<EncodedImage> images(digests.size());
    std::vector<Loaded> batch;
    size_t done = 0;
    const auto load_one = [&](size_t place) { return load(digests[place], place); };
    load_ahead(digests.size(), 2 * batch_, load_one, [&](Loaded one) {
      if (!one.error.empty()) {
        images[one.place].error = one.error;
        return;
      }
      batch.push_back(std::move(one));
      if (batch.size() == batch_) {
        done += batch.size();
        encode(batch, images);
        work_.progress(first + done);
      }
    });
    encode(batch, images);
    write_features(file, digests, images, work_.plan.sweep.cache.features == "half");
  }

 private:
  Loaded load(const std::string& digest, size_t place) const {
    Loaded loaded;
    loaded.place = place;
    try {
      const Image image = read_image(paths_.at(digest), work_.run().data->orientation);
      loaded.geometry = geometry_of(backbone_->image_spec(), image.width(), image.height());
      loaded.input = preprocess(image, backbone_->image_spec());
    } catch (const std::exception& error) {
      loaded.error = sentence_of(error);
    }
    return loaded;
  }

  void encode(std::vector<Loaded>& batch, std::vector<EncodedImage>& images) const {
    if (batch.empty()) {
      return;
    }
    const c10::InferenceMode inference;
    std::vector<at::Tensor> inputs;
    for (const Loaded& one : batch) {
      inputs.push_back(one.input);
    }
    const ImageFeatures features = backbone_->encode(at::stack(inputs).to(device_));
    for (size_t i = 0; i < batch.size(); ++i) {
      const auto row = static_cast<int64_t>(i);
      EncodedImage& image = images[batch[i].place];
      image.width = batch[i].geometry.image_width;
      image.height = batch[i].geometry.image_height;
      if (features.global.defined()) {
        image.features.global = features.global[row];
      }
      if (work_.stage.all_features) {
        image.features.patches = features.patches[row];
        image.features.attention = features.attention.defined() ? features.attention[row] : at::Tensor();
      }
    }
    batch.clear();
  }

  const StageWork& work_;
  std::shared_ptr<Backbone> backbone_;
  at::Device device_;
  size_t batch_;
  std::unordered_map<std::string, std::filesystem::path> paths_;
};

/// Regions that the backbone encodes one by one: crops, pooled boxes.
class RegionEncoding {
 public:
  explicit RegionEncoding(const StageWork& work)
      : work_(work),
        runtime_(read_runtime_options(work.run().evaluation->config)),
        captioner_({work.plugins.backbone(work.run().evaluation->config),
                    work.plugins.aggregator(work.run().evaluation->config),
                    {},
                    nullptr},
                   runtime_.batch, plugin_context(runtime_).device) {}

  void part(size_t part, const std::filesystem::path& file) const {
    const ImageRange range = images_of_part(*work_.run().data, part);
    const auto batch = static_cast<size_t>(runtime_.batch);
    VectorCollector collected;
    std::vector<Prepared> images;
    const auto prepare_one = [&](size_t place) { return prepare(range.first + place); };
    load_ahead(range.count, 2 * batch, prepare_one, [&](Prepared one) {
      images.push_back(std::move(one));
      if (images.size() == batch) {
        encode(images, collected);
      }
    });
    encode(images, collected);
    write_vectors(file, collected.take(captioner_.backbone().dim()));
  }

 private:
  struct Prepared {
    CaptionTask task;
    std::string error;
  };

  Prepared prepare(size_t place) const {
    const SweepData& data = *work_.run().data;
    const DatasetImage image = data.dataset->image(place);
    Prepared prepared;
    prepared.task.regions = regions_of(image);
    try {
      prepared.task.image = read_image(image.path, data.orientation);
      captioner_.prepare(prepared.task);
    } catch (const std::exception& error) {
      prepared.error = sentence_of(error);
    }
    return prepared;
  }

  /// Images that cannot be had leave the batch smaller; it is not filled up, so that what an image is encoded
  /// beside does not depend on others.
  void encode(std::vector<Prepared>& images, VectorCollector& collected) const {
    std::vector<CaptionTask> good;
    for (const Prepared& image : images) {
      if (image.error.empty()) {
        good.push_back(image.task);
      }
    }
    const std::vector<ImageResult> results = caption_images(captioner_, good, {.decode = false});
    size_t next = 0;
    for (const Prepared& image : images) {
      const std::string& error = image.error.empty() ? results[next].error : image.error;
      if (error.empty()) {
        collected.add(results[next].regions);
      } else {
        collected.add_failed(error, image.task.regions.size());
      }
      next += image.error.empty() ? 1 : 0;
    }
    images.clear();
  }

  const StageWork& work_;
  RuntimeOptions runtime_;
  Captioner captioner_;
};

}  // namespace

StageEnd encode_images(const StageWork& work) {
  const size_t images = work.stage.images->size();
  Encoding encoding(work);
  return work_part_by_part(
      work, part_count(images), ".safetensors",
      [&](size_t part) { return std::min(kImagesAPart, images - part * kImagesAPart); },
      [&](size_t part, const std::filesystem::path& file) { encoding.part(part, file); });
}

StageEnd encode_regions(const StageWork& work) {
  const SweepData& data = *work.run().data;
  const RegionEncoding encoding(work);
  return work_part_by_part(
      work, part_count(data.dataset->size()), ".safetensors",
      [&](size_t part) { return regions_in(data, part); },
      [&](size_t part, const std::filesystem::path& file) { encoding.part(part, file); });
}

}  // namespace patchioner
