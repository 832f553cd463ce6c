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

/// Makes the folder that `file` goes into when it is not there, or clears up there behind killed runs.
const std::string& with_folder(const std::string& file) {
  make_folder_of(file);
  remove_abandoned_parts(file);
  return file;
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
  std::error_code ignored;
  if (std::filesystem::exists(folder_ / name, ignored) && !is_written_png(folder_ / name)) {
    throw Error(ErrorKind::usage,
                "--annotate: the picture of {} would replace {}, which this command did not write; give "
                "another folder",
                item.name, (folder_ / name).string());
  }
  return folder_ / name;
}

Output::Output(const Arguments& arguments, const PageHeader& header, std::string settings,
               const std::deque<Item>& known)
    : arguments_(arguments), settings_(std::move(settings)) {
  check_targets(arguments, known);
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
    file_ = std::make_unique<RecordFile>(with_folder(arguments.output),
                                         arguments.resume ? RecordFileMode::resume : RecordFileMode::create);
    read_records(arguments.output);
  }
  if (!arguments.page.empty()) {
    page_ = std::make_unique<PageWriter>(with_folder(arguments.page), header);
  }
  if (!arguments.coco.empty()) {
    coco_ = std::make_unique<CocoFile>(with_folder(arguments.coco));
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
  if (coco_ != nullptr) {
    coco_->add(loaded.item, record);
  }
  ++images_;
  resumed_ += loaded.record ? 1 : 0;
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
    if (region.contains("prompt")) {
      text += fmt::format("\t\t  prompt: {}\n", in_column(region["prompt"].get<std::string>()));
    }
    for (const Json& found : region.value("evidence", Json::array())) {
      text += fmt::format("\t\t  {} {:.3g}{}  {}\n", in_column(found["kind"].get<std::string>()),
                          found["score"].is_number() ? found["score"].get<double>() : std::nan(""),
                          found["used"].get<bool>() ? "" : " (not used)",
                          in_column(found["text"].get<std::string>()));
    }
    for (const Json& other : region.value("alternatives", Json::array())) {
      text += fmt::format("\t\t  or: {}\n", in_column(other["caption"].get<std::string>()));
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

void Output::finish() {
  if (page_ != nullptr) {
    page_->commit();
  }
  if (coco_ != nullptr) {
    coco_->commit();
  }
}

bool Output::on_terminal() const {
  return file_ == nullptr && ::isatty(STDOUT_FILENO) == 1;
}

}  // namespace patchioner::caption
