// SPDX-License-Identifier: MIT
// Slot choice and credit policy, on any two slots and any facts: total, the same each time, never the newest record as
// the one to be overwritten (P5), and credit for nothing but what docs/design.md credits (P1, P2, P3).
#include <vector>

#include "credit/policy.hpp"
#include "fuzz.hpp"
#include "seed/slots.hpp"

using namespace earlyseed;
using namespace earlyseed::fuzz;

namespace {

constexpr SlotState kStates[] = {SlotState::pristine,      SlotState::valid,   SlotState::damaged,
                                 SlotState::other_version, SlotState::foreign, SlotState::unreadable};

struct Sketch {
    SlotState state;
    std::uint64_t generation;
};

Choice choose_from(const Sketch& first, const Sketch& second) {
    std::array<Slot, 2> slots;
    slots[0].state = first.state;
    slots[0].record.generation = first.generation;
    slots[1].state = second.state;
    slots[1].record.generation = second.generation;
    Choice choice = choose(slots);
    Choice again = choose(slots);
    require(choice.content == again.content && choice.seed_slot == again.seed_slot &&
                choice.sibling_valid == again.sibling_valid && choice.newest_generation == again.newest_generation,
            "the same slots, the same choice");
    return choice;
}

void check_choice(const Sketch& first, const Sketch& second, const Choice& choice) {
    auto any = [&](SlotState state) { return first.state == state || second.state == state; };
    bool both = first.state == SlotState::valid && second.state == SlotState::valid;
    require(choice.seed_slot == 0 || choice.seed_slot == 1, "one of two slots");
    require(choice.newest_generation == std::max(first.generation, second.generation),
            "P1: the generation of a slot that is only in doubt counts too");
    require(choice.sibling_valid == (both && first.generation != second.generation),
            "P1: the sibling counts if both are valid, with different generations");
    StoreContent content = any(SlotState::other_version) ? StoreContent::other_version
                           : any(SlotState::valid)       ? StoreContent::seed
                           : any(SlotState::unreadable)  ? StoreContent::unreadable
                           : any(SlotState::damaged)     ? StoreContent::empty
                           : any(SlotState::foreign)     ? StoreContent::foreign
                                                         : StoreContent::empty;
    require(choice.content == content, "what may be written, and what may not");
    if (content != StoreContent::seed) {
        require(choice.other_slot() == 0, "an empty store is filled from slot 0");
        return;
    }
    const Sketch& seed = choice.seed_slot == 0 ? first : second;
    const Sketch& other = choice.seed_slot == 0 ? second : first;
    require(seed.state == SlotState::valid, "the seed is a valid record");
    require(other.state != SlotState::valid || other.generation <= seed.generation,
            "P5: the newest record is never the one to be overwritten");
}

// The list in docs/design.md, "Credit", row by row.
unsigned table(const SeedFacts& f, bool retired, bool virtual_machine, SeedPolicy policy) {
    bool known = std::any_of(f.record_tag.begin(), f.record_tag.end(), [](std::uint8_t b) { return b != 0; });
    bool here = f.record_tag == f.machine_tag;
    BootId none{};
    bool boots_known = f.boot != none && f.record_boot != none;
    bool fresh = f.creditable && f.sibling_valid && f.store_flaw == StoreFlaw::none && boots_known &&
                 f.boot != f.record_boot && here;
    bool vouched = policy == SeedPolicy::always || (policy == SeedPolicy::automatic && known && !virtual_machine);
    return fresh && retired && !f.read_only && vouched ? 256 : 0;
}

template <std::size_t N>
Bytes<N> mark(unsigned which) {
    Bytes<N> bytes{};
    if (which != 0) bytes[which * 37 % N] = static_cast<std::uint8_t>(which);
    return bytes;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    auto sketch = [&] {
        SlotState state = kStates[input.below(std::size(kStates))];
        unsigned width = input.below(4);  // mostly small, so that generations meet
        std::uint64_t generation = width == 0 ? input.number() : input.below(width == 1 ? 3 : 250);
        return Sketch{state, generation};
    };
    Sketch first = sketch(), second = sketch();
    Choice choice = choose_from(first, second);
    check_choice(first, second, choice);
    Choice mirrored = choose_from(second, first);
    require(mirrored.content == choice.content && mirrored.sibling_valid == choice.sibling_valid,
            "which slot is which does not matter");
    if (choice.sibling_valid) require(mirrored.seed_slot == choice.other_slot(), "nor for the seed");

    unsigned flags = input.byte();
    unsigned flaw = input.below(4);
    SeedFacts facts{.read_only = (flags & 1) != 0,
                    .creditable = (flags & 4) != 0,
                    .sibling_valid = choice.sibling_valid,
                    .record_boot = mark<16>(input.below(3)),
                    .boot = mark<16>(input.below(3)),
                    .store_flaw = flaw == 1   ? StoreFlaw::exposed
                                  : flaw == 2 ? StoreFlaw::forgetful
                                              : StoreFlaw::none,
                    .record_tag = mark<32>(input.below(3)),
                    .machine_tag = mark<32>(input.below(3))};
    bool retired = (flags & 2) != 0, virtual_machine = (flags & 8) != 0;
    SeedPolicy policy = std::array{SeedPolicy::automatic, SeedPolicy::always, SeedPolicy::never}[input.below(3)];
    Credit credit = credit_for_seed(facts, retired, virtual_machine, policy);
    require(credit.bits == table(facts, retired, virtual_machine, policy), "P3: credit by the table, and no other");
    require((credit.reason == Reason::none) == (credit.bits != 0), "P8: a zero has a reason");
    require(std::string_view(explain(credit.reason).what).empty() == (credit.bits != 0), "P8: which can be said");
    if (credit.bits != 0) {
        require(first.state == SlotState::valid && second.state == SlotState::valid &&
                    first.generation != second.generation,
                "P1: credit only if both slots are valid, with different generations");
    }

    std::vector<std::uint8_t> given(input.byte());
    unsigned quality = input.byte() * 256u + input.byte();
    for (std::uint8_t& byte : given) byte = static_cast<std::uint8_t>(input.byte());
    Credit hardware = credit_for_device(given, quality % 1025, kernel::FileInfo{.kind = kernel::FileKind::other});
    require(hardware.bits <= 256 && hardware.bits * 1024 <= given.size() * 8 * (quality % 1025),
            "P3: a hardware RNG's credit is within its quality");
    require((hardware.reason == Reason::none) == (hardware.bits != 0), "P8: a zero has a reason");
    return 0;
}
