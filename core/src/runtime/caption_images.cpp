#include "runtime/caption_images.hpp"

#include <patchioner/log.hpp>

namespace patchioner {

std::string sentence_of(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  return of_torch != nullptr ? of_torch->what_without_backtrace() : error.what();
}

std::vector<ImageResult> caption_images(const Captioner& captioner, std::span<const CaptionTask> tasks,
                                        const CaptionOptions& options) {
  std::vector<ImageResult> results(tasks.size());
  try {
    std::vector<std::vector<RegionResult>> found = captioner.caption(tasks, options);
    for (size_t i = 0; i < tasks.size(); ++i) {
      results[i].regions = std::move(found[i]);
    }
    return results;
  } catch (const std::exception& error) {
    if (tasks.size() == 1) {
      results.front().error = sentence_of(error);
      return results;
    }
    log(LogLevel::warning, "a batch of {} images failed, each is tried alone: {}", tasks.size(),
        sentence_of(error));
  }
  for (size_t i = 0; i < tasks.size(); ++i) {
    try {
      results[i].regions = std::move(captioner.caption(tasks.subspan(i, 1), options).front());
    } catch (const std::exception& error) {
      results[i].error = sentence_of(error);
    }
  }
  return results;
}

}  // namespace patchioner
