// Keys and values of texts that are tried side by side behind the same prompts.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "nn/gpt2.hpp"

namespace patchioner {

/// Branches of N rows: the texts of one row share its prompt and whatever else they have in common. The keys
/// and values of a row are kept once, and each branch knows which of its row's places it came through, so
/// that nothing is copied when branches fork and end; the places that no branch needs any more are cleared
/// away from time to time. Belongs to one search.
class Gpt2Branches {
 public:
  /// One branch a row, at the end of the prompts that `start` was run over.
  explicit Gpt2Branches(Gpt2Cache start);

  /// The branches that go on: branch i continues what was branch `parents[i]`, which may be named several
  /// times (forks) or not at all (ends). What rows without a branch hold is dropped with the next clearing.
  void follow(const std::vector<int64_t>& parents);

  int64_t size() const { return static_cast<int64_t>(branches_.size()); }
  int64_t length() const { return length_; }  ///< positions of every branch, padding included

 private:
  friend class Gpt2;
  struct Branch {
    int64_t row;                  // of the store
    std::vector<int64_t> places;  // behind the prompt, in order
  };
  /// Branches in a grid [R,K] of rows and their branches, in which they attend.
  struct Grid {
    int64_t width = 0;            // K, the most branches that a row has
    std::vector<int64_t> cell;    // of each branch
    std::vector<int64_t> branch;  // of each cell; in empty ones another of the row, in empty rows the first
    bool is_identity = false;     // cell i holds branch i
  };
  Grid grid() const;
  /// Room for a new place of each column of the grid; clears away what is not needed when there is none.
  void make_room(int64_t places);
  /// Which places each cell of the grid sees, its own new one included: [R,1,K,places], on the device.
  at::Tensor seen(const Grid& grid) const;
  /// Takes the new places, which have been filled.
  void advance(const Grid& grid);
  at::Tensor on_device(const std::vector<int64_t>& values) const;

  std::vector<at::Tensor> keys_, values_;  // of each layer, [R,capacity,E]
  std::vector<Branch> branches_;
  std::vector<int64_t> padding_;  // of each row of the store; empty without any
  int64_t rows_ = 0;
  int64_t prompt_ = 0;    // places of the prompts, always the first ones
  int64_t used_ = 0;      // places in use
  int64_t capacity_ = 0;  // places
  int64_t length_ = 0;
};

}  // namespace patchioner
