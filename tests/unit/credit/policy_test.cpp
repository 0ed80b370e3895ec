// SPDX-License-Identifier: MIT
// The credit policy, every combination of facts under every policy, against the rules stated another way.
#include "credit/policy.hpp"

#include <set>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "catch.hpp"

using namespace earlyseed;

namespace {

enum class Tags { equal, both_unknown, record_unknown, machine_unknown, different };
constexpr Tags kTags[] = {Tags::equal, Tags::both_unknown, Tags::record_unknown, Tags::machine_unknown,
                          Tags::different};
constexpr SeedPolicy kPolicies[] = {SeedPolicy::automatic, SeedPolicy::always, SeedPolicy::never};
enum class Boots { different, same, record_unknown, boot_unknown, both_unknown };
constexpr Boots kBoots[] = {Boots::different, Boots::same, Boots::record_unknown, Boots::boot_unknown,
                            Boots::both_unknown};
constexpr unsigned kFlags = 1 << 7;

constexpr kernel::FileInfo kGenerator{.kind = kernel::FileKind::character_device, .device = {10, 183}};

// One line of the table.
struct Case {
    unsigned flags;
    Tags tags;
    Boots boots;
    SeedPolicy policy = SeedPolicy::automatic;
};

MachineTag tag_of(std::uint8_t byte) {
    MachineTag tag{};
    tag[31] = byte;  // the last byte counts as much as the first
    return tag;
}

BootId boot_of(std::uint8_t byte) {
    BootId boot{};
    boot[15] = byte;
    return boot;
}

SeedFacts facts_of(const Case& c) {
    SeedFacts facts{};
    facts.read_only = c.flags & 1;
    facts.creditable = c.flags & 4;
    facts.sibling_valid = c.flags & 8;
    facts.store_flaw = c.flags & 16 ? StoreFlaw::exposed : c.flags & 64 ? StoreFlaw::forgetful : StoreFlaw::none;
    switch (c.tags) {
        case Tags::equal:
            facts.record_tag = facts.machine_tag = tag_of(1);
            break;
        case Tags::both_unknown:
            break;
        case Tags::record_unknown:
            facts.machine_tag = tag_of(1);
            break;
        case Tags::machine_unknown:
            facts.record_tag = tag_of(1);
            break;
        case Tags::different:
            facts.record_tag = tag_of(1);
            facts.machine_tag = tag_of(2);
            break;
    }
    bool record_boot_known = c.boots != Boots::record_unknown && c.boots != Boots::both_unknown;
    bool boot_known = c.boots != Boots::boot_unknown && c.boots != Boots::both_unknown;
    if (record_boot_known) facts.record_boot = boot_of(c.boots == Boots::same ? 2 : 1);
    if (boot_known) facts.boot = boot_of(2);
    return facts;
}

template <typename Visit>
void for_each_case(Visit visit) {
    for (unsigned flags = 0; flags < kFlags; flags++) {
        for (Tags tags : kTags) {
            for (Boots boots : kBoots) {
                for (SeedPolicy policy : kPolicies) {
                    INFO("flags " << flags << ", tags " << static_cast<int>(tags) << ", boots "
                                  << static_cast<int>(boots) << ", policy " << static_cast<int>(policy));
                    Case c{flags, tags, boots, policy};
                    visit(c, facts_of(c));
                }
            }
        }
    }
}

bool is_retired(const Case& c) { return c.flags & 2; }
bool is_virtual(const Case& c) { return c.flags & 32; }

// A seed without a tag is bound to no machine: one that has a tag is another.
bool is_other_machine(Tags tags) { return tags != Tags::equal && tags != Tags::both_unknown; }

bool is_fresh(const Case& c) {
    bool flags = (c.flags & (4 | 8 | 16 | 64)) == (4 | 8);  // creditable, sibling valid, no flaw of the store
    return flags && !is_other_machine(c.tags) && c.boots == Boots::different;
}

// The rules as sentences: full credit for …, nothing for everything else.
bool deserves_credit(const Case& c) {
    if (c.policy == SeedPolicy::never) return false;
    bool durable = (c.flags & (1 | 2)) == 2;
    bool here = c.tags == Tags::equal && (c.flags & 32) == 0;
    return durable && is_fresh(c) && (here || c.policy == SeedPolicy::always);
}

// The reasons that hold, first things first.
std::vector<Reason> reasons(const Case& c, const SeedFacts& f) {
    std::vector<Reason> all;
    if (f.read_only) all.push_back(Reason::read_only);
    if (!is_retired(c)) all.push_back(Reason::write_failed);
    if (!f.creditable) all.push_back(Reason::not_creditable);
    if (!f.sibling_valid) all.push_back(Reason::sibling_doubt);
    if (is_other_machine(c.tags)) all.push_back(Reason::other_machine);
    if (f.store_flaw != StoreFlaw::none) all.push_back(reason_of(f.store_flaw));
    if (c.boots != Boots::different && c.boots != Boots::same) all.push_back(Reason::boot_unknown);
    if (c.boots == Boots::same) all.push_back(Reason::saved_this_boot);
    if (c.policy == SeedPolicy::never) all.push_back(Reason::seed_never);
    if (c.policy == SeedPolicy::automatic) {
        if (is_virtual(c)) all.push_back(Reason::virtual_machine);
        if (c.tags == Tags::both_unknown) all.push_back(Reason::machine_unknown);
    }
    return all;
}

}  // namespace

TEST_CASE("P2, P3: a seed is credited 256 bits or nothing, for every combination of facts and policy") {
    unsigned credited = 0;
    for_each_case([&](const Case& c, const SeedFacts& facts) {
        Credit credit = credit_for_seed(facts, is_retired(c), is_virtual(c), c.policy);
        CHECK(credit.bits == (deserves_credit(c) ? 256u : 0u));
        CHECK((credit.bits != 0) == (credit.reason == Reason::none));
        credited += credit.bits != 0;
    });
    // auto: one. always: equal and unknown, each in a virtual machine and not.
    CHECK(credited == 1 + 2 * 2);
}

TEST_CASE("P8: the first reason that holds is the one that is shown") {
    for_each_case([](const Case& c, const SeedFacts& facts) {
        std::vector<Reason> all = reasons(c, facts);
        Credit credit = credit_for_seed(facts, is_retired(c), is_virtual(c), c.policy);
        CHECK(credit.reason == (all.empty() ? Reason::none : all.front()));
    });
}

TEST_CASE("P1: what a successor inherits does not depend on the policy, the medium or the hypervisor") {
    for_each_case([](const Case& c, const SeedFacts& facts) { CHECK((doubt(facts) == Reason::none) == is_fresh(c)); });
}

TEST_CASE("P2: every byte of the machine tag counts") {
    SeedFacts facts = facts_of({4 | 8, Tags::equal, Boots::different});
    REQUIRE(credit_for_seed(facts, true, false, SeedPolicy::automatic).bits == 256);
    for (std::size_t i = 0; i < facts.machine_tag.size(); i++) {
        SeedFacts other = facts;
        other.machine_tag[i] ^= 0x80;
        CHECK(credit_for_seed(other, true, false, SeedPolicy::automatic).reason == Reason::other_machine);
        CHECK(credit_for_seed(other, true, false, SeedPolicy::always).reason == Reason::other_machine);
    }
}

TEST_CASE("P1: every byte of the boot ID counts") {
    SeedFacts facts = facts_of({4 | 8, Tags::equal, Boots::same});
    REQUIRE(credit_for_seed(facts, true, false, SeedPolicy::always).reason == Reason::saved_this_boot);
    for (std::size_t i = 0; i < facts.boot.size(); i++) {
        SeedFacts other = facts;
        other.boot[i] ^= 0x80;
        CHECK(credit_for_seed(other, true, false, SeedPolicy::automatic).bits == 256);
    }
}

TEST_CASE("P3: a hardware RNG is credited by its quality, 256 bits at most") {
    std::array<std::uint8_t, 64> data;
    for (std::size_t i = 0; i < data.size(); i++) data[i] = static_cast<std::uint8_t>(i * 37 + 5);
    auto credit_for = [&](std::size_t bytes, unsigned quality) {
        return credit_for_device(std::span(data).first(bytes), quality, kGenerator);
    };
    for (std::size_t bytes : {0u, 1u, 7u, 32u, 33u, 64u}) {
        for (unsigned quality = 0; quality <= 1024; quality++) {
            Credit credit = credit_for(bytes, quality);
            if (credit.bits > 256 || credit.bits * 1024 > bytes * 8 * quality) FAIL(bytes << " at " << quality);
            if ((credit.bits == 0) != (credit.reason != Reason::none)) FAIL(bytes << " at " << quality);
        }
    }
    CHECK(credit_for(64, 1024).bits == 256);
    CHECK(credit_for(32, 1024).bits == 256);
    CHECK(credit_for(32, 512).bits == 128);
    CHECK(credit_for(64, 512).bits == 256);
    CHECK(credit_for(64, 1).bits == 0);
    CHECK(credit_for(64, 1).reason == Reason::quality_zero);
    CHECK(credit_for(64, 2).bits == 1);
    CHECK(credit_for(64, 0).reason == Reason::quality_zero);
    CHECK(credit_for(0, 1024).reason == Reason::quality_zero);
    CHECK(credit_for(0, 0).bits == 0);
}

TEST_CASE("P3: a hardware RNG that repeats itself earns nothing, one odd byte or short data do not condemn it") {
    for (std::size_t period : {1u, 2u, 4u, 8u}) {
        for (unsigned first : {0x00u, 0xffu, 0x5au}) {
            std::array<std::uint8_t, 64> data;
            for (std::size_t i = 0; i < data.size(); i++) data[i] = static_cast<std::uint8_t>(first + i % period);
            INFO("period " << period << " from " << first);
            CHECK(credit_for_device(data, 1024, kGenerator).bits == 0);
            CHECK(credit_for_device(data, 1024, kGenerator).reason == Reason::stuck);
            CHECK(credit_for_device(std::span(data).first(8), 1024, kGenerator).bits == 64);
            data[63] = static_cast<std::uint8_t>(~data[63]);
            CHECK(credit_for_device(data, 1024, kGenerator).bits == 256);
        }
    }
}

TEST_CASE("P3: what could give the same bytes at the next boot earns nothing") {
    std::array<std::uint8_t, 64> data;
    for (std::size_t i = 0; i < data.size(); i++) data[i] = static_cast<std::uint8_t>(i * 37 + 5);
    auto bits = [&](kernel::FileKind kind, std::uint32_t major) {
        return credit_for_device(data, 1024, {.kind = kind, .device = {major, 9}}).bits;
    };
    using kernel::FileKind;
    CHECK(bits(FileKind::character_device, 10) == 256);
    CHECK(bits(FileKind::other, 0) == 256);            // a FIFO or a socket
    CHECK(bits(FileKind::character_device, 1) == 0);   // /dev/urandom
    CHECK(bits(FileKind::character_device, 90) == 0);  // MTD
    for (FileKind kind : {FileKind::regular, FileKind::block_device, FileKind::directory, FileKind::symbolic_link}) {
        CHECK(bits(kind, 10) == 0);
    }
}

TEST_CASE("P3: add credits what is declared, and no more than the input or the pool can hold") {
    CHECK(credit_for_declared(0, 64).bits == 0);
    CHECK(credit_for_declared(100, 64).bits == 100);
    CHECK(credit_for_declared(100, 4).bits == 32);
    CHECK(credit_for_declared(~std::uint64_t{0}, 1 << 20).bits == 256);
    CHECK(credit_for_declared(1, 0).bits == 0);
}

TEST_CASE(
    "P3: jitter earns what was collected, or nothing with the reason of its shortage; the CPU's generator nothing") {
    CHECK(credit_for_jitter(256, Shortage::none, JitterPolicy::automatic).bits == 256);
    CHECK(credit_for_jitter(256, Shortage::none, JitterPolicy::never).reason == Reason::jitter_never);
    std::set<Reason> reasons;
    for (Shortage shortage :
         {Shortage::timer_coarse, Shortage::timer_backwards, Shortage::repetition_count, Shortage::adaptive_proportion,
          Shortage::lag_prediction, Shortage::low_estimate, Shortage::out_of_time}) {
        Credit credit = credit_for_jitter(256, shortage, JitterPolicy::automatic);
        CHECK(credit.bits == 0);
        CHECK(credit.reason != Reason::none);
        CHECK(reasons.insert(credit.reason).second);
    }
    Bytes<64> words{};
    CHECK(credit_for_cpu(words).reason == Reason::stuck);
    words[9] = 1;
    CHECK(credit_for_cpu(words).reason == Reason::never_credited);
    CHECK(credit_for_cpu(words).bits == 0);
}

TEST_CASE("P8: every reason has its own words, which fit into the report") {
    std::set<std::string_view> seen;
    unsigned count = 0;
    for (int i = static_cast<int>(Reason::none) + 1; i <= static_cast<int>(Reason::not_accepted); i++, count++) {
        INFO("reason " << i);
        std::string_view what = explain(static_cast<Reason>(i)).what, advice = explain(static_cast<Reason>(i)).advice;
        CHECK_FALSE(what.empty());
        CHECK(seen.insert(what).second);
        CHECK(what.size() < 127);
        CHECK(advice.size() < 127);
        for (std::string_view text : {what, advice}) {
            CHECK(text.find('\n') == std::string_view::npos);
            CHECK((text.empty() || text.back() != '.'));
        }
    }
    CHECK(count == kReasons - 1);
    CHECK(*explain(Reason::none).what == '\0');
    CHECK(*explain(Reason::none).advice == '\0');
}

TEST_CASE("P8: a virtual machine is told what to do") {
    std::string_view what = explain(Reason::virtual_machine).what, advice = explain(Reason::virtual_machine).advice;
    CHECK(what.find("virtual machine") != std::string_view::npos);
    CHECK(advice == "jitter must carry the credit, or set credit-seed = always");
}
