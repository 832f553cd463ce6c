#include "plain.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <fmt/ranges.h>

#include <cmath>
#include <patchioner/error.hpp>
#include <patchioner/log.hpp>

#include "checkpoint/checkpoint_family.hpp"
#include "checkpoint/state_dict.hpp"
#include "decoder_config.hpp"
#include "nn/search.hpp"
#include "text/caption_text.hpp"

namespace patchioner {

namespace {

void take_if_given(int64_t given, int64_t& value) {
  if (given > 0) {
    value = given;
  }
}

void take_if_given(double given, double& value) {
  if (given >= 0) {
    value = given;
  }
}

/// The sizes as far as options and the config file say them, 0 where they do not; and the fingerprint that
/// the file records.
Gpt2Config configured(const PlainOptions& options, std::string& text_fingerprint) {
  Gpt2Config config;
  for (int64_t Gpt2Config::*size : {&Gpt2Config::vocab_size, &Gpt2Config::n_positions, &Gpt2Config::n_embd,
                                    &Gpt2Config::n_layer, &Gpt2Config::n_head, &Gpt2Config::n_inner}) {
    config.*size = 0;
  }
  std::filesystem::path file = options.config;
  if (file.empty() && !options.weights.empty()) {
    file = find_decoder_config(options.weights);
  }
  if (!file.empty()) {
    read_decoder_config(file, config, text_fingerprint);
  }
  take_if_given(options.vocab_size, config.vocab_size);
  take_if_given(options.n_positions, config.n_positions);
  take_if_given(options.n_embd, config.n_embd);
  take_if_given(options.n_layer, config.n_layer);
  take_if_given(options.n_head, config.n_head);
  take_if_given(options.n_inner, config.n_inner);
  take_if_given(options.resid_pdrop, config.resid_pdrop);
  take_if_given(options.embd_pdrop, config.embd_pdrop);
  take_if_given(options.attn_pdrop, config.attn_pdrop);
  return config;
}

/// What neither options, nor config file, nor weights said is as in the reference.
void complete(Gpt2Config& config) {
  const Gpt2Config reference;
  for (int64_t Gpt2Config::*size : {&Gpt2Config::vocab_size, &Gpt2Config::n_positions, &Gpt2Config::n_embd,
                                    &Gpt2Config::n_layer, &Gpt2Config::n_head}) {
    if (config.*size == 0) {
      config.*size = reference.*size;
    }
  }
}

}  // namespace

PlainDecoder::PlainDecoder(const PlainOptions& options, const PluginContext& context)
    : options_(options), context_(context) {
  if (!options.vocabulary.empty()) {
    tokenizer_ = ClipTokenizer::open(options.vocabulary);
  }
  if (options.weights.empty()) {
    std::string none;  // a fresh model was trained with no text side
    initialise(options, configured(options, none));
  } else {
    load(options, configured(options, text_fingerprint_));
  }
  if (tokenizer_ != nullptr && tokenizer_->size() > weights_.config.vocab_size) {
    throw Error(ErrorKind::config,
                "the vocabulary {} has {} ids, but the decoder's vocab_size is {}: it is not the one that "
                "the decoder was trained with",
                options.vocabulary, tokenizer_->size(), weights_.config.vocab_size);
  }
  weights_.move_to(context.device);
  prefix_weight_ = prefix_weight_.to(context.device);
  prefix_bias_ = prefix_bias_.to(context.device);
  if (options.max_length > weights_.config.n_positions) {
    throw Error(ErrorKind::config, "max_length is {}, but the decoder has {} positions (n_positions)",
                options.max_length, weights_.config.n_positions);
  }
}

void PlainDecoder::load(const PlainOptions& options, Gpt2Config config) {
  const StateDict state_dict = StateDict::open(options.weights);
  require_family(state_dict, {CheckpointFamily::plain_decoder},
                 "`weights` must be a DeCap decoder: a GPT-2 (decoder.*) behind clip_project");
  infer_gpt2_sizes(state_dict, kDecoderPrefix, config);
  complete(config);
  config.check("decoder");
  const int64_t width = options.prefix_size > 0 ? options.prefix_size : -1;
  TensorLoader loader(state_dict, "plain decoder");
  prefix_weight_ = loader.get(kPrefixWeight, {config.n_embd, width});
  prefix_bias_ = loader.get(kPrefixBias, {config.n_embd});
  weights_ = load_gpt2(loader, kDecoderPrefix, config);
  loader.finish();
  if (state_dict.contains_prefix(fmt::format("{}transformer.h.{}.", kDecoderPrefix, config.n_layer))) {
    throw Error(ErrorKind::checkpoint, "{}: the weights have more than the {} blocks that n_layer says",
                options.weights, config.n_layer);
  }
}

void PlainDecoder::initialise(const PlainOptions& options, Gpt2Config config) {
  complete(config);
  if (options.prefix_size == 0) {
    throw Error(ErrorKind::config,
                "it has no weights; give 'weights', or 'prefix_size' for a fresh one to be trained");
  }
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  weights_ = initialise_gpt2(config, generator);
  // A linear layer's default: both uniform in +-1/sqrt(inputs).
  const double bound = 1.0 / std::sqrt(static_cast<double>(options.prefix_size));
  prefix_weight_ =
      at::empty({config.n_embd, options.prefix_size}, at::kFloat).uniform_(-bound, bound, generator);
  prefix_bias_ = at::empty({config.n_embd}, at::kFloat).uniform_(-bound, bound, generator);
  untrained_ = true;
}

std::shared_ptr<const PlainDecoder::Packed> PlainDecoder::packed() const {
  const std::lock_guard lock(packed_mutex_);
  if (packed_ == nullptr) {
    packed_ = std::make_shared<const Packed>(
        Packed{Linear(prefix_weight_.detach().clone(), prefix_bias_.detach().clone()),
               Gpt2(weights_, context_.precision)});
  }
  return packed_;
}

void PlainDecoder::check_features(const at::Tensor& features) const {
  if (!features.defined() || features.dim() != 2 || features.size(1) != dim()) {
    throw Error(ErrorKind::data, "the plain decoder reads features of width {}, but was given [{}]", dim(),
                features.defined() ? fmt::format("{}", fmt::join(features.sizes(), ",")) : "nothing");
  }
}

std::vector<Caption> PlainDecoder::decode(const DecodeInput& input) const {
  check_features(input.features);
  if (untrained_) {
    warn_once(
        "the plain decoder has no weights: its captions are random words; give 'weights', or train it first");
  }
  const c10::NoGradGuard no_gradients;
  const std::shared_ptr<const Packed> packed = this->packed();
  GreedySearchOptions search;
  search.steps = options_.max_length;
  if (tokenizer_ != nullptr) {
    search.allowed_ids = tokenizer_->size();
    if (options_.score_until_end && !input.explain) {
      search.end_ids = {tokenizer_->end_id()};
    }
  }
  const at::Tensor prefix =
      packed->prefix.forward(input.features.to(context_.device, at::kFloat)).unsqueeze(1);  // [R,1,E]
  const GreedySearchResult found = greedy_search(packed->model, prefix, search);
  const at::Tensor ids = found.ids.to(at::kCPU).contiguous();                              // [R,T]
  const at::Tensor log_probabilities = found.log_probabilities.to(at::kCPU).contiguous();  // [R,T]
  std::vector<Caption> captions;
  captions.reserve(static_cast<size_t>(ids.size(0)));
  for (int64_t row = 0; row < ids.size(0); ++row) {
    const int64_t* first = ids.const_data_ptr<int64_t>() + row * ids.size(1);
    const auto length = static_cast<size_t>(std::find(first, first + ids.size(1), -1) - first);
    const float* scores = log_probabilities.const_data_ptr<float>() + row * ids.size(1);
    captions.push_back(caption_of({first, length}, {scores, length}, input.explain));
  }
  return captions;
}

Caption PlainDecoder::caption_of(std::span<const int64_t> ids, std::span<const float> log_probabilities,
                                 bool explain) const {
  Caption caption;
  caption.token_ids.assign(ids.begin(), ids.end());
  size_t scored = ids.size();
  if (tokenizer_ != nullptr) {
    const auto end = std::find(ids.begin(), ids.end(), tokenizer_->end_id());
    std::vector<int64_t> words;
    std::copy_if(ids.begin(), end, std::back_inserter(words),
                 [&](int64_t id) { return id != tokenizer_->start_id(); });
    caption.raw_text = tokenizer_->decode(words);
    caption.text = strip_caption(caption.raw_text);
    if (options_.score_until_end && end != ids.end()) {
      scored = static_cast<size_t>(end - ids.begin()) + 1;
    }
  }
  double sum = 0;
  for (const float value : log_probabilities.first(scored)) {
    sum += value;
  }
  caption.score = std::exp(sum);
  if (explain) {
    caption.log_probabilities.assign(log_probabilities.begin(), log_probabilities.end());
    if (tokenizer_ != nullptr) {
      for (const int64_t id : ids) {
        caption.tokens.push_back(tokenizer_->token_text(id));
      }
    }
  }
  return caption;
}

}  // namespace patchioner

PATCHIONER_PLUGIN(decoder, plain, "1.0", "DeCap: a linear map and a small GPT-2, greedy",
                  patchioner::PlainDecoder, patchioner::PlainOptions)
