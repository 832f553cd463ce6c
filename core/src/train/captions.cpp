#include "train/captions.hpp"

#include <nlohmann/json.hpp>
#include <patchioner/error.hpp>

#include "support/files.hpp"

namespace patchioner {

namespace {

using Json = nlohmann::json;

void read_annotations(const Json& document, const std::string& name, TrainingCaptions& captions) {
  const auto annotations = document.find("annotations");
  if (annotations == document.end() || !annotations->is_array()) {
    throw Error(ErrorKind::data,
                "{}: a JSON object without the list 'annotations'; expected captions in COCO's form", name);
  }
  size_t with_image = 0;
  for (size_t i = 0; i < annotations->size(); ++i) {
    const Json& entry = (*annotations)[i];
    const auto caption = entry.is_object() ? entry.find("caption") : entry.end();
    if (!entry.is_object() || caption == entry.end() || !caption->is_string()) {
      throw Error(ErrorKind::data, "{}: annotations[{}] has no text 'caption'", name, i);
    }
    captions.texts.push_back(caption->get<std::string>());
    const auto image = entry.find("image_id");
    if (image != entry.end()) {
      captions.image_ids.push_back(image->is_string() ? image->get<std::string>() : image->dump());
      ++with_image;
    }
  }
  if (with_image != annotations->size()) {
    captions.image_ids.clear();
  }
}

void read_lines(std::string_view text, TrainingCaptions& captions) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (line.find_first_not_of(" \t") != std::string_view::npos) {
      captions.texts.emplace_back(line);
    }
  }
}

}  // namespace

TrainingCaptions read_training_captions(const std::filesystem::path& file) {
  const auto mapped = MappedFile::open(file);
  const std::string_view text = mapped->text();
  TrainingCaptions captions;
  captions.digest = sha256(text);
  const size_t first = text.find_first_not_of(" \t\r\n");
  const bool looks_like_json = first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
  if (looks_like_json) {
    Json document;
    try {
      document = Json::parse(text);
    } catch (const Json::parse_error& error) {
      throw Error(ErrorKind::data, "{}: begins like JSON, but is damaged at byte {}", file.string(),
                  error.byte);
    }
    if (document.is_object()) {
      read_annotations(document, file.string(), captions);
    } else {
      for (size_t i = 0; i < document.size(); ++i) {
        if (!document[i].is_string()) {
          throw Error(ErrorKind::data, "{}: entry {} of the list is no text", file.string(), i);
        }
        captions.texts.push_back(document[i].get<std::string>());
      }
    }
  } else {
    read_lines(text, captions);
  }
  if (captions.texts.empty()) {
    throw Error(ErrorKind::data, "{}: holds no caption", file.string());
  }
  return captions;
}

}  // namespace patchioner
