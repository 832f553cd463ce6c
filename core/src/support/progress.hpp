// Progress of long work on standard error: one moving line on a terminal, a plain line now and then
// elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace patchioner {

/// Writes a line to standard error; a moving progress line on a terminal makes room for it and stands below
/// it afterwards. [any-thread]
void write_beside_progress(const std::string& line);

/// Counts units of work and shows rate and time left. Cheap to update; draws at most ten times a second on a
/// terminal and once every ten seconds elsewhere. While one is alive, those of the work inside draw nothing.
/// [one-thread]
class Progress {
 public:
  /// `unit` is the plural of what is counted ("images"); total 0 means unknown.
  Progress(std::string title, std::string unit, uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Units that were done before this process started (a resumed job); they do not count for the rate.
  void start_at(uint64_t done);
  void advance(uint64_t units = 1);
  /// A few words behind the numbers ("loss 2.31").
  void note(std::string text) { note_ = std::move(text); }
  /// Draws the last state and ends the line.
  void finish();

  /// For tests: what would be drawn after `elapsed_seconds`.
  std::string line(double elapsed_seconds) const;

  /// Turns all drawing off (`--quiet`).
  static void set_enabled(bool enabled);

 private:
  void draw(bool last);
  std::string title_;
  std::string unit_;
  std::string note_;
  uint64_t total_;
  uint64_t done_ = 0;
  uint64_t already_done_ = 0;
  bool terminal_;
  bool inner_;  ///< made while another one was alive
  bool finished_ = false;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point drawn_;
};

}  // namespace patchioner
