#include "nn/nucleus_search.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <patchioner/error.hpp>

#include "nn/gpt2_branches.hpp"
#include "support/split_mix.hpp"

namespace patchioner {
namespace {

/// Samples of a row that are written side by side. Each looks over the places of all of them.
constexpr int64_t kSamplesAtOnce = 16;

/// An id and its probability.
struct PossibleId {
  int64_t id;
  double probability;
};

/// An id that was drawn, with its log-probability.
struct DrawnId {
  int64_t id;
  float log_probability;
};

bool comes_before(const PossibleId& left, const PossibleId& right) {
  return left.probability != right.probability ? left.probability > right.probability : left.id < right.id;
}

/// The place among the first `count` ids, once they are in order, of the one with which their sum reaches
/// `mass`; the last one when none does. Brings the ids before it to the front, without sorting them: flat
/// distributions have tens of thousands.
size_t place_of(std::vector<PossibleId>& ids, size_t count, double mass) {
  size_t begin = 0, end = count;
  double before = 0;  // the sum of the ids in front of `begin`
  while (end - begin > 1) {
    const size_t middle = begin + (end - begin) / 2;
    const auto at = [&](size_t place) { return ids.begin() + static_cast<std::ptrdiff_t>(place); };
    std::nth_element(at(begin), at(middle), at(end), comes_before);
    double front = 0;
    for (size_t place = begin; place < middle; ++place) {
      front += ids[place].probability;
    }
    if (before + front >= mass) {
      end = middle;
    } else {
      before += front;
      begin = middle;
    }
  }
  return begin;
}

/// Draws among the most probable ids of a row of log-probabilities, as few as reach `top_p` together.
DrawnId draw(const float* log_probabilities, int64_t vocabulary, double top_p, double number) {
  // All ids below this together cannot have what top_p leaves; half of it, so that rounding does no harm.
  const double least = 0.5 * (1 - top_p) / static_cast<double>(vocabulary);
  const double least_logarithm = least > 0 ? std::log(least) : -std::numeric_limits<double>::infinity();
  std::vector<PossibleId> ids;
  for (int64_t id = 0; id < vocabulary; ++id) {
    if (log_probabilities[id] >= least_logarithm) {
      const double probability = std::exp(static_cast<double>(log_probabilities[id]));
      if (probability > 0) {
        ids.push_back({id, probability});
      }
    }
  }
  if (ids.empty()) {
    return {0, -std::numeric_limits<float>::infinity()};
  }
  const size_t count = place_of(ids, ids.size(), top_p) + 1;
  double sum = 0;
  for (size_t place = 0; place < count; ++place) {
    sum += ids[place].probability;
  }
  const int64_t drawn = ids[place_of(ids, count, number * sum)].id;
  return {drawn, log_probabilities[drawn]};
}

/// A text that is being written.
struct Sample {
  std::vector<int64_t> ids;
  std::vector<float> log_probabilities;
  int64_t number;  // among the samples of its row
};

/// The samples `first` to `first + count` of a few rows, appended to the texts of each.
void search_rows(const Gpt2& model, const PromptBatch& prompts, const NucleusSearchOptions& options,
                 int64_t first, int64_t count, std::vector<FoundText>* texts) {
  Gpt2Cache cache(model, prompts.rows(), prompts.length());
  if (prompts.padding.defined()) {
    cache.set_left_padding(prompts.padding);
  }
  at::Tensor hidden = model.run(prompts.embeddings, cache).select(1, -1);  // [N,E]
  Gpt2Branches branches(std::move(cache));
  std::vector<Sample> samples;   // row by row
  std::vector<size_t> running;   // samples that go on
  std::vector<int64_t> sources;  // where the logits of each of them stand
  for (int64_t row = 0; row < prompts.rows(); ++row) {
    for (int64_t number = first; number < first + count; ++number) {
      running.push_back(samples.size());
      sources.push_back(row);
      samples.push_back({{}, {}, number});
    }
  }
  for (int64_t step = 0; step < options.steps; ++step) {
    const at::Tensor log_probabilities =
        at::log_softmax(model.logits(hidden) / options.temperature, 1).to(at::kCPU).contiguous();  // [B,V]
    const int64_t vocabulary = log_probabilities.size(1);
    at::parallel_for(0, static_cast<int64_t>(running.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        Sample& sample = samples[running[static_cast<size_t>(i)]];
        const DrawnId drawn =
            draw(log_probabilities.const_data_ptr<float>() + sources[static_cast<size_t>(i)] * vocabulary,
                 vocabulary, options.top_p, nucleus_draw(options.seed, sample.number, step));
        sample.ids.push_back(drawn.id);
        sample.log_probabilities.push_back(drawn.log_probability);
      }
    });
    std::vector<size_t> going_on;
    std::vector<int64_t> parents, ids;
    for (size_t i = 0; i < running.size(); ++i) {
      const int64_t id = samples[running[i]].ids.back();
      if (std::find(options.end_ids.begin(), options.end_ids.end(), id) == options.end_ids.end()) {
        going_on.push_back(running[i]);
        parents.push_back(sources[i]);
        ids.push_back(id);
      }
    }
    if (step + 1 == options.steps || going_on.empty()) {
      break;
    }
    branches.follow(parents);
    hidden = model.run(model.embed(at::tensor(ids, at::kLong).to(hidden.device())), branches);  // [B,E]
    running = std::move(going_on);
    sources.resize(running.size());
    std::iota(sources.begin(), sources.end(), 0);
  }
  for (size_t i = 0; i < samples.size(); ++i) {
    Sample& sample = samples[i];
    double score = 0;
    for (const float value : sample.log_probabilities) {
      score += value / static_cast<double>(sample.ids.size());
    }
    texts[i / static_cast<size_t>(count)].push_back(
        {std::move(sample.ids), std::move(sample.log_probabilities), score});
  }
}

void check(const NucleusSearchOptions& options) {
  if (options.samples < 1 || options.steps < 1) {
    throw Error(ErrorKind::config, "{} samples of {} steps were asked for; both must be at least 1",
                options.samples, options.steps);
  }
  if (!(options.top_p > 0 && options.top_p <= 1)) {
    throw Error(ErrorKind::config, "top_p of nucleus sampling is {}, but must be above 0 and at most 1",
                options.top_p);
  }
  if (!(options.temperature > 0)) {
    throw Error(ErrorKind::config, "the temperature of nucleus sampling is {}, but must be above 0",
                options.temperature);
  }
}

}  // namespace

double nucleus_draw(int64_t seed, int64_t sample, int64_t step) {
  uint64_t bits = static_cast<uint64_t>(seed);
  for (const int64_t part : {sample, step}) {
    bits = split_mix(bits + kSplitMixStep) + static_cast<uint64_t>(part);
  }
  return static_cast<double>(split_mix(bits + kSplitMixStep) >> 11) * 0x1p-53;
}

std::vector<std::vector<FoundText>> nucleus_search(const Gpt2& model, const PromptBatch& prompts,
                                                   const NucleusSearchOptions& options) {
  check(options);
  model.check_length(prompts.length() + options.steps - 1);
  std::vector<std::vector<FoundText>> results(static_cast<size_t>(prompts.rows()));
  const int64_t samples_at_once = std::min(options.samples, kSamplesAtOnce);
  const int64_t rows_at_once = std::max<int64_t>(1, options.texts_at_once / samples_at_once);
  for (int64_t row = 0; row < prompts.rows(); row += rows_at_once) {
    const PromptBatch part = prompts.part(row, std::min(rows_at_once, prompts.rows() - row));
    for (int64_t first = 0; first < options.samples; first += samples_at_once) {
      search_rows(model, part, options, first, std::min(samples_at_once, options.samples - first),
                  results.data() + row);
    }
  }
  for (std::vector<FoundText>& texts : results) {
    std::stable_sort(texts.begin(), texts.end(),
                     [](const FoundText& left, const FoundText& right) { return left.score > right.score; });
  }
  return results;
}

}  // namespace patchioner
