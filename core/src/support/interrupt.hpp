// Ctrl-C, politely: the first one asks the running work to stop after the record in flight, the second one
// ends the process.
#pragma once

namespace patchioner {

/// Installs the handlers for SIGINT and SIGTERM. Called once, by the program.
void install_interrupt_handler();

/// Whether a stop was asked for. Long loops look at it after every record. [any-thread]
bool interrupted();

}  // namespace patchioner
