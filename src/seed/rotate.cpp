// SPDX-License-Identifier: MIT
#include "seed/rotate.hpp"

#include "base/hash.hpp"

namespace earlyseed {

namespace {

void stamp_record(Record& record, const Stamp& stamp, std::uint64_t generation, bool creditable) {
    record.generation = generation;
    record.creditable = creditable;
    record.saved_at_s = kernel::realtime_s();
    record.boot_id = stamp.boot_id;
    record.machine_tag = stamp.machine_tag;
}

SeedFacts facts_about(const Record& seed, const Choice& choice, const Store& store, const Stamp& stamp) {
    return {.read_only = store.read_only(),
            .retired = false,
            .creditable = seed.creditable,
            .sibling_valid = choice.sibling_valid,
            .record_boot = seed.boot_id,
            .boot = stamp.boot_id,
            .store_flaw = store.flaw(),
            .record_tag = seed.machine_tag,
            .machine_tag = stamp.machine_tag,
            .virtual_machine = false};
}

// 64 bytes of the kernel's output, or none on a kernel before 5.6 that is not ready. True when it is ready.
struct KernelBytes {
    Secret<64> buffer;
    bool ready = false;
    std::span<const std::uint8_t> bytes;

    KernelBytes() {
        ready = static_cast<bool>(kernel::random_bytes(buffer.span()));
        if (ready || kernel::insecure_random_bytes(buffer.span())) bytes = buffer.span();
    }
};

}  // namespace

Credit feed(std::span<const std::uint8_t, 64> bytes, Credit credit, bool& made_ready) {
    bool was_ready = kernel::crng_ready();
    if (!kernel::add_entropy(bytes, credit.bits)) return {0, Reason::not_accepted};
    // Once ready, what is mixed would wait for the next reseeding, up to a minute away. Best effort: Linux before 4.14
    // has no such call.
    if (was_ready) [[maybe_unused]] Status reseeded = kernel::reseed();
    made_ready = !was_ready && kernel::crng_ready();
    return credit;
}

RotationResult rotate(Store& store, const std::array<Slot, 2>& slots, const Choice& choice, const RotationInput& input) {
    const Record& seed = slots[static_cast<std::size_t>(choice.seed_slot)].record;
    SeedFacts facts = facts_about(seed, choice, store, input.stamp);
    facts.virtual_machine = input.virtual_machine;
    RotationResult result;

    Record successor;
    stamp_record(successor, input.stamp, choice.newest_generation + 1, doubt(facts) == Reason::none);
    Hash(label::kSuccessor, kSeedBytes)
        .add(seed.seed.span())
        .add(input.jitter)
        .add(bytes_of(successor.saved_at_s))
        .add(bytes_of(kernel::monotonic_ns()))
        .add(successor.boot_id)
        .add(bytes_of(successor.generation))
        .finish(successor.seed.span());
    result.retired = store.read_only() ? Status{Error{"write", EROFS}} : store.write(choice.other_slot(), successor);
    facts.retired = static_cast<bool>(result.retired);

    Secret<64> pool_input;
    Hash(label::kPool, pool_input.span().size()).add(seed.seed.span()).add(input.jitter).finish(pool_input.span());
    result.credit = feed(pool_input.span(), credit_for_seed(facts, input.policy), result.made_ready);
    if (!result.retired) return result;

    KernelBytes kernel_bytes;
    Record renewed;
    stamp_record(renewed, input.stamp, choice.newest_generation + 2,
                 (kernel_bytes.ready && store.flaw() == Reason::none) || successor.creditable);
    Hash(label::kRenew, kSeedBytes)
        .add(successor.seed.span())
        .add(kernel_bytes.bytes)
        .finish(renewed.seed.span());
    result.renewed = store.write(choice.seed_slot, renewed);
    return result;
}

SaveResult save_seed(Store& store, const std::array<Slot, 2>& slots, const Choice& choice, const Stamp& stamp) {
    const Slot& seed = slots[static_cast<std::size_t>(choice.seed_slot)];
    bool has_seed = choice.content == StoreContent::seed;
    SaveResult result;
    result.generation = choice.newest_generation;
    // A seed of this boot that waits for the next is none the worse for that.
    Reason reason = doubt(facts_about(seed.record, choice, store, stamp));
    bool inherits = has_seed && (reason == Reason::none || reason == Reason::saved_this_boot);

    auto write_next = [&](int slot) {
        KernelBytes kernel_bytes;
        Record next;
        result.creditable = (kernel_bytes.ready && store.flaw() == Reason::none) || inherits;
        stamp_record(next, stamp, ++result.generation, result.creditable);
        Hash hash(label::kSave, kSeedBytes);
        if (has_seed) hash.add(seed.record.seed.span());
        hash.add(kernel_bytes.bytes)
            .add(bytes_of(next.saved_at_s))
            .add(bytes_of(kernel::monotonic_ns()))
            .add(next.boot_id)
            .add(bytes_of(next.generation))
            .finish(next.seed.span());
        return store.write(slot, next);
    };
    result.written = write_next(choice.other_slot());
    if (result.written && !has_seed) result.written = write_next(choice.seed_slot);
    return result;
}

}  // namespace earlyseed
