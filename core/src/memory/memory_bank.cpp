#include "memory/memory_bank.hpp"

#include <algorithm>
#include <patchioner/error.hpp>

#include "checkpoint/checkpoint_family.hpp"
#include "checkpoint/state_dict.hpp"
#include "memory/bank_texts.hpp"
#include "memory/hdf5_bank.hpp"
#include "memory/zero_rows.hpp"

namespace patchioner {
namespace {

constexpr int64_t kNormRowsAtOnce = 16384;

/// Leaves the texts of marked rows.
void select_texts(std::vector<std::string>& texts, const std::vector<bool>& marked) {
  size_t kept = 0;
  for (size_t row = 0; row < marked.size(); ++row) {
    if (marked[row] && kept++ != row) {
      texts[kept - 1] = std::move(texts[row]);
    }
  }
  texts.resize(kept);
}

}  // namespace

std::shared_ptr<const MemoryBank> MemoryBank::open(const std::filesystem::path& path) {
  if (is_hdf5(path)) {
    Hdf5Bank read = read_hdf5_bank(path);
    std::shared_ptr<const MemoryBank> bank = from_memory(std::move(read.embeddings), std::move(read.texts),
                                                         std::move(read.metadata), path.string());
    std::const_pointer_cast<MemoryBank>(bank)->dropped_rows_ = read.dropped_rows;
    return bank;
  }
  const StateDict file = StateDict::open(path);
  if (!file.contains("embeddings")) {
    refuse_checkpoint(file,
                      "a memory bank, with a tensor 'embeddings', is wanted here; `memory build` makes one");
  }
  const std::filesystem::path texts = texts_file_of(path);
  if (!std::filesystem::exists(texts)) {
    throw Error(ErrorKind::io, "{}: the texts of the memory bank {} are missing; copy them beside it",
                texts.string(), path.filename().string());
  }
  return from_memory(file.tensor("embeddings"), read_bank_texts(texts), file.metadata(), path.string());
}

std::shared_ptr<const MemoryBank> MemoryBank::from_memory(at::Tensor embeddings,
                                                          std::vector<std::string> texts,
                                                          std::map<std::string, std::string> metadata,
                                                          const std::string& name) {
  if (embeddings.dim() != 2 || !at::isFloatingType(embeddings.scalar_type())) {
    throw Error(ErrorKind::checkpoint,
                "{}: 'embeddings' must be a table of floating-point numbers, one row a text, but it has {} "
                "dimensions",
                name, embeddings.dim());
  }
  std::shared_ptr<MemoryBank> bank(new MemoryBank());
  embeddings = embeddings.to(at::kFloat).contiguous();  // [M,D]
  const std::vector<bool> filled = filled_rows(embeddings);
  const auto rows = std::count(filled.begin(), filled.end(), true);
  if (texts.size() == filled.size()) {
    select_texts(texts, filled);
  } else if (texts.size() != static_cast<size_t>(rows)) {
    throw Error(ErrorKind::data,
                "{}: there are {} texts for {} rows of embeddings; rows and texts are not of one bank", name,
                texts.size(), filled.size());
  }
  if (rows == 0) {
    throw Error(ErrorKind::data, "{}: the memory bank is empty", name);
  }
  bank->dropped_rows_ = static_cast<int64_t>(filled.size()) - rows;
  bank->embeddings_ = select_rows(embeddings, filled);
  bank->texts_ = std::move(texts);
  bank->metadata_ = std::move(metadata);
  bank->norms_ = at::empty({rows}, at::kFloat);
  for (int64_t begin = 0; begin < rows; begin += kNormRowsAtOnce) {
    const int64_t count = std::min(kNormRowsAtOnce, rows - begin);
    bank->norms_.narrow(0, begin, count).copy_(bank->embeddings_.narrow(0, begin, count).norm(2, 1));
  }
  // Values below about 1e-23 have squares that are 0 in float32.
  const at::Tensor usable = bank->norms_.isfinite().logical_and(bank->norms_ > 0);  // [M]
  if (!usable.all().item<bool>()) {
    const int64_t row = usable.logical_not().to(at::kByte).argmax().item<int64_t>();
    throw Error(
        ErrorKind::data,
        "{}: row {} (\"{}\") holds values that are not finite, or too small to have a length; build the "
        "bank again",
        name, row, bank->texts_[static_cast<size_t>(row)]);
  }
  return bank;
}

std::shared_ptr<const MemoryBank> MemoryBank::columns(int64_t begin, int64_t count,
                                                      const std::string& name) const {
  std::shared_ptr<const MemoryBank> part =
      from_memory(embeddings_.narrow(1, begin, count), texts_, metadata_, name);
  std::const_pointer_cast<MemoryBank>(part)->dropped_rows_ += dropped_rows_;
  return part;
}

std::shared_ptr<const MemoryBank> MemoryBank::to(at::Device device) const {
  std::shared_ptr<MemoryBank> moved(new MemoryBank(*this));
  moved->embeddings_ = embeddings_.to(device);
  moved->norms_ = norms_.to(device);
  return moved;
}

}  // namespace patchioner
