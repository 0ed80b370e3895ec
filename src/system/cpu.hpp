// SPDX-License-Identifier: MIT
// What the processor itself offers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace earlyseed::kernel {

// The counter is per CPU on some machines: stay on one. Failure does no harm.
void pin_to_current_cpu();
// Fills `words` from the CPU's own random number generator (RDSEED, else RDRAND; RNDR) and returns how many it gave: 0
// where there is none that a program may use.
std::size_t cpu_random(std::span<std::uint64_t> words);
// CPUID's hypervisor bit; false where there is no such instruction.
bool cpu_reports_hypervisor();

}  // namespace earlyseed::kernel
