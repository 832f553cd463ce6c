#include "entities/entity_embeddings.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>
#include <string_view>

#include "checkpoint/state_dict.hpp"
#include "nn/unit_length.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

constexpr const char* kTensor = "embeddings";

// ViECap's templates, in its order; the name goes where the braces are.
constexpr std::array<std::string_view, 7> kEnsemble = {
    "itap of a {}.",         "a bad photo of the {}.", "a origami {}.",           "a photo of the large {}.",
    "a {} in a video game.", "art of the {}.",         "a photo of the small {}."};
constexpr std::string_view kSingle = "A photo of a {}.";
constexpr std::string_view kSingleBeforeVowel = "A photo of an {}.";
constexpr std::string_view kVowels = "aeiouAEIOU";

/// Names encoded at once; with an ensemble that is seven times as many texts.
constexpr size_t kNamesAtOnce = 64;

std::string filled(std::string_view prompt, std::string_view name) {
  std::string text(prompt);
  return text.replace(text.find("{}"), 2, name);
}

std::vector<std::string_view> templates_of(EntityPrompts prompts) {
  if (prompts == EntityPrompts::ensemble) {
    return {kEnsemble.begin(), kEnsemble.end()};
  }
  return {kSingle, kSingleBeforeVowel};
}

std::string digest_of(const std::vector<std::string>& names, EntityPrompts prompts,
                      const std::string& fingerprint) {
  return sha256(std::string_view(fmt::format(
      "{}\n{}\n{}\n", fingerprint, fmt::join(templates_of(prompts), "\n"), fmt::join(names, "\n"))));
}

void check_rows(const at::Tensor& embeddings, size_t names, const std::string& place,
                const std::string& names_place) {
  if (embeddings.dim() != 2 || embeddings.size(0) != static_cast<int64_t>(names)) {
    throw Error(ErrorKind::data,
                "{}: the embeddings have the shape [{}], but {} has {} names; wanted is a row for each, in "
                "alphabetical order",
                place, fmt::join(embeddings.sizes(), ","), names_place, names);
  }
  if (!at::isfinite(embeddings).all().item<bool>()) {
    throw Error(ErrorKind::data, "{}: the embeddings hold values that are not finite", place);
  }
}

}  // namespace

std::vector<std::string> entity_prompts(const std::string& name, EntityPrompts prompts) {
  if (prompts == EntityPrompts::single) {
    const bool vowel = !name.empty() && kVowels.find(name.front()) != std::string_view::npos;
    return {filled(vowel ? kSingleBeforeVowel : kSingle, name)};
  }
  std::vector<std::string> texts;
  for (const std::string_view prompt : kEnsemble) {
    texts.push_back(filled(prompt, name));
  }
  return texts;
}

at::Tensor embed_entities(const std::vector<std::string>& names, EntityPrompts prompts,
                          const EntityEncoder& encoder) {
  std::vector<at::Tensor> parts;
  for (size_t begin = 0; begin < names.size(); begin += kNamesAtOnce) {
    const size_t end = std::min(begin + kNamesAtOnce, names.size());
    std::vector<std::string> texts;
    for (size_t i = begin; i < end; ++i) {
      const std::vector<std::string> more = entity_prompts(names[i], prompts);
      texts.insert(texts.end(), more.begin(), more.end());
    }
    at::Tensor rows = encoder.encode(texts).to(at::kCPU, at::kFloat);  // [names * templates,D]
    const at::Tensor lengths = rows.norm(2, -1);                       // [names * templates]
    if (!((lengths > 0) & at::isfinite(lengths)).all().item<bool>()) {
      throw Error(
          ErrorKind::data,
          "the text encoder gives zeros or values that are not finite for one of the names '{}' to '{}'",
          names[begin], names[end - 1]);
    }
    if (prompts == EntityPrompts::ensemble) {
      const auto count = static_cast<int64_t>(end - begin);
      rows = unit_rows(unit_rows(rows).view({count, -1, rows.size(1)}).mean(1));  // [names,D]
    }
    parts.push_back(rows);
  }
  return at::cat(parts);  // [M,D]
}

at::Tensor cached_entity_embeddings(const std::filesystem::path& folder,
                                    const std::vector<std::string>& names, EntityPrompts prompts,
                                    const EntityEncoder& encoder) {
  const std::filesystem::path file =
      folder / fmt::format("entities-{}.safetensors", digest_of(names, prompts, encoder.fingerprint));
  std::error_code unreadable;
  if (std::filesystem::exists(file, unreadable)) {
    try {
      return read_entity_embeddings(file, names.size(), "the vocabulary");
    } catch (const Error& error) {
      log(LogLevel::warning, "{}; the embeddings are made anew", error.what());
    }
  }
  at::Tensor embeddings = embed_entities(names, prompts, encoder);  // [M,D]
  try {
    make_folder_of(file);
    write_safetensors(file, {{kTensor, embeddings}});
  } catch (const Error& error) {
    warn_once(
        fmt::format("{}; the embeddings of {} names are not kept beyond this run; name a cache folder that "
                    "can be written",
                    error.what(), names.size()));
  }
  return embeddings;
}

at::Tensor read_entity_embeddings(const std::filesystem::path& path, size_t names,
                                  const std::string& names_place) {
  const StateDict file = StateDict::open(path, /*root=*/"");
  const std::vector<std::string> found = file.names();
  const std::string name = file.contains(kTensor) || found.size() != 1 ? kTensor : found.front();
  const at::Tensor embeddings = file.tensor(name);
  if (!at::isFloatingType(embeddings.scalar_type())) {
    throw Error(ErrorKind::checkpoint,
                "{}: the tensor '{}' holds {}, but embeddings are floating-point numbers", path.string(),
                name, at::toString(embeddings.scalar_type()));
  }
  const at::Tensor rows = embeddings.to(at::kFloat);  // [M,D]
  check_rows(rows, names, path.string(), names_place);
  return rows;
}

}  // namespace patchioner
