// The decoder {{name}}. As it was generated it writes nothing itself: of a list of captions it says the one
// whose vector is nearest to the feature. YOURS marks where your own model comes in.
#include <ATen/core/grad_mode.h>

#include <fstream>
#include <patchioner/plugin.hpp>

namespace {

using namespace patchioner;

// YOURS: what a config can say.
struct {{Name}}Options {
  std::string captions;
  int64_t dim = 128;
};

void declare(ParameterList<{{Name}}Options>& list) {
  using O = {{Name}}Options;
  list.add("captions", &O::captions, "file of the captions to choose from, one a line").path().required();
  list.add("dim", &O::dim, "width of the features, which is the backbone's").range(1, 65536);
}

/// The lines of a file, spaces and full stops stripped from both ends, as Caption::text wants it; none of
/// them empty.
std::vector<std::string> read_captions(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    throw Error(ErrorKind::io, "{}: the captions cannot be read", path);
  }
  std::vector<std::string> captions;
  for (std::string line; std::getline(file, line);) {
    constexpr const char* kEdge = " .\t\r";
    line.erase(0, std::min(line.find_first_not_of(kEdge), line.size()));
    line.erase(line.find_last_not_of(kEdge) + 1);
    if (!line.empty()) {
      captions.push_back(std::move(line));
    }
  }
  if (captions.empty()) {
    throw Error(ErrorKind::data, "{}: there is no caption in it; write one a line", path);
  }
  return captions;
}

at::Tensor unit_rows(const at::Tensor& rows) {
  constexpr double kLeast = 1e-12;  // a vector of zeros stays one
  return rows / rows.norm(2, -1, true).clamp_min(kLeast);
}

class {{Name}}Decoder : public Decoder {
 public:
  /// YOURS: load the weights, once and for all: the object does not change afterwards, and several threads
  /// use it. The context says on which device and, inside, in which precision to compute.
  {{Name}}Decoder(const {{Name}}Options& options, const PluginContext&)
      : captions_(read_captions(options.captions)), dim_(options.dim) {}

  int64_t dim() const override { return dim_; }

  /// YOURS: one caption a row of input.features [R,D]. A decoder with a model of its own has no need of
  /// input.backbone.
  std::vector<Caption> decode(const DecodeInput& input) const override {
    const at::NoGradGuard no_gradients;
    if (input.backbone == nullptr) {
      throw Error(ErrorKind::data, "{{name}} needs a backbone with a text side, for its captions");
    }
    // Encoded in every call. For a long list the vectors are worth keeping, by backbone->text_fingerprint().
    const at::Tensor vectors =
        unit_rows(input.backbone->encode_text(captions_)).to(input.features.device());       // [N,D]
    const auto [cosine, place] = at::matmul(unit_rows(input.features), vectors.t()).max(1);  // [R] and [R]
    std::vector<Caption> result(static_cast<size_t>(input.features.size(0)));
    for (size_t i = 0; i < result.size(); ++i) {
      const auto row = static_cast<int64_t>(i);
      Caption& caption = result[i];
      caption.text = caption.raw_text = captions_[static_cast<size_t>(place[row].item<int64_t>())];
      caption.score = cosine[row].item<double>();
      if (input.explain) {
        caption.evidence.push_back({"caption", caption.text, caption.score, /*used=*/true});
      }
    }
    return result;
  }

  // YOURS: a decoder that `patchioner train` can train has trainable(), training_ids(), loss(), parameters()
  // and save() as well.

 private:
  std::vector<std::string> captions_;
  int64_t dim_;
};

}  // namespace

PATCHIONER_PLUGIN(decoder, {{name}}, "0.1", "Says the nearest of a list of captions", {{Name}}Decoder,
                  {{Name}}Options)
