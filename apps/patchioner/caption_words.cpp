// Words of the command line: which is the config, which are overrides, which are images.
#include <glob.h>

#include <charconv>
#include <cmath>
#include <patchioner/error.hpp>

#include "caption.hpp"
#include "config/config.hpp"
#include "support/split.hpp"

namespace patchioner::caption {
namespace {

bool has_suffix(const std::string& word, std::initializer_list<const char*> suffixes) {
  std::string lower = word;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::any_of(suffixes.begin(), suffixes.end(),
                     [&](const char* suffix) { return lower.ends_with(suffix); });
}

bool is_image_name(const std::string& name) {
  return has_suffix(name, {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"});
}

bool is_key(std::string_view text) {
  const auto letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  return !text.empty() && letter(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
    return letter(c) || std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.';
  });
}

/// `key=value`, `+key=value`, `++key=value` or `~key`, unless a file has this very name.
bool is_override(const std::string& word) {
  std::error_code ignored;
  if (std::filesystem::exists(word, ignored)) {
    return false;
  }
  if (word.starts_with('~')) {
    return is_key(std::string_view(word).substr(1));
  }
  const size_t start = word.starts_with("++") ? 2 : word.starts_with('+') ? 1 : 0;
  const size_t equals = word.find('=');
  return equals != std::string::npos && equals > start &&
         is_key(std::string_view(word).substr(start, equals - start));
}

/// A number as JSON: whole ones stay whole, so that a result repeats what was typed.
Json number(const std::string& text, const std::string& option, const std::string& whole) {
  const size_t first = text.find_first_not_of(' ');
  const size_t last = text.find_last_not_of(' ');
  const std::string trimmed = first == std::string::npos ? "" : text.substr(first, last - first + 1);
  double value = 0;
  const auto [end, error] = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), value);
  if (error != std::errc() || end != trimmed.data() + trimmed.size() || !std::isfinite(value)) {
    throw Error(ErrorKind::usage, "--{} {}: '{}' is not a number", option, whole, trimmed);
  }
  if (value == std::trunc(value) && std::abs(value) < 1e15) {
    return static_cast<int64_t>(value);
  }
  return value;
}

Json numbers(const std::string& text, size_t count, const char* form, const std::string& option,
             const std::string& whole) {
  const std::vector<std::string> parts = split(text, ',');
  if (parts.size() != count) {
    throw Error(ErrorKind::usage, "--{} {}: has {} number{}; the form is {}", option, whole, parts.size(),
                parts.size() == 1 ? "" : "s", form);
  }
  Json list = Json::array();
  for (const std::string& part : parts) {
    list.push_back(number(part, option, whole));
  }
  return list;
}

Json number_lists(const std::string& text, size_t count, const char* form, const std::string& option) {
  Json list = Json::array();
  for (const std::string& part : split(text, ';')) {
    if (part.find_first_not_of(' ') != std::string::npos) {
      list.push_back(numbers(part, count, form, option, text));
    }
  }
  return list;
}

std::vector<std::filesystem::path> images_under(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  auto iterator = std::filesystem::recursive_directory_iterator(
      folder,
      std::filesystem::directory_options::follow_directory_symlink |
          std::filesystem::directory_options::skip_permission_denied,
      error);
  for (const auto end = std::filesystem::recursive_directory_iterator(); !error && iterator != end;
       iterator.increment(error)) {
    std::error_code ignored;
    if (iterator->is_regular_file(ignored) && is_image_name(iterator->path().filename().string())) {
      found.push_back(iterator->path());
    }
  }
  if (error) {
    throw Error(ErrorKind::io, "{}: cannot be listed: {}", folder.string(), error.message());
  }
  if (found.empty()) {
    throw Error(ErrorKind::usage, "{}: no image in or under this folder (jpg, png, webp, bmp, tiff or gif)",
                folder.string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::filesystem::path> matches_of(const std::string& pattern) {
  glob_t matches{};
  const int status = ::glob(pattern.c_str(), GLOB_TILDE | GLOB_BRACE, nullptr, &matches);
  std::vector<std::filesystem::path> found;
  for (size_t i = 0; status == 0 && i < matches.gl_pathc; ++i) {
    found.emplace_back(matches.gl_pathv[i]);
  }
  ::globfree(&matches);
  if (found.empty()) {
    throw Error(ErrorKind::usage, "{}: no file matches this pattern", pattern);
  }
  return found;
}

}  // namespace

void sort_words(Arguments& arguments) {
  std::vector<std::string> images;
  for (std::string& word : arguments.words) {
    if (word.empty()) {
      throw Error(
          ErrorKind::usage,
          "an empty word stands where the name of an image should; a variable of the shell may be unset");
    }
    std::error_code ignored;
    const bool file = std::filesystem::exists(word, ignored);
    if (is_override(word)) {
      arguments.overrides.push_back(std::move(word));
    } else if (has_suffix(word, {".yaml", ".yml"}) ||
               (!file && is_config_name(word) && !is_image_name(word))) {
      if (!arguments.config.empty()) {
        throw Error(ErrorKind::usage, "{}: is a second config beside {}; one describes the run", word,
                    arguments.config);
      }
      arguments.config = std::move(word);
    } else if (!file && word.find('=') != std::string::npos && !is_image_name(word)) {
      throw Error(
          ErrorKind::usage,
          "'{}': there is no such file, and an override is written key=value, as in gap.temperature=0.02",
          word);
    } else {
      images.push_back(std::move(word));
    }
  }
  arguments.words = std::move(images);
}

std::vector<std::filesystem::path> expand_images(const std::string& word) {
  std::error_code ignored;
  if (std::filesystem::is_directory(word, ignored)) {
    return images_under(word);
  }
  if (!std::filesystem::exists(word, ignored) && word.find_first_of("*?[{") != std::string::npos) {
    return matches_of(word);
  }
  return {word};  // whether it is there is found out when its turn comes: one bad image is no reason to stop
}

Json region_of_option(const std::string& option, const std::string& text) {
  if (option == "image") {
    return {{"image", true}};
  }
  if (option == "box") {
    return {{"box", numbers(text, 4, "x,y,w,h", option, text)}};
  }
  if (option == "boxes") {
    return {{"boxes", number_lists(text, 4, "x,y,w,h;x,y,w,h", option)}};
  }
  if (option == "trace") {
    return {{"trace", number_lists(text, 2, "x,y;x,y;... between 0 and 1", option)}};
  }
  if (option == "point") {
    return {{"point", numbers(text, 2, "x,y", option, text)}};
  }
  if (option == "patch") {
    return {{"patch", numbers(text, 2, "row,column", option, text)}};
  }
  return {{"mask", text}};
}

}  // namespace patchioner::caption
