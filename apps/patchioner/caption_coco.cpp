// The captions of images and boxes as a COCO result file (docs/formats/coco_results.md).
#include <patchioner/log.hpp>

#include "caption.hpp"

namespace patchioner::caption {

void CocoFile::add(const Item& item, const Json& record) {
  if (record.contains("error")) {
    return;
  }
  const bool has_id = item.id.is_number_integer() || item.id.is_string();
  const size_t image = image_ids_.size();
  image_ids_.push_back(has_id ? item.id : Json());
  for (const Json& region : record["regions"]) {
    if (region.contains("error")) {
      continue;
    }
    const bool box = region.contains("box");
    if (!box && !region.contains("image")) {
      warn_once("the COCO file holds captions of images and boxes only; other regions are left out");
      continue;
    }
    Json result = {{"image_id", nullptr}, {"file_name", item.name}, {"caption", region["caption"]}};
    if (box) {
      result["bbox"] = region["box"];
    }
    if (region["score"].is_number()) {  // one that is not finite has no place in JSON
      result["score"] = region["score"];
    }
    results_.emplace_back(image, std::move(result));
  }
}

/// Images whose records have no id get the next numbers that no record has.
void CocoFile::number_images() {
  std::set<int64_t> taken;
  for (const Json& id : image_ids_) {
    if (id.is_number_integer()) {
      taken.insert(id.get<int64_t>());
    }
  }
  int64_t number = 0;
  for (Json& id : image_ids_) {
    if (id.is_null()) {
      do {
        ++number;
      } while (taken.contains(number));
      id = number;
    }
  }
}

void CocoFile::commit() {
  number_images();
  Json list = Json::array();
  for (auto& [image, result] : results_) {
    result["image_id"] = image_ids_[image];
    list.push_back(std::move(result));
  }
  file_.write(list.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  file_.commit();
}

bool CocoFile::is_ours(const std::filesystem::path& path) {
  const Json list = Json::parse(read_file(path), nullptr, false);
  return list.is_array() && std::all_of(list.begin(), list.end(), [](const Json& result) {
           return result.is_object() && result.contains("image_id") && result.contains("file_name") &&
                  result.contains("caption") && result.contains("score");
         });
}

}  // namespace patchioner::caption
