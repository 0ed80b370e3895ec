// SPDX-License-Identifier: MIT
#include "seed/slots.hpp"

#include <algorithm>

namespace earlyseed {

Choice choose(const std::array<Slot, 2>& slots) {
    auto either = [&](SlotState state) { return slots[0].state == state || slots[1].state == state; };
    const std::uint64_t generation[2] = {slots[0].record.generation, slots[1].record.generation};
    Choice choice{StoreContent::empty, 1, false, std::max(generation[0], generation[1])};

    // A record of another version may be the newer one, whatever stands beside it.
    if (either(SlotState::other_version)) {
        choice.content = StoreContent::other_version;
    } else if (either(SlotState::valid)) {
        bool first = slots[0].state == SlotState::valid;
        bool second = slots[1].state == SlotState::valid;
        choice.content = StoreContent::seed;
        choice.seed_slot = first && (!second || generation[0] >= generation[1]) ? 0 : 1;
        choice.sibling_valid = first && second && generation[0] != generation[1];
    } else if (either(SlotState::unreadable)) {
        choice.content = StoreContent::unreadable;
    } else if (either(SlotState::foreign) && !either(SlotState::damaged)) {
        choice.content = StoreContent::foreign;
    }
    return choice;
}

}  // namespace earlyseed
