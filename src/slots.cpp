// SPDX-License-Identifier: MIT
#include "slots.hpp"

namespace earlyseed {

Choice choose(const std::array<Slot, 2>& slots) {
    auto either = [&](SlotState state) { return slots[0].state == state || slots[1].state == state; };

    // A record of another version may be the newer one, whatever stands beside it.
    if (either(SlotState::other_version)) return {StoreContent::other_version, 1, false};
    if (either(SlotState::valid)) {
        bool first = slots[0].state == SlotState::valid;
        bool second = slots[1].state == SlotState::valid;
        std::uint64_t generation[2] = {slots[0].record.generation, slots[1].record.generation};
        int seed = first && (!second || generation[0] >= generation[1]) ? 0 : 1;
        return {StoreContent::seed, seed, first && second && generation[0] != generation[1]};
    }
    if (either(SlotState::unreadable)) return {StoreContent::unreadable, 1, false};
    if (either(SlotState::damaged)) return {StoreContent::empty, 1, false};
    if (either(SlotState::foreign)) return {StoreContent::foreign, 1, false};
    return {StoreContent::empty, 1, false};
}

}  // namespace earlyseed
