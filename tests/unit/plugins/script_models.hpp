// Small models as an export would leave them: TorchScript archives, written from a few lines of source, and
// what tests do with them.
#pragma once

#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/zip_archive.hpp"
#include "checkpoint/zip_writer.hpp"
#include "refusals.hpp"
#include "test_folder.hpp"
#include "unit/plugins/made_backbone.hpp"

namespace patchioner {

/// Writes an archive of a module with these methods and parameters; gives its path.
inline std::string write_script_model(const std::filesystem::path& path, const std::string& source,
                                      const std::vector<std::pair<std::string, at::Tensor>>& parameters) {
  torch::jit::Module model("__torch__.Model");
  for (const auto& [name, tensor] : parameters) {
    model.register_parameter(name, tensor, /*is_buffer=*/!tensor.is_floating_point());
  }
  model.define(source);
  model.save(path.string());
  return path.string();
}

/// A patch embedding of 4 x 4 pixels to 6 dimensions, in many forms. At 16 x 16 pixels: 16 patches.
inline constexpr const char* kPatchModel = R"(
def channels(self, x):
    return torch.conv2d(x, self.weight, None, [4, 4])

def grid(self, x):
    return self.channels(x).permute([0, 2, 3, 1])

def bare(self, x):
    return self.channels(x).flatten(2).transpose(1, 2)

def vector(self, x):
    return self.bare(x).mean([1])

def forward(self, x):
    prefix = self.prefix.expand([x.size(0), 2, 6]) + x.mean()
    return torch.cat([prefix, self.bare(x)], 1)

def pair(self, x):
    tokens = self.forward(x)
    return tokens, tokens.select(1, 0)

def named(self, x):
    tokens = self.forward(x)
    return {"tokens": tokens, "image": tokens.mean([1]), "classes": tokens.slice(1, 0, 2)}

def nested(self, x):
    tokens = self.forward(x)
    return [tokens, tokens * 2], tokens.select(1, 1)

def attentive(self, x):
    tokens = self.forward(x)
    logits = 0.02 * torch.matmul(tokens, tokens.transpose(1, 2))
    heads = torch.stack([logits, logits * 0.5], 1)
    full = torch.softmax(heads, -1)
    row = full.select(2, 0).slice(2, 2)
    return {"tokens": tokens, "logits": heads, "full": full, "row": full.select(2, 0), "patches": row,
            "flat": row.mean([1]), "negative": -row.mean([1]), "map": row.mean([1]).unflatten(1, [4, 4])}

def text(self, ids):
    return torch.embedding(self.words, ids).sum([1])

def pair_of_texts(self, ids):
    rows = torch.embedding(self.words, ids)
    return rows, rows.sum([1])

def two(self, image, ids):
    return self.vector(image) + self.text(ids)

def number(self, x):
    return 3
)";

/// kPatchModel with weights drawn from a seed; a text's ids are below 1000.
inline std::string write_patch_model(const std::filesystem::path& path,
                                     at::ScalarType precision = at::kFloat) {
  const auto random = [precision](at::IntArrayRef shape) {
    // Drawn without a generator: the same everywhere.
    int64_t count = 1;
    for (const int64_t size : shape) {
      count *= size;
    }
    return at::sin(at::arange(count, at::kDouble) * 12.9898).reshape(shape).to(precision);
  };
  return write_script_model(path, kPatchModel,
                            {{"weight", random({6, 3, 4, 4})},
                             {"prefix", random({1, 2, 6})},
                             {"words", random({1000, 6})},
                             {"steps", at::arange(3)}});
}

/// A model of nothing but colours: a patch of 28 x 28 pixels, in [0,1], becomes the text vectors of the
/// things that have its mean colour, weighted by how near each colour is.
inline constexpr const char* kColourModel = R"(
def forward(self, x):
    cells = torch.avg_pool2d(x, [28, 28]).permute([0, 2, 3, 1])
    apart = (cells.unsqueeze(3) - self.colours).pow(2).sum([4])
    patches = torch.matmul(torch.softmax(-50 * apart, -1), self.words)
    return {"patches": patches, "global": patches.mean([1, 2])}
)";

/// Its colours and what has them.
inline const std::vector<std::string> kColouredThings = {
    "a kite in a blue sky", "a sheep in a grassy field", "a lemon", "stars in the night sky",
    "a red apple",          "a starfish on the beach"};
inline at::Tensor colours_of_things() {
  return at::tensor({0.5, 0.7, 0.95, 0.35, 0.65, 0.3, 0.95, 0.8, 0.15, 0.1, 0.1, 0.25, 0.9, 0.2, 0.2, 0.8,
                     0.75, 0.6},
                    at::kFloat)
      .reshape({6, 3});
}

/// kColourModel, `words` [6,D] being the vectors of kColouredThings.
inline std::string write_colour_model(const std::filesystem::path& path, const at::Tensor& words) {
  return write_script_model(path, kColourModel, {{"colours", colours_of_things()}, {"words", words}});
}

/// Two images of 16 x 16 pixels.
inline at::Tensor two_images() {
  return at::cos(at::arange(2 * 3 * 16 * 16, at::kFloat) * 0.37).reshape({2, 3, 16, 16});
}

/// kPatchModel in a folder of its own.
class PatchModel {
 public:
  explicit PatchModel(at::ScalarType precision = at::kFloat)
      : file_(write_patch_model(folder_ / "model.pt", precision)) {}

  const std::string& file() const { return file_; }

  std::string yaml(const std::string& options, const std::string& resolution = "16") const {
    return "{plugin: torchscript, weights: " + file_ + ", resolution: " + resolution + ", " + options + "}";
  }

  std::shared_ptr<Backbone> backbone(const std::string& options) const {
    return made_backbone(yaml(options));
  }

  /// What a method gives when the module is run without the plugin.
  c10::IValue by_hand(const std::string& method, const at::Tensor& input) const {
    const at::NoGradGuard no_gradients;
    torch::jit::Module module = torch::jit::load(file_);
    return module.get_method(method)({input});
  }

  std::string refused(const std::string& options) const {
    return refusal_of(ErrorKind::config, [&] { (void)backbone(options); });
  }

 private:
  TestFolder folder_;
  std::string file_;
};

/// A copy of an archive in which `change` may change every entry, or leave it out by emptying its name.
inline void change_archive(const std::string& from, const std::filesystem::path& to,
                           const std::function<void(std::string& name, std::string& content)>& change) {
  const auto archive = ZipArchive::open(MappedFile::open(from));
  ZipWriter writer(to);
  for (const ZipEntry& entry : archive->entries()) {
    std::string name = entry.name;
    const ByteRange bytes = archive->read(entry);
    std::string content(reinterpret_cast<const char*>(bytes.bytes.data()), bytes.bytes.size());
    change(name, content);
    if (!name.empty()) {
      writer.add(name, content);
    }
  }
  writer.finish();
}

inline void replace(std::string& text, const std::string& old, const std::string& changed) {
  const size_t place = text.find(old);
  REQUIRE(place != std::string::npos);
  text.replace(place, old.size(), changed);
}

}  // namespace patchioner
