// Ctrl-C, politely: the first one asks the running work to stop after the record in flight, the second one
// ends the process.
#pragma once

namespace patchioner {

/// While one lives, the first SIGINT or SIGTERM makes interrupted() true, and the next one ends the process.
/// Held by a program around loops that look at interrupted(), and nowhere else: before and after, one signal
/// does what it did before. [one-thread]
class PoliteInterrupt {
 public:
  PoliteInterrupt();
  ~PoliteInterrupt();
  PoliteInterrupt(const PoliteInterrupt&) = delete;
  PoliteInterrupt& operator=(const PoliteInterrupt&) = delete;
};

/// Whether a stop was asked for. Long loops look at it after every record. [any-thread]
bool interrupted();

}  // namespace patchioner
