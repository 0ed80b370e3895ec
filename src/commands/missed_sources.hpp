// SPDX-License-Identifier: MIT
// The sources of random numbers that this machine has, or could easily have, and that nobody uses: for status.
#pragma once

#include "machine/identity.hpp"
#include "boot/report.hpp"

namespace earlyseed {

// A name, what is the matter, and what to do about it.
struct Unused {
    const char* source;
    const char* what;
    const char* advice;
};

// Calls visit(context, unused) for each. Looks below /sys; needs no rights. `report`: of this boot.
void for_each_unused(const Config& config, const Report& report, const Machine& machine, void* context,
                     void (*visit)(void* context, const Unused& unused));

}  // namespace earlyseed
