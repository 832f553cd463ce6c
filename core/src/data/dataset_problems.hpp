// What is wrong with a data set: counted by kind, the first of each named with its place.
#pragma once

#include <array>
#include <functional>
#include <patchioner/error.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace patchioner {

enum class ProblemKind {
  missing_image,         ///< no image folder has the file
  unreadable_image,      ///< it is there and cannot be decoded
  image_size,            ///< it has another size than the annotations say
  duplicate_image,       ///< the annotations list an image twice; the second is left out
  duplicate_annotation,  ///< two annotations have one id; both count
  unknown_image,         ///< an annotation of an image that is not listed; it is left out
  malformed_record,      ///< a record that does not say what it must; it is left out
  no_reference,          ///< nothing to compare a caption with
  inverted_box,          ///< x2 < x1 or y2 < y1; left out, but for Visual Genome's own
  outside_box,           ///< a box leaves its image by more than a pixel
  no_time,               ///< points of a trace without a time stamp
  // Notes: known properties of the real files, no faults.
  empty_set,      ///< a region set without boxes (22 in Flickr30k Entities)
  flat_box,       ///< a side of zero length
  outside_trace,  ///< a trace without a point inside the image
  left_out,       ///< what the rules of a conversion drop
};
constexpr size_t kProblemKinds = static_cast<size_t>(ProblemKind::left_out) + 1;

/// What a kind is called when it is counted: "images missing".
std::string_view to_string(ProblemKind kind);

/// Whether a kind is a property worth knowing rather than a fault.
bool is_note(ProblemKind kind);

struct DatasetProblem {
  ProblemKind kind = ProblemKind::malformed_record;
  std::string where;  ///< "captions.json: annotations[17] (byte 90210)", "own.jsonl:3"
  std::string what;   ///< "the image 7 is not listed"
};

/// What a strict reading ends with.
class StrictError : public Error {
 public:
  using Error::Error;
};

/// [one-thread]
class DatasetProblems {
 public:
  /// In a strict log the first problem that is no note is thrown as a StrictError of kind data. `hear` gets
  /// all of them.
  explicit DatasetProblems(bool strict = false, std::function<void(const DatasetProblem&)> hear = {});

  void add(ProblemKind kind, const std::string& where, std::string what);

  size_t count(ProblemKind kind) const { return counts_[static_cast<size_t>(kind)]; }
  /// Of all kinds but notes.
  size_t total() const;
  /// The first few of each kind, in the order in which they were found.
  const std::vector<DatasetProblem>& examples() const { return examples_; }

  /// One line a kind: "2 images missing: captions.json: images[3] (byte 90): a.jpg; ...". Empty when nothing
  /// was found.
  std::vector<std::string> summary() const;

 private:
  bool strict_;
  std::function<void(const DatasetProblem&)> hear_;
  std::array<size_t, kProblemKinds> counts_{};
  std::vector<DatasetProblem> examples_;
};

}  // namespace patchioner
