#include "data/image_finder.hpp"

#include <algorithm>
#include <array>
#include <patchioner/error.hpp>

namespace patchioner {
namespace {

namespace fs = std::filesystem;

// spec/01 sections 8 to 10 name the order: val2017 before train2017, VG_100K_2 before VG_100K.
constexpr std::array kKnownFolders = {"val2014",   "train2014", "test2014", "val2017",
                                      "train2017", "VG_100K_2", "VG_100K",  "flickr30k-images"};
constexpr std::array kEndings = {".jpg", ".jpeg", ".png", ".webp"};
constexpr size_t kCocoDigits = 12;

bool is_number(const std::string& id) {
  return !id.empty() && id.size() <= kCocoDigits &&
         std::all_of(id.begin(), id.end(), [](char digit) { return digit >= '0' && digit <= '9'; });
}

}  // namespace

ImageNames image_names_from(std::string_view word) {
  if (word == "auto") {
    return ImageNames::automatic;
  }
  if (word == "plain") {
    return ImageNames::plain;
  }
  if (word == "coco") {
    return ImageNames::coco;
  }
  throw Error(ErrorKind::usage, "'{}' is no way to name image files; known are auto, plain and coco", word);
}

std::vector<std::string> image_names_of(const std::string& id, ImageNames names) {
  std::vector<std::string> all;
  if (names == ImageNames::automatic || names == ImageNames::plain) {
    for (const char* ending : kEndings) {
      all.push_back(id + ending);
    }
  }
  if (names != ImageNames::plain && is_number(id)) {
    const std::string padded = std::string(kCocoDigits - id.size(), '0') + id;
    for (const char* split : {"val", "train", "test"}) {
      all.push_back(fmt::format("COCO_{}2014_{}.jpg", split, padded));
    }
    all.push_back(padded + ".jpg");
  }
  if (all.empty()) {
    all.push_back(id + ".jpg");
  }
  return all;
}

ImageFinder::ImageFinder(const std::vector<fs::path>& folders) {
  for (const fs::path& folder : folders) {
    if (!fs::is_directory(folder)) {
      throw Error(ErrorKind::io, "{}: there is no such folder of images", folder.string());
    }
    places_.push_back(folder);
    for (const char* known : kKnownFolders) {
      if (fs::is_directory(folder / known)) {
        places_.push_back(folder / known);
      }
    }
  }
}

fs::path ImageFinder::find(const std::vector<std::string>& names) const {
  for (const std::string& name : names) {
    for (const fs::path& place : places_) {
      std::error_code failure;
      if (fs::path candidate = place / name; fs::is_regular_file(candidate, failure)) {
        return candidate;
      }
    }
  }
  return {};
}

}  // namespace patchioner
