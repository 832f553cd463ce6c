// patchioner gallery RUN...: what several runs said of the same regions, side by side on one page.
#include <CLI/CLI.hpp>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "caption.hpp"
#include "commands.hpp"
#include "config/config.hpp"
#include "data/region_json.hpp"
#include "runtime/runtime_options.hpp"
#include "support/interrupt.hpp"
#include "support/output_folder.hpp"
#include "support/progress.hpp"

namespace patchioner {
namespace {

using caption::Json;

struct GalleryArguments {
  std::vector<std::string> runs;  // NAME=FILE or FILE
  std::string output;
  std::string images;
  std::string title = "Captions side by side";
  bool quiet = false;
};

/// The records of one run: by what they ask, in the order of the file.
struct CaptionRun {
  std::string name;
  std::filesystem::path file;
  std::vector<std::string> keys;
  std::map<std::string, std::deque<Json>> records;
};

CaptionRun read_run(const std::string& word) {
  CaptionRun run;
  const size_t equals = word.find('=');
  const bool named = equals != std::string::npos && equals > 0 && !std::filesystem::exists(word);
  run.file = named ? word.substr(equals + 1) : word;
  run.name = named ? word.substr(0, equals) : run.file.stem().string();
  std::ifstream file(run.file);
  if (!file) {
    throw Error(ErrorKind::io, "{}: cannot be opened; a run is the file that `patchioner caption -o` wrote",
                run.file.string());
  }
  size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    Json record = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!record.is_object() || !record.contains("image") || !record["image"].is_string() ||
        !record.contains("settings")) {
      if (file.eof() && record.is_discarded()) {
        break;  // the torn end of a run that was killed
      }
      throw Error(ErrorKind::data, "{}:{}: is not a record of `patchioner caption`", run.file.string(),
                  number);
    }
    const std::string key = caption::key_of_record(record);
    run.keys.push_back(key);
    run.records[key].push_back(std::move(record));
  }
  if (run.keys.empty()) {
    throw Error(ErrorKind::data, "{}: has no records", run.file.string());
  }
  return run;
}

/// The record of a run that asks what `key` does; taken out, since an image may be asked about twice.
std::optional<Json> take_record(CaptionRun& run, const std::string& key) {
  const auto found = run.records.find(key);
  if (found == run.records.end() || found->second.empty()) {
    return std::nullopt;
  }
  Json record = std::move(found->second.front());
  found->second.pop_front();
  return record;
}

/// How the patch grid of a run lies on images: the backbone of the config beside its records is asked when a
/// page needs to know.
class RunGeometry {
 public:
  explicit RunGeometry(const CaptionRun& run) : config_(caption::config_beside(run.file.string())) {}

  ImageGeometry of(int64_t width, int64_t height, bool needs_grid) {
    ImageGeometry geometry;
    geometry.image_width = width;
    geometry.image_height = height;
    if (!needs_grid) {
      return geometry;
    }
    if (!spec_) {
      const Value config = compose(config_, {});
      PluginHost host(plugin_directories(config));
      spec_ = host.backbone(config.at("backbone"), PluginContext())->image_spec();  // computes nothing
    }
    return geometry_of(*spec_, width, height);
  }

 private:
  std::filesystem::path config_;
  std::optional<ImageSpec> spec_;
};

class Gallery {
 public:
  explicit Gallery(const GalleryArguments& arguments) : arguments_(arguments) {
    for (const std::string& word : arguments.runs) {
      runs_.push_back(read_run(word));
      for (size_t i = 0; i + 1 < runs_.size(); ++i) {
        if (runs_[i].name == runs_.back().name) {
          throw Error(ErrorKind::usage, "two runs are called '{}'; write NAME=FILE to tell them apart",
                      runs_[i].name);
        }
      }
    }
    geometry_ = std::make_unique<RunGeometry>(runs_.front());
  }

  /// False when a stop was asked for; then there is no page.
  bool write() {
    check_target();
    make_folder_of(arguments_.output);
    remove_abandoned_parts(arguments_.output);
    const PoliteInterrupt polite;
    PageHeader header;
    header.title = arguments_.title;
    PageWriter page(arguments_.output, header);
    Progress::set_enabled(!arguments_.quiet);
    Progress progress("gallery", "images", runs_.front().keys.size());
    for (const std::string& key : runs_.front().keys) {
      if (interrupted()) {
        return false;
      }
      page.add(image_of(key));
      progress.advance();
    }
    progress.finish();
    page.commit();
    return true;
  }

 private:
  void check_target() const {
    std::error_code ignored;
    if (std::filesystem::exists(arguments_.output, ignored) && !is_caption_page(arguments_.output)) {
      throw Error(ErrorKind::usage,
                  "{}: --output would replace a file that is no page of this program; give "
                  "another name",
                  arguments_.output);
    }
  }

  /// Where an image lies: as its record says, or in the folder of --images by the same name.
  std::filesystem::path path_of(const Json& record) const {
    const std::filesystem::path named = record["image"].get<std::string>();
    return arguments_.images.empty() ? named : std::filesystem::path(arguments_.images) / named.filename();
  }

  /// The pixels that the record speaks of: the camera's orientation is applied as it was then.
  static Image image_at(const std::filesystem::path& path, const Json& record) {
    Image image = read_image(path, ExifOrientation::apply);
    if (record.contains("width") && record["width"] != image.width()) {
      Image unturned = read_image(path, ExifOrientation::ignore);
      if (record["width"] == unturned.width()) {
        return unturned;
      }
      throw Error(ErrorKind::data, "{}: is {} pixels wide now, but was {} when it was captioned",
                  path.string(), image.width(), record["width"].dump());
    }
    return image;
  }

  /// What each run says of the region `index`; one that was not asked says so.
  std::vector<ShownAnswer> answers_of(const std::vector<std::optional<Json>>& records, size_t index) const {
    std::vector<ShownAnswer> answers;
    for (size_t i = 0; i < records.size(); ++i) {
      ShownAnswer answer;
      if (!records[i]) {
        answer.error =
            fmt::format("{} has no record of this image and these regions", runs_[i].file.string());
      } else if (records[i]->contains("error")) {
        answer.error = (*records[i])["error"].get<std::string>();
      } else {
        answer = caption::shown_answer((*records[i])["regions"][index]);
      }
      answer.from = runs_[i].name;
      answers.push_back(std::move(answer));
    }
    return answers;
  }

  ShownImage image_of(const std::string& key) {
    std::vector<std::optional<Json>> records;
    for (CaptionRun& run : runs_) {
      records.push_back(take_record(run, key));
    }
    const Json& first = *records.front();
    ShownImage shown;
    shown.title = first["image"].get<std::string>();
    try {
      const Image image = image_at(path_of(first), first);
      bool needs_grid = false;
      const Json regions = first.value("regions", Json::array());
      for (size_t i = 0; i < regions.size(); ++i) {
        ShownRegion region;
        // A region that could not be understood has been said to be wrong in its record.
        if (!regions[i].contains("error")) {
          region = caption::shown_region(region_from_json(caption::without_results(regions[i]), {}, "record"),
                                         regions[i]);
        }
        needs_grid = needs_grid || region.weights.defined() ||
                     std::holds_alternative<Patch>(region.region.shape) ||
                     std::holds_alternative<ImagePoint>(region.region.shape);
        region.answers = answers_of(records, i);
        shown.regions.push_back(std::move(region));
      }
      shown.geometry = geometry_->of(image.width(), image.height(), needs_grid);
      shown.pixels = caption::shown_pixels(image);
    } catch (const Error& error) {
      shown.error = error.what();
    }
    return shown;
  }

  const GalleryArguments& arguments_;
  std::vector<CaptionRun> runs_;
  std::unique_ptr<RunGeometry> geometry_;
};

}  // namespace

void add_gallery_command(CommandLine& line) {
  CLI::App* command = line.app.add_subcommand("gallery", "Show the captions of several runs side by side");
  auto arguments = std::make_shared<GalleryArguments>();
  command
      ->add_option("RUN", arguments->runs,
                   "NAME=FILE: records that `patchioner caption -o FILE` wrote, and what the page calls them")
      ->required();
  command->add_option("-o,--output", arguments->output, "The page")->required();
  command->add_option("--images", arguments->images,
                      "Folder where the images lie now, when not where the records say");
  command->add_option("--title", arguments->title, "Heading of the page")->capture_default_str();
  command->add_flag("--quiet", arguments->quiet, "No progress line");
  command->footer(
      "The first run says which images and regions are shown, and its patch weights are drawn.\n\n"
      "Example:\n"
      "  patchioner caption experiment/emoji photo.jpg --box 30,40,200,150 --explain -o memory.jsonl\n"
      "  patchioner caption experiment/emoji_noise photo.jpg --box 30,40,200,150 --explain -o noise.jsonl\n"
      "  patchioner gallery memory=memory.jsonl noise=noise.jsonl -o gallery.html");
  command->callback([arguments, &line] {
    if (!Gallery(*arguments).write()) {
      log(LogLevel::warning, "stopped; no page was written");
      line.exit_code = 1;
    }
  });
}

}  // namespace patchioner
