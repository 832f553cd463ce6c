#include "memory/zero_rows.hpp"

#include <algorithm>
#include <numeric>

namespace patchioner {

std::vector<bool> filled_rows(const at::Tensor& embeddings) {
  const float* values = embeddings.const_data_ptr<float>();
  const int64_t width = embeddings.size(1);
  std::vector<bool> filled(static_cast<size_t>(embeddings.size(0)));
  for (size_t row = 0; row < filled.size(); ++row, values += width) {
    filled[row] = !std::all_of(values, values + width, [](float value) { return value == 0; });
  }
  return filled;
}

at::Tensor select_rows(const at::Tensor& embeddings, const std::vector<bool>& marked) {
  const auto count = std::count(marked.begin(), marked.end(), true);
  if (std::all_of(marked.begin(), marked.begin() + count, [](bool mark) { return mark; })) {
    return embeddings.narrow(0, 0, count);
  }
  std::vector<int64_t> rows;
  for (size_t row = 0; row < marked.size(); ++row) {
    if (marked[row]) {
      rows.push_back(static_cast<int64_t>(row));
    }
  }
  return embeddings.index_select(0, at::tensor(rows, at::kLong));
}

}  // namespace patchioner
