#include "train/curve.hpp"

#include <cerrno>
#include <cstring>
#include <patchioner/error.hpp>

#include "support/files.hpp"

namespace patchioner {

namespace {

constexpr std::string_view kStepHeader = "step,epoch,learning_rate,loss,accuracy,gradient_norm\n";

/// The header and the first `lines` lines of an existing curve; the header alone when there is none.
std::string kept_lines(const std::filesystem::path& file, int64_t lines) {
  std::string kept(kStepHeader);
  if (lines == 0 || !std::filesystem::exists(file)) {
    return kept;
  }
  const std::string text = read_file(file);
  if (!text.starts_with(kStepHeader)) {
    return kept;
  }
  size_t end = kStepHeader.size();
  for (int64_t line = 0; line < lines; ++line) {
    const size_t next = text.find('\n', end);
    if (next == std::string::npos) {
      break;
    }
    end = next + 1;
  }
  return text.substr(0, end);
}

}  // namespace

StepCurve::StepCurve(const std::filesystem::path& file, int64_t steps_done) : path_(file) {
  write_file(file, kept_lines(file, steps_done));
  stream_.open(file, std::ios::binary | std::ios::app);
  flush();
}

void StepCurve::add(int64_t step, int64_t epoch, const TrainStep& values) {
  stream_ << fmt::format("{},{},{:.6g},{:.6f},{:.6f},{:.6g}\n", step, epoch, values.learning_rate,
                         values.loss, values.accuracy, values.gradient_norm);
}

void StepCurve::flush() {
  stream_.flush();
  if (!stream_) {
    throw Error(ErrorKind::io, "{}: cannot be written ({})", path_.string(), std::strerror(errno));
  }
}

void write_epoch_curve(const std::filesystem::path& file, const std::vector<EpochRecord>& epochs) {
  std::string text = "epoch,loss,accuracy\n";
  for (const EpochRecord& epoch : epochs) {
    text += fmt::format("{},{:.6f},{:.6f}\n", epoch.epoch, epoch.loss, epoch.accuracy);
  }
  write_file(file, text);
}

}  // namespace patchioner
