#include "script_texts.hpp"

#include <ATen/core/grad_mode.h>

#include <patchioner/error.hpp>

#include "checkpoint/tensor_bytes.hpp"
#include "image_outputs.hpp"
#include "nn/unit_length.hpp"
#include "support/files.hpp"

namespace patchioner {
namespace {

// Texts that are given to the method at once where `batch` does not say: keeps memory bounded for a bank's
// 600,000.
constexpr int64_t kTextsTogether = 64;

}  // namespace

ScriptTexts::ScriptTexts(const TorchScriptOptions& options, ScriptMethod method, std::string file)
    : options_(options),
      method_(std::move(method), options.batch > 0 ? options.batch : kTextsTogether),
      ids_(options, options.context, /*most_ids=*/0, "torchscript"),
      features_(output_name(options_.text_features, "text_features")),
      file_digest_([file = std::move(file)] { return std::make_shared<std::string>(sha256_of_file(file)); }) {
  dim_ = encode_ids(at::zeros({1, options_.context}, at::kLong)).size(1);
}

at::Tensor ScriptTexts::encode(std::span<const std::string> texts) const {
  return encode_ids(ids_.of(texts));
}

at::Tensor ScriptTexts::encode_ids(const at::Tensor& ids) const {
  const at::NoGradGuard no_gradients;
  if (ids.dim() != 2) {
    throw Error(ErrorKind::data, "torchscript: ids of shape {}; expected [N,C], a row a text",
                shape_text(ids.sizes()));
  }
  if (ids.size(0) == 0) {
    return at::zeros({0, dim_});
  }
  const NamedTensors outputs = method_.run(ids);
  const at::Tensor& output = chosen_output(outputs, features_, "text_features", method_.description());
  if (output.dim() != 2 || output.size(0) != ids.size(0) || (dim_ > 0 && output.size(1) != dim_)) {
    throw Error(
        ErrorKind::data,
        "{} gives {} for `text_features` of {} text{}, but [N,D] was expected, a vector a text; name another "
        "output, export a wrapper, or set `batch: 1` if it was traced for one text",
        method_.description(), shape_text(output.sizes()), ids.size(0), ids.size(0) == 1 ? "" : "s");
  }
  const at::Tensor rows = output.to(at::kCPU, at::kFloat);  // [N,D]
  return options_.normalize ? unit_rows(rows) : rows;
}

std::string ScriptTexts::fingerprint() const {
  return "torchscript_text:" +
         sha256(fmt::format(
             "file={}\nmethod={}\nfeatures={}\nnormalize={}\ncontext={}\ntokenizer={}\ntext_clean={}",
             *file_digest_, options_.text_method, features_, options_.normalize, options_.context,
             ids_.digest(), options_.text_clean));
}

}  // namespace patchioner
