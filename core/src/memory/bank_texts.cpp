#include "memory/bank_texts.hpp"

#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

namespace patchioner {
namespace {

/// Takes one array of strings and nothing else.
class TextArray {
 public:
  TextArray(std::string path, const std::function<bool(std::string)>& visit)
      : path_(std::move(path)), visit_(visit) {}

  bool null() { return refuse("null"); }
  bool boolean(bool) { return refuse("a boolean"); }
  bool number_integer(int64_t) { return refuse("a number"); }
  bool number_unsigned(uint64_t) { return refuse("a number"); }
  bool number_float(double, const std::string&) { return refuse("a number"); }
  bool binary(nlohmann::json::binary_t&) { return refuse("binary data"); }
  bool start_object(size_t) { return refuse("an object"); }
  bool key(std::string&) { return refuse("a key"); }
  bool end_object() { return refuse("an object"); }
  bool start_array(size_t) { return inside_ ? refuse("a list") : (inside_ = true); }
  bool end_array() { return true; }
  bool string(std::string& value) {
    if (!inside_) {
      return refuse("a text");
    }
    ++count_;
    return visit_(std::move(value));
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) {
    throw Error(ErrorKind::data, "{}: the texts are no valid JSON (at byte {}); the file is damaged or cut",
                path_, position);
  }

 private:
  bool refuse(const char* found) const {
    throw Error(ErrorKind::data,
                "{}: the texts of a memory bank are a JSON array of strings, but {} stands {}", path_, found,
                inside_ ? fmt::format("behind text {}", count_) : "at the beginning");
  }

  std::string path_;
  const std::function<bool(std::string)>& visit_;
  bool inside_ = false;
  size_t count_ = 0;
};

}  // namespace

std::filesystem::path texts_file_of(const std::filesystem::path& bank) {
  std::filesystem::path texts = bank;
  texts.replace_extension(".texts.json");
  return texts;
}

void visit_bank_texts(const std::filesystem::path& path, const std::function<bool(std::string)>& visit) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  TextArray handler(path.string(), visit);
  const std::string_view text = file->text();
  nlohmann::json::sax_parse(text.begin(), text.end(), &handler);
}

std::vector<std::string> read_bank_texts(const std::filesystem::path& path) {
  std::vector<std::string> texts;
  visit_bank_texts(path, [&](std::string text) {
    texts.push_back(std::move(text));
    return true;
  });
  return texts;
}

std::string BankTextsEncoder::next(const std::string& text) {
  std::string bytes = first_ ? "[\n" : ",\n";
  first_ = false;
  return bytes + nlohmann::json(text).dump();
}

std::string BankTextsEncoder::end() {
  return first_ ? "[]\n" : "\n]\n";
}

}  // namespace patchioner
