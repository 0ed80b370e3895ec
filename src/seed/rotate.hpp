// SPDX-License-Identifier: MIT
// The life of a seed: where it is retired, what is hashed into what, and what is written in which order. What it is
// credited with is decided elsewhere (credit/): this file knows hashes, slots and the store.
#pragma once

#include "seed/store.hpp"

namespace earlyseed {

// Where and when: what a new record is stamped with.
struct Stamp {
    BootId boot_id;
    MachineTag machine_tag;
};

// Whether a new record may be marked creditable, which can depend on the kernel's generator: with its output in the
// record, or without.
struct Creditable {
    bool if_ready;
    bool if_not_ready;
};

// One rotation, in this order:
//   1. retire(): successor = H(seed, jitter, time, boot, generation) into the other slot, flushed and read back. From
//   here on
//      the seed is never the newest record again, so whatever happens it is not credited a second time.
//   2. pool_input() = H'(seed, jitter) is what the kernel is fed with. From what is on the medium after step 3 it
//   cannot be
//      computed: the seed is gone, its successor came out of a one-way function.
//   3. renew(): H''(successor, 64 bytes of the kernel's output) over the seed. Always: while the seed is still on the
//      medium, step 2 does not hold.
// When step 1 fails nothing more may be written, and the seed earns nothing.
class Rotation {
public:
    // `slots` and `choice`: what the store holds, with a seed in it. `jitter`: JitterResult::digest.
    Rotation(Store& store, const std::array<Slot, 2>& slots, const Choice& choice, const Stamp& stamp,
             std::span<const std::uint8_t> jitter);

    // EROFS, without a try, when the store is read-only.
    Status retire(bool creditable);
    std::span<const std::uint8_t, 64> pool_input() const { return pool_input_.span(); }
    Status renew(Creditable creditable);

private:
    Store& store_;
    const Choice& choice_;
    const Stamp& stamp_;
    const Record& seed_;
    std::span<const std::uint8_t> jitter_;
    Record successor_;
    Secret<64> pool_input_;
};

struct SaveResult {
    Status written;
    std::uint64_t generation = 0;  // of the newest record
    bool creditable = false;
};

// A new record = H(seed if any, 64 bytes of the kernel's output, time, boot, generation) into the other slot; and one
// more into the slot of the seed when there was no seed, so that both are filled. Never blocks. choice.content must be
// seed or empty.
SaveResult save_seed(Store& store, const std::array<Slot, 2>& slots, const Choice& choice, const Stamp& stamp,
                     Creditable creditable);

}  // namespace earlyseed
