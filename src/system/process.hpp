// SPDX-License-Identifier: MIT
// This process: its rights, its memory, its terminal, a child of its own, and its voice to people and to the kernel
// log.
#pragma once

#include <string_view>

#include "base/function_ref.hpp"
#include "base/result.hpp"

namespace earlyseed::kernel {

// Relocated tables read-only, no core dump, no ptrace by others, umask 077; for children too. What fails is left as it
// is.
void harden();
// Nothing of this process is swapped out; not inherited by a child. Before the first secret.
void lock_memory();
bool is_root();
bool is_terminal(int descriptor);

// Runs work() in a child process and returns its result, 0 to 127; kTimedOut after `ms`, while the child goes on.
inline constexpr int kTimedOut = -1;
int run_bounded(unsigned ms, FunctionRef<int()> work);

// One line (without line end) to the kernel log at a syslog level (4 = warning, 6 = information).
Status log_to_kernel(int level, std::string_view line);
// Descriptor 1 or 2. What cannot be printed is dropped.
void print(int descriptor, std::string_view text);

}  // namespace earlyseed::kernel
