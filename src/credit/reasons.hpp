// SPDX-License-Identifier: MIT
// Why a source earned nothing, in words, and what to do about it.
#pragma once

#include <cstddef>

#include "base/fixed_string.hpp"

namespace earlyseed {

// In the order in which they are asked: the first that holds is the one shown.
enum class Reason {
    none,  // credited
    // seed
    no_store,
    refused,
    no_seed,
    damaged,
    read_only,
    write_failed,
    not_creditable,
    sibling_doubt,
    other_machine,
    exposed,
    forgetful,
    boot_unknown,
    saved_this_boot,
    seed_never,
    virtual_machine,
    machine_unknown,
    // jitter
    jitter_never,
    timer_coarse,
    timer_backwards,
    repetition_count,
    adaptive_proportion,
    lag_prediction,
    low_estimate,
    out_of_time,
    // hardware RNG and other devices
    quality_zero,
    repeatable,
    // the CPU's generator
    never_credited,
    // either
    stuck,
    // any
    not_accepted,
};
inline constexpr std::size_t kReasons = static_cast<std::size_t>(Reason::not_accepted) + 1;

// What is wrong, and what to do about it; both without a full stop. `advice` may be empty.
struct Explanation {
    const char* what;
    const char* advice;
};
Explanation explain(Reason reason);

// "what; advice"
Line explained(Reason reason);

}  // namespace earlyseed
