// What the readers of all formats share: they fill a Dataset by this.
#pragma once

#include <patchioner/error.hpp>
#include <unordered_map>

#include "data/dataset.hpp"
#include "data/json_pieces.hpp"
#include "support/files.hpp"

namespace patchioner {

using OrderedJson = nlohmann::ordered_json;

// Parts of one record. Each throws an Error of kind data that says what is wrong and not where: the reading
// puts the place in front.
const OrderedJson& need_key(const OrderedJson& object, const char* key);
std::string need_text(const OrderedJson& object, const char* key);
double need_finite(const OrderedJson& value, const char* what);
/// [x1,y1,x2,y2] -> x,y,width,height; a negative width or height is left as it is.
Box box_of_corners(const OrderedJson& corners);
/// A number as its digits, a text as it is.
std::string id_text(const OrderedJson& id);
/// The texts between line ends.
std::vector<std::string> references_of(const std::string& joined);
/// Notes every box of a region that leaves its image by more than a pixel.
void check_boxes_inside(const RegionShape& shape, int64_t width, int64_t height, const std::string& where,
                        DatasetProblems& problems);
/// {"x":..,"y":..,"t":..} points behind those that are there; `times` is emptied for good once a point has
/// no "t".
struct TimedTrace {
  Trace trace;
  std::vector<double> times;
  bool timed = true;
  void append(const OrderedJson& points);
};

/// [one-thread]
class DatasetReading {
 public:
  explicit DatasetReading(const DatasetOptions& options);

  const DatasetOptions& options() const { return options_; }
  DatasetProblems& problems() { return dataset_.problems_; }

  /// Maps a file, which stays mapped while the data set lives. Gives its number.
  size_t open_file(const std::filesystem::path& path);
  std::string_view content(size_t file) const { return dataset_.files_[file]->text(); }
  /// What was read of the file takes no memory any more; it is read again when it is needed.
  void release(size_t file, uint64_t begin, uint64_t size) const {
    dataset_.files_[file]->release_pages(begin, size);
  }
  std::string name_of(size_t file) const { return dataset_.files_[file]->path().string(); }

  /// Runs `read` on one record; what it throws of kind data is a malformed record, and false is returned.
  template <class Read>
  bool attempt(const std::string& where, Read&& read) {
    try {
      read();
      return true;
    } catch (const StrictError&) {
      throw;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::data) {
        throw;
      }
      problems().add(ProblemKind::malformed_record, where, error.what());
      return false;
    }
  }

  static constexpr size_t kNone = static_cast<size_t>(-1);

  /// A new image, to be looked for under these names. kNone, and a problem, when its id is there already.
  size_t add_image(DatasetImage image, std::vector<std::string> names);
  /// The image with this id, or kNone.
  size_t find(const std::string& id) const;
  DatasetImage& image(size_t index) { return dataset_.images_[index].image; }
  size_t image_count() const { return dataset_.images_.size(); }

  /// A region that is held. A box with a negative side is a problem, and its region left out; a single box
  /// with a side of zero length becomes one pixel long (spec/01 section 4.1), its corners stay.
  void add_region(size_t image, DatasetRegion region, const std::string& where);
  /// A record whose `regions` regions are read again when they are needed.
  void add_record(size_t image, size_t file, const JsonPiece& piece, const std::string& where,
                  const std::vector<DatasetRegion>& regions);
  void read_again_with(Dataset::ReadAgain read) { dataset_.read_again_ = std::move(read); }

  /// Looks for the images, notes what has no reference, tells the task.
  Dataset finish(DatasetFormat format, DatasetTask task);

 private:
  void check(const DatasetImage& image, const DatasetRegion& region, const std::string& where);
  void check_references(const DatasetRegion& region, const std::string& where);
  void find_images();

  const DatasetOptions& options_;
  Dataset dataset_;
  std::vector<std::vector<std::string>> names_;  ///< of each image
  std::unordered_map<std::string, size_t> index_;
};

/// "captions.json: annotations[17] (byte 90210)".
std::string place_of(const std::string& file, const std::string& list, const JsonPiece& piece);

/// Each line of a file of JSON lines that is not blank, parsed: as `number`, from 1, of the piece. A line
/// that is no JSON object is a malformed record; a last line without its end that is none is a cut file, and
/// an Error of kind data. Lines that `is_wanted` refuses, where it is given, are not parsed.
void visit_json_lines(DatasetReading& reading, size_t file,
                      const std::function<void(const JsonPiece& line, const std::string& where,
                                               const OrderedJson& record)>& visit,
                      const std::function<bool(const JsonPiece& line)>& is_wanted = {});

// The readers, one a family of files. Each gives what finish() gave.
Dataset read_coco_file(DatasetReading& reading, DatasetFormat format);
Dataset read_karpathy_file(DatasetReading& reading);
Dataset read_visual_genome(DatasetReading& reading);
Dataset read_region_set_files(DatasetReading& reading);
Dataset read_coco_entities(DatasetReading& reading);
Dataset read_flickr_entities(DatasetReading& reading);
Dataset read_trace_files(DatasetReading& reading);
Dataset read_narrative_files(DatasetReading& reading);
Dataset read_record_files(DatasetReading& reading);
Dataset read_clipscore_file(DatasetReading& reading);

}  // namespace patchioner
