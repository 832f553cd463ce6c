// A small world to train in: a folder, a vocabulary, a backbone whose text side is a digest, and the real
// plain decoder.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>
#include <string>

#include "refusals.hpp"
#include "runtime/plugin_host.hpp"
#include "support/files.hpp"
#include "support/progress.hpp"
#include "test_folder.hpp"
#include "train/training_run.hpp"

namespace patchioner {

/// Text features are numbers made from the text's SHA-256; texts of more than `longest` bytes are refused.
class DigestBackbone final : public Backbone {
 public:
  static constexpr int64_t kDim = 8;
  size_t longest = 1000;
  std::string fingerprint = "digest-backbone";
  mutable size_t encoded = 0;  ///< texts that were encoded so far

  const ImageSpec& image_spec() const override { return spec_; }
  int64_t dim() const override { return kDim; }
  std::string text_fingerprint() const override { return fingerprint; }
  ImageFeatures encode(const at::Tensor&, std::span<const std::string>) const override { return {}; }
  at::Tensor encode_text(std::span<const std::string> texts) const override {
    at::Tensor features = at::empty({static_cast<int64_t>(texts.size()), kDim}, at::kFloat);
    for (size_t i = 0; i < texts.size(); ++i) {
      if (texts[i].size() > longest) {
        throw Error(ErrorKind::data, "'{}' is too long", texts[i]);
      }
      const std::string digest = sha256(texts[i]);
      for (int64_t d = 0; d < kDim; ++d) {
        features[static_cast<int64_t>(i)][d] = static_cast<float>(digest[static_cast<size_t>(d)]) - 75.0F;
      }
    }
    encoded += texts.size();
    return features;
  }

 private:
  ImageSpec spec_;
};

/// A vocabulary of all bytes and a few merges, in the plain text form of CLIP's.
inline std::filesystem::path write_vocabulary(const TestFolder& folder) {
  return folder.write("vocabulary.txt",
                      "#version: 0.2\nd o\ndo g</w>\nc a\nca t</w>\nr e\nre d</w>\no n</w>\n");
}

constexpr int64_t kVocabularySize = 256 + 256 + 7 + 2;

/// 40 captions of a few words, each for two images in turn.
inline std::vector<std::string> small_captions() {
  std::vector<std::string> captions;
  for (const char* what : {"a dog", "a red cat", "two dogs", "a bus", "a tree"}) {
    for (const char* where : {"on a road", "in the sea", "at night", "on grass"}) {
      captions.push_back(fmt::format("{} {}", what, where));
      captions.push_back(fmt::format("{} {} .", what, where));
    }
  }
  return captions;
}

inline std::string joined_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += line + "\n";
  }
  return text;
}

inline PluginHost& host() {
  static PluginHost host({std::filesystem::path(PATCHIONER_BINARY_DIR) / "bin" / "plugins"});
  return host;
}

/// A fresh plain decoder of two blocks, width 16, dropout on.
inline std::shared_ptr<Decoder> small_decoder(const std::filesystem::path& folder, int64_t seed = 1) {
  at::manual_seed(static_cast<uint64_t>(seed));
  const Value section(Value::Map{{"plugin", "plain"},
                                 {"vocabulary", (folder / "vocabulary.txt").string()},
                                 {"prefix_size", DigestBackbone::kDim},
                                 {"vocab_size", kVocabularySize},
                                 {"n_positions", 32},
                                 {"n_embd", 16},
                                 {"n_layer", 2},
                                 {"n_head", 2}});
  return host().decoder(section, PluginContext());
}

/// A training of 3 epochs of 5 updates on small_captions(), with noise.
struct SmallTraining {
  explicit SmallTraining(const std::filesystem::path& root) : root(root) {
    set_log_level(LogLevel::warning);
    Progress::set_enabled(false);
    options.data = (root / "captions.txt").string();
    options.output = (root / "out").string();
    options.prefix = "small";
    options.epochs = 3;
    options.batch_size = 8;
    options.lr = 0.01;
    options.warmup_steps = 3;
    options.save_every_steps = 4;
    options.save_every_minutes = 0;
    options.tensorboard = false;
  }

  TrainingOutcome run(bool restart = false, const TrainingObserver& observer = {}) {
    decoder = small_decoder(root, options.seed);
    TrainingParts parts;
    parts.backbone = &backbone;
    parts.decoder = decoder.get();
    parts.gaps = {host().gap(Value(Value::Map{{"plugin", "noise"}, {"std", 0.08}}), PluginContext())};
    return run_training(parts, options, restart, observer);
  }

  std::filesystem::path root;
  TrainOptions options;
  DigestBackbone backbone;
  std::shared_ptr<Decoder> decoder;
};

/// A folder with vocabulary and captions in it.
struct TrainingFolder : TestFolder {
  TrainingFolder() {
    write_vocabulary(*this);
    write("captions.txt", joined_lines(small_captions()));
  }
};

/// Whether two decoders have the same bits in every parameter.
inline bool equal_weights(const Decoder& left, const Decoder& right) {
  const auto ours = left.parameters();
  const auto theirs = right.parameters();
  if (ours.size() != theirs.size()) {
    return false;
  }
  for (size_t i = 0; i < ours.size(); ++i) {
    if (ours[i].first != theirs[i].first || !at::equal(ours[i].second.detach(), theirs[i].second.detach())) {
      return false;
    }
  }
  return true;
}

}  // namespace patchioner
