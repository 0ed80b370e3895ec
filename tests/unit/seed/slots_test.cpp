// SPDX-License-Identifier: MIT
// Which record is the seed: every pair of slot states, in every order of generations, against a table written by hand.
#include "seed/slots.hpp"

#include <string>

#include "catch.hpp"

using namespace earlyseed;

namespace {

constexpr SlotState kStates[] = {SlotState::pristine,      SlotState::valid,   SlotState::damaged,
                                 SlotState::other_version, SlotState::foreign, SlotState::unreadable};
constexpr const char* kNames[] = {"pristine", "valid", "damaged", "other_version", "foreign", "unreadable"};

// [state of slot 0][state of slot 1], both in the order of kStates. s: seed, e: empty, o: other version, f: foreign,
// u: unreadable.
constexpr std::string_view kContents[] = {
    //        pristine, valid, damaged, other, foreign, unreadable
    "eseofu",  // pristine
    "sssoss",  // valid
    "eseoeu",  // damaged
    "oooooo",  // other version
    "fseofu",  // foreign
    "usuouu",  // unreadable
};

StoreContent content_of(char letter) {
    switch (letter) {
        case 's':
            return StoreContent::seed;
        case 'e':
            return StoreContent::empty;
        case 'o':
            return StoreContent::other_version;
        case 'f':
            return StoreContent::foreign;
        default:
            return StoreContent::unreadable;
    }
}

Choice choose_from(SlotState first, std::uint64_t first_generation, SlotState second, std::uint64_t second_generation) {
    std::array<Slot, 2> slots;
    slots[0].state = first;
    slots[0].record.generation = first_generation;
    slots[1].state = second;
    slots[1].record.generation = second_generation;
    return choose(slots);
}

}  // namespace

TEST_CASE("P1, P5: the choice of the seed, for every pair of slots") {
    for (std::size_t first = 0; first < 6; first++) {
        for (std::size_t second = 0; second < 6; second++) {
            for (auto [a, b] : {std::pair{4u, 5u}, {5u, 4u}, {5u, 5u}, {0u, 1u}, {1u, 0u}}) {
                INFO(kNames[first] << " of generation " << a << ", " << kNames[second] << " of generation " << b);
                Choice choice = choose_from(kStates[first], a, kStates[second], b);
                CHECK(choice.content == content_of(kContents[first][second]));
                CHECK(choice.other_slot() == 1 - choice.seed_slot);
                if (choice.content != StoreContent::seed) {
                    // The first record goes to slot 0.
                    CHECK(choice.seed_slot == 1);
                    CHECK_FALSE(choice.sibling_valid);
                    continue;
                }
                bool both = kStates[first] == SlotState::valid && kStates[second] == SlotState::valid;
                int seed = !both ? (kStates[first] == SlotState::valid ? 0 : 1) : (a >= b ? 0 : 1);
                CHECK(choice.seed_slot == seed);
                CHECK(choice.sibling_valid == (both && a != b));
            }
        }
    }
}

TEST_CASE("slots: the generation of a slot that is not valid means nothing") {
    for (SlotState state : kStates) {
        if (state == SlotState::valid || state == SlotState::other_version) continue;
        Choice choice = choose_from(state, kMaxGeneration, SlotState::valid, 1);
        CHECK(choice.content == StoreContent::seed);
        CHECK(choice.seed_slot == 1);
        CHECK_FALSE(choice.sibling_valid);
        choice = choose_from(SlotState::valid, 1, state, kMaxGeneration);
        CHECK(choice.seed_slot == 0);
        CHECK_FALSE(choice.sibling_valid);
    }
}

TEST_CASE("slots: generations are compared as they are, far apart and at the limit") {
    CHECK(choose_from(SlotState::valid, 1, SlotState::valid, kMaxGeneration).seed_slot == 1);
    CHECK(choose_from(SlotState::valid, kMaxGeneration, SlotState::valid, kMaxGeneration - 1).seed_slot == 0);
    CHECK(choose_from(SlotState::valid, 1, SlotState::valid, kMaxGeneration).sibling_valid);
}
