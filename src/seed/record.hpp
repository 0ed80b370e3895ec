// SPDX-License-Identifier: MIT
// The record: how one seed lies in its slot. Encoding and decoding only; who may write which slot is decided
// in slots.hpp, what a seed is worth in policy.hpp.
//
//   offset bytes  field                                     (integers are little-endian)
//        0     8  magic "earlySD\n"
//        8     2  version, 1
//       10     2  flags; bit 0 = creditable
//       12     4  zeros
//       16     8  generation, 1 and up
//       24     8  saved at, seconds since the epoch, 0 = unknown
//       32    16  boot ID of the boot that saved it
//       48    32  machine tag, zeros = unknown
//       80    64  seed
//      144   336  zeros
//      480    32  BLAKE2b-256 of bytes 0 to 479
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/ids.hpp"

namespace earlyseed {

inline constexpr std::size_t kRecordBytes = 512;
inline constexpr std::size_t kSeedBytes = 64;
inline constexpr std::uint16_t kRecordVersion = 1;
inline constexpr std::uint64_t kMaxGeneration = std::uint64_t{1} << 62;  // far from overflow, out of reach
inline constexpr std::string_view kRecordMagic = "earlySD\n";

struct Record {
    bool creditable = false;
    std::uint64_t generation = 0;
    std::uint64_t saved_at_s = 0;
    BootId boot_id{};
    MachineTag machine_tag{};
    Secret<kSeedBytes> seed;
};

enum class SlotState {
    pristine,  // all zero: nothing was ever written, or it was forgotten
    valid,
    damaged,        // our magic, but the checksum or the generation is wrong: torn, rotten or edited
    other_version,  // ours and whole, but of a version that this program does not know
    foreign,        // anything else: somebody else's data
    unreadable,     // the medium gave an error; never the outcome of decode()
};

// Writes the whole record, checksum included.
void encode(const Record& record, std::span<std::uint8_t, kRecordBytes> out);

// Fills `record` when the slot is valid and leaves it alone otherwise.
SlotState decode(std::span<const std::uint8_t, kRecordBytes> in, Record& record);

}  // namespace earlyseed
