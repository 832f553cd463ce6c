// A file of JSON lines that grows record by record and survives being killed: every record is appended as one
// whole line, so that at most the record in flight is lost, and what is left of a torn last line is dropped
// when the job goes on.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace patchioner {

enum class RecordFileMode {
  create,  ///< a file that already holds something is refused, so that nothing is lost by mistake
  resume,  ///< goes on after the last whole record; an absent file is created
};

/// [one-thread]
class RecordFile {
 public:
  /// Opens and locks the file. Throws Error: usage when there is something to lose, io when it cannot be
  /// written or another process is writing it.
  RecordFile(std::filesystem::path path, RecordFileMode mode);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  /// Calls `visit` with each whole record that was there when the file was opened, and its line number
  /// from 1.
  void read(const std::function<void(std::string_view line, size_t number)>& visit) const;

  /// Appends a record (one line without its end). When the disk is full the file is cut back to its last
  /// whole record and an Error of kind io is thrown.
  void append(std::string_view record);

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;    ///< end of the last whole record
  uint64_t opened_ = 0;  ///< the same when the file was opened
};

}  // namespace patchioner
