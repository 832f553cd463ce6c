#include "nn/beam_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <patchioner/error.hpp>
#include <span>

#include "nn/gpt2_branches.hpp"

namespace patchioner {
namespace {

/// A text that is being written.
struct Beam {
  std::vector<int64_t> ids;
  std::vector<float> log_probabilities;
  float sum = 0;
  bool ended = false;
  size_t branch = 0;  // of a text that goes on

  float score() const { return sum / static_cast<float>(ids.size()); }
};

/// An id that may come next, with its log-probability.
struct NextId {
  int64_t id;
  float log_probability;
};

/// What a row's texts may become.
struct Candidate {
  size_t beam;
  const NextId* next;  // nothing for a text that has ended
  float score;
};

/// The `count` most probable ids of each row of logits [N,V], the best one first, of equal ones the lower id.
std::vector<std::vector<NextId>> most_probable(const at::Tensor& logits, int64_t count) {
  const int64_t vocabulary = logits.size(1);
  const int64_t wanted = std::min(count, vocabulary);
  // One more than wanted shows whether the choice among equal logits was left to chance.
  const int64_t taken = std::min(wanted + 1, vocabulary);
  const auto [top, top_ids] = logits.topk(taken, 1);  // [N,taken]
  const at::Tensor values = top.to(at::kCPU).contiguous();
  const at::Tensor ids = top_ids.to(at::kCPU).contiguous();
  const at::Tensor totals = at::logsumexp(logits, 1).to(at::kCPU).contiguous();  // [N]
  const auto unordered = [](const NextId& left, const NextId& right) {
    return left.log_probability != right.log_probability ? left.log_probability > right.log_probability
                                                         : left.id < right.id;
  };
  std::vector<std::vector<NextId>> result(static_cast<size_t>(logits.size(0)));
  for (int64_t row = 0; row < logits.size(0); ++row) {
    const float* value = values.const_data_ptr<float>() + row * taken;
    const int64_t* id = ids.const_data_ptr<int64_t>() + row * taken;
    const float total = totals.const_data_ptr<float>()[row];
    at::Tensor sorted_values, sorted_ids;
    if (taken > wanted && value[wanted] == value[wanted - 1]) {
      std::tie(sorted_values, sorted_ids) = logits[row].to(at::kCPU).sort(/*stable=*/true, 0, true);
      value = sorted_values.const_data_ptr<float>();
      id = sorted_ids.const_data_ptr<int64_t>();
    }
    std::vector<NextId>& best = result[static_cast<size_t>(row)];
    for (int64_t place = 0; place < wanted; ++place) {
      const float log_probability = value[place] - total;
      // A text without a probability goes last, so that there is an order at all.
      best.push_back({id[place], std::isnan(log_probability) ? -std::numeric_limits<float>::infinity()
                                                             : log_probability});
    }
    std::sort(best.begin(), best.end(), unordered);
  }
  return result;
}

/// The best `width` of what a row's texts may become.
std::vector<Beam> advance(const std::vector<Beam>& beams, const std::vector<std::vector<NextId>>& next,
                          const BeamSearchOptions& options) {
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < beams.size(); ++i) {
    const Beam& beam = beams[i];
    if (beam.ended) {
      candidates.push_back({i, nullptr, beam.score()});
      continue;
    }
    for (const NextId& one : next[beam.branch]) {
      candidates.push_back(
          {i, &one, (beam.sum + one.log_probability) / static_cast<float>(beam.ids.size() + 1)});
    }
  }
  const size_t kept = std::min(candidates.size(), static_cast<size_t>(options.width));
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& left, const Candidate& right) { return left.score > right.score; });
  std::vector<Beam> result;
  for (const Candidate& candidate : std::span(candidates).first(kept)) {
    Beam beam = beams[candidate.beam];
    if (candidate.next != nullptr) {
      beam.ids.push_back(candidate.next->id);
      beam.log_probabilities.push_back(candidate.next->log_probability);
      beam.ended = std::find(options.end_ids.begin(), options.end_ids.end(), candidate.next->id) !=
                   options.end_ids.end();
    }
    // As the reference, which keeps the mean and multiplies it again.
    beam.sum = candidate.score * static_cast<float>(beam.ids.size());
    result.push_back(std::move(beam));
  }
  return result;
}

std::vector<FoundText> found_texts(std::vector<Beam> beams) {
  std::stable_sort(beams.begin(), beams.end(),
                   [](const Beam& left, const Beam& right) { return left.score() > right.score(); });
  std::vector<FoundText> texts;
  for (Beam& beam : beams) {
    const double score = beam.score();
    texts.push_back({std::move(beam.ids), std::move(beam.log_probabilities), score});
  }
  return texts;
}

/// The search of a few rows, appended to `results`.
void search_rows(const Gpt2& model, const PromptBatch& prompts, const BeamSearchOptions& options,
                 std::vector<std::vector<FoundText>>& results) {
  model.check_length(prompts.length() + options.steps - 1);
  Gpt2Cache cache(model, prompts.rows(), prompts.length());
  if (prompts.padding.defined()) {
    cache.set_left_padding(prompts.padding);
  }
  at::Tensor hidden = model.run(prompts.embeddings, cache).select(1, -1);  // [N,E]
  Gpt2Branches branches(std::move(cache));
  const double temperature = options.temperature > 0 ? options.temperature : 1.0;
  std::vector<std::vector<Beam>> rows(static_cast<size_t>(prompts.rows()));
  for (size_t row = 0; row < rows.size(); ++row) {
    rows[row].resize(1);
    rows[row].front().branch = row;
  }
  for (int64_t step = 0; step < options.steps; ++step) {
    at::Tensor logits = model.logits(hidden);  // [B,V]
    if (temperature != 1.0) {
      logits = logits / temperature;
    }
    const std::vector<std::vector<NextId>> next = most_probable(logits, options.width);
    std::vector<int64_t> parents, ids;  // of the texts that go on
    for (std::vector<Beam>& beams : rows) {
      if (std::all_of(beams.begin(), beams.end(), [](const Beam& beam) { return beam.ended; })) {
        continue;
      }
      beams = advance(beams, next, options);
      for (Beam& beam : beams) {
        if (!beam.ended) {
          parents.push_back(static_cast<int64_t>(beam.branch));
          ids.push_back(beam.ids.back());
          beam.branch = parents.size() - 1;
        }
      }
    }
    if (step + 1 == options.steps || parents.empty()) {
      break;
    }
    branches.follow(parents);
    hidden = model.run(model.embed(at::tensor(ids, at::kLong).to(hidden.device())), branches);  // [B,E]
  }
  for (std::vector<Beam>& beams : rows) {
    results.push_back(found_texts(std::move(beams)));
  }
}

}  // namespace

std::vector<std::vector<FoundText>> beam_search(const Gpt2& model, const PromptBatch& prompts,
                                                const BeamSearchOptions& options) {
  if (options.width < 1 || options.steps < 1) {
    throw Error(ErrorKind::config,
                "a beam search of width {} and {} steps was asked for; both must be at least 1",
                options.width, options.steps);
  }
  const int64_t at_once = std::max<int64_t>(1, options.beams_at_once / options.width);
  std::vector<std::vector<FoundText>> results;
  results.reserve(static_cast<size_t>(prompts.rows()));
  for (int64_t start = 0; start < prompts.rows(); start += at_once) {
    search_rows(model, prompts.part(start, std::min(at_once, prompts.rows() - start)), options, results);
  }
  return results;
}

}  // namespace patchioner
