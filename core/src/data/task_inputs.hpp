// The input files of the paper's localized tasks, in the formats in which they are evaluated (spec/01
// sections 8, 9 and 10).
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <patchioner/region.hpp>
#include <string>
#include <vector>

namespace patchioner {

/// An image of a COCO-style file. Ids come back in results as they were read: numbers stay numbers.
struct TaskImage {
  nlohmann::ordered_json id;
  std::string file_name;
};

/// One box of the dense task.
struct DenseBox {
  nlohmann::ordered_json corners;  ///< [x1,y1,x2,y2] as the file says it; results copy it
  Box box;  ///< the same as x,y,width,height; a side of zero length is one pixel long (section 4.1)
  std::string caption;  ///< the reference
};

struct DenseImage {
  TaskImage image;
  std::vector<DenseBox> boxes;  ///< in the order of the file's annotations
};

/// One sample of the region-set task.
struct RegionSetSample {
  std::string image_id;
  std::string references;  ///< one or several, joined by line ends
  BoxSet boxes;            ///< may be empty: 22 samples of the Flickr30k Entities file are
};

/// One sample of the trace task.
struct TraceSample {
  std::string image_id;
  std::string caption;  ///< the reference
  Trace trace;
};

// Each throws Error: io when the file cannot be read, data when it is not of its format (with the place in
// the file). The order is the file's.
std::vector<DenseImage> read_dense_task(const std::filesystem::path& file);
std::vector<RegionSetSample> read_region_set_task(const std::filesystem::path& file);
std::vector<TraceSample> read_trace_task(const std::filesystem::path& file);

}  // namespace patchioner
