// SPDX-License-Identifier: Apache-2.0
//
// The aspects of tracee that are about jobs: what a shell does with them, and what a tracer must
// leave to it.
#pragma once

namespace tiercel::live {

// A stop takes every thread of a process, and SIGCONT lets every one go on.
bool group_stop();
// ^Z, reading in the background, and ^C on a terminal.
bool terminal();
// This process owns the terminal: it is in the foreground and has no child.
bool foreground();
// System calls outside the interest set do not stop, so they cost no switch to another process.
bool unstopped();
// Prints what a program can see of how it was started.
bool state();
// Threads that make calls until they are killed.
bool busy(); // does not return

} // namespace tiercel::live
