// SPDX-License-Identifier: MIT
// The record on disk: its layout byte by byte, and that nothing but a whole, unaltered record is taken for one.
#include "seed/record.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "base/fixed_string.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "catch.hpp"

using namespace earlyseed;

namespace {

using Raw = Bytes<kRecordBytes>;

void fill(Record& record, std::uint64_t generation, bool creditable) {
    record.creditable = creditable;
    record.generation = generation;
    record.saved_at_s = 0x1112131415161718;
    std::iota(record.boot_id.begin(), record.boot_id.end(), std::uint8_t{0x20});
    std::iota(record.machine_tag.begin(), record.machine_tag.end(), std::uint8_t{0x40});
    std::iota(record.seed.span().begin(), record.seed.span().end(), std::uint8_t{0x80});
}

Raw encoded(std::uint64_t generation, bool creditable = true) {
    Record record;
    fill(record, generation, creditable);
    Raw raw;
    raw.fill(0xee);  // encode() must leave nothing of it
    encode(record, raw);
    return raw;
}

// The checksum computed anew, for records that are wrong in something else only.
void seal(Raw& raw) { REQUIRE(crypto_generichash(raw.data() + 480, 32, raw.data(), 480, nullptr, 0) == 0); }

SlotState state_of(const Raw& raw) {
    Record record;
    return decode(raw, record);
}

std::string hex(std::span<const std::uint8_t> bytes) { return std::string(Line().add(Hex{bytes}).view()); }

}  // namespace

TEST_CASE("record: the layout, byte by byte") {
    Raw raw = encoded(0x0102030405060708);
    Raw expected{};
    std::memcpy(expected.data(), "earlySD\n", 8);
    expected[8] = 1;   // version, low byte
    expected[10] = 1;  // flags: creditable
    for (std::size_t i = 0; i < 8; i++) expected[16 + i] = static_cast<std::uint8_t>(0x08 - i);
    for (std::size_t i = 0; i < 8; i++) expected[24 + i] = static_cast<std::uint8_t>(0x18 - i);
    for (std::size_t i = 0; i < 16; i++) expected[32 + i] = static_cast<std::uint8_t>(0x20 + i);
    for (std::size_t i = 0; i < 32; i++) expected[48 + i] = static_cast<std::uint8_t>(0x40 + i);
    for (std::size_t i = 0; i < 64; i++) expected[80 + i] = static_cast<std::uint8_t>(0x80 + i);
    CHECK(hex(std::span(raw).first(240)) == hex(std::span(expected).first(240)));
    CHECK(hex(std::span(raw).subspan(240, 240)) == hex(std::span(expected).subspan(240, 240)));
    // Python: hashlib.blake2b(raw[:480], digest_size=32); the same as `head -c 480 | b2sum -l 256`.
    CHECK(hex(std::span(raw).subspan(480)) == "cc1ad9d083e66f488ec92f25d743490936508bd3c819a7b6436ed16102e5b3ef");
    CHECK(encoded(1, false)[10] == 0);
}

TEST_CASE("record: what was encoded is decoded") {
    for (bool creditable : {false, true}) {
        for (std::uint64_t generation : {std::uint64_t{1}, std::uint64_t{2}, kMaxGeneration}) {
            Record expected;
            fill(expected, generation, creditable);
            Record record;
            CHECK(decode(encoded(generation, creditable), record) == SlotState::valid);
            CHECK(record.creditable == creditable);
            CHECK(record.generation == generation);
            CHECK(record.saved_at_s == expected.saved_at_s);
            CHECK(record.boot_id == expected.boot_id);
            CHECK(record.machine_tag == expected.machine_tag);
            CHECK(hex(record.seed.span()) == hex(expected.seed.span()));
        }
    }
}

TEST_CASE("P3: a record with any single bit flipped is not valid") {
    const Raw good = encoded(7);
    REQUIRE(state_of(good) == SlotState::valid);
    std::vector<std::size_t> taken, wrong_state;
    for (std::size_t bit = 0; bit < kRecordBytes * 8; bit++) {
        Raw raw = good;
        raw[bit / 8] = static_cast<std::uint8_t>(raw[bit / 8] ^ 1 << bit % 8);
        SlotState state = state_of(raw);
        if (state == SlotState::valid) taken.push_back(bit);
        // In the magic it is somebody else's data; anywhere else, the version included, it is a damaged record.
        if (state != (bit < 64 ? SlotState::foreign : SlotState::damaged)) wrong_state.push_back(bit);
    }
    CHECK(taken == std::vector<std::size_t>{});
    CHECK(wrong_state == std::vector<std::size_t>{});
}

TEST_CASE("P5: a write that tore leaves the old record, or one that is known to be damaged") {
    Record newer;
    fill(newer, 9, true);
    for (auto& byte : newer.seed.span()) byte = static_cast<std::uint8_t>(byte * 3 + 1);
    Raw fresh;
    encode(newer, fresh);
    const Raw old = encoded(7);
    const Raw pristine{};
    unsigned damaged = 0;
    for (std::size_t written = 1; written < kRecordBytes; written++) {
        INFO(written << " bytes of the new record were written");
        Raw torn = old;
        std::copy_n(fresh.begin(), written, torn.begin());
        Raw torn_end = old;  // a medium may also write the end first
        std::copy(fresh.end() - static_cast<std::ptrdiff_t>(written), fresh.end(),
                  torn_end.end() - static_cast<std::ptrdiff_t>(written));
        for (const Raw& raw : {torn, torn_end}) {
            SlotState state = state_of(raw);
            CHECK(state == (raw == old || raw == fresh ? SlotState::valid : SlotState::damaged));
            damaged += state == SlotState::damaged;
        }
        Raw first_write = pristine;
        std::copy_n(fresh.begin(), written, first_write.begin());
        CHECK(state_of(first_write) != SlotState::valid);
        if (written >= kRecordMagic.size()) CHECK(state_of(first_write) == SlotState::damaged);
    }
    CHECK(damaged > 900);
}

TEST_CASE("record: zeros are pristine; anything without the magic is somebody else's") {
    Raw raw{};
    CHECK(state_of(raw) == SlotState::pristine);
    for (std::size_t at : {std::size_t{0}, std::size_t{1}, std::size_t{256}, std::size_t{511}}) {
        raw = {};
        raw[at] = 1;
        CHECK(state_of(raw) == SlotState::foreign);
    }
    raw.fill(0xff);
    CHECK(state_of(raw) == SlotState::foreign);

    raw = encoded(1);
    raw[7] = 0;
    seal(raw);
    CHECK(state_of(raw) == SlotState::foreign);
}

TEST_CASE("record: another version with a good checksum is left to who knows it; with a bad one it is damage") {
    for (unsigned version : {0u, 2u, 0x0101u, 0xffffu}) {
        Raw raw = encoded(1);
        write_le(std::span(raw).subspan(8), static_cast<std::uint16_t>(version));
        CHECK(state_of(raw) == SlotState::damaged);
        seal(raw);
        CHECK(state_of(raw) == SlotState::other_version);
    }
}

TEST_CASE("record: a generation out of range is damage, whatever the checksum says") {
    auto with_generation = [](std::uint64_t generation) {
        Raw raw = encoded(1);
        write_le(std::span(raw).subspan(16), generation);
        seal(raw);
        return state_of(raw);
    };
    CHECK(with_generation(0) == SlotState::damaged);
    CHECK(with_generation(1) == SlotState::valid);
    CHECK(with_generation(kMaxGeneration) == SlotState::valid);
    CHECK(with_generation(kMaxGeneration + 1) == SlotState::damaged);
    CHECK(with_generation(~std::uint64_t{0}) == SlotState::damaged);
}

TEST_CASE("record: what is not valid leaves the record alone") {
    Record record;
    fill(record, 5, true);
    Raw zeros{};
    CHECK(decode(zeros, record) == SlotState::pristine);
    Raw flipped = encoded(9, false);
    flipped[100] ^= 1;
    CHECK(decode(flipped, record) == SlotState::damaged);
    CHECK(record.generation == 5);
    CHECK(record.creditable);
    CHECK(record.seed.span()[0] == 0x80);
}

TEST_CASE("P3: only bit 0 of the flags makes a record creditable") {
    Raw raw = encoded(1, false);
    raw[10] = 0xfe;
    raw[11] = 0xff;
    seal(raw);
    Record record;
    REQUIRE(decode(raw, record) == SlotState::valid);
    CHECK_FALSE(record.creditable);
}
