// Trace-captioning test files and Localized Narratives. Their points are not held: an image's record is read
// again when the image is asked for.
#include "data/dataset_reading.hpp"
#include "data/narratives.hpp"

namespace patchioner {
namespace {

DatasetRegion trace_region(const std::string& caption, TimedTrace trace) {
  DatasetRegion region;
  region.shape = std::move(trace.trace);
  region.times = std::move(trace.times);
  region.references = references_of(caption);
  region.reference_key = caption;
  return region;
}

/// The pairs of one image. A pair that is malformed is told to `refuse` and left out.
std::vector<DatasetRegion> pairs_of(const OrderedJson& image,
                                    const std::function<void(size_t pair, const Error& error)>& refuse) {
  const OrderedJson& captions = need_key(image, "captions");
  const OrderedJson& traces = need_key(image, "traces");
  if (!captions.is_array() || !traces.is_array() || captions.size() != traces.size()) {
    throw Error(ErrorKind::data,
                "has {} captions and {} traces; \"captions\" and \"traces\" are parallel lists",
                captions.size(), traces.size());
  }
  std::vector<DatasetRegion> regions;
  for (size_t i = 0; i < captions.size(); ++i) {
    try {
      if (!captions[i].is_string()) {
        throw Error(ErrorKind::data, "a caption is a text");
      }
      TimedTrace trace;
      trace.append(traces[i]);
      regions.push_back(trace_region(captions[i].get<std::string>(), std::move(trace)));
    } catch (const Error& error) {
      refuse(i, error);
    }
  }
  return regions;
}

/// A whole narrative as one trace.
std::vector<DatasetRegion> whole_narrative(const OrderedJson& record) {
  TimedTrace trace;
  for (const OrderedJson& segment : need_key(record, "traces")) {
    trace.append(segment);
  }
  std::vector<DatasetRegion> regions;
  regions.push_back(trace_region(need_text(record, "caption"), std::move(trace)));
  return regions;
}

}  // namespace

Narrative narrative_from_json(const OrderedJson& record) {
  Narrative narrative;
  narrative.image_id = id_text(need_key(record, "image_id"));
  narrative.caption = need_text(record, "caption");
  for (const OrderedJson& utterance : need_key(record, "timed_caption")) {
    narrative.utterances.push_back({need_text(utterance, "utterance"),
                                    need_finite(need_key(utterance, "start_time"), "\"start_time\""),
                                    need_finite(need_key(utterance, "end_time"), "\"end_time\"")});
  }
  for (const OrderedJson& segment : need_key(record, "traces")) {
    if (!segment.is_array()) {
      throw Error(ErrorKind::data, "\"traces\" is a list of segments, each a list of points");
    }
    for (const OrderedJson& point : segment) {
      narrative.points.push_back({need_finite(need_key(point, "x"), "\"x\""),
                                  need_finite(need_key(point, "y"), "\"y\""),
                                  need_finite(need_key(point, "t"), "\"t\"")});
    }
  }
  return narrative;
}

Dataset read_trace_files(DatasetReading& reading) {
  for (const std::filesystem::path& path : reading.options().files) {
    const size_t file = reading.open_file(path);
    const std::string name = reading.name_of(file);
    visit_members(whole_document(reading.content(file), name), name, [&](const JsonPiece& piece) {
      const std::string where = fmt::format("{}: image {} (byte {})", name, piece.key, piece.begin);
      const OrderedJson value = parse_piece(piece, name);
      std::vector<DatasetRegion> regions;
      if (!reading.attempt(where, [&] {
            regions = pairs_of(value, [&](size_t pair, const Error& error) {
              reading.problems().add(ProblemKind::malformed_record,
                                     fmt::format("{}, trace {}", where, pair + 1), error.what());
            });
          })) {
        return true;
      }
      const size_t image = reading.add_image({piece.key, {}, {}, 0, 0, {}, where},
                                             image_names_of(piece.key, reading.options().image_names));
      if (image != DatasetReading::kNone) {
        reading.add_record(image, file, piece, where, regions);
      }
      return true;
    });
  }
  reading.read_again_with([](std::string_view text, const auto&) {
    return pairs_of(OrderedJson::parse(text), [](size_t, const Error&) {});
  });
  return reading.finish(DatasetFormat::traces, DatasetTask::trace);
}

Dataset read_narrative_files(DatasetReading& reading) {
  for (const std::filesystem::path& path : reading.options().files) {
    const size_t file = reading.open_file(path);
    visit_json_lines(reading, file,
                     [&](const JsonPiece& line, const std::string& where, const OrderedJson& record) {
                       reading.attempt(where, [&] {
                         const std::string id = id_text(need_key(record, "image_id"));
                         const std::vector<DatasetRegion> regions = whole_narrative(record);
                         size_t image = reading.find(id);  // several people talk about one image
                         if (image == DatasetReading::kNone) {
                           image = reading.add_image({id, {}, {}, 0, 0, {}, where},
                                                     image_names_of(id, reading.options().image_names));
                         }
                         reading.add_record(image, file, line, where, regions);
                       });
                     });
  }
  reading.read_again_with(
      [](std::string_view text, const auto&) { return whole_narrative(OrderedJson::parse(text)); });
  return reading.finish(DatasetFormat::narratives, DatasetTask::trace);
}

}  // namespace patchioner
