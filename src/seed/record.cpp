// SPDX-License-Identifier: MIT
#include "seed/record.hpp"

#include <sodium/crypto_generichash.h>

#include <algorithm>

namespace earlyseed {

namespace {

constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kFlagsAt = 10;
constexpr std::size_t kGenerationAt = 16;
constexpr std::size_t kSavedAt = 24;
constexpr std::size_t kBootIdAt = 32;
constexpr std::size_t kMachineTagAt = 48;
constexpr std::size_t kSeedAt = 80;
constexpr std::size_t kChecksumAt = 480;
constexpr std::uint16_t kCreditableFlag = 1;

// Plain and unkeyed: `head -c 480 | b2sum -l 256` gives the same.
Bytes<32> checksum(std::span<const std::uint8_t, kRecordBytes> record) {
    Bytes<32> sum;
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, sum.size());
    crypto_generichash_update(&state, record.data(), kChecksumAt);
    if (crypto_generichash_final(&state, sum.data(), sum.size()) != 0) __builtin_trap();
    wipe(&state, sizeof state);
    return sum;
}

template <typename From, typename To>
void copy(const From& from, To to) {
    std::copy(from.begin(), from.end(), to.begin());
}

}  // namespace

void encode(const Record& record, std::span<std::uint8_t, kRecordBytes> out) {
    std::fill(out.begin(), out.end(), std::uint8_t{0});
    copy(bytes_of(kRecordMagic), out);
    store_le(out.subspan(kVersionAt), kRecordVersion);
    store_le(out.subspan(kFlagsAt), record.creditable ? kCreditableFlag : std::uint16_t{0});
    store_le(out.subspan(kGenerationAt), record.generation);
    store_le(out.subspan(kSavedAt), record.saved_at_s);
    copy(record.boot_id, out.subspan(kBootIdAt));
    copy(record.machine_tag, out.subspan(kMachineTagAt));
    copy(record.seed.span(), out.subspan(kSeedAt));
    copy(checksum(out), out.subspan(kChecksumAt));
}

SlotState decode(std::span<const std::uint8_t, kRecordBytes> in, Record& record) {
    if (all_zero(in)) return SlotState::pristine;
    auto magic = bytes_of(kRecordMagic);
    if (!std::equal(magic.begin(), magic.end(), in.begin())) return SlotState::foreign;
    Bytes<32> sum = checksum(in);
    if (!std::equal(sum.begin(), sum.end(), in.begin() + kChecksumAt)) return SlotState::damaged;
    if (load_le<std::uint16_t>(in.subspan(kVersionAt)) != kRecordVersion) return SlotState::other_version;

    std::uint64_t generation = load_le<std::uint64_t>(in.subspan(kGenerationAt));
    if (generation == 0 || generation > kMaxGeneration) return SlotState::damaged;

    record.creditable = (load_le<std::uint16_t>(in.subspan(kFlagsAt)) & kCreditableFlag) != 0;
    record.generation = generation;
    record.saved_at_s = load_le<std::uint64_t>(in.subspan(kSavedAt));
    copy(in.subspan(kBootIdAt, record.boot_id.size()), std::span(record.boot_id));
    copy(in.subspan(kMachineTagAt, record.machine_tag.size()), std::span(record.machine_tag));
    record.seed.copy_from(in.subspan<kSeedAt, kSeedBytes>());
    return SlotState::valid;
}

}  // namespace earlyseed
