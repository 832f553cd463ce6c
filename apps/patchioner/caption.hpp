// The parts of the command `caption`, in the order in which an image passes them: arguments, source, load,
// captions, record, output.
#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "data/record_file.hpp"
#include "report/page.hpp"
#include "runtime/captioner.hpp"
#include "support/files.hpp"

namespace patchioner {

struct CommandLine;

namespace caption {

using Json = nlohmann::ordered_json;

/// What the command line says, taken apart but not yet looked up.
struct Arguments {
  std::vector<std::string> words;      ///< IMAGES, and perhaps CONFIG and overrides among them
  std::string config;                  ///< --config
  std::vector<std::string> overrides;  ///< --set
  std::vector<std::pair<std::string, std::string>>
      regions;  ///< option name and text, in the order of the command line
  std::string regions_file;
  std::string exif = "apply";
  bool json = false;
  bool explain = false;
  int64_t memory_texts = 5;
  std::string output;
  bool resume = false;
  std::string annotate;
  std::string page;
  std::string coco;
  std::optional<int64_t> batch;
  std::optional<int64_t> threads;
  bool quiet = false;
};

/// Sorts the words into config, overrides and images (caption_words.cpp); throws an Error of kind usage.
void sort_words(Arguments& arguments);

/// Image files that a word stands for: itself, everything in a folder, or what a pattern matches; sorted by
/// name.
std::vector<std::filesystem::path> expand_images(const std::string& word);

/// Regions in their JSON form. Those that are asked of every image are read already.
struct AskedRegions {
  std::vector<Json> asked;
  std::vector<std::optional<Region>> regions;  ///< parallel; nothing where the region is still to be read
  std::filesystem::path folder;                ///< of these: relative mask files are relative to it
};

/// The JSON form of one region option ("box", "1,2,3,4"); throws an Error of kind usage.
Json region_of_option(const std::string& option, const std::string& text);

/// An image that is to be captioned.
struct Item {
  std::string name;  ///< as it is shown and recorded
  std::filesystem::path path;
  Json id;  ///< of a JSON line; null otherwise
  std::shared_ptr<const AskedRegions> regions;
  std::string error;  ///< a line that could not be understood
};

/// The same item in the records of an interrupted run has the same key.
std::string key_of(const Item& item);
std::string key_of_record(const Json& record);

/// What a region of a record asks: without what a result adds to it.
Json without_results(Json region);

/// Gives the items one after the other: those of the command line, those of --regions, those of standard
/// input as they come.
class Source {
 public:
  explicit Source(const Arguments& arguments);

  /// Nothing at the end, or when `stop` is asked for while standard input is silent.
  std::optional<Item> next(const std::stop_token& stop);

  /// 0 when standard input is read.
  size_t total() const { return reads_input_ ? 0 : items_.size(); }
  /// The items that are known before any work; those of standard input are not.
  const std::deque<Item>& known() const { return items_; }
  bool reads_input() const { return reads_input_; }
  /// Whether all items were given.
  bool exhausted() const { return items_.empty() && (!reads_input_ || (input_ended_ && buffer_.empty())); }

 private:
  void add_words(const Arguments& arguments);
  void add_records(const std::vector<Json>& records, const std::filesystem::path& file);
  std::optional<Item> next_line(const std::stop_token& stop);
  std::optional<std::string> read_line(const std::stop_token& stop);

  std::shared_ptr<const AskedRegions> common_;  ///< of every image; may hold none
  std::deque<Item> items_;                      ///< of the command line and --regions
  bool reads_input_ = false;
  bool input_ended_ = false;
  size_t line_number_ = 0;
  std::string buffer_;
};

/// An item with its image read and its regions understood.
struct Loaded {
  Item item;
  CaptionTask task;                        ///< holds the regions without an error only
  std::vector<Region> regions;             ///< all of them
  std::vector<std::string> region_errors;  ///< parallel; empty texts for sound ones
  std::string error;                       ///< of the image; then there are no results
  at::Tensor shown;                        ///< [h,w,3] pixels for pictures, when wanted
  std::optional<Json> record;              ///< when an earlier run has done it already
};

struct LoadOptions {
  ExifOrientation orientation = ExifOrientation::apply;
  bool keep_for_pictures = false;
};

/// Reads and prepares an item; what goes wrong is noted in it. [any-thread]
Loaded load(Item item, const Captioner& captioner, const LoadOptions& options);
/// The same for an item that has a record: only what pictures need.
Loaded load_recorded(Item item, Json record, const Captioner& captioner, const LoadOptions& options);

/// One result line, the same form as an input line with the results added.
Json record_of(const Loaded& loaded, const std::vector<RegionResult>& results, const std::string& settings,
               bool explain);
/// What a picture shows of a region of a record.
ShownAnswer shown_answer(const Json& region);
ShownRegion shown_region(const Region& region, const Json& entry);
/// What a picture shows of it. `results` may be empty when `record` is an older run's.
ShownImage shown_of(const Loaded& loaded, const std::vector<RegionResult>& results, const Json& record);
std::string one_line(const Json& record);
size_t errors_in(const Json& record);

/// The captions of images and boxes as a COCO result file (docs/formats/coco_results.md): a list of objects
/// with image_id, file_name, caption, bbox [x,y,w,h] in pixels (of boxes only) and score. [one-thread]
class CocoFile {
 public:
  /// Opened first: whether it can be written is known before any work. Throws an Error of kind io.
  explicit CocoFile(const std::filesystem::path& path) : file_(path) {}

  void add(const Item& item, const Json& record);
  void commit();

  /// Whether a file that is there already may be replaced.
  static bool is_ours(const std::filesystem::path& path);

 private:
  void number_images();

  AtomicFile file_;
  std::vector<Json> image_ids_;                   ///< null where the record has none
  std::vector<std::pair<size_t, Json>> results_;  ///< each with the place of its image in `image_ids_`
};

/// The entry of a folder that a path names, whatever way it is written: what a rename there would replace.
std::filesystem::path entry_of(const std::filesystem::path& path);

/// The image at the size in which pictures show it: [h,w,3] uint8.
at::Tensor shown_pixels(const Image& image);

/// Where --output leaves the config that its records were made with.
std::string config_beside(const std::string& output);

/// Throws an Error of kind usage when an output would replace an input, another output, or a file that this
/// command did not write.
void check_targets(const Arguments& arguments, const std::deque<Item>& known);

/// Gives every image's picture a name of its own in one folder: that of the image, with a number where it is
/// taken.
class PictureNames {
 public:
  PictureNames() = default;
  explicit PictureNames(const std::filesystem::path& folder);

  /// An image whose file no picture may replace.
  void keep(const Item& item);
  /// Throws an Error of kind usage when the picture would replace an image, or a file that is no such
  /// picture.
  std::filesystem::path next(const Item& item);

 private:
  std::filesystem::path folder_;
  std::filesystem::path canonical_;  ///< the same folder, as `images_` name it
  std::set<std::filesystem::path> images_;
  std::set<std::string> taken_;
  std::map<std::string, size_t> counts_;
};

/// Where results go. Throws an Error of kind io when they cannot be written.
class Output {
 public:
  /// `known` are the images that are known already: no picture may replace one of them.
  Output(const Arguments& arguments, const PageHeader& header, std::string settings,
         const std::deque<Item>& known);

  /// Records that an interrupted run has left, by key; taken out as items turn up.
  std::optional<Json> recorded(const Item& item);

  void write(const Loaded& loaded, const std::vector<RegionResult>& results);
  /// Page and COCO file; called also after an interrupt.
  void finish();

  bool wants_pictures() const { return page_ != nullptr || !annotate_.empty(); }
  bool on_terminal() const;
  size_t images() const { return images_; }
  size_t regions() const { return regions_; }
  size_t errors() const { return errors_; }
  size_t resumed() const { return resumed_; }  ///< images that an earlier run had done

 private:
  void read_records(const std::string& path);
  void print(const Json& record, const Loaded& loaded);
  void draw(const Loaded& loaded, const ShownImage& shown);

  const Arguments& arguments_;
  std::string settings_;
  std::unique_ptr<RecordFile> file_;
  std::map<std::string, std::deque<Json>> recorded_;
  std::unique_ptr<PageWriter> page_;
  std::unique_ptr<CocoFile> coco_;
  std::filesystem::path annotate_;
  PictureNames picture_names_;
  size_t images_ = 0;
  size_t regions_ = 0;
  size_t errors_ = 0;
  size_t resumed_ = 0;
};

/// Twelve digits that are the same when records would be: same options, plugins and weights. `config` is
/// complete.
std::string records_digest(const Arguments& arguments, const Value& config, PluginHost& host);

/// The whole command; sets the exit code.
void run(Arguments& arguments, CommandLine& line);

}  // namespace caption
}  // namespace patchioner
