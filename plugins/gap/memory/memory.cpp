// Projects image-side features onto a memory of text embeddings: each becomes the mean of the texts that it
// is close to, weighted by a softmax over cosine similarities, which is a place where a decoder trained on
// texts feels at home (spec/01 section 5.1).
#include <patchioner/error.hpp>
#include <patchioner/plugin.hpp>

#include "memory/memory_bank.hpp"

namespace patchioner {
namespace {

struct MemoryOptions {
  std::string bank;
  std::string columns = "all";
  double temperature = 0.01;
  bool normalize_memory = false;
  bool normalize = true;
};

void declare(ParameterList<MemoryOptions>& list) {
  list.add("bank", &MemoryOptions::bank,
           "the memory bank: a .safetensors file of `memory build`, or an HDF5 file of the reference")
      .path()
      .required();
  list.add("columns", &MemoryOptions::columns,
           "which of the bank's columns are read; the reference's banks of DINO.txt want second_half")
      .choices({"all", "first_half", "second_half"});
  list.add("temperature", &MemoryOptions::temperature,
           "cosine similarities are divided by this before the softmax; smaller is sharper")
      .range(1e-6, 1e6);
  list.add("normalize_memory", &MemoryOptions::normalize_memory,
           "bring the bank's rows to unit length before they are summed; similarities always use unit rows");
  list.add("normalize", &MemoryOptions::normalize, "bring the result to unit length");
}

/// The bank with the columns asked for: the reference stores both halves of DINO.txt's text vectors and reads
/// the second, the one of patches (spec/01 section 5.2).
std::shared_ptr<const MemoryBank> open_bank(const MemoryOptions& options) {
  std::shared_ptr<const MemoryBank> bank = MemoryBank::open(options.bank);
  if (options.columns == "all") {
    return bank;
  }
  const int64_t width = bank->dim();
  if (width % 2 != 0) {
    throw Error(ErrorKind::config, "{}: {} columns have no halves; leave `columns` at all", options.bank,
                width);
  }
  return bank->columns(options.columns == "first_half" ? 0 : width / 2, width / 2, options.bank);
}

class MemoryGap : public Gap {
 public:
  MemoryGap(const MemoryOptions& options, const PluginContext& context)
      : temperature_(options.temperature),
        projection_{options.temperature, options.normalize_memory, options.normalize},
        bank_(open_bank(options)) {
    if (context.device != at::kCPU) {
      bank_ = bank_->to(context.device);
    }
  }

  int64_t dim() const override { return bank_->dim(); }

  at::Tensor to_text_space(const at::Tensor& features) const override {
    return bank_->project(features, projection_);
  }

  std::vector<std::vector<MemoryMatch>> nearest(const at::Tensor& features, int64_t count) const override {
    return bank_->nearest(features, count, temperature_);
  }

  std::string text_fingerprint() const override {
    const auto recorded = bank_->metadata().find("text_fingerprint");
    return recorded == bank_->metadata().end() ? std::string() : recorded->second;
  }

 private:
  double temperature_;
  ProjectionOptions projection_;
  std::shared_ptr<const MemoryBank> bank_;
};

}  // namespace

PATCHIONER_PLUGIN(gap, memory, "1.0", "Projects features onto a memory of text embeddings", MemoryGap,
                  MemoryOptions)

}  // namespace patchioner
