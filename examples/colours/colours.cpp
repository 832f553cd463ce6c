// A backbone without weights, to read beside backbone.hpp: the vector of a patch says how much of each colour
// it has and how it is patterned, and a text's says which colours and patterns it names.
#include <fmt/ranges.h>

#include <patchioner/plugin.hpp>

namespace {

using namespace patchioner;

/// The basic colour terms of English (Berlin and Kay, 1969), in alphabetical order.
constexpr const char* kColours[] = {"black", "blue",   "brown", "green", "grey",  "orange",
                                    "pink",  "purple", "red",   "white", "yellow"};
constexpr int64_t kColourCount = std::size(kColours);
/// What they look like, light and dark ones too, by the survey of xkcd.com (2010, rgb.txt): the number of a
/// term, sRGB.
struct Shade {
  int64_t colour;
  uint32_t rgb;
};
constexpr Shade kShades[] = {{0, 0x000000}, {1, 0x0343df}, {1, 0x95d0fc}, {1, 0x75bbfd}, {1, 0x00035b},
                             {2, 0x653700}, {2, 0xd1b26f}, {3, 0x15b01a}, {3, 0x96f97b}, {3, 0x033500},
                             {4, 0x929591}, {4, 0x363737}, {4, 0xd8dcd6}, {5, 0xf97306}, {6, 0xff81c0},
                             {6, 0xff028d}, {7, 0x7e1e9c}, {7, 0xbf77f6}, {8, 0xe50000}, {8, 0x840000},
                             {9, 0xffffff}, {10, 0xffff14}};
constexpr int64_t kShadeCount = std::size(kShades);
/// Patterns, as patterns() below measures them.
constexpr const char* kPatterns[] = {"plain", "horizontal", "vertical", "texture"};
constexpr int64_t kPatternCount = std::size(kPatterns);
/// Other words fall into these places by their hash, so that most texts stay apart; words that share a place
/// do not (dog, bus), nor does order count. Images have nothing there.
constexpr int64_t kOtherWords = 16;
constexpr double kOtherWeight = 0.1;  // of a word that means nothing here, beside 1 of one that does

struct ColoursOptions {
  int64_t resolution = 224;
  int64_t patch_size = 16;
  double pattern = 0.5;
  double sharpness = 20;
};

void declare(ParameterList<ColoursOptions>& list) {
  list.add("resolution", &ColoursOptions::resolution,
           "side of the network input in pixels, a multiple of patch_size")
      .range(2, 4096);
  list.add("patch_size", &ColoursOptions::patch_size, "side of a patch in pixels").range(2, 4096);
  list.add("pattern", &ColoursOptions::pattern, "weight of the pattern beside the colours").range(0, 10);
  list.add("sharpness", &ColoursOptions::sharpness,
           "distance in L*a*b* at which a colour counts 1/e of one that is met exactly")
      .range(1, 1000);
  list.note("features", "shares of eleven colours and four patterns");
  list.note("space", "the same of the words in a text");
  list.note("input", "squashed to a square; any multiple of the patch size");
  list.note("files", "none");
  list.note("source", "Berlin and Kay 1969; colours of the survey of xkcd.com, 2010");
}

/// sRGB [...,3] in 0 to 1 -> CIE L*a*b* under D65, where distances are those that one sees. IEC 61966-2-1,
/// CIE 15.
at::Tensor to_lab(const at::Tensor& rgb) {
  const at::Tensor linear = at::where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055).pow(2.4));
  const at::Tensor to_xyz =
      at::tensor({0.4124F, 0.3576F, 0.1805F, 0.2126F, 0.7152F, 0.0722F, 0.0193F, 0.1192F, 0.9505F})
          .view({3, 3});
  const at::Tensor white = at::tensor({0.9505F, 1.0F, 1.089F});
  const at::Tensor t = linear.matmul(to_xyz.t()) / white;
  const at::Tensor f =
      at::where(t > 216.0 / 24389.0, t.clamp_min(1e-6).pow(1.0 / 3.0), (t * 24389.0 / 27.0 + 16) / 116);
  const at::Tensor x = f.select(-1, 0), y = f.select(-1, 1), z = f.select(-1, 2);
  return at::stack({116 * y - 16, 500 * (x - y), 200 * (y - z)}, -1);
}

class Colours : public Backbone {
 public:
  Colours(const ColoursOptions& options, const PluginContext&) : options_(options) {
    if (options.resolution % options.patch_size != 0) {
      throw Error(ErrorKind::config, "the resolution {} is no multiple of the patch size {}",
                  options.resolution, options.patch_size);
    }
    spec_.resize_dim = options.resolution;
    spec_.patch_size = options.patch_size;
    spec_.std = {1, 1, 1};  // with a mean of 0: pixels come in 0 to 1
    shades_ = at::empty({kShadeCount, 3});
    colour_of_ = at::zeros({kShadeCount, kColourCount});
    for (int64_t i = 0; i < kShadeCount; ++i) {
      for (int64_t channel = 0; channel < 3; ++channel) {
        shades_[i][channel] = static_cast<float>(kShades[i].rgb >> (16 - 8 * channel) & 0xff) / 255.0F;
      }
      colour_of_[i][kShades[i].colour] = 1;
    }
    shades_ = to_lab(shades_);
  }

  const ImageSpec& image_spec() const override { return spec_; }
  int64_t dim() const override { return kColourCount + kPatternCount + kOtherWords; }

  /// Only what changes encode_text: neither resolution nor sharpness does.
  std::string text_fingerprint() const override {
    return fmt::format("colours 1, pattern {}", options_.pattern);
  }

  ImageFeatures encode(const at::Tensor& pixels, std::span<const std::string> intermediates) const override {
    const at::NoGradGuard no_gradients;
    const int64_t patch = spec_.patch_size;
    if (pixels.dim() != 4 || pixels.size(1) != 3 || pixels.size(2) < patch || pixels.size(2) % patch != 0 ||
        pixels.size(3) < patch || pixels.size(3) % patch != 0) {
      throw Error(ErrorKind::data,
                  "pixels are [{}]; colours takes [B,3,H,W] with sides that are multiples of {}",
                  fmt::join(pixels.sizes().begin(), pixels.sizes().end(), ","), patch);
    }
    if (!intermediates.empty()) {
      throw Error(ErrorKind::data, "colours has no intermediate '{}', and no other", intermediates.front());
    }
    const at::Tensor rgb = pixels.to(at::kCPU).clamp(0, 1).permute({0, 2, 3, 1});  // [B,H,W,3]
    const at::Tensor lab = to_lab(rgb);
    const at::Tensor squares = (lab.unsqueeze(-2) - shades_).square().sum(-1);  // [B,H,W,shades]
    const at::Tensor shares =
        (-squares / (options_.sharpness * options_.sharpness)).softmax(-1).matmul(colour_of_);  // [B,H,W,11]
    ImageFeatures features;
    features.patches = at::constant_pad_nd(
        at::cat({cell_means(shares), options_.pattern * patterns(lab.select(-1, 0) / 100)}, -1),
        {0, kOtherWords});
    features.global = features.patches.mean({1, 2});  // [B,D]
    features.attention = saliency(cell_means(lab));
    return features;
  }

  at::Tensor encode_text(std::span<const std::string> texts) const override {
    at::Tensor vectors = at::zeros({static_cast<int64_t>(texts.size()), dim()});  // [N,D]
    auto rows = vectors.accessor<float, 2>();
    for (int64_t i = 0; i < vectors.size(0); ++i) {
      for (const std::string& word : words_of(texts[static_cast<size_t>(i)])) {
        const auto [place, weight] = meaning_of(word);
        rows[i][place] += static_cast<float>(weight);
      }
    }
    return vectors;
  }

 private:
  /// Numbers of pixels [B,H,W,C] to their means over the patches [B,rows,columns,C].
  at::Tensor cell_means(const at::Tensor& pixels) const {
    return at::avg_pool2d(pixels.permute({0, 3, 1, 2}), spec_.patch_size).permute({0, 2, 3, 1}).contiguous();
  }

  /// Shares of the four patterns in each patch [B,rows,columns,4], from lightness [B,H,W] in 0 to 1: how
  /// steep it is, and whether mostly in one direction (structure tensor).
  at::Tensor patterns(const at::Tensor& lightness) const {
    const auto slope = [&](int64_t axis) {
      const int64_t size = lightness.size(axis);
      const at::Tensor difference = lightness.slice(axis, 1, size) - lightness.slice(axis, 0, size - 1);
      return at::cat({difference, at::zeros_like(lightness.slice(axis, 0, 1))}, axis);
    };
    const at::Tensor x = slope(2), y = slope(1);
    const at::Tensor moments = cell_means(at::stack({x * x, y * y, x * y}, -1));  // [B,rows,columns,3]
    const at::Tensor xx = moments.select(-1, 0), yy = moments.select(-1, 1), xy = moments.select(-1, 2);
    constexpr double kFaint =
        1e-4;  // squared slope at which a patch is as much plain as not: a hundredth a pixel
    const at::Tensor energy = xx + yy;
    const at::Tensor any = energy / (energy + kFaint);
    const at::Tensor directed = any * ((xx - yy).square() + 4 * xy.square()).sqrt() / (energy + 1e-12);
    const at::Tensor across = xx / (energy + 1e-12);  // of the slope, to the sides: vertical stripes
    return at::stack({1 - any, directed * (1 - across), directed * across, any - directed}, -1);
  }

  /// A map as others have of their class token: patches whose colour [B,rows,columns,3] is far from the
  /// image's mean.
  static at::Tensor saliency(const at::Tensor& lab) {
    constexpr double kScale = 25;  // of L*a*b*
    const at::Tensor distance = (lab - lab.mean({1, 2}, true)).square().sum(-1).sqrt();
    return (distance / kScale).flatten(1).softmax(-1).view_as(distance);
  }

  /// Runs of letters, small.
  static std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words(1);
    for (const char c : text) {
      if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
        words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      } else if (!words.back().empty()) {
        words.emplace_back();
      }
    }
    if (words.back().empty()) {
      words.pop_back();
    }
    return words;
  }

  /// The number of the vector that a word is counted in, and with which weight.
  std::pair<int64_t, double> meaning_of(const std::string& word) const {
    for (int64_t i = 0; i < kColourCount; ++i) {
      if (word == kColours[i]) {
        return {i, 1};
      }
    }
    for (int64_t i = 0; i < kPatternCount; ++i) {
      if (word == kPatterns[i]) {
        return {kColourCount + i, options_.pattern};
      }
    }
    uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (const char c : word) {
      hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
    }
    return {kColourCount + kPatternCount + static_cast<int64_t>(hash % kOtherWords), kOtherWeight};
  }

  ColoursOptions options_;
  ImageSpec spec_;
  at::Tensor shades_;     ///< [22,3] in L*a*b*
  at::Tensor colour_of_;  ///< [22,11], 1 where a shade is one of a colour
};

}  // namespace

PATCHIONER_PLUGIN(backbone, colours, "1.0", "Colours and patterns, measured; no weights", Colours,
                  ColoursOptions)
