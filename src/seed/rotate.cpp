// SPDX-License-Identifier: MIT
#include "seed/rotate.hpp"

#include "base/hash.hpp"
#include "system/clock.hpp"
#include "system/random.hpp"

namespace earlyseed {

namespace {

void stamp_record(Record& record, const Stamp& stamp, std::uint64_t generation, bool creditable) {
    record.generation = generation;
    record.creditable = creditable;
    record.saved_at_s = kernel::realtime_s();
    record.boot_id = stamp.boot_id;
    record.machine_tag = stamp.machine_tag;
}

// What makes two records of one seed differ.
void add_stamp(Hash& hash, const Record& record) {
    hash.add(bytes_of(record.saved_at_s))
        .add(bytes_of(kernel::monotonic_ns()))
        .add(record.boot_id)
        .add(bytes_of(record.generation));
}

// 64 bytes of the kernel's output: when it is not ready, what it has (none on a kernel before 5.6).
struct KernelBytes {
    Secret<64> buffer;
    bool ready = false;  // the generator was, when it gave them
    std::span<const std::uint8_t> bytes;

    KernelBytes() {
        ready = static_cast<bool>(kernel::random_bytes(buffer.span()));
        if (ready || kernel::insecure_random_bytes(buffer.span())) bytes = buffer.span();
    }
    bool makes_creditable(Creditable creditable) const { return ready ? creditable.if_ready : creditable.if_not_ready; }
};

const Slot& seed_slot(const std::array<Slot, 2>& slots, const Choice& choice) {
    return slots[static_cast<std::size_t>(choice.seed_slot)];
}

}  // namespace

Rotation::Rotation(Store& store, const std::array<Slot, 2>& slots, const Choice& choice, const Stamp& stamp,
                   std::span<const std::uint8_t> jitter)
    : store_(store), choice_(choice), stamp_(stamp), seed_(seed_slot(slots, choice).record), jitter_(jitter) {
    Hash(label::kPool, pool_input_.span().size()).add(seed_.seed.span()).add(jitter_).finish(pool_input_.span());
}

Status Rotation::retire(bool creditable) {
    if (store_.read_only()) return Error{"write", EROFS};
    stamp_record(successor_, stamp_, choice_.newest_generation + 1, creditable);
    Hash hash(label::kSuccessor, kSeedBytes);
    hash.add(seed_.seed.span()).add(jitter_);
    add_stamp(hash, successor_);
    hash.finish(successor_.seed.span());
    return store_.write(choice_.other_slot(), successor_);
}

Status Rotation::renew(Creditable creditable) {
    KernelBytes kernel_bytes;
    Record renewed;
    stamp_record(renewed, stamp_, choice_.newest_generation + 2, kernel_bytes.makes_creditable(creditable));
    Hash(label::kRenew, kSeedBytes).add(successor_.seed.span()).add(kernel_bytes.bytes).finish(renewed.seed.span());
    return store_.write(choice_.seed_slot, renewed);
}

SaveResult save_seed(Store& store, const std::array<Slot, 2>& slots, const Choice& choice, const Stamp& stamp,
                     Creditable creditable) {
    bool has_seed = choice.content == StoreContent::seed;
    SaveResult result;
    result.generation = choice.newest_generation;

    auto write_next = [&](int slot) {
        KernelBytes kernel_bytes;
        Record next;
        result.creditable = kernel_bytes.makes_creditable(creditable);
        stamp_record(next, stamp, ++result.generation, result.creditable);
        Hash hash(label::kSave, kSeedBytes);
        if (has_seed) hash.add(seed_slot(slots, choice).record.seed.span());
        hash.add(kernel_bytes.bytes);
        add_stamp(hash, next);
        hash.finish(next.seed.span());
        return store.write(slot, next);
    };
    result.written = write_next(choice.other_slot());
    if (result.written && !has_seed) result.written = write_next(choice.seed_slot);
    return result;
}

}  // namespace earlyseed
