// SPDX-License-Identifier: MIT
// The credit policy: how many bits each source may be credited with, and why a zero is a zero. Pure functions of
// facts; whoever changes a rule changes it here, and the table in the README.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "seed/record.hpp"

namespace earlyseed {

// The kernel counts at most this much of one credit (drivers/char/random.c, POOL_BITS since Linux 5.18), and a
// pool with this much is ready on every version.
inline constexpr unsigned kFullCreditBits = 256;

enum class SeedPolicy { automatic, always, never };
enum class JitterPolicy { automatic, never };

// Why a source earned nothing. In the order in which they are asked: the first that holds is the one shown.
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

// What is wrong, and what to do about it; both without a full stop. `advice` may be empty.
struct Explanation {
    const char* what;
    const char* advice;
};
Explanation explain(Reason reason);

struct Credit {
    unsigned bits = 0;
    Reason reason = Reason::none;
};

struct SeedFacts {
    bool read_only;        // the medium or its file system cannot be written
    bool retired;          // the successor is written, flushed and read back
    bool creditable;       // the record's flag
    bool sibling_valid;    // Choice::sibling_valid
    BootId record_boot;
    BootId boot;           // zeros = unknown
    Reason store_flaw;     // Store::flaw()
    MachineTag record_tag;
    MachineTag machine_tag;
    bool virtual_machine;
};

// Why the seed itself is in doubt, whatever the administrator says about this machine; none when it is fresh: never
// credited before, and saved here. A successor inherits the creditable flag from a fresh seed only. saved_this_boot comes
// last: it is the one doubt that the next boot does not have.
Reason doubt(const SeedFacts& facts);

// 256 for a fresh seed that is retired; `always` vouches for what no file can tell: that a virtual machine is not
// started twice from one snapshot, that a machine without identity is the same.
Credit credit_for_seed(const SeedFacts& facts, SeedPolicy policy);

// All zeros, all ones, or one word of at most 64 bits over and over. Fewer than 9 bytes are not judged.
bool is_stuck(std::span<const std::uint8_t> bytes);

// `quality` is in 1024ths of a bit per bit, as the kernel's hwrng framework has it (include/linux/hw_random.h).
// `repeatable`: what gave it keeps it, and could give it in the next boot too.
Credit credit_for_device(std::span<const std::uint8_t> data, unsigned quality, bool repeatable);

}  // namespace earlyseed
