// From an item to an image and regions that can be captioned.
#include <patchioner/error.hpp>

#include "caption.hpp"
#include "data/region_json.hpp"
#include "report/encode.hpp"
#include "runtime/caption_images.hpp"

namespace patchioner::caption {
namespace {

// Pictures are made from at most this many pixels a side, so that a folder of photographs does not fill the
// memory.
constexpr int64_t kShownSide = 1600;

void read_regions(Loaded& loaded) {
  const AskedRegions& asked = *loaded.item.regions;
  for (size_t i = 0; i < asked.asked.size(); ++i) {
    Region region;
    std::string error;
    if (asked.regions[i]) {
      region = *asked.regions[i];
    } else {
      try {
        region = region_from_json(asked.asked[i], asked.folder, fmt::format("region {}", i + 1));
      } catch (const std::exception& wrong) {
        error = sentence_of(wrong);
      }
    }
    if (error.empty()) {
      loaded.task.regions.push_back(region);
    }
    loaded.regions.push_back(std::move(region));
    loaded.region_errors.push_back(std::move(error));
  }
}

void keep_for_pictures(Loaded& loaded, const LoadOptions& options) {
  if (options.keep_for_pictures) {
    loaded.shown = shown_pixels(loaded.task.image);
  }
}

}  // namespace

at::Tensor shown_pixels(const Image& image) {
  return shrink(image.pixels, kShownSide);
}

Loaded load(Item item, const Captioner& captioner, const LoadOptions& options) {
  Loaded loaded;
  loaded.item = std::move(item);
  loaded.error = loaded.item.error;
  if (!loaded.error.empty()) {
    return loaded;
  }
  try {
    read_regions(loaded);
    loaded.task.image = read_image(loaded.item.path, options.orientation);
    captioner.prepare(loaded.task);
    keep_for_pictures(loaded, options);
    if (!captioner.needs_pixels()) {
      loaded.task.image.pixels.reset();
    }
  } catch (const std::exception& error) {
    loaded.error = sentence_of(error);
  }
  return loaded;
}

Loaded load_recorded(Item item, Json record, const Captioner& captioner, const LoadOptions& options) {
  Loaded loaded;
  loaded.item = std::move(item);
  loaded.record = std::move(record);
  loaded.error = loaded.record->value("error", "");
  if (!options.keep_for_pictures || loaded.item.regions == nullptr) {
    return loaded;
  }
  try {
    read_regions(loaded);
    loaded.task.image = read_image(loaded.item.path, options.orientation);
    loaded.task.geometry =
        geometry_of(captioner.backbone().image_spec(), loaded.task.image.width(), loaded.task.image.height());
    keep_for_pictures(loaded, options);
    loaded.task.image.pixels.reset();
  } catch (const std::exception& error) {
    loaded.error = sentence_of(error);
  }
  return loaded;
}

}  // namespace patchioner::caption
