// Records to standard output or a file, pictures to a folder, a page, a COCO file.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "caption.hpp"
#include "report/encode.hpp"
#include "report/picture.hpp"

namespace patchioner::caption {
namespace {

constexpr size_t kTextMemoryLines = 3;  // of memory texts under a caption in the text output

void put(const std::string& text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw Error(ErrorKind::io, "standard output cannot be written: {}", std::strerror(errno));
  }
}

/// Tabs and line ends would break the columns.
std::string in_column(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
  return text;
}

std::filesystem::path prepared_folder(const std::string& folder) {
  if (folder.empty()) {
    return {};
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || ::access(folder.c_str(), W_OK) != 0) {
    throw Error(ErrorKind::io, "{}: pictures cannot be written there: {}", folder,
                error ? error.message() : std::strerror(errno));
  }
  return folder;
}

/// Corners from x,y,width,height, as the COCO-style files of dense captioning have them; whole numbers stay
/// whole.
Json corners_of(const Json& box) {
  const auto sum = [](const Json& start, const Json& length) -> Json {
    if (start.is_number_integer() && length.is_number_integer()) {
      return start.get<int64_t>() + length.get<int64_t>();
    }
    return start.get<double>() + length.get<double>();
  };
  return {box[0], box[1], sum(box[0], box[2]), sum(box[1], box[3])};
}

/// Images whose records have no id get the next numbers that no record has.
void number_images(std::vector<CocoImage>& images) {
  std::set<int64_t> taken;
  for (const CocoImage& image : images) {
    if (image.image.id.is_number_integer()) {
      taken.insert(image.image.id.get<int64_t>());
    }
  }
  int64_t number = 0;
  for (CocoImage& image : images) {
    if (image.image.id.is_null()) {
      do {
        ++number;
      } while (taken.contains(number));
      image.image.id = number;
    }
    for (CocoPrediction& prediction : image.predictions) {
      prediction.image_id = image.image.id;
    }
  }
}

/// The entry of a folder that a path names, whatever way it is written: what a rename there would replace.
std::filesystem::path entry_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.parent_path();
  return std::filesystem::weakly_canonical(folder.empty() ? "." : folder) / path.filename();
}

}  // namespace

PictureNames::PictureNames(const std::filesystem::path& folder)
    : folder_(folder), canonical_(std::filesystem::weakly_canonical(folder)) {}

void PictureNames::keep(const Item& item) {
  images_.insert(entry_of(item.path));
}

std::filesystem::path PictureNames::next(const Item& item) {
  const std::string stem = item.path.empty() ? "line" : item.path.stem().string();
  size_t& count = counts_[stem];
  std::string name;
  do {
    ++count;
    name = count == 1 ? stem + ".png" : fmt::format("{}-{}.png", stem, count);
  } while (!taken_.insert(name).second);
  if (images_.contains(canonical_ / name)) {
    throw Error(ErrorKind::usage,
                "--annotate: the picture of {} would replace the image {}; give a folder without images",
                item.name, (folder_ / name).string());
  }
  return folder_ / name;
}

Output::Output(const Arguments& arguments, const PageHeader& header, std::string settings,
               const std::deque<Item>& known)
    : arguments_(arguments), settings_(std::move(settings)) {
  annotate_ = prepared_folder(arguments.annotate);
  if (!annotate_.empty()) {
    picture_names_ = PictureNames(annotate_);
    for (const Item& item : known) {
      picture_names_.keep(item);
    }
    PictureNames trial = picture_names_;
    for (const Item& item : known) {
      (void)trial.next(item);
    }
  }
  if (!arguments.output.empty()) {
    file_ = std::make_unique<RecordFile>(arguments.output,
                                         arguments.resume ? RecordFileMode::resume : RecordFileMode::create);
    read_records(arguments.output);
  }
  if (!arguments.page.empty()) {
    page_ = std::make_unique<PageWriter>(arguments.page, header);
  }
  if (!arguments.coco.empty()) {
    coco_file_ = std::make_unique<AtomicFile>(arguments.coco);
  }
}

void Output::read_records(const std::string& path) {
  file_->read([&](std::string_view line, size_t number) {
    Json record;
    try {
      record = Json::parse(line);
    } catch (const Json::exception&) {
      throw Error(ErrorKind::data, "{}:{}: is not a record of this command; give another --output", path,
                  number);
    }
    if (!record.is_object() || !record.contains("image") || !record.contains("settings")) {
      throw Error(ErrorKind::data, "{}:{}: is not a record of this command; give another --output", path,
                  number);
    }
    if (record["settings"] != settings_) {
      throw Error(ErrorKind::usage,
                  "{}:{}: was written with other settings ({}, these are {}); give the same config and "
                  "options, or another --output",
                  path, number, record["settings"].dump(), settings_);
    }
    recorded_[key_of_record(record)].push_back(std::move(record));
  });
}

std::optional<Json> Output::recorded(const Item& item) {
  if (recorded_.empty()) {
    return std::nullopt;
  }
  const auto found = recorded_.find(key_of(item));
  if (found == recorded_.end()) {
    return std::nullopt;
  }
  Json record = std::move(found->second.front());
  found->second.pop_front();
  if (found->second.empty()) {
    recorded_.erase(found);
  }
  return record;
}

void Output::write(const Loaded& loaded, const std::vector<RegionResult>& results) {
  const Json record =
      loaded.record ? *loaded.record : record_of(loaded, results, settings_, arguments_.explain);
  // Pictures first: a record says that everything about its image is done.
  if (wants_pictures()) {
    draw(loaded, shown_of(loaded, results, record));
  }
  if (!loaded.record) {
    if (file_ != nullptr) {
      file_->append(one_line(record));
    } else {
      print(record, loaded);
    }
  }
  add_coco(loaded, record);
  ++images_;
  regions_ += record.value("regions", Json::array()).size();
  errors_ += errors_in(record);
}

void Output::print(const Json& record, const Loaded& loaded) {
  if (arguments_.json) {
    put(one_line(record) + "\n");
    return;
  }
  const std::string name = in_column(loaded.item.name);
  if (record.contains("error")) {
    put(fmt::format("{}\t-\t\terror: {}\n", name, in_column(record["error"].get<std::string>())));
    return;
  }
  std::string text;
  for (size_t i = 0; i < record["regions"].size(); ++i) {
    const Json& region = record["regions"][i];
    const bool understood = loaded.region_errors[i].empty();
    const std::string& id = loaded.regions[i].id;
    const std::string place = !id.empty()  ? id
                              : understood ? describe(loaded.regions[i].shape)
                                           : fmt::format("region {}", i + 1);
    if (region.contains("error")) {
      text += fmt::format("{}\t{}\t\terror: {}\n", name, in_column(place),
                          in_column(region["error"].get<std::string>()));
      continue;
    }
    text +=
        fmt::format("{}\t{}\t{}\n", name, in_column(place), in_column(region["caption"].get<std::string>()));
    for (const Json& warning : region.value("warnings", Json::array())) {
      log(LogLevel::warning, "{}: {}: {}", name, place, warning.get<std::string>());
    }
    const Json memory = region.value("memory", Json::array());
    for (size_t line = 0; line < std::min(memory.size(), kTextMemoryLines); ++line) {
      text += fmt::format("\t\t  {:5.1f} %  {}\n", 100 * memory[line]["weight"].get<double>(),
                          in_column(memory[line]["text"].get<std::string>()));
    }
  }
  put(text);
}

void Output::draw(const Loaded& loaded, const ShownImage& shown) {
  if (!annotate_.empty()) {
    picture_names_.keep(loaded.item);  // of standard input it is new
    const std::filesystem::path path = picture_names_.next(loaded.item);
    std::error_code ignored;
    if (!loaded.record || !std::filesystem::exists(path, ignored)) {
      write_png(path, annotated_picture(shown));
    }
  }
  if (page_ != nullptr) {
    page_->add(shown);
  }
}

void Output::add_coco(const Loaded& loaded, const Json& record) {
  if (coco_file_ == nullptr || record.contains("error")) {
    return;
  }
  const Json& id = loaded.item.id;
  CocoImage image{{id.is_number_integer() || id.is_string() ? id : Json(), loaded.item.name}, {}};
  for (const Json& region : record["regions"]) {
    if (region.contains("error")) {
      continue;
    }
    const bool box = region.contains("box");
    if (!box && !region.contains("image")) {
      warn_once("the COCO file holds captions of images and boxes only; other regions are left out");
      continue;
    }
    const double score = region["score"].is_number() ? region["score"].get<double>() : 0.0;
    image.predictions.push_back(
        {Json(), region["caption"].get<std::string>(), score, box ? corners_of(region["box"]) : Json()});
  }
  coco_images_.push_back(std::move(image));
}

void Output::finish() {
  if (page_ != nullptr) {
    page_->commit();
  }
  if (coco_file_ != nullptr) {
    number_images(coco_images_);
    std::vector<TaskImage> images;
    std::vector<CocoPrediction> predictions;
    for (const CocoImage& image : coco_images_) {
      images.push_back(image.image);
      predictions.insert(predictions.end(), image.predictions.begin(), image.predictions.end());
    }
    const Json json = coco_predictions(images, predictions);
    coco_file_->write(json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
    coco_file_->commit();
  }
}

bool Output::on_terminal() const {
  return file_ == nullptr && ::isatty(STDOUT_FILENO) == 1;
}

}  // namespace patchioner::caption
