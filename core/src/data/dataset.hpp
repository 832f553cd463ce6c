// What an evaluation reads: images, each with its regions and the references of these, whatever the file they
// come from looks like. Images are grouped: each is there once and is encoded once, wherever its annotations
// lie in the file. Only annotations are held, and traces not even those: they are read again when their image
// is asked for, so that the memory stays small for any file.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <patchioner/region.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset_problems.hpp"
#include "data/image_finder.hpp"

namespace patchioner {

/// What is captioned; decides how results are written and scored (spec/01 sections 7 to 10).
enum class DatasetTask {
  image,       ///< whole images
  dense,       ///< single boxes
  region_set,  ///< sets of boxes, a caption a set
  trace,       ///< mouse traces
  patch,       ///< patches of the grid
  regions,     ///< anything else, or several of these together
};
std::string_view to_string(DatasetTask task);

/// The files that are read (spec/05 section 11; docs/datasets.md shows each).
enum class DatasetFormat {
  automatic,        ///< told by content
  coco,             ///< COCO captions, image lists without captions, the Flickr30k test file
  karpathy,         ///< dataset_coco.json, dataset_flickr30k.json
  dense,            ///< dense-captioning test files: COCO style, "bbox" holds corners
  visual_genome,    ///< region_descriptions.json with image_data.json
  region_sets,      ///< {image: {captions: boxes}}
  coco_entities,    ///< the COCO Entities release
  flickr_entities,  ///< the folder of the Flickr30k Entities release
  traces,           ///< {image: {"captions", "traces"}}
  narratives,       ///< Localized Narratives
  records,          ///< JSON lines of one's own
  clipscore,        ///< references of CLIPScore and PAC-S: {image: [captions]}
};
/// "auto", "coco", "karpathy", "dense", "visual-genome", "region-sets", "coco-entities", "flickr-entities",
/// "traces", "narratives", "records", "clipscore". Throws an Error of kind usage for any other word.
DatasetFormat dataset_format_from(std::string_view word);
std::string_view to_string(DatasetFormat format);

struct DatasetOptions {
  /// The annotations. Several are merged: the two parts of the COCO traces, the four of a narratives split.
  std::vector<std::filesystem::path> files;
  DatasetFormat format = DatasetFormat::automatic;
  /// COCO captions with the references of an image list that has none (coco-test.json).
  std::filesystem::path references;
  /// Of Karpathy's file, of Visual Genome, of COCO Entities and of Flickr30k Entities; "all" for every image.
  std::string split = "test";
  /// Visual Genome's image_data.json, by default beside region_descriptions.json.
  std::filesystem::path image_data;
  /// A file of splits {"test": [ids]}: densecap_splits.json, by default beside region_descriptions.json; of
  /// Flickr30k Entities a list of ids, one a line, by default <split>.txt in its folder.
  std::filesystem::path splits;
  /// Of Visual Genome, only images that are COCO's too (VG-COCO).
  bool vg_coco = false;
  /// Where images are looked for, in this order; without any they are not looked for.
  std::vector<std::filesystem::path> image_folders;
  ImageNames image_names = ImageNames::automatic;
  /// The first problem ends the reading.
  bool strict = false;
  /// Hears of every problem as it is found; may be empty.
  std::function<void(const DatasetProblem&)> on_problem;
};

/// Something to caption, and what people said of it.
struct DatasetRegion {
  RegionShape shape;
  std::string id;                       ///< of one's own records; otherwise empty
  std::vector<std::string> references;  ///< as in the file, not tokenised
  /// Of region sets and traces: the references as the file has them, joined by line ends ("gt_captions" of
  /// result files).
  std::string reference_key;
  /// [x1,y1,x2,y2] of a box or a list of these as the file says them, which results copy; null otherwise.
  nlohmann::ordered_json corners;
  std::vector<double> times;  ///< seconds, one a point of a trace; empty when any has none
  size_t position = 0;        ///< its place among all regions in the order of the file, from 0
};

/// x1,y1,x2,y2 of a region that is a box: as its file has them, or else of its shape.
std::array<double, 4> box_corners(const DatasetRegion& region);

struct DatasetImage {
  nlohmann::ordered_json id;   ///< a number or a text, as the file has it
  std::string file_name;       ///< as the file has it, or the first name that was looked for
  std::filesystem::path path;  ///< where it was found; empty when it was not, or was not looked for
  int64_t width = 0;           ///< pixels, where the annotations say so; 0 otherwise
  int64_t height = 0;
  std::vector<DatasetRegion> regions;  ///< in the order of the file; a whole image is one region
  std::string where;                   ///< its place, for messages
};

class DatasetReading;

/// [any-thread] once it is open.
class Dataset {
 public:
  /// Reads the annotations and looks for the images. Throws Error: usage for options that do not go together;
  /// io for files that cannot be read; data, with the byte, for damaged ones and those of no known format; in
  /// strict reading data for the first problem.
  static Dataset open(const DatasetOptions& options);

  DatasetTask task() const { return task_; }
  DatasetFormat format() const { return format_; }
  /// The name of the first file.
  const std::string& name() const { return name_; }
  size_t size() const { return images_.size(); }
  size_t region_count() const { return region_count_; }
  /// Forgets all images behind the first `count`. [one-thread]
  void keep_first(size_t count);
  /// The image with all its regions. Throws an Error of kind data when a file of traces has changed
  /// meanwhile. `index` is below size().
  DatasetImage image(size_t index) const;
  const DatasetProblems& problems() const { return problems_; }

 private:
  friend class DatasetReading;
  /// Where a record of an image lies that is read again when it is needed.
  struct Record {
    size_t file = 0;
    uint64_t begin = 0;
    uint64_t size = 0;
    std::string where;
    size_t position = 0;  ///< of its first region
  };
  struct Entry {
    DatasetImage image;
    std::vector<Record> records;
  };
  /// Reads the regions of a record that is there and in order.
  using ReadAgain = std::function<std::vector<DatasetRegion>(std::string_view text, const Record& record)>;

  DatasetTask task_ = DatasetTask::image;
  DatasetFormat format_ = DatasetFormat::automatic;
  std::string name_;
  std::vector<Entry> images_;
  size_t region_count_ = 0;
  DatasetProblems problems_;
  std::vector<std::shared_ptr<const class MappedFile>> files_;
  ReadAgain read_again_;
};

}  // namespace patchioner
