#include "support/interrupt.hpp"

#include <signal.h>

#include <array>
#include <csignal>

namespace patchioner {
namespace {

volatile std::sig_atomic_t stop_requested = 0;

extern "C" void handle_interrupt(int signal_number) {
  if (stop_requested != 0) {
    ::signal(signal_number, SIG_DFL);
    ::raise(signal_number);
  }
  stop_requested = 1;
}

constexpr std::array kSignals = {SIGINT, SIGTERM};

// What the signals did before the outermost scope, and how many scopes there are.
std::array<struct sigaction, kSignals.size()> before;
int scopes = 0;

}  // namespace

PoliteInterrupt::PoliteInterrupt() {
  if (scopes++ > 0) {
    return;
  }
  struct sigaction action {};
  action.sa_handler = handle_interrupt;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  for (size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], &action, &before[i]);
  }
}

PoliteInterrupt::~PoliteInterrupt() {
  if (--scopes > 0) {
    return;
  }
  for (size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], &before[i], nullptr);
  }
}

bool interrupted() {
  return stop_requested != 0;
}

}  // namespace patchioner
