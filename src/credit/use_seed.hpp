// SPDX-License-Identifier: MIT
// Where a seed becomes credit: it is retired, the credit is decided, the kernel is fed, the seed is overwritten. In
// this order (P1, P7).
#pragma once

#include "credit/feed.hpp"

namespace earlyseed {

struct SeedUse {
    Fed fed;
    Status
        retired;  // the successor's write; when it failed the seed is mixed with credit 0, and nothing more is written
    Status renewed;  // the write over the retired seed
};

// The seed of `slots`, with fresh `jitter` (JitterResult::digest).
SeedUse use_seed(Store& store, const std::array<Slot, 2>& slots, const Choice& choice, const Stamp& stamp,
                 std::span<const std::uint8_t> jitter, bool virtual_machine, SeedPolicy policy);

// Writes the seed for the next boot: into a store with a seed, or into an empty one.
SaveResult save_next_seed(Store& store, const std::array<Slot, 2>& slots, const Choice& choice, const Stamp& stamp);

}  // namespace earlyseed
