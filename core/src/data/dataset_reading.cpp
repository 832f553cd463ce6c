#include "data/dataset_reading.hpp"

#include <algorithm>
#include <cmath>

#include "support/split.hpp"

namespace patchioner {
namespace {

constexpr double kPixel = 1;  // a box may be that much larger than its image: rounding of annotation tools

bool leaves(const Box& box, int64_t width, int64_t height) {
  return box.x < -kPixel || box.y < -kPixel || box.x + box.width > static_cast<double>(width) + kPixel ||
         box.y + box.height > static_cast<double>(height) + kPixel;
}

bool is_inside(const TracePoint& point) {
  return point.x >= 0 && point.x <= 1 && point.y >= 0 && point.y <= 1;
}

std::string box_text(const Box& box) {
  return fmt::format("the box x1={} y1={} x2={} y2={}", box.x, box.y, box.x + box.width, box.y + box.height);
}

/// The boxes of a region, if it is made of some.
std::vector<Box> boxes_in(const RegionShape& shape) {
  if (const auto* box = std::get_if<Box>(&shape)) {
    return {*box};
  }
  if (const auto* set = std::get_if<BoxSet>(&shape)) {
    return set->boxes;
  }
  return {};
}

}  // namespace

const OrderedJson& need_key(const OrderedJson& object, const char* key) {
  if (!object.is_object()) {
    throw Error(ErrorKind::data, "is not an object");
  }
  const auto found = object.find(key);
  if (found == object.end()) {
    throw Error(ErrorKind::data, "has no \"{}\"", key);
  }
  return *found;
}

std::string need_text(const OrderedJson& object, const char* key) {
  const OrderedJson& value = need_key(object, key);
  if (!value.is_string()) {
    throw Error(ErrorKind::data, "\"{}\" is not a text", key);
  }
  return value.get<std::string>();
}

double need_finite(const OrderedJson& value, const char* what) {
  if (!value.is_number() || !std::isfinite(value.get<double>())) {
    throw Error(ErrorKind::data, "{} is no number: {}", what,
                value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace).substr(0, 60));
  }
  return value.get<double>();
}

Box box_of_corners(const OrderedJson& corners) {
  if (!corners.is_array() || corners.size() != 4) {
    throw Error(ErrorKind::data, "a box is [x1,y1,x2,y2]; found {}",
                corners.dump(-1, ' ', false, OrderedJson::error_handler_t::replace).substr(0, 60));
  }
  std::array<double, 4> values{};
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = need_finite(corners[i], "a corner of a box");
  }
  return {values[0], values[1], values[2] - values[0], values[3] - values[1]};
}

std::string id_text(const OrderedJson& id) {
  if (id.is_string()) {
    return id.get<std::string>();
  }
  if (id.is_number_integer()) {
    return id.dump();
  }
  throw Error(ErrorKind::data, "an id is a whole number or a text; found {}",
              id.dump(-1, ' ', false, OrderedJson::error_handler_t::replace).substr(0, 60));
}

std::vector<std::string> references_of(const std::string& joined) {
  return split(joined, '\n');
}

void check_boxes_inside(const RegionShape& shape, int64_t width, int64_t height, const std::string& where,
                        DatasetProblems& problems) {
  for (const Box& box : boxes_in(shape)) {
    if (leaves(box, width, height)) {
      problems.add(ProblemKind::outside_box, where,
                   fmt::format("{} leaves its image of {}x{} pixels", box_text(box), width, height));
    }
  }
}

void TimedTrace::append(const OrderedJson& points) {
  if (!points.is_array()) {
    throw Error(ErrorKind::data, "a trace is a list of {{\"x\":..,\"y\":..,\"t\":..}}");
  }
  for (const OrderedJson& point : points) {
    trace.points.push_back(
        {need_finite(need_key(point, "x"), "\"x\""), need_finite(need_key(point, "y"), "\"y\"")});
    if (const auto time = point.find("t"); time != point.end() && timed) {
      times.push_back(need_finite(*time, "\"t\""));
    } else {
      timed = false;
      times.clear();
    }
  }
}

std::string place_of(const std::string& file, const std::string& list, const JsonPiece& piece) {
  return fmt::format("{}: {}[{}] (byte {})", file, list, piece.number, piece.begin);
}

void visit_json_lines(DatasetReading& reading, size_t file,
                      const std::function<void(const JsonPiece& line, const std::string& where,
                                               const OrderedJson& record)>& visit,
                      const std::function<bool(const JsonPiece& line)>& is_wanted) {
  constexpr size_t kHeld = size_t{64} << 20;  // bytes of the file in memory
  const std::string name = reading.name_of(file);
  const std::string_view all = reading.content(file);
  size_t number = 0;
  size_t released = 0;
  for (size_t begin = 0; begin < all.size();) {
    const size_t end = std::min(all.find('\n', begin), all.size());
    const JsonPiece line{{}, ++number, all.substr(begin, end - begin), begin};
    if (line.text.find_first_not_of(" \t\r") != std::string_view::npos && (!is_wanted || is_wanted(line))) {
      const std::string where = fmt::format("{}:{}", name, number);
      const OrderedJson record = OrderedJson::parse(line.text, nullptr, false);
      if (!record.is_discarded()) {
        visit(line, where, record);
      } else if (end == all.size()) {
        throw Error(ErrorKind::data,
                    "{}: the last line, which begins at byte {}, is no whole JSON; the file is cut", where,
                    begin);
      } else {
        reading.problems().add(ProblemKind::malformed_record, where,
                               fmt::format("the line at byte {} is no valid JSON", begin));
      }
    }
    begin = end + 1;
    if (begin - released > kHeld) {
      reading.release(file, released, begin - 1 - released);
      released = begin;
    }
  }
}

DatasetReading::DatasetReading(const DatasetOptions& options) : options_(options) {
  dataset_.problems_ = DatasetProblems(options.strict, options.on_problem);
  dataset_.name_ = options.files.front().filename().string();
}

size_t DatasetReading::open_file(const std::filesystem::path& path) {
  dataset_.files_.push_back(MappedFile::open(path));
  return dataset_.files_.size() - 1;
}

size_t DatasetReading::add_image(DatasetImage image, std::vector<std::string> names) {
  const std::string id = id_text(image.id);
  if (!index_.emplace(id, dataset_.images_.size()).second) {
    problems().add(ProblemKind::duplicate_image, image.where, fmt::format("the image {} is there twice", id));
    return kNone;
  }
  if (image.file_name.empty()) {
    image.file_name = names.front();
  }
  dataset_.images_.push_back({std::move(image), {}});
  names_.push_back(std::move(names));
  return dataset_.images_.size() - 1;
}

size_t DatasetReading::find(const std::string& id) const {
  const auto found = index_.find(id);
  return found == index_.end() ? kNone : found->second;
}

void DatasetReading::check(const DatasetImage& image, const DatasetRegion& region, const std::string& where) {
  for (const Box& box : boxes_in(region.shape)) {
    if (box.width == 0 || box.height == 0) {
      problems().add(ProblemKind::flat_box, where, box_text(box) + " has a side of zero length");
    }
  }
  if (image.width > 0 && image.height > 0) {
    check_boxes_inside(region.shape, image.width, image.height, where, problems());
  }
  if (const auto* set = std::get_if<BoxSet>(&region.shape); set != nullptr && set->boxes.empty()) {
    problems().add(ProblemKind::empty_set, where, "has no box");
  }
  if (const auto* trace = std::get_if<Trace>(&region.shape)) {
    if (std::none_of(trace->points.begin(), trace->points.end(), is_inside)) {
      problems().add(ProblemKind::outside_trace, where, "has no point in the image");
    }
    if (region.times.size() != trace->points.size()) {
      problems().add(ProblemKind::no_time, where, "has points without a time \"t\"");
    }
  }
}

void DatasetReading::check_references(const DatasetRegion& region, const std::string& where) {
  const auto& references = region.references;
  if (std::all_of(references.begin(), references.end(), [](const auto& text) { return text.empty(); })) {
    problems().add(ProblemKind::no_reference, where, "has no reference");
  }
}

void DatasetReading::add_region(size_t image, DatasetRegion region, const std::string& where) {
  for (const Box& box : boxes_in(region.shape)) {
    if (box.width < 0 || box.height < 0) {
      problems().add(ProblemKind::inverted_box, where,
                     box_text(box) + " is inverted; its region is left out");
      return;
    }
  }
  check(this->image(image), region, where);
  if (!std::holds_alternative<WholeImage>(region.shape)) {
    check_references(region, where);  // captions of images follow their images
  }
  if (auto* box = std::get_if<Box>(&region.shape)) {  // spec/01 section 4.1
    box->width += box->width == 0 ? 1 : 0;
    box->height += box->height == 0 ? 1 : 0;
  }
  region.position = dataset_.region_count_++;
  this->image(image).regions.push_back(std::move(region));
}

void DatasetReading::add_record(size_t image, size_t file, const JsonPiece& piece, const std::string& where,
                                const std::vector<DatasetRegion>& regions) {
  for (size_t i = 0; i < regions.size(); ++i) {
    const std::string place = regions.size() == 1 ? where : fmt::format("{}, region {}", where, i + 1);
    check(this->image(image), regions[i], place);
    check_references(regions[i], place);
  }
  dataset_.images_[image].records.push_back(
      {file, piece.begin, piece.text.size(), where, dataset_.region_count_});
  dataset_.region_count_ += regions.size();
}

void DatasetReading::find_images() {
  if (options_.image_folders.empty()) {
    return;
  }
  const ImageFinder finder(options_.image_folders);
  for (size_t i = 0; i < dataset_.images_.size(); ++i) {
    DatasetImage& image = dataset_.images_[i].image;
    image.path = finder.find(names_[i]);
    if (image.path.empty()) {
      problems().add(ProblemKind::missing_image, image.where, names_[i].front());
    }
  }
}

Dataset DatasetReading::finish(DatasetFormat format, DatasetTask task) {
  dataset_.format_ = format;
  dataset_.task_ = task;
  if (dataset_.images_.empty() && problems().total() == 0) {
    throw Error(ErrorKind::data, "{}: read as '{}', it holds no images{}", options_.files.front().string(),
                to_string(format),
                options_.split == "all" ? "" : fmt::format(" of the split '{}'", options_.split));
  }
  for (const Dataset::Entry& entry : dataset_.images_) {
    for (const DatasetRegion& region : entry.image.regions) {
      if (std::holds_alternative<WholeImage>(region.shape)) {
        check_references(region, entry.image.where);
      }
    }
  }
  find_images();
  for (size_t file = 0; file < dataset_.files_.size(); ++file) {
    release(file, 0, content(file).size());
  }
  return std::move(dataset_);
}

}  // namespace patchioner
