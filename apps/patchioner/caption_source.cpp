// Where the images and their regions come from.
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <patchioner/error.hpp>

#include "caption.hpp"
#include "data/region_json.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/nearest_name.hpp"

namespace patchioner::caption {
namespace {

// Keys that a result adds to a region, and the references of a data set (docs/datasets.md).
constexpr std::array kResultKeys = {"caption", "score",  "alternatives", "warnings", "error",     "weights",
                                    "memory",  "prompt", "evidence",     "tokens",   "references"};

// Keys of the record of an image (docs/formats/caption_records.md); results have them all and can be asked
// again.
const std::vector<std::string> kRecordKeys = {"image",  "id",    "regions",  "width",
                                              "height", "error", "settings", "references"};

constexpr int kPollMilliseconds = 100;

const Json kWholeImage = {{"image", true}};

/// What the JSON library says, without its numbering.
std::string json_complaint(const Json::exception& error) {
  const std::string text = error.what();
  const size_t end = text.find("] ");
  return end == std::string::npos ? text : text.substr(end + 2);
}

/// Whether a JSON object speaks of an image (rather than being a region, where "image" is true).
bool is_image_record(const Json& json) {
  return json.is_object() &&
         (json.contains("regions") || (json.contains("image") && json["image"].is_string()));
}

void check_keys(const Json& record, const std::string& where) {
  for (const auto& [key, value] : record.items()) {
    if (std::find(kRecordKeys.begin(), kRecordKeys.end(), key) == kRecordKeys.end()) {
      throw Error(ErrorKind::data, "{}: an image has no key \"{}\"{}", where, key,
                  suggestion(key, kRecordKeys));
    }
  }
}

std::vector<Json> regions_in(const Json& record, const std::string& where) {
  std::vector<Json> asked;
  if (record.contains("regions")) {
    if (!record["regions"].is_array()) {
      throw Error(ErrorKind::data, "{}: \"regions\" is not a list", where);
    }
    for (const Json& region : record["regions"]) {
      asked.push_back(without_results(region));
    }
  }
  return asked;
}

/// What is asked of an image: its own regions, then those of every image; without any of them, the whole
/// image.
std::shared_ptr<const AskedRegions> with_common(std::vector<Json> own, const std::filesystem::path& folder,
                                                const std::shared_ptr<const AskedRegions>& common) {
  if (own.empty() && !common->asked.empty()) {
    return common;
  }
  if (own.empty()) {
    own.push_back(kWholeImage);
  }
  auto regions = std::make_shared<AskedRegions>();
  regions->folder = folder;
  regions->asked = std::move(own);
  regions->regions.resize(regions->asked.size());
  regions->asked.insert(regions->asked.end(), common->asked.begin(), common->asked.end());
  regions->regions.insert(regions->regions.end(), common->regions.begin(), common->regions.end());
  return regions;
}

/// The item that an object with "image" describes.
Item item_of_record(const Json& record, const std::filesystem::path& folder, const std::string& where,
                    const std::shared_ptr<const AskedRegions>& common) {
  if (!record.is_object() || !record.contains("image") || !record["image"].is_string() ||
      record["image"] == "") {
    throw Error(ErrorKind::data, "{}: has no \"image\" with the path of a file", where);
  }
  check_keys(record, where);
  Item item;
  item.path = record["image"].get<std::string>();
  if (item.path.is_relative()) {
    item.path = folder / item.path;
  }
  item.name = item.path.string();
  if (record.contains("id")) {
    item.id = record["id"];
  }
  item.regions = with_common(regions_in(record, where), folder, common);
  return item;
}

/// A file of regions: one JSON value, or one a line.
std::vector<Json> values_of(const std::string& path) {
  const std::string text = read_file(path);
  const auto accepts = [](const std::string& part) { return Json::accept(part); };
  if (accepts(text)) {
    Json json = Json::parse(text);
    return json.is_array() ? json.get<std::vector<Json>>() : std::vector<Json>{std::move(json)};
  }
  std::vector<Json> values;
  std::istringstream lines(text);
  size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      continue;
    }
    try {
      values.push_back(Json::parse(line));
    } catch (const Json::exception& error) {
      throw Error(ErrorKind::data, "{}:{}: is neither one JSON value nor one a line: {}", path, number,
                  json_complaint(error));
    }
  }
  if (values.empty()) {
    throw Error(ErrorKind::data, "{}: holds no regions", path);
  }
  return values;
}

/// Regions that are asked of every image are read at once, so that a mistake in them stops the command before
/// any work.
std::shared_ptr<const AskedRegions> common_regions(const Arguments& arguments,
                                                   const std::vector<Json>& from_file) {
  auto common = std::make_shared<AskedRegions>();
  const auto add = [&](const Json& asked, const std::filesystem::path& folder, const std::string& where) {
    common->asked.push_back(asked);
    common->regions.push_back(region_from_json(asked, folder, where));
  };
  for (const auto& [option, text] : arguments.regions) {
    const std::string where = text.empty() ? "--" + option : fmt::format("--{} {}", option, text);
    try {
      add(region_of_option(option, text), {}, where);
    } catch (const Error& error) {
      if (option == "mask") {
        throw;
      }
      throw Error(ErrorKind::usage, "{}", error.what());
    }
  }
  for (size_t i = 0; i < from_file.size(); ++i) {
    add(without_results(from_file[i]), std::filesystem::path(arguments.regions_file).parent_path(),
        fmt::format("{}: region {}", arguments.regions_file, i + 1));
  }
  return common;
}

std::string key_text(const std::string& name, const Json& id, const std::vector<Json>& regions) {
  const Json key = {name, id, regions};
  return sha256(key.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

Json without_results(Json region) {
  if (region.is_object()) {
    for (const char* key : kResultKeys) {
      region.erase(key);
    }
    // A record holds {"asked": 5} where a region was no object, so that it has room for the error.
    if (region.size() == 1 && region.contains("asked") && !region["asked"].is_object()) {
      return region["asked"];
    }
  }
  return region;
}

std::string key_of(const Item& item) {
  return key_text(item.name, item.id, item.regions == nullptr ? std::vector<Json>{} : item.regions->asked);
}

std::string key_of_record(const Json& record) {
  return key_text(record.value("image", ""), record.contains("id") ? record["id"] : Json(),
                  regions_in(record, "record"));
}

Source::Source(const Arguments& arguments) {
  std::vector<Json> common;
  std::vector<Json> records;
  if (!arguments.regions_file.empty()) {
    for (Json& value : values_of(arguments.regions_file)) {
      if (!is_image_record(value)) {
        common.push_back(std::move(value));
      } else if (value.contains("image")) {
        records.push_back(std::move(value));
      } else {
        check_keys(value, arguments.regions_file);
        const std::vector<Json> regions = regions_in(value, arguments.regions_file);
        common.insert(common.end(), regions.begin(), regions.end());
      }
    }
  }
  common_ = common_regions(arguments, common);
  add_words(arguments);
  add_records(records, arguments.regions_file);
  if (items_.empty() && !reads_input_) {
    throw Error(ErrorKind::usage,
                "no images: name files, folders or patterns, or '-' for JSON lines on standard input");
  }
}

/// Records name their images: the first of an image that the command line names too says its regions, every
/// other one is an item of its own.
void Source::add_records(const std::vector<Json>& records, const std::filesystem::path& file) {
  if (records.empty()) {
    return;
  }
  std::map<std::filesystem::path, size_t> named;
  for (size_t i = 0; i < items_.size(); ++i) {
    named.emplace(std::filesystem::weakly_canonical(items_[i].path), i);
  }
  for (size_t i = 0; i < records.size(); ++i) {
    Item item = item_of_record(records[i], file.parent_path(),
                               fmt::format("{}: record {}", file.string(), i + 1), common_);
    const auto same = named.empty() ? named.end() : named.find(std::filesystem::weakly_canonical(item.path));
    if (same == named.end()) {
      items_.push_back(std::move(item));
    } else {
      items_[same->second].regions = item.regions;
      items_[same->second].id = item.id;
      named.erase(same);
    }
  }
}

void Source::add_words(const Arguments& arguments) {
  const std::shared_ptr<const AskedRegions> regions = with_common({}, {}, common_);
  for (const std::string& word : arguments.words) {
    if (word == "-") {
      reads_input_ = true;
      continue;
    }
    for (std::filesystem::path& path : expand_images(word)) {
      Item item;
      item.name = path.string();
      item.path = std::move(path);
      item.regions = regions;
      items_.push_back(std::move(item));
    }
  }
}

std::optional<Item> Source::next(const std::stop_token& stop) {
  if (!items_.empty()) {
    Item item = std::move(items_.front());
    items_.pop_front();
    return item;
  }
  return reads_input_ && !input_ended_ ? next_line(stop) : std::nullopt;
}

std::optional<Item> Source::next_line(const std::stop_token& stop) {
  while (const std::optional<std::string> line = read_line(stop)) {
    ++line_number_;
    if (line->find_first_not_of(" \t\r") == std::string::npos) {
      continue;
    }
    const std::string where = fmt::format("standard input, line {}", line_number_);
    Item item;
    item.name = where;
    try {
      Json json = Json::parse(*line);
      if (json.is_string()) {
        json = {{"image", json}};
      }
      return item_of_record(json, {}, where, common_);
    } catch (const Json::exception& error) {
      std::error_code ignored;
      item.error = std::filesystem::exists(*line, ignored)
                       ? fmt::format(
                             "{}: is the bare name of a file; write {{\"image\": \"NAME\"}} a line, or give "
                             "names as arguments (xargs patchioner caption)",
                             where)
                       : fmt::format("{}: is not JSON: {}", where, json_complaint(error));
    } catch (const Error& error) {
      item.error = error.what();
    }
    return item;
  }
  return std::nullopt;
}

std::optional<std::string> Source::read_line(const std::stop_token& stop) {
  for (;;) {
    if (const size_t end = buffer_.find('\n'); end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    if (input_ended_ || stop.stop_requested() || interrupted()) {
      break;
    }
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (const int ready = ::poll(&input, 1, kPollMilliseconds); ready == 0 || (ready < 0 && errno == EINTR)) {
      continue;
    }
    std::array<char, 1 << 16> block{};
    const ssize_t count = ::read(STDIN_FILENO, block.data(), block.size());
    if (count > 0) {
      buffer_.append(block.data(), static_cast<size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      input_ended_ = true;
      if (count < 0) {
        throw Error(ErrorKind::io, "standard input cannot be read: {}", std::strerror(errno));
      }
    }
  }
  if (!buffer_.empty() && input_ended_) {
    return std::exchange(buffer_, "");
  }
  return std::nullopt;
}

}  // namespace patchioner::caption
