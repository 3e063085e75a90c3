// Signals become a flag that work looks at between blocks of rows; nothing else happens in a
// handler. A second one but SIGUSR1 quits at once, for when the orderly way takes too long.
#pragma once

#include <atomic>

namespace rhohat {

// SIGPIPE and SIGXFSZ are ignored, so that a closed pipe and a file size limit are write errors
// like any other.
void IgnoreWriteSignals();

// SIGINT, SIGTERM, SIGHUP and SIGUSR1 set StopRequested(). For commands that look at it.
void CatchStopSignals();

const std::atomic<bool>& StopRequested();

// The exit code of a program ended by the first signal that came: 128 and its number.
int SignalExitCode();

}  // namespace rhohat
