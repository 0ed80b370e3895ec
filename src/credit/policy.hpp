// SPDX-License-Identifier: MIT
// The credit policy: how many bits each source may be credited with, why a zero is a zero, and which record may be
// credited at the next boot. Pure functions of facts; whoever changes a rule changes it here and in docs/design.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "credit/reasons.hpp"
#include "jitter/shortage.hpp"
#include "seed/rotate.hpp"
#include "system/files.hpp"

namespace earlyseed {

// The kernel counts at most this much of one credit (drivers/char/random.c, POOL_BITS since Linux 5.18), and a
// pool with this much is ready on every version.
inline constexpr unsigned kFullCreditBits = 256;

enum class SeedPolicy { automatic, always, never };
enum class JitterPolicy { automatic, never };

struct Credit {
    unsigned bits = 0;
    Reason reason = Reason::none;
};

// --- the seed
// ---------------------------------------------------------------------------------------------------------

struct SeedFacts {
    bool read_only = false;      // the medium or its file system cannot be written
    bool creditable = false;     // the record's flag
    bool sibling_valid = false;  // Choice::sibling_valid
    BootId record_boot{};
    BootId boot{};  // zeros = unknown
    StoreFlaw store_flaw = StoreFlaw::none;
    MachineTag record_tag{};
    MachineTag machine_tag{};
};
SeedFacts facts_about(const Record& seed, const Choice& choice, const Store& store, const Stamp& stamp);

// Why the seed itself is in doubt, whatever the administrator says about this machine; none when it is fresh: never
// credited before, and saved here. saved_this_boot comes last: it is the one doubt that the next boot does not have.
Reason doubt(const SeedFacts& facts);
// As above, for the next boot.
Reason doubt_at_next_boot(const SeedFacts& facts);

// 256 for a fresh seed that is retired (its successor is written, flushed and read back); `always` vouches for what no
// file can tell: that a virtual machine is not started twice from one snapshot, that a machine without identity is the
// same.
Credit credit_for_seed(const SeedFacts& facts, bool retired, bool virtual_machine, SeedPolicy policy);

// Reason::exposed or Reason::forgetful.
Reason reason_of(StoreFlaw flaw);

// What comes out of a seed alone is as creditable as the seed; what has the output of a ready generator in it is
// creditable too, unless the store has a flaw. `inherits`: the seed it comes from is in no doubt.
Creditable creditable(StoreFlaw flaw, bool inherits);

// --- other sources
// ----------------------------------------------------------------------------------------------------

// `earned_bits`, unless the administrator says never; `shortage` says why it is 0.
Credit credit_for_jitter(unsigned earned_bits, Shortage shortage, JitterPolicy policy);

// The CPU's own generator: nobody can audit it, and some have failed and given the same for ever. Always 0.
Credit credit_for_cpu(std::span<const std::uint8_t> data);

// `quality` is in 1024ths of a bit per bit, as the kernel's hwrng framework has it (include/linux/hw_random.h). 0 for
// what could give at the next boot what it gave at this one: files, disks and flash memory, and the kernel's own
// devices.
Credit credit_for_device(std::span<const std::uint8_t> data, unsigned quality, const kernel::FileInfo& device);

// earlyseed.seed= on the kernel command line, for a machine under test: a seed that every user can read.
Credit credit_for_command_line();

// What the caller of `add` declares for `bytes` of input: no more than they, or the pool, can hold.
Credit credit_for_declared(std::uint64_t declared_bits, std::uint64_t bytes);

// All zeros, all ones, or one word of at most 64 bits over and over. Fewer than 9 bytes are not judged.
bool is_stuck(std::span<const std::uint8_t> bytes);

}  // namespace earlyseed
