// COCO's captions, image lists, the Flickr30k test file, dense-captioning test files and Karpathy's split.
#include <set>

#include "data/dataset_reading.hpp"
#include "support/split.hpp"

namespace patchioner {
namespace {

/// Pixels that an entry says, or 0.
int64_t pixels_of(const OrderedJson& entry, const char* key) {
  const auto found = entry.find(key);
  return found != entry.end() && found->is_number_integer() ? std::max<int64_t>(found->get<int64_t>(), 0) : 0;
}

/// One list of a document, its entries parsed. `name` is that of the list, for messages.
void visit_list(DatasetReading& reading, const JsonPiece& list, const std::string& file,
                const std::function<void(const OrderedJson& entry, const std::string& where)>& visit) {
  if (list.kind() != '[') {
    throw Error(ErrorKind::data, "{}: \"{}\" is not a list", file, list.key);
  }
  visit_members(list, file, [&](const JsonPiece& piece) {
    const OrderedJson entry = parse_piece(piece, file);
    const std::string where = place_of(file, list.key, piece);
    reading.attempt(where, [&] { visit(entry, where); });
    return true;
  });
}

/// The lists of a COCO file; a list that is not there is empty.
struct CocoLists {
  std::optional<JsonPiece> images;
  std::optional<JsonPiece> annotations;
};

CocoLists lists_of(std::string_view content, const std::string& file) {
  CocoLists lists;
  visit_members(whole_document(content, file), file, [&](const JsonPiece& member) {
    if (member.key == "images") {
      lists.images = member;
    } else if (member.key == "annotations") {
      lists.annotations = member;
    }
    return true;
  });
  return lists;
}

/// Gives an annotation's caption to its image; an image that is not listed is a problem where `all_listed`.
class Annotations {
 public:
  Annotations(DatasetReading& reading, bool dense, bool all_listed)
      : reading_(reading), dense_(dense), all_listed_(all_listed) {}

  void take(const OrderedJson& annotation, const std::string& where) {
    const std::string image_id = id_text(need_key(annotation, "image_id"));
    const size_t image = reading_.find(image_id);
    if (image == DatasetReading::kNone) {
      if (all_listed_) {
        reading_.problems().add(ProblemKind::unknown_image, where,
                                fmt::format("there is no image with the id {}", image_id));
      }
      return;
    }
    if (const auto id = annotation.find("id"); id != annotation.end() && !ids_.insert(id_text(*id)).second) {
      reading_.problems().add(ProblemKind::duplicate_annotation, where,
                              fmt::format("the id {} is there twice", id_text(*id)));
    }
    if (!dense_) {
      reading_.image(image).regions.front().references.push_back(need_text(annotation, "caption"));
      return;
    }
    DatasetRegion region;
    region.corners = need_key(annotation, "bbox");
    region.shape = box_of_corners(region.corners);
    region.references.push_back(need_text(annotation, "caption"));
    reading_.add_region(image, std::move(region), where);
  }

 private:
  DatasetReading& reading_;
  bool dense_;
  bool all_listed_;
  std::set<std::string> ids_;
};

}  // namespace

Dataset read_coco_file(DatasetReading& reading, DatasetFormat format) {
  const bool dense = format == DatasetFormat::dense;
  const size_t file = reading.open_file(reading.options().files.front());
  const std::string name = reading.name_of(file);
  const CocoLists lists = lists_of(reading.content(file), name);
  if (!lists.images) {
    throw Error(ErrorKind::data,
                "{}: has no \"images\"; expected is {{\"images\": [...], \"annotations\": "
                "[...]}}",
                name);
  }
  visit_list(reading, *lists.images, name, [&](const OrderedJson& entry, const std::string& where) {
    const std::string file_name = need_text(entry, "file_name");
    const size_t image = reading.add_image({need_key(entry, "id"),
                                            file_name,
                                            {},
                                            pixels_of(entry, "width"),
                                            pixels_of(entry, "height"),
                                            {},
                                            where},
                                           {file_name});
    if (image != DatasetReading::kNone && !dense) {
      reading.add_region(image, {}, where);
    }
  });
  if (lists.annotations) {
    Annotations annotations(reading, dense, /*all_listed=*/true);
    visit_list(reading, *lists.annotations, name,
               [&](const OrderedJson& entry, const std::string& where) { annotations.take(entry, where); });
  }
  if (const std::filesystem::path& path = reading.options().references; !path.empty()) {
    const size_t second = reading.open_file(path);
    const std::string second_name = reading.name_of(second);
    const CocoLists captions = lists_of(reading.content(second), second_name);
    if (!captions.annotations) {
      throw Error(ErrorKind::data, "{}: has no \"annotations\"; the references of images are COCO captions",
                  second_name);
    }
    Annotations annotations(reading, false, /*all_listed=*/false);
    visit_list(reading, *captions.annotations, second_name,
               [&](const OrderedJson& entry, const std::string& where) { annotations.take(entry, where); });
  }
  return reading.finish(format, dense ? DatasetTask::dense : DatasetTask::image);
}

Dataset read_karpathy_file(DatasetReading& reading) {
  const size_t file = reading.open_file(reading.options().files.front());
  const std::string name = reading.name_of(file);
  const CocoLists lists = lists_of(reading.content(file), name);
  if (!lists.images) {
    throw Error(ErrorKind::data, "{}: has no \"images\"", name);
  }
  const std::vector<std::string> wanted = split(reading.options().split, '+');  // train+restval
  const auto is_wanted = [&](const std::string& one) {
    return wanted.front() == "all" || std::find(wanted.begin(), wanted.end(), one) != wanted.end();
  };
  visit_list(reading, *lists.images, name, [&](const OrderedJson& entry, const std::string& where) {
    if (!is_wanted(need_text(entry, "split"))) {
      return;
    }
    const std::string file_name = need_text(entry, "filename");
    std::vector<std::string> names = {file_name};
    if (entry.contains("filepath") && entry["filepath"].is_string()) {
      names.push_back(entry["filepath"].get<std::string>() + "/" + file_name);
    }
    DatasetRegion region;
    const OrderedJson& sentences = need_key(entry, "sentences");
    for (const OrderedJson& sentence : sentences) {
      region.references.push_back(need_text(sentence, "raw"));
    }
    const size_t image = reading.add_image(
        {need_key(entry, entry.contains("cocoid") ? "cocoid" : "imgid"), file_name, {}, 0, 0, {}, where},
        std::move(names));
    if (image != DatasetReading::kNone) {
      reading.add_region(image, std::move(region), where);
    }
  });
  return reading.finish(DatasetFormat::karpathy, DatasetTask::image);
}

}  // namespace patchioner
