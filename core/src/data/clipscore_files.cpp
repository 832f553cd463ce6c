// References as CLIPScore and PAC-S take them: {image: [captions]} (spec/05 section 11).
#include "data/dataset_reading.hpp"

namespace patchioner {

Dataset read_clipscore_file(DatasetReading& reading) {
  const size_t file = reading.open_file(reading.options().files.front());
  const std::string name = reading.name_of(file);
  visit_members(whole_document(reading.content(file), name), name, [&](const JsonPiece& piece) {
    const std::string where = fmt::format("{}: image {} (byte {})", name, piece.key, piece.begin);
    DatasetRegion region;
    const bool good = reading.attempt(where, [&] {
      const OrderedJson captions = parse_piece(piece, name);
      if (!captions.is_array() ||
          !std::all_of(captions.begin(), captions.end(),
                       [](const OrderedJson& caption) { return caption.is_string(); })) {
        throw Error(ErrorKind::data, "an image is \"name\": [\"caption\", ...]");
      }
      region.references = captions.get<std::vector<std::string>>();
    });
    if (!good) {
      return true;
    }
    const size_t image = reading.add_image({piece.key, {}, {}, 0, 0, {}, where},
                                           image_names_of(piece.key, reading.options().image_names));
    if (image != DatasetReading::kNone) {
      reading.add_region(image, std::move(region), where);
    }
    return true;
  });
  return reading.finish(DatasetFormat::clipscore, DatasetTask::image);
}

}  // namespace patchioner
