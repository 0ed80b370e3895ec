// SPDX-License-Identifier: MIT
#include "credit/use_seed.hpp"

namespace earlyseed {

static const Record& seed_of(const std::array<Slot, 2>& slots, const Choice& choice) {
    return slots[static_cast<std::size_t>(choice.seed_slot)].record;
}

SeedUse use_seed(Store& store, const std::array<Slot, 2>& slots, const Choice& choice, const Stamp& stamp,
                 std::span<const std::uint8_t> jitter, bool virtual_machine, SeedPolicy policy) {
    SeedFacts facts = facts_about(seed_of(slots, choice), choice, store, stamp);
    bool fresh = doubt(facts) == Reason::none;
    Rotation rotation(store, slots, choice, stamp, jitter);
    SeedUse use;
    use.retired = rotation.retire(fresh);
    bool retired = static_cast<bool>(use.retired);
    use.fed = feed(rotation.pool_input(), credit_for_seed(facts, retired, virtual_machine, policy));
    if (retired) use.renewed = rotation.renew(creditable(store.flaw(), fresh));
    return use;
}

SaveResult save_next_seed(Store& store, const std::array<Slot, 2>& slots, const Choice& choice, const Stamp& stamp) {
    bool inherits = choice.content == StoreContent::seed &&
                    doubt_at_next_boot(facts_about(seed_of(slots, choice), choice, store, stamp)) == Reason::none;
    return save_seed(store, slots, choice, stamp, creditable(store.flaw(), inherits));
}

}  // namespace earlyseed
