// SPDX-License-Identifier: MIT
// What the fuzz targets share: taking an input apart, and saying which promise it broke.
#pragma once

#include <sodium/crypto_generichash.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "seed/record.hpp"

namespace earlyseed::fuzz {

inline void require(bool holds, const char* promise) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", promise);
    std::abort();
}

// An input, from its start; zeros beyond its end.
class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

    std::uint8_t byte() {
        if (rest_.empty()) return 0;
        std::uint8_t value = rest_.front();
        rest_ = rest_.subspan(1);
        return value;
    }
    bool flag() { return (byte() & 1) != 0; }
    // 0 to choices - 1.
    unsigned below(unsigned choices) { return byte() % choices; }
    std::uint64_t number() {
        std::uint64_t value = 0;
        for (int i = 0; i < 8; i++) value |= std::uint64_t{byte()} << 8 * i;
        return value;
    }
    void fill(std::span<std::uint8_t> out) {
        for (std::uint8_t& value : out) value = byte();
    }
    bool at_end() const { return rest_.empty(); }
    std::span<const std::uint8_t> rest() const { return rest_; }

private:
    std::span<const std::uint8_t> rest_;
};

inline std::string_view text_of(std::span<const std::uint8_t> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

using RecordBytes = std::array<std::uint8_t, kRecordBytes>;

// BLAKE2b-256 of bytes 0 to 479, without the program's code.
inline std::array<std::uint8_t, 32> checksum_of(std::span<const std::uint8_t> record) {
    std::array<std::uint8_t, 32> sum;
    crypto_generichash(sum.data(), sum.size(), record.data(), 480, nullptr, 0);
    return sum;
}

// A second reading of the table in docs/record-format.md, which shares no code with record.cpp.
struct Reading {
    SlotState state = SlotState::pristine;
    bool creditable = false;
    std::uint64_t generation = 0;
    std::uint64_t saved_at = 0;
    std::array<std::uint8_t, 16> boot_id{};
    std::array<std::uint8_t, 32> tag{};
    std::array<std::uint8_t, 64> seed{};

    bool valid() const { return state == SlotState::valid; }
};

inline Reading read_record(std::span<const std::uint8_t> bytes) {
    auto number = [&](std::size_t at, int size) {
        std::uint64_t value = 0;
        for (int i = size; i-- > 0;) value = value * 256 + bytes[at + static_cast<std::size_t>(i)];
        return value;
    };
    Reading reading;
    if (bytes[0] == 0 && std::count(bytes.begin(), bytes.begin() + kRecordBytes, 0) == kRecordBytes) return reading;
    auto sum = checksum_of(bytes);
    if (text_of(bytes.first(8)) != "earlySD\n") {
        reading.state = SlotState::foreign;
    } else if (!std::equal(sum.begin(), sum.end(), bytes.begin() + 480)) {
        reading.state = SlotState::damaged;
    } else if (number(8, 2) != 1) {
        reading.state = SlotState::other_version;
    } else if (number(16, 8) == 0 || number(16, 8) > std::uint64_t{1} << 62) {
        reading.state = SlotState::damaged;
    } else {
        reading.state = SlotState::valid;
        reading.creditable = (bytes[10] & 1) != 0;
        reading.generation = number(16, 8);
        reading.saved_at = number(24, 8);
        std::copy_n(bytes.begin() + 32, 16, reading.boot_id.begin());
        std::copy_n(bytes.begin() + 48, 32, reading.tag.begin());
        std::copy_n(bytes.begin() + 80, 64, reading.seed.begin());
    }
    return reading;
}

}  // namespace earlyseed::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
