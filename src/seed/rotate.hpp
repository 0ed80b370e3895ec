// SPDX-License-Identifier: MIT
// The life of a seed: where it is retired, what is hashed into what, and what is written in which order. Called by load
// (rotate) and by save, setup and load on an empty store (save_seed). Neither logs.
#pragma once

#include "boot/context.hpp"
#include "seed/store.hpp"

namespace earlyseed {

// Where and when: what a new record is stamped with.
struct Stamp {
    BootId boot_id;
    MachineTag machine_tag;
};

struct RotationInput {
    std::span<const std::uint8_t> jitter;  // JitterResult::digest
    Stamp stamp;
    bool virtual_machine;
    SeedPolicy policy;
};

struct RotationResult {
    Credit credit;           // what the kernel was credited with, and why not more
    bool made_ready = false; // the generator was not ready before, and is now
    Status retired;          // the successor's write
    Status renewed;          // the write over the retired seed; not tried when `retired` failed
};

// Retires the seed of `slots`, feeds it to the kernel, and overwrites it:
//   1. successor = H(seed, jitter, time, boot, generation) to the other slot, flushed and read back. From here on the
//      seed is never the newest record again, so whatever happens it is not credited a second time.
//   2. pool input = H'(seed, jitter) to the kernel, credited by policy. From what is on the medium afterwards it cannot be
//      computed: the seed is gone, its successor came out of a one-way function.
//   3. renewed = H''(successor, 64 bytes of the kernel's output) over the seed. Always: while the seed is still on the
//      medium, step 2 does not hold.
// When step 1 fails, the seed is mixed with credit 0, and nothing more is written.
RotationResult rotate(Store& store, const std::array<Slot, 2>& slots, const Choice& choice, const RotationInput& input);

struct SaveResult {
    Status written;
    std::uint64_t generation = 0;  // of the newest record
    bool creditable = false;
};

// A new record = H(seed if any, 64 bytes of the kernel's output, time, boot, generation) into the other slot; and one
// more into the slot of the seed when there was no seed, so that both are filled. Creditable when the kernel is ready, or
// when the seed that it comes from is. Never blocks. choice.content must be seed or empty.
SaveResult save_seed(Store& store, const std::array<Slot, 2>& slots, const Choice& choice, const Stamp& stamp);

// Mixes 64 bytes with this credit (0 with Reason::not_accepted when the kernel refuses), and makes them reach the output
// at once if the generator is ready already. True in `made_ready` when it was not and is now.
Credit feed(std::span<const std::uint8_t, 64> bytes, Credit credit, bool& made_ready);

}  // namespace earlyseed
