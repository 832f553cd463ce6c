// The data sets of a sweep: each opened once, whatever the number of rows that run on it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "evaluation/evaluation.hpp"
#include "sweep/file_digests.hpp"

namespace patchioner {

/// A data set with the digests that stages are named by.
struct SweepData {
  std::shared_ptr<const Dataset> dataset;  ///< null when it could not be opened
  size_t all_images = 0;                   ///< before evaluate.limit
  ExifOrientation orientation = ExifOrientation::ignore;
  std::string problem;  ///< why it could not be opened
  std::vector<std::string>
      images;  ///< of each image its content's digest and orientation; empty when it is not there
  std::string images_digest;  ///< of all these in their order
  std::string regions;        ///< digest: of which images, which regions, in which order
  std::string references;     ///< digest: what is said of them
};

/// [one-thread]
class SweepDatasets {
 public:
  explicit SweepDatasets(FileDigests& digests) : digests_(digests) {}

  /// The data set of an evaluation; the same object for the same section, limit and orientation. What is
  /// wrong with it is its `problem`, never thrown.
  std::shared_ptr<const SweepData> open(const Evaluation& evaluation);

 private:
  FileDigests& digests_;
  std::map<std::string, std::shared_ptr<const SweepData>> opened_;
};

}  // namespace patchioner
