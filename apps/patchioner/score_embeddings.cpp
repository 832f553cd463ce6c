// CLIP-S and PAC-S: images and captions through a CLIP (spec/05 section 8).
#include <c10/core/InferenceMode.h>

#include <patchioner/backbone.hpp>
#include <patchioner/error.hpp>

#include "config/config.hpp"
#include "data/image_finder.hpp"
#include "image/image.hpp"
#include "metrics/embedding_scores.hpp"
#include "runtime/plugin_host.hpp"
#include "runtime/runtime_options.hpp"
#include "score.hpp"
#include "support/progress.hpp"

namespace patchioner::score_command {
namespace {

constexpr const char* kPrompt = "A photo depicts ";  // Hessel et al. 2021
constexpr size_t kTextsAtOnce = 256;

/// The CLIP of a config, its images cut as CLIP's own preprocessing does and its texts cut at their limit.
class ScoringClip {
 public:
  explicit ScoringClip(const std::string& config_file) {
    const Value config = compose(config_file);
    const RuntimeOptions runtime = read_runtime_options(config);
    apply_threads(runtime);
    batch_ = static_cast<size_t>(runtime.batch);
    host_ = std::make_unique<PluginHost>(plugin_directories(config));
    Value section = config.at("backbone");
    const std::string plugin = section.at("plugin").as_text();
    for (const Parameter& parameter : host_->describe(PluginKind::backbone, plugin).parameters) {
      if ((parameter.name == "keep_img_ratio" || parameter.name == "truncate") &&
          section.find(parameter.name) == nullptr) {
        section.set(parameter.name, Value(true));
      }
    }
    backbone_ = host_->backbone(section, plugin_context(runtime));
    if (!backbone_->capabilities().text || !backbone_->capabilities().global) {
      throw Error(ErrorKind::config,
                  "{}: the backbone '{}' cannot encode both images and texts; name a config "
                  "with a CLIP",
                  config_file, plugin);
    }
  }

  at::Tensor encode_texts(const std::vector<std::string>& captions) const {
    const c10::InferenceMode guard;
    std::vector<at::Tensor> rows;
    Progress progress("score", "texts", captions.size());
    for (size_t begin = 0; begin < captions.size(); begin += kTextsAtOnce) {
      std::vector<std::string> texts;
      for (size_t i = begin; i < std::min(begin + kTextsAtOnce, captions.size()); ++i) {
        texts.push_back(kPrompt + captions[i]);
      }
      rows.push_back(backbone_->encode_text(texts).to(at::kCPU, at::kFloat));  // [N,D]
      progress.advance(texts.size());
    }
    progress.finish();
    return at::cat(rows).contiguous();
  }

  at::Tensor encode_images(const std::vector<std::filesystem::path>& files) const {
    const c10::InferenceMode guard;
    std::vector<at::Tensor> rows;
    Progress progress("score", "images", files.size());
    for (size_t begin = 0; begin < files.size(); begin += batch_) {
      std::vector<at::Tensor> pixels;
      for (size_t i = begin; i < std::min(begin + batch_, files.size()); ++i) {
        pixels.push_back(preprocess(read_image(files[i], ExifOrientation::ignore), backbone_->image_spec()));
      }
      rows.push_back(backbone_->encode(at::stack(pixels)).global.to(at::kCPU, at::kFloat));  // [B,D]
      progress.advance(pixels.size());
    }
    progress.finish();
    return at::cat(rows).contiguous();
  }

 private:
  size_t batch_ = 1;
  std::unique_ptr<PluginHost> host_;
  std::shared_ptr<Backbone> backbone_;
};

EmbeddingRows rows_of(const at::Tensor& tensor) {
  return {std::span(tensor.const_data_ptr<float>(), static_cast<size_t>(tensor.numel())),
          static_cast<size_t>(tensor.size(1))};
}

std::vector<std::filesystem::path> image_files(const ScoreItems& items, const Predictions& predictions,
                                               const std::vector<std::string>& folders) {
  const ImageFinder finder({folders.begin(), folders.end()});
  std::vector<std::filesystem::path> files;
  for (const size_t index : items.predictions) {
    const Prediction& prediction = predictions.items[index];
    std::vector<std::string> names = image_names_of(prediction.image, ImageNames::automatic);
    if (!prediction.file_name.empty()) {
      names = {prediction.file_name, std::filesystem::path(prediction.file_name).filename().string()};
    }
    files.push_back(finder.find(names));
    if (files.back().empty()) {
      throw Error(ErrorKind::data, "{}: its image {} is in none of the folders of --images", prediction.where,
                  names.front());
    }
  }
  return files;
}

CaptionScores named(const std::string& name, const EmbeddingScores& scores) {
  CaptionScores result{name, {scores.mean, scores.values}, {}};
  if (scores.undefined > 0) {
    result.note = fmt::format("{}: {} captions have no value and score 0", name, scores.undefined);
  }
  return result;
}

/// Both metrics of a model: its names are {with images, with references too}.
void add_scores(const ScoreItems& items, const std::vector<std::filesystem::path>& files,
                const std::vector<std::string>& names, const std::string& config, double weight,
                bool reference_alone, std::vector<CaptionScores>& all) {
  std::vector<std::string> candidates;
  std::vector<std::string> references;
  std::vector<size_t> counts;
  for (const ScoredCaption& caption : items.captions) {
    candidates.push_back(caption.candidate);
    references.insert(references.end(), caption.references.begin(), caption.references.end());
    counts.push_back(caption.references.size());
  }
  const ScoringClip clip(config);
  const at::Tensor images = clip.encode_images(files);              // [N,D]
  const at::Tensor candidate_rows = clip.encode_texts(candidates);  // [N,D]
  const at::Tensor reference_rows = clip.encode_texts(references);  // [sum of counts,D]
  const EmbeddingScores of_image = image_text_scores(rows_of(images), rows_of(candidate_rows), weight);
  const EmbeddingScores of_texts =
      reference_text_scores(rows_of(candidate_rows), rows_of(reference_rows), counts);
  all.push_back(named(names[0], of_image));
  all.push_back(named(names[1], reference_alone ? of_texts : harmonic_scores(of_image, of_texts)));
}

}  // namespace

const std::vector<std::string>& clip_metric_names() {
  static const std::vector<std::string> names = {"CLIP-S", "RefCLIP-S"};
  return names;
}

const std::vector<std::string>& pac_metric_names() {
  static const std::vector<std::string> names = {"PAC-S", "RefPAC-S"};
  return names;
}

std::vector<CaptionScores> embedding_metrics(const ScoreItems& items, const Predictions& predictions,
                                             const std::vector<std::string>& wanted,
                                             const ScoreArguments& arguments) {
  const auto wants = [&](const std::vector<std::string>& names) {
    return std::find_first_of(wanted.begin(), wanted.end(), names.begin(), names.end()) != wanted.end();
  };
  const bool of_clip = wants(clip_metric_names());
  const bool of_pac = wants(pac_metric_names());
  if (!of_clip && !of_pac) {
    return {};
  }
  if ((of_clip && arguments.clip.empty()) || (of_pac && arguments.pac.empty())) {
    throw Error(ErrorKind::usage, "{} needs {}: a config whose backbone is the CLIP to score with",
                of_clip && arguments.clip.empty() ? "CLIP-S" : "PAC-S",
                of_clip && arguments.clip.empty() ? "--clip" : "--pac");
  }
  if (arguments.images.empty()) {
    throw Error(ErrorKind::usage, "CLIP-S and PAC-S look at the images; name their folder by --images");
  }
  for (const size_t index : items.predictions) {
    if (!std::holds_alternative<WholeImage>(predictions.items[index].shape)) {
      throw Error(ErrorKind::usage, "{}: CLIP-S and PAC-S are of whole images, and this is a caption of a {}",
                  predictions.items[index].where, kind_name(predictions.items[index].shape));
    }
  }
  const std::vector<std::filesystem::path> files = image_files(items, predictions, arguments.images);
  std::vector<CaptionScores> all;
  if (of_clip) {
    add_scores(items, files, clip_metric_names(), arguments.clip, kClipScoreWeight, false, all);
  }
  if (of_pac) {
    add_scores(items, files, pac_metric_names(), arguments.pac, kPacScoreWeight,
               arguments.refpac == "reference", all);
  }
  std::erase_if(all, [&](const CaptionScores& score) {
    return std::find(wanted.begin(), wanted.end(), score.name) == wanted.end();
  });
  return all;
}

}  // namespace patchioner::score_command
