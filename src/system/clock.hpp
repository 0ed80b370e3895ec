// SPDX-License-Identifier: MIT
// Time. With the other headers of this directory the facade to the operating system: every system call of the program
// is behind one of their functions (RNDADDENTROPY alone is in credit/). The product links the sources in linux/; the
// unit tests link a fake with a scripted kernel, stores in memory and a journal of calls. Nothing here decides or logs.
#pragma once

#include <cstdint>

namespace earlyseed::kernel {

// Nanoseconds since boot, as the kernel log counts them (CLOCK_MONOTONIC).
std::uint64_t monotonic_ns();
// Seconds since the epoch; not before 2020 = a clock that was never set: 0.
std::uint64_t realtime_s();
void sleep_ms(unsigned ms);

}  // namespace earlyseed::kernel
