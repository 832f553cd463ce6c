// A decoder that is not trained: the caption of a region is the phrase of a list whose text vector is
// nearest. With it any backbone with a text side captions at once, as in zero-shot classification.
#include <fstream>
#include <mutex>
#include <patchioner/plugin.hpp>

namespace {

using namespace patchioner;

struct PhrasesOptions {
  std::string phrases;
  int64_t dim = 0;
  int64_t alternatives = 0;
};

void declare(ParameterList<PhrasesOptions>& list) {
  list.add("phrases", &PhrasesOptions::phrases,
           "text file, a phrase a line; empty lines and those that begin with # are left out")
      .path()
      .required();
  list.add("dim", &PhrasesOptions::dim, "width of the backbone's vectors").range(1).required();
  list.add("alternatives", &PhrasesOptions::alternatives,
           "how many of the next best phrases are told as well")
      .range(0);
}

std::string stripped(const std::string& line) {
  const char* edges = " .\t\r";  // as Caption::text wants it
  const size_t begin = line.find_first_not_of(edges);
  return begin == std::string::npos ? "" : line.substr(begin, line.find_last_not_of(edges) - begin + 1);
}

std::vector<std::string> read_phrases(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    throw Error(ErrorKind::io, "{}: the list of phrases cannot be opened", path);
  }
  std::vector<std::string> phrases;
  for (std::string line; std::getline(file, line);) {
    if (const std::string phrase = stripped(line); !phrase.empty() && phrase.front() != '#') {
      phrases.push_back(phrase);
    }
  }
  if (phrases.empty()) {
    throw Error(ErrorKind::data, "{}: there is no phrase in it; write one a line", path);
  }
  return phrases;
}

/// [N,D] of unit length; rows of zeros stay what they are.
at::Tensor unit_rows(const at::Tensor& rows) {
  return rows / rows.norm(2, -1, true).clamp_min(1e-12);
}

class Phrases : public Decoder {
 public:
  Phrases(const PhrasesOptions& options, const PluginContext&)
      : options_(options), phrases_(read_phrases(options.phrases)) {}

  int64_t dim() const override { return options_.dim; }

  std::vector<Caption> decode(const DecodeInput& input) const override {
    const at::NoGradGuard no_gradients;
    const at::Tensor vectors = vectors_by(input.backbone);               // [N,D]
    const at::Tensor features = unit_rows(input.features.to(at::kCPU));  // [R,D]
    const int64_t count = std::min<int64_t>(vectors.size(0), options_.alternatives + 1);
    const auto [scores, places] = features.matmul(vectors.t()).topk(count, -1);  // [R,count]
    std::vector<Caption> captions(static_cast<size_t>(features.size(0)));
    for (size_t region = 0; region < captions.size(); ++region) {
      for (int64_t rank = 0; rank < count; ++rank) {
        const auto row = static_cast<int64_t>(region);
        const std::string& phrase = phrases_[static_cast<size_t>(places[row][rank].item<int64_t>())];
        add(captions[region], phrase, scores[row][rank].item<double>(), rank, input.explain);
      }
    }
    return captions;
  }

 private:
  static void add(Caption& caption, const std::string& phrase, double score, int64_t rank, bool explain) {
    if (rank == 0) {
      caption.text = caption.raw_text = phrase;
      caption.score = score;
    } else {
      caption.alternatives.push_back({phrase, phrase, score});
    }
    if (explain) {
      caption.evidence.push_back({"phrase", phrase, score, rank == 0});
    }
  }

  /// The phrases by the text side of a backbone, [N,D] of unit length. They are kept, since encoding them may
  /// take longer than all else: the one thing here that changes after the constructor, and so under a lock.
  /// For a backbone without a fingerprint they are not, since nothing tells it from another one.
  at::Tensor vectors_by(const Backbone* backbone) const {
    if (backbone == nullptr || !backbone->capabilities().text || backbone->dim() != options_.dim) {
      throw Error(ErrorKind::config,
                  "the decoder 'phrases' needs a backbone that encodes texts to {} numbers; {}", options_.dim,
                  backbone == nullptr ? "there is none" : fmt::format("this one has {}", backbone->dim()));
    }
    const std::lock_guard lock(mutex_);
    const std::string fingerprint = backbone->text_fingerprint();
    if (!vectors_.defined() || fingerprint.empty() || fingerprint != fingerprint_) {
      vectors_ = unit_rows(backbone->encode_text(phrases_).to(at::kCPU));
      fingerprint_ = fingerprint;
    }
    return vectors_;
  }

  PhrasesOptions options_;
  std::vector<std::string> phrases_;
  mutable std::mutex mutex_;
  mutable at::Tensor vectors_;
  mutable std::string fingerprint_;  ///< of the backbone that made them
};

}  // namespace

PATCHIONER_PLUGIN(decoder, phrases, "1.0", "The nearest phrase of a list; not trained", Phrases,
                  PhrasesOptions)
