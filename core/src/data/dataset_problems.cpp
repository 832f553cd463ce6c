#include "data/dataset_problems.hpp"

namespace patchioner {
namespace {

constexpr size_t kExamples = 3;  // of each kind

struct KindText {
  std::string_view text;
  bool note;
};

constexpr std::array<KindText, kProblemKinds> kTexts = {{
    {"images missing", false},
    {"images that cannot be read", false},
    {"images of another size than annotated", false},
    {"images listed twice", false},
    {"annotation ids used twice", false},
    {"annotations of images that are not listed", false},
    {"malformed records", false},
    {"images or regions without a reference", false},
    {"inverted boxes", false},
    {"boxes that leave their image", false},
    {"traces without time stamps", false},
    {"region sets without a box", true},
    {"boxes with a side of zero length", true},
    {"traces without a point in the image", true},
    {"left out by the rules of the conversion", true},
}};

const KindText& text_of(ProblemKind kind) {
  return kTexts[static_cast<size_t>(kind)];
}

}  // namespace

std::string_view to_string(ProblemKind kind) {
  return text_of(kind).text;
}

bool is_note(ProblemKind kind) {
  return text_of(kind).note;
}

DatasetProblems::DatasetProblems(bool strict, std::function<void(const DatasetProblem&)> hear)
    : strict_(strict), hear_(std::move(hear)) {}

void DatasetProblems::add(ProblemKind kind, const std::string& where, std::string what) {
  if (strict_ && !is_note(kind)) {
    throw StrictError(ErrorKind::data, "{}: {}", where, what);
  }
  DatasetProblem problem{kind, where, std::move(what)};
  if (hear_) {
    hear_(problem);
  }
  if (counts_[static_cast<size_t>(kind)]++ < kExamples) {
    examples_.push_back(std::move(problem));
  }
}

size_t DatasetProblems::total() const {
  size_t sum = 0;
  for (size_t kind = 0; kind < kProblemKinds; ++kind) {
    sum += is_note(static_cast<ProblemKind>(kind)) ? 0 : counts_[kind];
  }
  return sum;
}

std::vector<std::string> DatasetProblems::summary() const {
  std::vector<std::string> lines;
  for (size_t index = 0; index < kProblemKinds; ++index) {
    const auto kind = static_cast<ProblemKind>(index);
    if (counts_[index] == 0) {
      continue;
    }
    std::string line = fmt::format("{} {}", counts_[index], to_string(kind));
    size_t named = 0;
    for (const DatasetProblem& problem : examples_) {
      if (problem.kind == kind) {
        line += fmt::format("{}{}: {}", named++ == 0 ? ": " : "; ", problem.where, problem.what);
      }
    }
    if (counts_[index] > named) {
      line += fmt::format("; and {} more", counts_[index] - named);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace patchioner
