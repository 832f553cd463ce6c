// Items of two runs side by side: which belong together, and which of them changed most.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "evaluation/dataset_captions.hpp"
#include "results/run_scores.hpp"

namespace patchioner {

/// "12.3" as numbers. Throws an Error of kind data for any other text.
RegionPlace region_place(const std::string& place);

/// One place with its item of each run. The items belong to whoever gave them.
struct ItemPair {
  const ScoredItem* a = nullptr;
  const ScoredItem* b = nullptr;
};

struct PairedItems {
  std::vector<ItemPair> pairs;  ///< in the order of a's items
  size_t only_a = 0;            ///< items whose place the other run left out
  size_t only_b = 0;
};

/// Pairs items by their place. Throws an Error of kind data when a place is twice in one run, and of kind
/// usage when no place is in both, or when the same place has another image or other references: then these
/// are runs of different data.
PairedItems pair_items(std::span<const ScoredItem> a, std::span<const ScoredItem> b);

/// The metric that orders items: `wanted` or, when it is empty, the first of CIDEr, METEOR, ROUGE_L, Bleu_4,
/// box_METEOR ... that a pair has on both sides; "METEOR" finds "METEOR(no-paraphrase)". Empty when no pair
/// has any value. Throws an Error of kind usage, with those that there are, when `wanted` is not had.
std::string ordering_metric(std::span<const ItemPair> pairs, const std::string& wanted);

/// One run's values of a metric, parallel to the pairs; NaN where an item has none.
std::vector<double> values_of(std::span<const ItemPair> pairs, const std::string& metric,
                              const ScoredItem* ItemPair::*side);

/// b's value less a's.
struct ItemChange {
  size_t pair = 0;
  double difference = 0;
};

/// The `count` pairs that gained most (b above a), the largest gain first; equal ones in the order of the
/// pairs. What did not change or fell is none of them.
std::vector<ItemChange> most_gained(std::span<const ItemPair> pairs, const std::string& metric, size_t count);
/// The same of what lost most.
std::vector<ItemChange> most_lost(std::span<const ItemPair> pairs, const std::string& metric, size_t count);

/// `count` numbers below `size`, each at most once, in ascending order; they follow from the seed.
std::vector<size_t> drawn(size_t size, size_t count, uint64_t seed);

}  // namespace patchioner
