// SPDX-License-Identifier: MIT
// Two slots, one seed: which record is the seed, which slot may be overwritten next, and whether what the slots
// say leaves a doubt. Pure; reading and writing are in store.hpp.
#pragma once

#include <array>

#include "seed/record.hpp"

namespace earlyseed {

struct Slot {
    SlotState state = SlotState::pristine;
    Record record;  // meaningful when state is valid
};

enum class StoreContent {
    seed,           // at least one valid record
    empty,          // ours, without a valid record: pristine, or damaged but with our magic
    other_version,  // of another version of earlyseed: never written
    foreign,        // somebody else's data: never written
    unreadable,     // the medium gave errors and no valid record: never written
};

struct Choice {
    StoreContent content;
    int seed_slot;                    // 0 or 1; with no seed: 1, so that the first record goes to slot 0
    bool sibling_valid;               // the other slot holds a valid record with a lower generation
    std::uint64_t newest_generation;  // in either slot, valid or only in doubt; 0 = there is none
    int other_slot() const { return 1 - seed_slot; }
};

// A seed is the valid record with the higher generation. Its sibling must be valid too before the seed may be
// credited: a sibling that is torn, zeroed or of the same generation may have been the successor, in which case the
// seed was credited already. (setup and save fill both slots of an empty store, so no honest store waits for this.)
Choice choose(const std::array<Slot, 2>& slots);

}  // namespace earlyseed
