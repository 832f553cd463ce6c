#include "nn/gpt2_branches.hpp"

#include <algorithm>

namespace patchioner {
namespace {

/// Steps between two clearings. Each step reads all places anyway, so that copying the live ones at every
/// eighth hardly counts.
constexpr int64_t kStepsAtOnce = 8;

}  // namespace

Gpt2Branches::Gpt2Branches(Gpt2Cache start)
    : rows_(start.rows_),
      prompt_(start.length_),
      used_(start.length_),
      capacity_(start.length_),
      length_(start.length_) {
  // From [N,heads,capacity,head width] to places that lie together.
  const auto by_place = [&](const at::Tensor& tensor) {
    return tensor.narrow(2, 0, prompt_).transpose(1, 2).reshape({rows_, prompt_, -1});  // [N,P,E]
  };
  for (Gpt2Cache::Layer& layer : start.layers_) {
    keys_.push_back(by_place(layer.keys));
    values_.push_back(by_place(layer.values));
    layer = {};
  }
  if (start.padding_.defined()) {
    const at::Tensor padding = start.padding_.to(at::kCPU).contiguous();
    padding_.assign(padding.const_data_ptr<int64_t>(), padding.const_data_ptr<int64_t>() + rows_);
  }
  for (int64_t row = 0; row < rows_; ++row) {
    branches_.push_back({row, {}});
  }
}

void Gpt2Branches::follow(const std::vector<int64_t>& parents) {
  std::vector<Branch> branches;
  for (const int64_t parent : parents) {
    branches.push_back(branches_.at(static_cast<size_t>(parent)));
  }
  branches_ = std::move(branches);
}

at::Tensor Gpt2Branches::on_device(const std::vector<int64_t>& values) const {
  return at::tensor(values, at::kLong).to(keys_.front().device());
}

Gpt2Branches::Grid Gpt2Branches::grid() const {
  std::vector<int64_t> count(static_cast<size_t>(rows_));
  Grid grid;
  for (const Branch& branch : branches_) {
    grid.width = std::max(grid.width, ++count[static_cast<size_t>(branch.row)]);
  }
  std::fill(count.begin(), count.end(), 0);
  grid.branch.resize(static_cast<size_t>(rows_ * grid.width));
  for (size_t i = 0; i < branches_.size(); ++i) {
    const int64_t row = branches_[i].row;
    const int64_t cell = row * grid.width + count[static_cast<size_t>(row)]++;
    grid.cell.push_back(cell);
    // Also the cells behind, until there is another: what stands in them must be of this row.
    std::fill(grid.branch.begin() + cell, grid.branch.begin() + (row + 1) * grid.width,
              static_cast<int64_t>(i));
  }
  grid.is_identity =
      grid.cell.size() == grid.branch.size() && std::is_sorted(grid.cell.begin(), grid.cell.end());
  return grid;
}

void Gpt2Branches::make_room(int64_t places) {
  if (used_ + places <= capacity_) {
    return;
  }
  // Rows that still have branches, in order, and of each the places that its branches came through.
  std::vector<int64_t> new_row(static_cast<size_t>(rows_), -1);
  std::vector<std::vector<int64_t>> live;
  std::vector<int64_t> old_rows;
  for (const Branch& branch : branches_) {
    int64_t& row = new_row[static_cast<size_t>(branch.row)];
    if (row < 0) {
      row = static_cast<int64_t>(live.size());
      old_rows.push_back(branch.row);
      live.emplace_back();
    }
    std::vector<int64_t>& all = live[static_cast<size_t>(row)];
    all.insert(all.end(), branch.places.begin(), branch.places.end());
  }
  int64_t longest = 0;
  for (std::vector<int64_t>& all : live) {
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    longest = std::max(longest, static_cast<int64_t>(all.size()));
  }
  const int64_t capacity = prompt_ + longest + kStepsAtOnce * places;
  std::vector<int64_t> sources;  // [R,capacity]; behind the live ones the first place, which is always finite
  for (size_t row = 0; row < live.size(); ++row) {
    const int64_t begin = old_rows[row] * capacity_;
    const size_t end = sources.size() + static_cast<size_t>(capacity);
    for (int64_t place = 0; place < prompt_; ++place) {
      sources.push_back(begin + place);
    }
    for (const int64_t place : live[row]) {
      sources.push_back(begin + place);
    }
    sources.resize(end, begin);
  }
  const auto rows = static_cast<int64_t>(live.size());
  const at::Tensor index = on_device(sources);
  for (std::vector<at::Tensor>* tensors : {&keys_, &values_}) {
    for (at::Tensor& tensor : *tensors) {
      const int64_t width = tensor.size(2);
      tensor = tensor.view({rows_ * capacity_, width}).index_select(0, index).view({rows, capacity, width});
    }
  }
  for (Branch& branch : branches_) {
    branch.row = new_row[static_cast<size_t>(branch.row)];
    const std::vector<int64_t>& all = live[static_cast<size_t>(branch.row)];
    for (int64_t& place : branch.places) {
      place = prompt_ + (std::lower_bound(all.begin(), all.end(), place) - all.begin());
    }
  }
  if (!padding_.empty()) {
    std::vector<int64_t> padding;
    for (const int64_t row : old_rows) {
      padding.push_back(padding_[static_cast<size_t>(row)]);
    }
    padding_ = std::move(padding);
  }
  rows_ = rows;
  used_ = prompt_ + longest;
  capacity_ = capacity;
}

void Gpt2Branches::advance(const Grid& grid) {
  for (size_t i = 0; i < branches_.size(); ++i) {
    branches_[i].places.push_back(used_ + grid.cell[i] % grid.width);
  }
  used_ += grid.width;
  ++length_;
}

at::Tensor Gpt2Branches::seen(const Grid& grid) const {
  const int64_t total = used_ + grid.width;
  at::Tensor mask = at::zeros({rows_, 1, grid.width, total}, at::kBool);  // [R,1,K,places]
  bool* values = mask.mutable_data_ptr<bool>();
  for (size_t i = 0; i < branches_.size(); ++i) {
    const Branch& branch = branches_[i];
    bool* own = values + grid.cell[i] * total;
    std::fill(own + (padding_.empty() ? 0 : padding_[static_cast<size_t>(branch.row)]), own + prompt_, true);
    for (const int64_t place : branch.places) {
      own[place] = true;
    }
  }
  // Each sees the new place; that of an empty cell holds what nobody reads.
  for (int64_t cell = 0; cell < rows_ * grid.width; ++cell) {
    values[cell * total + used_ + cell % grid.width] = true;
  }
  return mask.to(keys_.front().device());
}

}  // namespace patchioner
