#include "data/text_source.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>
#include <vector>

#include "support/files.hpp"
#include "support/utf8.hpp"

namespace patchioner {
namespace {

using Visit = std::function<bool(SourceText)>;

constexpr std::string_view kWhiteSpace = " \t\r\n";
constexpr std::array<std::string_view, 2> kTextKeys = {"caption", "text"};
constexpr std::string_view kImageKey = "image_id";
constexpr std::string_view kEntitiesKey = "entities";
constexpr const char* kExpected =
    "expected are COCO captions ({\"annotations\": [{\"caption\": ...}]}), an array of texts or of objects "
    "with \"caption\" or \"text\"";

/// Picks the texts out of a JSON document as it is parsed, so that a file of any size never becomes a tree.
class CaptionDocument {
 public:
  CaptionDocument(const std::string& name, const Visit& visit) : name_(name), visit_(visit) {}

  bool null() { return other(); }
  bool boolean(bool) { return other(); }
  bool number_integer(int64_t value) { return number(std::to_string(value)); }
  bool number_unsigned(uint64_t value) { return number(std::to_string(value)); }
  bool number_float(double, const std::string& digits) { return number(digits); }
  bool binary(nlohmann::json::binary_t&) { return other(); }
  bool start_object(size_t) {
    if (at_list()) {
      entry_ = {};
    }
    return (!(at_entities() || in_entities()) || refuse_entities()) && push(false);
  }
  bool start_array(size_t) {
    if (at_entities()) {
      entry_.entities.emplace();
      return push(true);
    }
    return ((!at_list() && !in_entities()) || other()) && push(true);
  }
  bool end_array() { return pop(); }
  bool end_object() {
    pop();
    return !at_list() || take_entry();
  }
  bool key(std::string& key) {
    open_.back().key = key;
    return true;
  }
  bool string(std::string& value) {
    if (at_list()) {
      entry_ = {};
      if (!in_annotations()) {
        entry_.text = std::move(value);
      }
      return take_entry();
    }
    if (in_entities()) {
      entry_.entities->push_back(std::move(value));
      return true;
    }
    if (!in_entry()) {
      return true;
    }
    const std::string& key = open_.back().key;
    if (key == kTextKeys[0] || (key == kTextKeys[1] && !entry_.text && !in_annotations())) {
      entry_.text = std::move(value);
    } else if (key == kImageKey) {
      entry_.image_id = std::move(value);
    } else if (at_entities()) {
      return refuse_entities();
    }
    return true;
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) {
    throw Error(
        ErrorKind::data,
        "{}: the captions are no valid JSON (at byte {}, behind {} texts); the file is damaged or cut", name_,
        position, count_);
  }
  size_t count() const { return count_; }

 private:
  struct Container {
    bool array;
    std::string key;  ///< of an object, the one being read
  };
  struct Entry {
    std::optional<std::string> text;
    std::string image_id;
    std::optional<std::vector<std::string>> entities;
  };
  static constexpr size_t kDeepest = 64;

  bool push(bool array) {
    if (open_.size() == kDeepest) {
      throw Error(ErrorKind::data, "{}: the JSON is nested more than {} deep, which no caption file is",
                  name_, kDeepest);
    }
    open_.push_back({array, {}});
    return true;
  }
  bool pop() {
    open_.pop_back();
    return true;
  }
  bool in_annotations() const { return !open_.empty() && !open_[0].array && open_[0].key == "annotations"; }
  size_t list_depth() const { return in_annotations() ? 2 : 1; }
  /// Whether what comes next is an entry of the list of captions.
  bool at_list() const { return open_.size() == list_depth() && open_.back().array; }
  /// Whether what comes next is a value of an entry.
  bool in_entry() const {
    const size_t depth = list_depth();
    return open_.size() == depth + 1 && open_[depth - 1].array && !open_[depth].array;
  }
  /// Whether what comes next are an entry's entities.
  bool at_entities() const { return in_entry() && open_.back().key == kEntitiesKey; }
  /// Whether what comes next is one of them.
  bool in_entities() const {
    const size_t depth = list_depth();
    return open_.size() == depth + 2 && open_[depth - 1].array && !open_[depth].array && open_.back().array &&
           open_[depth].key == kEntitiesKey;
  }
  bool refuse_entities() const {
    throw Error(ErrorKind::data, "{}: \"entities\" of entry {} must be an array of texts", name_, count_);
  }
  bool number(std::string digits) {
    if (in_entry() && open_.back().key == kImageKey) {
      entry_.image_id = std::move(digits);
    }
    return other();
  }
  bool other() {
    if (at_entities() || in_entities()) {
      return refuse_entities();
    }
    if (at_list()) {
      entry_ = {};
      take_entry();
    }
    return true;
  }
  bool take_entry() {
    if (!entry_.text && in_annotations()) {
      throw Error(ErrorKind::data, "{}: annotations[{}] has no text 'caption'", name_, count_);
    }
    if (!entry_.text) {
      throw Error(ErrorKind::data,
                  "{}: entry {} of the list has no text; it must be a string or have \"caption\" or \"text\"",
                  name_, count_);
    }
    ++count_;
    return visit_({std::move(*entry_.text), std::move(entry_.image_id), std::move(entry_.entities)});
  }

  const std::string& name_;
  const Visit& visit_;
  std::vector<Container> open_;
  Entry entry_;
  size_t count_ = 0;
};

void visit_document(std::string_view content, const Visit& visit, const std::string& name) {
  CaptionDocument handler(name, visit);
  nlohmann::json::sax_parse(content.begin(), content.end(), &handler);
  if (handler.count() == 0) {
    throw Error(ErrorKind::data, "{}: the JSON holds no captions; {}", name, kExpected);
  }
}

/// The text of one JSON line, without its entities, or nothing.
std::optional<SourceText> text_of(const nlohmann::json& value) {
  if (value.is_string()) {
    return SourceText{value.get<std::string>(), {}, {}};
  }
  if (value.is_object()) {
    for (const std::string_view key : kTextKeys) {
      if (const auto found = value.find(key); found != value.end() && found->is_string()) {
        const auto image = value.find(kImageKey);
        return SourceText{found->get<std::string>(),
                          image == value.end() ? std::string()
                          : image->is_string() ? image->get<std::string>()
                                               : image->dump(),
                          {}};
      }
    }
  }
  return std::nullopt;
}

bool is_list_of_texts(const nlohmann::json& value) {
  return value.is_array() &&
         std::all_of(value.begin(), value.end(), [](const nlohmann::json& item) { return item.is_string(); });
}

/// Calls `take(line, number)` for each line that is not blank, until it returns false.
template <class Take>
void for_each_line(std::string_view content, Take take) {
  size_t number = 0;
  while (!content.empty()) {
    const size_t end = std::min(content.find('\n'), content.size());
    std::string_view line = content.substr(0, end);
    content.remove_prefix(std::min(end + 1, content.size()));
    ++number;
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (line.find_first_not_of(kWhiteSpace) != std::string_view::npos && !take(line, number)) {
      return;
    }
  }
}

void visit_json_lines(std::string_view content, const Visit& visit, const std::string& name) {
  for_each_line(content, [&](std::string_view line, size_t number) {
    const nlohmann::json value = nlohmann::json::parse(line, nullptr, false);
    std::optional<SourceText> text = text_of(value);
    if (!text) {
      throw Error(ErrorKind::data,
                  "{}:{}: the line is no JSON string and no object with \"caption\" or \"text\"", name,
                  number);
    }
    if (const auto entities = value.find(kEntitiesKey); value.is_object() && entities != value.end()) {
      if (!is_list_of_texts(*entities)) {
        throw Error(ErrorKind::data, "{}:{}: \"entities\" must be an array of texts", name, number);
      }
      text->entities = entities->get<std::vector<std::string>>();
    }
    return visit(std::move(*text));
  });
}

/// Text has no zero bytes; an archive or an image has some right at its beginning.
void refuse_binary(std::string_view content, const std::string& name) {
  constexpr size_t kLookedAt = 65536;
  if (content.substr(0, kLookedAt).find('\0') != std::string_view::npos) {
    throw Error(ErrorKind::data,
                "{}: this is no text file; give COCO captions, a JSON array, JSON lines, or one text a line",
                name);
  }
}

/// Replaces what is not UTF-8, and says at the end where that was.
class Repair {
 public:
  std::string operator()(std::string_view text, size_t line) {
    std::string repaired = well_formed_utf8(text);
    if (repaired != text && lines_++ == 0) {
      first_ = line;
    }
    return repaired;
  }
  void report(const std::string& name) const {
    if (lines_ > 0) {
      warn_once(
          fmt::format("{}:{}: is not UTF-8{}; what is not was replaced by U+FFFD, so convert the file first "
                      "(iconv -f latin1 -t utf-8) if that matters",
                      name, first_, lines_ == 1 ? "" : fmt::format(", nor are {} other lines", lines_ - 1)));
    }
  }

 private:
  size_t lines_ = 0;
  size_t first_ = 0;
};

void visit_lines(std::string_view content, const Visit& visit, const std::string& name) {
  refuse_binary(content, name);
  Repair repair;
  for_each_line(content, [&](std::string_view line, size_t number) {
    return visit({repair(line, number), {}, {}});
  });
  repair.report(name);
}

void visit_second_column(std::string_view content, const Visit& visit, const std::string& name) {
  refuse_binary(content, name);
  Repair repair;
  for_each_line(content, [&](std::string_view line, size_t number) {
    const size_t tab = line.find('\t');
    if (tab == std::string_view::npos) {
      throw Error(ErrorKind::data, "{}:{}: the line has no second column; columns are separated by a tab",
                  name, number);
    }
    const std::string_view text = line.substr(tab + 1);
    return visit({repair(text.substr(0, text.find('\t')), number), {}, {}});
  });
  repair.report(name);
}

/// The first character at or after `position` that is no white space, or 0.
char next_character(std::string_view content, size_t position) {
  const size_t found = content.find_first_not_of(kWhiteSpace, position);
  return found == std::string_view::npos ? '\0' : content[found];
}

TextFormat detect(std::string_view content) {
  const size_t begin = content.find_first_not_of(kWhiteSpace);
  if (begin == std::string_view::npos) {
    return TextFormat::lines;
  }
  const char first = content[begin];
  const char second = next_character(content, begin + 1);
  if (first == '[') {
    return second == '"' || second == '{' || second == ']' ? TextFormat::json : TextFormat::lines;
  }
  if (first == '{' || first == '"') {
    // A longer line is a document without line ends, which is not to become a tree.
    constexpr size_t kLongestLine = size_t{1} << 20;
    const std::string_view start = content.substr(begin, kLongestLine);
    const size_t end = start.find('\n');
    const bool whole = end != std::string_view::npos || start.size() < kLongestLine;
    if (whole && text_of(nlohmann::json::parse(start.substr(0, end), nullptr, false))) {
      return TextFormat::json_lines;
    }
    return first == '{' && (second == '"' || second == '}') ? TextFormat::json : TextFormat::lines;
  }
  return TextFormat::lines;
}

}  // namespace

TextFormat text_format_from(std::string_view word) {
  if (word == "auto") {
    return TextFormat::automatic;
  }
  if (word == "json") {
    return TextFormat::json;
  }
  if (word == "jsonl") {
    return TextFormat::json_lines;
  }
  if (word == "tsv") {
    return TextFormat::tsv;
  }
  if (word == "text") {
    return TextFormat::lines;
  }
  throw Error(ErrorKind::usage, "'{}' is no format of texts; known are auto, json, jsonl, tsv and text",
              word);
}

void visit_texts(const std::filesystem::path& path, TextFormat format, const Visit& visit,
                 const std::string& name) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  std::string_view content = file->text();
  if (content.starts_with("\xef\xbb\xbf")) {
    content.remove_prefix(3);  // a byte order mark
  }
  if (content.find_first_not_of(kWhiteSpace) == std::string_view::npos) {
    throw Error(ErrorKind::data, "{}: the file of texts is empty", name);
  }
  if (content.starts_with("PK\x03\x04")) {
    throw Error(ErrorKind::data,
                "{}: this is an archive; captions that were stored with their features by torch.save are not "
                "read, give the captions as JSON or one a line",
                name);
  }
  switch (format == TextFormat::automatic ? detect(content) : format) {
    case TextFormat::json:
      return visit_document(content, visit, name);
    case TextFormat::json_lines:
      return visit_json_lines(content, visit, name);
    case TextFormat::tsv:
      return visit_second_column(content, visit, name);
    default:
      return visit_lines(content, visit, name);
  }
}

}  // namespace patchioner
