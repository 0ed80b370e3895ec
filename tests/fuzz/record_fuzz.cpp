// SPDX-License-Identifier: MIT
// The record. Any 512 bytes have exactly one state, the one that a second reading of the table gives; what is valid is
// encoded again as it was; a bit that flipped is never overlooked (P1: a torn successor is no successor).
#include "fuzz.hpp"

using namespace earlyseed;
using namespace earlyseed::fuzz;

namespace {

enum Shape : unsigned { raw, with_magic, with_checksum, whole, shapes };

bool fields_equal(const Record& record, const Reading& reading) {
    auto seed = record.seed.span();
    return record.creditable == reading.creditable && record.generation == reading.generation &&
           record.saved_at_s == reading.saved_at && record.boot_id == reading.boot_id &&
           record.machine_tag == reading.tag && std::equal(seed.begin(), seed.end(), reading.seed.begin());
}

void mark(Record& record, std::uint8_t value) {
    record.generation = value;
    record.boot_id.fill(value);
    record.seed.span()[63] = value;
}

bool is_marked(const Record& record, std::uint8_t value) {
    return record.generation == value && record.boot_id[7] == value && record.seed.span()[63] == value;
}

SlotState check_decode(const RecordBytes& bytes, Record& record) {
    mark(record, 0xa5);
    SlotState state = decode(bytes, record);
    Reading reading = read_record(bytes);
    require(state == reading.state, "one state for any bytes, that of the table");
    if (state == SlotState::valid) {
        require(fields_equal(record, reading), "each field is where the table has it");
    } else {
        require(is_marked(record, 0xa5), "what is not valid leaves the record alone");
    }
    return state;
}

void check_encode(const Record& record, const RecordBytes& from) {
    RecordBytes again;
    encode(record, again);
    // A version 1 record that this program did not write may have something in the places that version 1 leaves zero;
    // that, and what depends on it, is not kept.
    RecordBytes expected = from;
    expected[10] &= 1;
    std::fill(expected.begin() + 11, expected.begin() + 16, std::uint8_t{0});
    std::fill(expected.begin() + 144, expected.begin() + 480, std::uint8_t{0});
    auto sum = checksum_of(expected);
    std::copy(sum.begin(), sum.end(), expected.begin() + 480);
    require(again == expected, "encode(decode(x)) == x");
}

void check_flips(const RecordBytes& valid, std::uint16_t bit, std::uint8_t more) {
    RecordBytes flipped = valid;
    auto flip = [&](std::size_t at) { flipped[at / 8 % kRecordBytes] ^= static_cast<std::uint8_t>(1 << at % 8); };
    Record unused;
    flip(bit);
    SlotState state = check_decode(flipped, unused);
    require(state != SlotState::valid && state != SlotState::pristine, "a record with a flipped bit is never valid");
    for (std::size_t i = 1; i <= more % 4u; i++) flip(bit + i * (more / 4u + 1u));
    if (flipped != valid) require(check_decode(flipped, unused) != SlotState::valid, "nor one with several");
    // A write that tore: the front of the record is there, the rest is what was there before.
    RecordBytes torn{};
    std::size_t reached = bit / 8 % kRecordBytes;
    std::copy_n(valid.begin(), reached, torn.begin());
    if (torn != valid) require(check_decode(torn, unused) != SlotState::valid, "a torn record is never valid");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    unsigned shape = input.below(shapes);
    std::uint16_t bit = static_cast<std::uint16_t>(input.byte() * 256 + input.byte());
    std::uint8_t more = input.byte();

    RecordBytes bytes{};
    if (shape == whole) {
        Record record;
        record.creditable = input.flag();
        record.generation = input.number();
        record.saved_at_s = input.number();
        input.fill(record.boot_id);
        input.fill(record.machine_tag);
        input.fill(record.seed.span());
        encode(record, bytes);
    } else {
        input.fill(bytes);
        if (shape != raw) std::copy_n("earlySD\n", 8, bytes.begin());
        if (shape == with_checksum) {
            if (more < 200) bytes[8] = 1, bytes[9] = 0;
            auto sum = checksum_of(bytes);
            std::copy(sum.begin(), sum.end(), bytes.begin() + 480);
        }
    }
    Record record;
    if (check_decode(bytes, record) == SlotState::valid) {
        check_encode(record, bytes);
        check_flips(bytes, bit, more);
    }
    return 0;
}
