// SPDX-License-Identifier: MIT
#include "credit/policy.hpp"

#include <algorithm>

namespace earlyseed {

SeedFacts facts_about(const Record& seed, const Choice& choice, const Store& store, const Stamp& stamp) {
    return {.read_only = store.read_only(),
            .creditable = seed.creditable,
            .sibling_valid = choice.sibling_valid,
            .record_boot = seed.boot_id,
            .boot = stamp.boot_id,
            .store_flaw = store.flaw(),
            .record_tag = seed.machine_tag,
            .machine_tag = stamp.machine_tag};
}

Reason doubt_at_next_boot(const SeedFacts& facts) {
    if (!facts.creditable) return Reason::not_creditable;
    if (!facts.sibling_valid) return Reason::sibling_doubt;
    // A seed without a tag on a machine that has one counts too: its successor would carry this machine's tag.
    if (facts.record_tag != facts.machine_tag) return Reason::other_machine;
    if (facts.store_flaw != StoreFlaw::none) return reason_of(facts.store_flaw);
    if (all_zero(facts.boot) || all_zero(facts.record_boot)) return Reason::boot_unknown;
    return Reason::none;
}

Reason doubt(const SeedFacts& facts) {
    Reason reason = doubt_at_next_boot(facts);
    if (reason == Reason::none && facts.record_boot == facts.boot) return Reason::saved_this_boot;
    return reason;
}

Credit credit_for_seed(const SeedFacts& facts, bool retired, bool virtual_machine, SeedPolicy policy) {
    if (facts.read_only) return {0, Reason::read_only};
    if (!retired) return {0, Reason::write_failed};
    if (Reason reason = doubt(facts); reason != Reason::none) return {0, reason};
    if (policy == SeedPolicy::never) return {0, Reason::seed_never};
    if (policy == SeedPolicy::automatic) {
        if (virtual_machine) return {0, Reason::virtual_machine};
        if (all_zero(facts.record_tag)) return {0, Reason::machine_unknown};
    }
    return {kFullCreditBits, Reason::none};
}

Reason reason_of(StoreFlaw flaw) {
    switch (flaw) {
        case StoreFlaw::none:
            return Reason::none;
        case StoreFlaw::exposed:
            return Reason::exposed;
        case StoreFlaw::forgetful:
            return Reason::forgetful;
    }
    return Reason::none;
}

Creditable creditable(StoreFlaw flaw, bool inherits) {
    return {.if_ready = inherits || flaw == StoreFlaw::none, .if_not_ready = inherits};
}

static Reason reason_of(Shortage shortage) {
    switch (shortage) {
        case Shortage::none:
            return Reason::none;
        case Shortage::timer_coarse:
            return Reason::timer_coarse;
        case Shortage::timer_backwards:
            return Reason::timer_backwards;
        case Shortage::repetition_count:
            return Reason::repetition_count;
        case Shortage::adaptive_proportion:
            return Reason::adaptive_proportion;
        case Shortage::lag_prediction:
            return Reason::lag_prediction;
        case Shortage::low_estimate:
            return Reason::low_estimate;
        case Shortage::out_of_time:
            return Reason::out_of_time;
    }
    return Reason::none;
}

Credit credit_for_jitter(unsigned earned_bits, Shortage shortage, JitterPolicy policy) {
    if (policy == JitterPolicy::never) return {0, Reason::jitter_never};
    if (shortage != Shortage::none) return {0, reason_of(shortage)};
    return {earned_bits, Reason::none};
}

bool is_stuck(std::span<const std::uint8_t> bytes) {
    for (std::size_t i = 8; i < bytes.size(); i++) {
        if (bytes[i] != bytes[i - 8]) return false;
    }
    return bytes.size() > 8;
}

Credit credit_for_cpu(std::span<const std::uint8_t> data) {
    return {0, is_stuck(data) ? Reason::stuck : Reason::never_credited};
}

// Documentation/admin-guide/devices.txt.
static bool may_repeat(const kernel::FileInfo& device) {
    constexpr std::uint32_t memory_major = 1;  // /dev/urandom, /dev/zero, …
    constexpr std::uint32_t mtd_major = 90;    // flash memory
    if (device.kind != kernel::FileKind::character_device) return device.kind != kernel::FileKind::other;
    return device.device.major == memory_major || device.device.major == mtd_major;
}

Credit credit_for_device(std::span<const std::uint8_t> data, unsigned quality, const kernel::FileInfo& device) {
    if (is_stuck(data)) return {0, Reason::stuck};
    if (may_repeat(device)) return {0, Reason::repeatable};
    auto bits = std::min<std::uint64_t>(std::uint64_t{data.size()} * 8 * quality / 1024, kFullCreditBits);
    if (bits == 0) return {0, Reason::quality_zero};
    return {static_cast<unsigned>(bits), Reason::none};
}

Credit credit_for_command_line() { return {kFullCreditBits, Reason::none}; }

Credit credit_for_declared(std::uint64_t declared_bits, std::uint64_t bytes) {
    std::uint64_t most_bits = std::min<std::uint64_t>(bytes * 8, kFullCreditBits);
    return {static_cast<unsigned>(std::min(declared_bits, most_bits)), Reason::none};
}

}  // namespace earlyseed
