// The test set: image files and, for each task, the annotation file in the format of the real data set
// (spec/05 section 11).
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "commands.hpp"
#include "language.hpp"
#include "narrative.hpp"
#include "patch_points.hpp"
#include "support/files.hpp"
#include "support/progress.hpp"

namespace patchioner::emoji {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kTestImages = 240;
constexpr int kJpegQuality = 80;
constexpr int kCaptionsPerImage = 5;
constexpr double kSeenShare = 0.35;  // of its ink: things of which less is seen are not spoken of
constexpr int kSmallestBox = 12;     // pixels
constexpr int kImagesWithNarrative = 120;
constexpr double kGroundPointChance = 0.5;  // of a surface, and of a backdrop

struct Item {
  int id;
  Scene scene;                 ///< without the things that are hardly seen
  Picture picture;             ///< extents match the scene
  std::vector<uint8_t> marks;  ///< a thing each, as in Picture::owner
  bool held_out;
};

Item make_item(const World& world, int id) {
  SceneOptions options;
  options.most = 6;
  Item item{id,
            sample_scene(kWorldSeed, Split::test, static_cast<uint64_t>(id), world.things, options),
            {},
            {},
            false};
  item.picture = world.renderer.draw(item.scene, item.scene.width, item.scene.height);
  Scene seen = item.scene;
  seen.things.clear();
  std::vector<Extent> extents;
  for (size_t i = 0; i < item.scene.things.size(); ++i) {
    const Extent& extent = item.picture.extents[i];
    if (extent.visible >= kSeenShare && extent.box.width >= kSmallestBox &&
        extent.box.height >= kSmallestBox) {
      seen.things.push_back(item.scene.things[i]);
      extents.push_back(extent);
      item.marks.push_back(static_cast<uint8_t>(i + 1));
    }
  }
  item.scene = std::move(seen);
  item.picture.extents = std::move(extents);
  item.held_out = has_held_out(item.scene);
  return item;
}

Json corners(const cv::Rect& box) {
  return Json::array({box.x, box.y, box.x + box.width, box.y + box.height});
}

double rounded(double value, double steps) {
  return std::round(value * steps) / steps;
}

/// Collects the records of all images, a file each.
class Annotations {
 public:
  explicit Annotations(const World& world) : world_(world) {}

  void add(const Item& item) {
    Random random({kWorldSeed, static_cast<uint64_t>(item.id), 500});
    const Json image = {{"id", item.id},
                        {"file_name", fmt::format("{}.jpg", item.id)},
                        {"height", item.picture.rgb.rows},
                        {"width", item.picture.rgb.cols}};
    Speaker speaker(world_.things, item.scene, random);
    images_.push_back(image);
    for (int i = 0; i < kCaptionsPerImage; ++i) {
      captions_.push_back(
          {{"image_id", item.id}, {"id", captions_.size() + 1}, {"caption", speaker.caption()}});
    }
    add_dense(item, image, speaker, random);
    add_sets(item, speaker, random);
    if (item.id <= kImagesWithNarrative) {
      add_narrative(item, random);
    }
    add_patches(item, image);
    if (item.held_out) {
      held_out_.push_back(item.id);
    }
  }

  void write(const std::filesystem::path& folder) const {
    std::filesystem::create_directories(folder);
    const Json info = {{"description", "emoji world, test split"}, {"version", "1"}};
    write_file(
        folder / "captions_test.json",
        Json{{"info", info}, {"images", images_}, {"licenses", Json::array()}, {"annotations", captions_}}
                .dump() +
            "\n");
    const Json about = {
        {"description", "emojiworld"}, {"image_root", "test"}, {"extra_info", Json::object()}};
    write_file(folder / "dense_test.json",
               Json{{"dataset", about}, {"images", dense_images_}, {"annotations", dense_}}.dump() + "\n");
    write_file(folder / "region_sets_test.json", sets_.dump() + "\n");
    write_file(folder / "narratives_test.jsonl", narratives_);
    write_file(folder / "narrative_replies.json", replies_.dump(1) + "\n");
    write_file(folder / "traces_test.json", traces_.dump() + "\n");
    write_file(folder / "patches_test.jsonl", patches_);
    write_file(folder / "held_out_test.json", held_out_.dump() + "\n");
    log(LogLevel::info,
        "{} images, {} captions, {} boxes, {} region sets, {} narrated sentences, {} patches, {} images "
        "with held-out pairs",
        images_.size(), captions_.size(), dense_.size(), set_count_, replies_.size(), patch_count_,
        held_out_.size());
  }

 private:
  void add_dense(const Item& item, Json image, Speaker& speaker, Random& random) {
    image["extra_info"] = Json::object();
    dense_images_.push_back(image);
    const auto add = [&](const std::string& caption, const cv::Rect& box) {
      const int x2 = box.x + box.width;
      const int y2 = box.y + box.height;
      dense_.push_back(
          {{"id", dense_.size() + 1},
           {"image_id", item.id},
           {"caption", caption},
           {"bbox", corners(box)},
           {"segmentation", Json::array({Json::array({box.x, box.y, box.x, y2, x2, y2, x2, box.y})})},
           {"extra_info", Json::object()}});
    };
    for (size_t i = 0; i < item.scene.things.size(); ++i) {
      add(speaker.phrase(static_cast<int>(i)), item.picture.extents[i].box);
    }
    const int width = item.picture.rgb.cols;
    const int height = item.picture.rgb.rows;
    const int line = static_cast<int>(item.scene.horizon * height);
    if (item.scene.backdrop && random.chance(0.35)) {
      add(speaker.ground_name(true), {0, 0, width, line});
    }
    if (random.chance(0.35)) {
      add(speaker.ground_name(false), {0, line, width, height - line});
    }
  }

  void add_sets(const Item& item, Speaker& speaker, Random& random) {
    std::vector<int> members(item.scene.things.size());
    for (size_t i = 0; i < members.size(); ++i) {
      members[i] = static_cast<int>(i);
    }
    std::vector<size_t> sizes = {std::min<size_t>(2, members.size())};
    if (members.size() >= 3) {
      sizes.push_back(members.size() >= 4 && random.chance(0.5) ? 3 : members.size());
    }
    Json record = Json::object();
    for (const size_t size : sizes) {
      random.shuffle(members);
      const std::vector<int> chosen(members.begin(), members.begin() + static_cast<ptrdiff_t>(size));
      if (chosen.empty()) {
        continue;
      }
      std::string key = speaker.set_caption(chosen);
      if (random.chance(0.2)) {
        key += "\n" + speaker.set_caption(chosen);
      }
      Json boxes = Json::array();
      for (const int member : chosen) {
        boxes.push_back(corners(item.picture.extents[static_cast<size_t>(member)].box));
      }
      set_count_ += record.contains(key) ? 0 : 1;
      record[key] = boxes;
    }
    if (!record.empty()) {
      sets_[std::to_string(item.id)] = record;
    }
  }

  void add_narrative(const Item& item, Random& random) {
    const Narrative narrative = narrate(world_.things, item.scene, item.picture, random);
    std::string whole;
    for (const Sentence& sentence : narrative.sentences) {
      whole += (whole.empty() ? "" : " ") + sentence.spoken;
      replies_[sentence.spoken] = sentence.caption.empty() ? "{<INVALID>}" : "{" + sentence.caption + "}";
    }
    Json timed = Json::array();
    for (const Utterance& utterance : narrative.utterances) {
      timed.push_back({{"utterance", utterance.text},
                       {"start_time", rounded(utterance.start, 100)},
                       {"end_time", rounded(utterance.end, 100)}});
    }
    Json segments = Json::array();
    std::vector<Json> points;
    for (const auto& segment : narrative.traces) {
      Json list = Json::array();
      for (const TimedPoint& point : segment) {
        list.push_back(
            {{"x", rounded(point.x, 10000)}, {"y", rounded(point.y, 10000)}, {"t", rounded(point.t, 1000)}});
        points.push_back(list.back());
      }
      segments.push_back(list);
    }
    narratives_ += Json{{"dataset_id", "emojiworld_test"},
                        {"image_id", std::to_string(item.id)},
                        {"annotator_id", item.id % 7},
                        {"caption", whole},
                        {"timed_caption", timed},
                        {"traces", segments},
                        {"voice_recording", ""}}
                       .dump() +
                   "\n";
    add_traces(item, narrative, timed, points);
  }

  /// The trace-captioning samples of a narrative: spec/01 section 10, steps 2 to 7, with our own sentences
  /// instead of a language model's.
  void add_traces(const Item& item, const Narrative& narrative, const Json& timed,
                  const std::vector<Json>& points) {
    Json captions = Json::array();
    Json traces = Json::array();
    size_t word = 0;
    for (const Sentence& sentence : narrative.sentences) {
      const double start = timed[word]["start_time"].get<double>();
      while (!timed[word]["utterance"].get<std::string>().ends_with('.')) {
        ++word;
      }
      const double end = timed[word++]["end_time"].get<double>();
      Json inside = Json::array();
      for (const Json& point : points) {
        const double t = point["t"].get<double>();
        if (t >= start && t <= end) {
          inside.push_back(point);
        }
      }
      const auto trim = static_cast<size_t>(std::floor(0.15 * static_cast<double>(inside.size())));
      if (!sentence.caption.empty() && !inside.empty()) {
        captions.push_back(sentence.caption);
        traces.push_back(Json::array());
        for (size_t i = trim; i < inside.size() - trim; ++i) {
          traces.back().push_back(inside[i]);
        }
      }
    }
    if (!captions.empty()) {
      traces_[std::to_string(item.id)] = {{"captions", captions}, {"traces", traces}};
    }
  }

  /// Drawn from numbers of its own, so that the other files do not depend on it.
  void add_patches(const Item& item, const Json& image) {
    Random random({kWorldSeed, static_cast<uint64_t>(item.id), 501});
    Speaker speaker(world_.things, item.scene, random);
    Json regions = Json::array();
    const auto add = [&](const std::optional<cv::Point>& point, const std::vector<std::string>& texts) {
      if (point) {
        regions.push_back({{"point", {point->x, point->y}}, {"references", texts}});
        ++patch_count_;
      }
    };
    for (size_t i = 0; i < item.scene.things.size(); ++i) {
      add(point_of_thing(item.picture, item.picture.extents[i], item.marks[i]),
          speaker.patch_texts(static_cast<int>(i)));
    }
    if (random.chance(kGroundPointChance)) {
      add(point_of_ground(item.picture, kSurfaceOwner, random), speaker.ground_names(false));
    }
    if (item.scene.backdrop && random.chance(kGroundPointChance)) {
      add(point_of_ground(item.picture, kBackdropOwner, random), speaker.ground_names(true));
    }
    if (!regions.empty()) {
      patches_ += Json{{"image", image["file_name"]},
                       {"id", image["id"]},
                       {"width", image["width"]},
                       {"height", image["height"]},
                       {"regions", regions}}
                      .dump() +
                  "\n";
    }
  }

  const World& world_;
  Json images_ = Json::array();
  Json captions_ = Json::array();
  Json dense_images_ = Json::array();
  Json dense_ = Json::array();
  Json sets_ = Json::object();
  Json replies_ = Json::object();
  Json traces_ = Json::object();
  Json held_out_ = Json::array();
  std::string narratives_;
  std::string patches_;
  size_t set_count_ = 0;
  size_t patch_count_ = 0;
};

}  // namespace

void make_dataset(const World& world, const Settings& settings) {
  const std::filesystem::path folder = settings.output / "test";
  std::filesystem::create_directories(folder);
  Annotations annotations(world);
  Progress progress("test set", "images", kTestImages);
  uintmax_t bytes = 0;
  for (int id = 1; id <= kTestImages; ++id) {
    const Item item = make_item(world, id);
    cv::Mat bgr;
    cv::cvtColor(item.picture.rgb, bgr, cv::COLOR_RGB2BGR);
    std::vector<uchar> jpeg;
    if (!cv::imencode(".jpg", bgr, jpeg,
                      {cv::IMWRITE_JPEG_QUALITY, kJpegQuality, cv::IMWRITE_JPEG_OPTIMIZE, 1})) {
      throw Error(ErrorKind::internal, "a picture cannot be written as JPEG");
    }
    write_file(folder / fmt::format("{}.jpg", id), {reinterpret_cast<const char*>(jpeg.data()), jpeg.size()});
    bytes += jpeg.size();
    annotations.add(item);
    progress.advance();
  }
  progress.finish();
  annotations.write(settings.output / "annotations");
  settings.report("dataset",
                  fmt::format("{} images, {:.2f} MB", kTestImages, static_cast<double>(bytes) / 1e6));
}

}  // namespace patchioner::emoji
