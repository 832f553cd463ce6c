#include "sweep/part_work.hpp"

#include <chrono>
#include <patchioner/error.hpp>

#include "support/interrupt.hpp"

namespace patchioner {

StageEnd work_part_by_part(const StageWork& work, size_t parts, const std::string& extension,
                           const std::function<size_t(size_t part)>& amount,
                           const std::function<void(size_t part, const std::filesystem::path& file)>& make) {
  auto last = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(last, now)).count();
  };
  size_t done = 0;
  for (size_t part = 0; part < parts; ++part) {
    const std::string name = part_name(part, extension);
    if (!work.lease.has(name)) {
      if (interrupted()) {
        return StageEnd::interrupted;
      }
      if (!work.lease.put(name, [&](const std::filesystem::path& file) { make(part, file); })) {
        return StageEnd::lost;
      }
      work.lease.note_seconds(seconds());
    }
    done += amount(part);
    work.progress(done);
  }
  return finish_stage(work, seconds());
}

StageEnd finish_stage(const StageWork& work, double seconds) {
  const nlohmann::ordered_json facts = {
      {"plugin", work.stage.plugin}, {"amount", work.stage.amount}, {"settings", work.stage.settings}};
  return work.lease.finish(facts, seconds) ? StageEnd::done : StageEnd::lost;
}

std::shared_ptr<const StageEntry> open_finished(const StageCache& cache, const StageKey& key) {
  std::shared_ptr<const StageEntry> entry = cache.open(key);
  if (entry == nullptr) {
    throw DamagedEntry(key, fmt::format("{} has gone from the cache", to_string(key)));
  }
  return entry;
}

std::shared_ptr<const StageEntry> open_input(const StageWork& work, size_t input) {
  return open_finished(work.cache, work.plan.stages[work.stage.inputs[input]].key);
}

ImageRange images_of_part(const SweepData& data, size_t part) {
  const size_t first = part * kImagesAPart;
  return {first, std::min(kImagesAPart, data.dataset->size() - first)};
}

size_t regions_in(const SweepData& data, size_t part) {
  const ImageRange range = images_of_part(data, part);
  size_t regions = 0;
  for (size_t i = range.first; i < range.first + range.count; ++i) {
    regions += data.dataset->image(i).regions.size();
  }
  return regions;
}

std::vector<Region> regions_of(const DatasetImage& image) {
  std::vector<Region> regions;
  for (const DatasetRegion& region : image.regions) {
    regions.push_back({region.shape, region.id});
  }
  return regions;
}

void VectorCollector::add(const std::vector<RegionResult>& results) {
  for (const RegionResult& result : results) {
    rows_.push_back(result.error.empty() ? result.feature.to(at::kCPU, at::kFloat) : at::Tensor());
    errors_.push_back(result.error);
    warnings_.push_back(static_cast<int64_t>(result.warnings.size()));
  }
}

void VectorCollector::add_failed(const std::string& error, size_t regions) {
  for (size_t i = 0; i < regions; ++i) {
    rows_.emplace_back();
    errors_.push_back(error);
    warnings_.push_back(0);
  }
}

RegionVectors VectorCollector::take(int64_t dim) {
  RegionVectors vectors;
  vectors.vectors = at::zeros({static_cast<int64_t>(rows_.size()), dim});
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i].defined()) {
      vectors.vectors[static_cast<int64_t>(i)].copy_(rows_[i]);
    }
  }
  vectors.errors = std::move(errors_);
  vectors.warnings = std::move(warnings_);
  return vectors;
}

}  // namespace patchioner
