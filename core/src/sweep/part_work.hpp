// What the stages that work part by part have in common.
#pragma once

#include <patchioner/geometry.hpp>

#include "sweep/stage_files.hpp"
#include "sweep/stage_work.hpp"

namespace patchioner {

/// Puts the parts that are not there yet, in order: `make(part, file)` writes one. `amount(part)` is how much
/// of the stage's amount the part is. Looks for interrupts and for the loss of the lease between parts, and
/// completes the entry at the end.
StageEnd work_part_by_part(const StageWork& work, size_t parts, const std::string& extension,
                           const std::function<size_t(size_t part)>& amount,
                           const std::function<void(size_t part, const std::filesystem::path& file)>& make);

/// Completes the stage's entry with its facts; `seconds` are those that were not noted yet.
StageEnd finish_stage(const StageWork& work, double seconds);

/// Opens a finished entry; throws DamagedEntry when it has gone meanwhile.
std::shared_ptr<const StageEntry> open_finished(const StageCache& cache, const StageKey& key);

/// The same of an entry that the stage reads.
std::shared_ptr<const StageEntry> open_input(const StageWork& work, size_t input);

/// The images of a part of the run's data set: from `first` on, `count` of them.
struct ImageRange {
  size_t first = 0;
  size_t count = 0;
};
ImageRange images_of_part(const SweepData& data, size_t part);

/// How many regions these images have.
size_t regions_in(const SweepData& data, size_t part);

/// The regions of the image, as the captioner takes them.
std::vector<Region> regions_of(const DatasetImage& image);

/// The vectors of regions from what the captioner made of them, image by image; an image that failed as a
/// whole gives each of its regions its error.
class VectorCollector {
 public:
  /// Results in the order of regions, each with a feature [D] on any device, or an error.
  void add(const std::vector<RegionResult>& results);
  void add_failed(const std::string& error, size_t regions);
  /// All of them: vectors [R,dim] float32 on the CPU. The collector is used up.
  RegionVectors take(int64_t dim);

 private:
  std::vector<at::Tensor> rows_;  ///< undefined of those with an error
  std::vector<std::string> errors_;
  std::vector<int64_t> warnings_;
};

}  // namespace patchioner
