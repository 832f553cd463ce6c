#include "scoring/scoring_model.hpp"

#include <c10/core/InferenceMode.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <patchioner/error.hpp>

#include "backbones/clip_names.hpp"
#include "config/config.hpp"
#include "runtime/runtime_options.hpp"
#include "support/progress.hpp"

namespace patchioner {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrompt = "A photo depicts ";
constexpr size_t kTextsAtOnce = 256;
constexpr int64_t kWidthOfLarge = 1024;  // of ViT-L/14's image tower

/// Whether a file is weights and no text of a config: none of their formats begins like text, except the
/// index of a checkpoint in parts.
bool is_checkpoint(const std::string& name, const fs::path& file) {
  if (name.starts_with("hf:") || file.extension() == ".json" || fs::is_directory(file)) {
    return true;
  }
  constexpr size_t kLooked = 16;
  std::array<char, kLooked> begin{};
  std::ifstream stream(file, std::ios::binary);
  stream.read(begin.data(), begin.size());
  return std::any_of(begin.begin(), begin.begin() + stream.gcount(), [](char character) {
    const auto byte = static_cast<unsigned char>(character);
    return byte < ' ' && byte != '\t' && byte != '\n' && byte != '\r';
  });
}

/// Whether the tensors lie in a map "state_dict", as trainers save them.
bool is_wrapped(const StateDict& checkpoint) {
  const std::vector<LayoutItem> layout = checkpoint.source().layout();
  return std::any_of(layout.begin(), layout.end(),
                     [](const LayoutItem& item) { return item.path == "state_dict"; });
}

fs::path find_vocabulary(const fs::path& weights) {
  std::vector<fs::path> folders = {weights.parent_path()};
  if (const char* set = std::getenv("PATCHIONER_WEIGHTS"); set != nullptr) {
    folders.emplace_back(set);
  } else {
    folders.push_back((config_directory() / ".." / "weights").lexically_normal());
  }
  for (const fs::path& folder : folders) {
    for (const char* name : {"bpe_simple_vocab_16e6.txt.gz", "vocab.json", "tokenizer.json"}) {
      if (fs::is_regular_file(folder / name)) {
        return folder / name;
      }
    }
  }
  std::vector<std::string> places;
  for (const fs::path& folder : folders) {
    places.push_back(folder.empty() ? "." : folder.string());
  }
  throw Error(ErrorKind::config,
              "{}: texts need CLIP's vocabulary bpe_simple_vocab_16e6.txt.gz, which is in none of {}; put it "
              "there, or name a config that says where it is (docs/weights.md)",
              weights.string(), fmt::join(places, ", "));
}

ScoringModelSource source_of_checkpoint(const std::string& name) {
  const fs::path file = resolve_weights(name);
  const ClipCheckpoint checkpoint(StateDict::open(file));
  ScoringModelSource source{Value::Map()};
  Value section = Value::Map();
  section.set("plugin", Value("clip"));
  section.set("weights", Value(fs::absolute(file).string()));
  section.set("vocabulary", Value(fs::absolute(find_vocabulary(file)).string()));
  if (checkpoint.layout() == ClipLayout::openai && is_wrapped(checkpoint.state_dict())) {
    section.set("format", Value("openai"));
    const auto shape = checkpoint.shape("visual.class_embedding");
    if (shape && shape->front() == kWidthOfLarge) {
      section.set("activation", Value("gelu"));
      source.even_pixels = true;
    }
  }
  source.config.set("backbone", std::move(section));
  return source;
}

}  // namespace

ScoringModelSource find_scoring_model(const std::string& name) {
  const fs::path file = name.starts_with("hf:") ? fs::path() : find_config_file(name);
  return is_checkpoint(name, file) ? source_of_checkpoint(name) : ScoringModelSource{compose(file)};
}

ScoringModel::ScoringModel(const std::string& name, const std::string& device) {
  ScoringModelSource source = find_scoring_model(name);
  if (!device.empty()) {
    set_runtime(source.config, "device", device);
  }
  const Value& config = source.config;
  const RuntimeOptions runtime = read_runtime_options(config);
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
  const PluginContext context = plugin_context(runtime);
  device_ = context.device;
  backbone_ = host_->backbone(section, context);
  if (!backbone_->capabilities().text || !backbone_->capabilities().global) {
    throw Error(ErrorKind::config,
                "{}: the backbone '{}' cannot encode both images and texts; name a config "
                "with a CLIP",
                name, plugin);
  }
  image_spec_ = backbone_->image_spec();
  if (source.even_pixels) {
    image_spec_.mean = image_spec_.std = {0.5F, 0.5F, 0.5F};
  }
}

at::Tensor ScoringModel::encode_texts(const std::vector<std::string>& captions) const {
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

at::Tensor ScoringModel::encode_images(size_t count, const std::function<Image(size_t)>& image) const {
  const c10::InferenceMode guard;
  std::vector<at::Tensor> rows;
  Progress progress("score", "images", count);
  for (size_t begin = 0; begin < count; begin += batch_) {
    std::vector<at::Tensor> pixels;
    for (size_t i = begin; i < std::min(begin + batch_, count); ++i) {
      pixels.push_back(preprocess(image(i), image_spec_));
    }
    rows.push_back(
        backbone_->encode(at::stack(pixels).to(device_)).global.to(at::kCPU, at::kFloat));  // [B,D]
    progress.advance(pixels.size());
  }
  progress.finish();
  return at::cat(rows).contiguous();
}

}  // namespace patchioner
