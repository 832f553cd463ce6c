// <digest>.lease: who computes an entry.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace patchioner {

/// A process, and the machine that it runs on, such that another process on that machine can look it up.
struct Holder {
  std::string token;  ///< of this one lease
  std::string host;
  std::string boot;           ///< id of the machine's start: process numbers mean nothing after the next one
  std::string process_space;  ///< of containers, whose process numbers mean nothing outside
  int64_t process = 0;
  uint64_t started = 0;       ///< of the process, in ticks since the boot: numbers are given out again
  double lease_seconds = 60;  ///< its own patience: it gives four signs of life in this time
  uint64_t beats = 0;         ///< signs of life given so far
};

/// This process, with a token of its own.
Holder new_holder(double lease_seconds);

/// One line of JSON. It grows with the beats and never shrinks, so that it can be written over in place.
std::string lease_text(const Holder& holder);
/// nullopt for what is no lease, or half a one.
std::optional<Holder> holder_from(const std::string& text);

/// Whether the holder is a process of this machine (and container) that is no longer running.
bool is_gone(const Holder& holder);

}  // namespace patchioner
