// SPDX-License-Identifier: MIT
// The sources of random numbers that this machine has, or could easily have, and that nobody uses: the hints of status.
#pragma once

#include "base/function_ref.hpp"
#include "boot/report.hpp"
#include "machine/identity.hpp"

namespace earlyseed {

// A name, what is the matter, and what to do about it.
struct MissedSource {
    const char* name;
    const char* what;
    const char* advice;
};

// Calls visit for each. Looks below /sys; needs no rights. `report`: of this boot.
void for_each_missed_source(const Config& config, const Report& report, const Machine& machine,
                            FunctionRef<void(const MissedSource&)> visit);

}  // namespace earlyseed
