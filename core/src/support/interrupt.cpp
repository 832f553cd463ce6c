#include "support/interrupt.hpp"

#include <signal.h>

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

}  // namespace

void install_interrupt_handler() {
  struct sigaction action {};
  action.sa_handler = handle_interrupt;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() {
  return stop_requested != 0;
}

}  // namespace patchioner
