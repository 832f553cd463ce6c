#include "scoring/scoring_clip.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <patchioner/error.hpp>
#include <unordered_map>

#include "data/dataset_reading.hpp"
#include "data/image_finder.hpp"
#include "metrics/embedding_scores.hpp"
#include "scoring/metric_choice.hpp"
#include "scoring/region_marks.hpp"
#include "scoring/scoring_memory.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

std::string base_name(const std::string& path) {
  return fs::path(path).filename().string();
}

/// For messages: "a patch".
std::string words_for(const RegionShape& shape) {
  return std::holds_alternative<WholeImage>(shape) ? "a whole image"
         : std::holds_alternative<BoxSet>(shape)   ? "a set of boxes"
                                                   : fmt::format("a {}", kind_name(shape));
}

/// Where the images of predictions lie: as the references found them, or else in the folders.
class ImageFiles {
 public:
  explicit ImageFiles(const ScoringInput& input)
      : finder_(input.image_folders), has_folders_(!input.image_folders.empty()) {
    if (input.references == nullptr) {
      return;
    }
    for (size_t i = 0; i < input.references->size(); ++i) {
      const DatasetImage image = input.references->image(i);
      if (!image.path.empty()) {
        by_id_.emplace(id_text(image.id), image.path);
        by_name_.emplace(base_name(image.file_name), image.path);
      }
    }
    by_name_first_ = input.pairing.match == ImageMatch::file;
  }

  fs::path of(const Prediction& prediction) const {
    const bool by_name = by_name_first_ || prediction.image.empty();
    const auto& known = by_name ? by_name_ : by_id_;
    if (const auto found = known.find(by_name ? base_name(prediction.file_name) : prediction.image);
        found != known.end()) {
      return found->second;
    }
    if (!has_folders_) {
      throw Error(ErrorKind::usage,
                  "CLIP-S and PAC-S look at the images; name their folder by --images (dataset.images of a "
                  "config)");
    }
    std::vector<std::string> names = image_names_of(prediction.image, ImageNames::automatic);
    if (!prediction.file_name.empty()) {
      names = {prediction.file_name, base_name(prediction.file_name)};
    }
    fs::path file = finder_.find(names);
    if (file.empty()) {
      throw Error(ErrorKind::data, "{}: its image {} is in none of the folders of --images", prediction.where,
                  names.front());
    }
    return file;
  }

 private:
  ImageFinder finder_;
  bool has_folders_;
  bool by_name_first_ = false;
  std::unordered_map<std::string, fs::path> by_id_;
  std::unordered_map<std::string, fs::path> by_name_;
};

/// What the model is shown for each caption.
class Pictures {
 public:
  Pictures(const ScoreItems& items, const ScoringInput& input, const std::vector<std::string>& wanted)
      : items_(items), input_(input) {
    const ImageFiles images(input);
    for (size_t i = 0; i < items.predictions.size(); ++i) {
      const Prediction& prediction = prediction_of(i);
      check_shown(prediction.shape, wanted, prediction.where);
      files_.push_back(images.of(prediction));
    }
  }

  size_t size() const { return files_.size(); }

  /// The same for the same regions of the same images.
  std::string key() const {
    std::string text;
    for (size_t i = 0; i < files_.size(); ++i) {
      text += files_[i].string() + "\n";
      append_region(prediction_of(i), text);
    }
    return sha256(text);
  }

  /// The image with the region drawn into it.
  Image marked(size_t index) {
    Image image = original(index);
    const Prediction& prediction = prediction_of(index);
    const RegionShape& shape = prediction.shape;
    if (std::holds_alternative<Box>(shape)) {
      draw_boxes(image, {{prediction.corners}});
    } else if (const auto* set = std::get_if<BoxSet>(&shape)) {
      std::vector<BoxCorners> corners;
      for (const Box& box : set->boxes) {
        corners.push_back({box.x, box.y, box.x + box.width, box.y + box.height});
      }
      draw_boxes(image, corners);
    } else if (const auto* trace = std::get_if<Trace>(&shape)) {
      draw_trace(image, *trace);
    } else {
      return image;
    }
    return through_jpeg(image);
  }

  /// The image cut to its box.
  Image cut(size_t index) { return through_jpeg(cut_box(original(index), prediction_of(index).corners)); }

 private:
  /// Numbers to the bit.
  static void append_region(const Prediction& prediction, std::string& text) {
    text += fmt::format("{:a} ", fmt::join(prediction.corners, " "));
    if (const auto* set = std::get_if<BoxSet>(&prediction.shape)) {
      for (const Box& box : set->boxes) {
        text += fmt::format("{:a} {:a} {:a} {:a} ", box.x, box.y, box.width, box.height);
      }
    } else if (const auto* trace = std::get_if<Trace>(&prediction.shape)) {
      for (const TracePoint& point : trace->points) {
        text += fmt::format("{:a} {:a} ", point.x, point.y);
      }
    }
    text += fmt::format("{}\n", prediction.shape.index());
  }

  const Prediction& prediction_of(size_t index) const {
    return input_.predictions->items[items_.predictions[index]];
  }
  /// Captions of one image mostly follow each other.
  const Image& original(size_t index) {
    if (!last_ || last_file_ != files_[index]) {
      last_ = read_image(files_[index], input_.orientation);
      last_file_ = files_[index];
    }
    return *last_;
  }

  const ScoreItems& items_;
  const ScoringInput& input_;
  std::vector<fs::path> files_;
  fs::path last_file_;
  std::optional<Image> last_;
};

EmbeddingRows rows_of(const at::Tensor& tensor) {
  return {std::span(tensor.const_data_ptr<float>(), static_cast<size_t>(tensor.numel())),
          static_cast<size_t>(tensor.size(1))};
}

CaptionScores named(const std::string& name, const EmbeddingScores& scores) {
  CaptionScores result{name, {scores.mean, scores.values}, {}};
  if (scores.undefined > 0) {
    result.note = fmt::format("{}: {} captions have no value and score 0", name, scores.undefined);
  }
  return result;
}

/// What one model gives of what is wanted of it.
struct ModelMetrics {
  const std::vector<std::string>& names;  ///< with images, with references too, with cuts
  std::string model;
  std::string device;
  double weight = 0;
  bool reference_alone = false;  ///< the second one is of texts

  std::vector<CaptionScores> scores(const ScoreItems& items, Pictures* pictures,
                                    const std::vector<std::string>& wanted, ScoringMemory& memory) const {
    const bool of_image = is_one_of(names[0], wanted);
    const bool of_references = is_one_of(names[1], wanted);
    const bool of_cuts = is_one_of(names[2], wanted);
    std::vector<std::string> candidates;
    std::vector<std::string> references;
    std::vector<size_t> counts;
    for (const ScoredCaption& caption : items.captions) {
      candidates.push_back(caption.candidate);
      references.insert(references.end(), caption.references.begin(), caption.references.end());
      counts.push_back(caption.references.size());
    }
    const ScoringModel& clip = memory.model(model, device);
    // Captions are mostly new; images and references are those of the data set.
    const auto images_shown = [&](const char* how, const std::function<Image(size_t index)>& image) {
      return memory.embeddings(fmt::format("{} {} {} {}", device, model, how, pictures->key()),
                               [&] { return clip.encode_images(pictures->size(), image); });
    };
    const at::Tensor texts = clip.encode_texts(candidates);  // [N,D]
    std::vector<CaptionScores> all;
    EmbeddingScores image_scores;
    if (of_image || (of_references && !reference_alone)) {
      const at::Tensor images =
          images_shown("marked", [&](size_t i) { return pictures->marked(i); });  // [N,D]
      image_scores = image_text_scores(rows_of(images), rows_of(texts), weight);
      all.push_back(named(names[0], image_scores));
    }
    if (of_references) {
      const at::Tensor reference_rows =
          memory.embeddings(fmt::format("{} {} texts {}", device, model,
                                        sha256(fmt::format("{}", fmt::join(references, "\n")))),
                            [&] { return clip.encode_texts(references); });  // [sum of counts,D]
      const EmbeddingScores of_texts = reference_text_scores(rows_of(texts), rows_of(reference_rows), counts);
      all.push_back(named(names[1], reference_alone ? of_texts : harmonic_scores(image_scores, of_texts)));
    }
    if (of_cuts) {
      const at::Tensor images = images_shown("cut", [&](size_t i) { return pictures->cut(i); });  // [N,D]
      all.push_back(named(names[2], image_text_scores(rows_of(images), rows_of(texts), weight)));
    }
    return all;
  }
};

}  // namespace

const std::vector<std::string>& clip_metric_names() {
  static const std::vector<std::string> names = {"CLIP-S", "RefCLIP-S", "CLIP-S_cropped"};
  return names;
}

const std::vector<std::string>& pac_metric_names() {
  static const std::vector<std::string> names = {"PAC-S", "RefPAC-S", "PAC-S_cropped"};
  return names;
}

bool needs_images(const std::string& metric, const ScoringOptions& options) {
  return is_one_of(metric, clip_metric_names()) ||
         (is_one_of(metric, pac_metric_names()) &&
          (metric != pac_metric_names()[1] || options.refpac != "reference"));
}

bool can_be_shown(const RegionShape& shape) {
  return std::holds_alternative<WholeImage>(shape) || std::holds_alternative<Box>(shape) ||
         std::holds_alternative<BoxSet>(shape) || std::holds_alternative<Trace>(shape);
}

void check_shown(const RegionShape& shape, const std::vector<std::string>& wanted, const std::string& where) {
  if (!can_be_shown(shape)) {
    throw Error(ErrorKind::usage,
                "{}: CLIP-S and PAC-S are of whole images, boxes, sets of boxes and traces, and this is a "
                "caption of {}; RefPAC-S as the paper reports it is of texts alone",
                where, words_for(shape));
  }
  for (const std::string& metric : wanted) {
    if (metric.ends_with("_cropped") && !std::holds_alternative<Box>(shape)) {
      throw Error(ErrorKind::usage, "{}: {} is of boxes, and this is a caption of {}", where, metric,
                  words_for(shape));
    }
  }
}

std::vector<CaptionScores> embedding_metrics(const ScoreItems& items, const ScoringInput& input,
                                             const std::vector<std::string>& wanted,
                                             const ScoringOptions& options) {
  std::optional<Pictures> pictures;
  if (std::any_of(wanted.begin(), wanted.end(),
                  [&](const std::string& metric) { return needs_images(metric, options); })) {
    pictures.emplace(items, input, wanted);
  }
  ScoringMemory of_this_call;
  ScoringMemory& memory = input.memory == nullptr ? of_this_call : *input.memory;
  std::vector<CaptionScores> all;
  for (const ModelMetrics& metrics :
       {ModelMetrics{clip_metric_names(), options.clip, input.device, kClipScoreWeight, false},
        ModelMetrics{pac_metric_names(), options.pac, input.device, kPacScoreWeight,
                     options.refpac == "reference"}}) {
    if (std::find_first_of(wanted.begin(), wanted.end(), metrics.names.begin(), metrics.names.end()) ==
        wanted.end()) {
      continue;
    }
    for (CaptionScores& scores : metrics.scores(items, pictures ? &*pictures : nullptr, wanted, memory)) {
      if (is_one_of(scores.name, wanted)) {
        all.push_back(std::move(scores));
      }
    }
  }
  return all;
}

}  // namespace patchioner
