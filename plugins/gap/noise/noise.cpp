// Gaussian noise on text features while a decoder is trained, so that it learns to read what lies beside
// them: the other way to bridge the modality gap (CapDec, CLOSE; spec/01 section 5.3). At inference features
// are only brought to unit length.
#include <cmath>
#include <limits>
#include <patchioner/plugin.hpp>

#include "checkpoint/state_dict.hpp"
#include "nn/unit_length.hpp"

namespace patchioner {
namespace {

/// The standard deviation that CapDec-style training of the plain decoder uses (spec/01 section 5.3).
constexpr double kUsualStd = 0.08;

/// What CLOSE multiplies its draws of the covariance with, without a word about it (spec/04 section 10).
constexpr double kCovarianceFactor = 3;

constexpr double kNotGiven = std::numeric_limits<double>::quiet_NaN();

struct NoiseOptions {
  double std = kNotGiven;
  double variance = kNotGiven;
  std::string distribution = "gaussian";
  std::string offset;
  std::string offset_in = "training";
  std::string linear;
  std::string covariance;
  bool normalize_text = true;
  bool normalize_shifted = false;
  bool normalize_result = true;
  bool normalize_input = true;
};

void declare(ParameterList<NoiseOptions>& list) {
  list.add("std", &NoiseOptions::std,
           "standard deviation of the noise on each number of a unit vector; 0.08 when neither this nor "
           "variance is given")
      .range(0)
      .unset();
  list.add("variance", &NoiseOptions::variance,
           "its square, for those who think in variances; never together with std; 0 leaves features as they "
           "are")
      .range(0)
      .unset();
  list.add("distribution", &NoiseOptions::distribution,
           "gaussian, or uniform_ball: evenly in a ball whose radius is std")
      .choices({"gaussian", "uniform_ball"});
  list.add("offset", &NoiseOptions::offset,
           "file with what is added (CapDec, CLOSE): 'offset' [D], 'offset_to_add_in_training' and "
           "'..._inference', or one tensor of any name")
      .path();
  list.add("offset_in", &NoiseOptions::offset_in,
           "where it is added: to texts in training, or to features at inference")
      .choices({"training", "inference"});
  list.add("linear", &NoiseOptions::linear,
           "file with 'linear_coef' [D,D] and 'linear_bias' [D]: unit vectors x of texts become A x + b of "
           "unit "
           "length (CLOSE)")
      .path();
  list.add("covariance", &NoiseOptions::covariance,
           "file with 'covariance' [D,D], or one tensor of any name: three times a draw from it is added to "
           "texts "
           "in training, beside the noise (CLOSE)")
      .path();
  list.add(
      "normalize_text", &NoiseOptions::normalize_text,
      "in training: divide text features by their lengths before anything else; false: CapDec's dont_norm");
  list.add("normalize_shifted", &NoiseOptions::normalize_shifted,
           "in training: divide by the length behind the offset, before the noise (CLOSE)");
  list.add("normalize_result", &NoiseOptions::normalize_result,
           "in training: divide by the length behind the noise");
  list.add("normalize_input", &NoiseOptions::normalize_input,
           "at inference: divide each feature by its length, as the decoder saw it in training; false hands "
           "it on as it is");
}

double standard_deviation(const NoiseOptions& options) {
  const bool has_std = !std::isnan(options.std);
  const bool has_variance = !std::isnan(options.variance);
  if (has_std && has_variance) {
    throw Error(ErrorKind::config, "it takes 'std' or 'variance', not both; variance {} is std {:.6g}",
                options.variance, std::sqrt(options.variance));
  }
  return has_std ? options.std : has_variance ? std::sqrt(options.variance) : kUsualStd;
}

/// [D] float32, from [D] or [1,D].
at::Tensor vector_of(const StateDict& file, const std::string& name) {
  const at::Tensor tensor = file.tensor(name).to(at::kFloat);
  if (tensor.numel() == 0 || tensor.numel() != tensor.size(-1)) {
    throw Error(ErrorKind::data, "{}: '{}' must be one vector [D], but has {} axes and {} numbers",
                file.path().string(), name, tensor.dim(), tensor.numel());
  }
  return tensor.reshape({-1});
}

/// The offset of a file: 'offset', or as CapDec's exported centres have it for training and inference, or the
/// only tensor.
at::Tensor read_offset(const std::string& path, const std::string& offset_in) {
  const StateDict file = StateDict::open(path, /*root=*/"");
  const std::string exported = "offset_to_add_in_" + offset_in;
  const std::vector<std::string> names = file.names();
  const std::string usual = file.contains(exported) ? exported : "offset";
  return vector_of(file, file.contains(usual) || names.size() != 1 ? usual : names.front());
}

/// L of a covariance C = L L^T: [D,D].
at::Tensor read_covariance_root(const std::string& path) {
  const StateDict file = StateDict::open(path, /*root=*/"");
  const std::vector<std::string> names = file.names();
  const bool one_of_any_name = !file.contains("covariance") && names.size() == 1;
  const at::Tensor covariance = file.tensor(one_of_any_name ? names.front() : "covariance").to(at::kDouble);
  if (covariance.dim() != 2 || covariance.size(0) != covariance.size(1)) {
    throw Error(ErrorKind::data, "{}: 'covariance' must be a matrix [D,D]", path);
  }
  const auto [root, failure] = at::linalg_cholesky_ex(covariance);
  if (failure.item<int>() != 0 || !at::allclose(covariance, covariance.t())) {
    throw Error(
        ErrorKind::data,
        "{}: 'covariance' must be symmetric and positive definite, as that of more texts than dimensions "
        "is",
        path);
  }
  return root.to(at::kFloat);
}

class NoiseGap : public Gap {
 public:
  NoiseGap(const NoiseOptions& options, const PluginContext& context)
      : options_(options), std_(standard_deviation(options)), device_(context.device) {
    if (!options.offset.empty()) {
      offset_ = read_offset(options.offset, options.offset_in).to(context.device);
    }
    if (!options.linear.empty()) {
      const StateDict file = StateDict::open(options.linear, /*root=*/"");
      coefficients_ = file.tensor("linear_coef").to(context.device, at::kFloat);
      bias_ = vector_of(file, "linear_bias").to(context.device);
      if (coefficients_.dim() != 2 || coefficients_.size(0) != bias_.size(0) ||
          coefficients_.size(1) != bias_.size(0)) {
        throw Error(ErrorKind::data, "{}: 'linear_coef' must be [D,D], D being the {} of 'linear_bias'",
                    options.linear, bias_.size(0));
      }
    }
    if (!options.covariance.empty()) {
      covariance_root_ = read_covariance_root(options.covariance).to(context.device);
    }
    if (offset_.defined() && bias_.defined() && offset_.size(0) != bias_.size(0)) {
      throw Error(ErrorKind::data, "{}: the offset is {} wide, but the map of {} is {}", options.offset,
                  offset_.size(0), options.linear, bias_.size(0));
    }
    if (covariance_root_.defined() && dim() != covariance_root_.size(0)) {
      throw Error(ErrorKind::data, "{}: the covariance is {} wide, but the offset or map beside it is {}",
                  options.covariance, covariance_root_.size(0), dim());
    }
  }

  int64_t dim() const override {
    for (const at::Tensor& tensor : {offset_, bias_, covariance_root_}) {
      if (tensor.defined()) {
        return tensor.size(0);
      }
    }
    return 0;
  }

  at::Tensor to_text_space(const at::Tensor& features) const override {
    const at::Tensor given = features.to(device_);                                 // [R,D]
    const at::Tensor units = options_.normalize_input ? unit_rows(given) : given;  // [R,D]
    // Not brought to unit length again, as in the reference.
    const at::Tensor moved = offset_.defined() && options_.offset_in == "inference" ? units + offset_ : units;
    return moved.to(features.device());
  }

  at::Tensor perturb(const at::Tensor& text_features, RandomSource& random) const override {
    if (options_.variance == 0) {
      return text_features;  // without its offset too, as the reference (spec/04 R12)
    }
    const at::Tensor texts = text_features.to(device_);                 // [N,D]
    at::Tensor x = options_.normalize_text ? unit_rows(texts) : texts;  // [N,D]
    if (bias_.defined()) {
      x = unit_rows(at::linear(x, coefficients_, bias_));
    }
    if (offset_.defined() && options_.offset_in == "training") {
      x = x + offset_;
    }
    if (options_.normalize_shifted) {
      x = unit_rows(x);
    }
    if (covariance_root_.defined()) {
      x = x + at::linear(random.normal(x.sizes()).to(x.device()), covariance_root_) * kCovarianceFactor;
    }
    x = x + noise(x, random);
    return (options_.normalize_result ? unit_rows(x) : x).to(text_features.device());
  }

 private:
  /// [N,D]
  at::Tensor noise(const at::Tensor& x, RandomSource& random) const {
    const at::Tensor normal = random.normal(x.sizes()).to(x.device());
    if (options_.distribution == "gaussian") {
      return normal * std_;
    }
    const at::Tensor uniform = random.uniform({x.size(0), 1}).to(x.device());
    return unit_rows(normal) * (uniform.pow(1.0 / static_cast<double>(x.size(1))) * std_);
  }

  NoiseOptions options_;
  double std_;
  at::Device device_;               // of the tensors below; features are moved there, and the result back
  at::Tensor offset_;               // [D], or undefined
  at::Tensor coefficients_, bias_;  // [D,D] and [D], or undefined
  at::Tensor covariance_root_;      // [D,D], or undefined
};

}  // namespace

PATCHIONER_PLUGIN(gap, noise, "1.0", "Trains decoders on noisy text features; hands features on at inference",
                  NoiseGap, NoiseOptions)

}  // namespace patchioner
