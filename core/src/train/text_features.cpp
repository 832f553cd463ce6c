#include "train/text_features.hpp"

#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "checkpoint/state_dict.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/output_folder.hpp"
#include "support/progress.hpp"

namespace patchioner {

namespace {

struct Part {
  at::Tensor features;  // [K,D]
  at::Tensor kept;      // [K] int64, positions in the part
};

std::string part_key(const std::string& fingerprint, const std::string& conditions,
                     std::span<const std::string> texts) {
  std::string content = fingerprint + "\n" + conditions;
  for (const std::string& text : texts) {
    // The length keeps ["ab","c"] and ["a","bc"] apart.
    content += fmt::format("\n{}:", text.size());
    content += text;
  }
  return sha256(content);
}

/// A batch in which the text side refused something, one by one.
void encode_singly(const Backbone& backbone, std::span<const std::string> texts, int64_t first,
                   std::vector<at::Tensor>& features, std::vector<int64_t>& kept) {
  for (size_t i = 0; i < texts.size(); ++i) {
    try {
      features.push_back(backbone.encode_text(texts.subspan(i, 1)));
      kept.push_back(first + static_cast<int64_t>(i));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::data) {
        throw;
      }
      log(LogLevel::debug, "left out: {}", error.what());
    }
  }
}

/// Encodes a part; nothing when a stop was asked for.
std::optional<Part> encode_part(const Backbone& backbone, std::span<const std::string> texts, int64_t batch,
                                Progress& progress) {
  std::vector<at::Tensor> features;
  std::vector<int64_t> kept;
  for (size_t start = 0; start < texts.size(); start += static_cast<size_t>(batch)) {
    if (interrupted()) {
      return std::nullopt;
    }
    const auto some = texts.subspan(start, std::min(static_cast<size_t>(batch), texts.size() - start));
    const auto first = static_cast<int64_t>(start);
    try {
      features.push_back(backbone.encode_text(some));
      for (size_t i = 0; i < some.size(); ++i) {
        kept.push_back(first + static_cast<int64_t>(i));
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::data) {
        throw;
      }
      encode_singly(backbone, some, first, features, kept);
    }
    progress.advance(some.size());
  }
  const at::Tensor all = features.empty() ? at::zeros({0, backbone.dim()}, at::kFloat) : at::cat(features, 0);
  return Part{all.to(at::kCPU, at::kFloat).contiguous(), at::tensor(kept, at::kLong)};
}

std::optional<Part> read_part(const std::filesystem::path& file, int64_t texts, int64_t dim) {
  if (!std::filesystem::exists(file)) {
    return std::nullopt;
  }
  try {
    const StateDict state_dict = StateDict::open(file);
    Part part{state_dict.tensor("features"), state_dict.tensor("kept")};
    const bool fits = part.features.dim() == 2 && part.features.size(1) == dim && part.kept.dim() == 1 &&
                      part.features.size(0) == part.kept.size(0) && part.kept.size(0) <= texts;
    if (fits) {
      return part;
    }
    log(LogLevel::warning, "{}: is not what was remembered for these texts; they are encoded again",
        file.string());
  } catch (const Error& error) {
    log(LogLevel::warning, "{}; these texts are encoded again", error.what());
  }
  return std::nullopt;
}

}  // namespace

EncodedTexts encode_texts(const Backbone& backbone, std::span<const std::string> texts,
                          const TextEncodingOptions& options) {
  if (!backbone.capabilities().text) {
    throw Error(ErrorKind::config, "the backbone has no text side; a decoder cannot be trained with it");
  }
  const std::string fingerprint = backbone.text_fingerprint();
  const bool remember = !options.cache.empty() && !fingerprint.empty();
  if (remember) {
    make_folder(options.cache);
    remove_abandoned_files(options.cache, "");
  }
  EncodedTexts result;
  result.features = at::empty({static_cast<int64_t>(texts.size()), backbone.dim()}, at::kFloat);  // [N,D]
  int64_t rows = 0;
  Progress progress("encode captions", "captions", texts.size());
  for (size_t start = 0; start < texts.size(); start += static_cast<size_t>(options.part)) {
    const auto some = texts.subspan(start, std::min(static_cast<size_t>(options.part), texts.size() - start));
    const std::filesystem::path file =
        remember ? options.cache / (part_key(fingerprint, options.conditions, some) + ".safetensors")
                 : std::filesystem::path();
    std::optional<Part> part =
        remember ? read_part(file, static_cast<int64_t>(some.size()), backbone.dim()) : std::nullopt;
    if (part) {
      progress.advance(some.size());
    } else {
      part = encode_part(backbone, some, options.batch, progress);
      if (!part) {
        result.complete = false;
        break;
      }
      if (remember) {
        write_safetensors(file, {{"features", part->features}, {"kept", part->kept}},
                          {{"text_fingerprint", fingerprint}, {"conditions", options.conditions}});
      }
    }
    const int64_t count = part->features.size(0);
    result.features.narrow(0, rows, count).copy_(part->features);
    const at::Tensor kept = part->kept.contiguous();
    for (int64_t i = 0; i < count; ++i) {
      result.kept.push_back(static_cast<int64_t>(start) + kept.const_data_ptr<int64_t>()[i]);
    }
    rows += count;
  }
  progress.finish();
  result.features = result.features.narrow(0, 0, rows);
  return result;
}

}  // namespace patchioner
