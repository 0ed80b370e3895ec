// SPDX-License-Identifier: MIT
// The noise source: how long a fixed amount of work takes. One sample is 64 dependent read-modify-writes at
// pseudo-random places of a buffer larger than the first-level cache; the path of instructions between two readings
// of the counter is constant, so what varies is the machine: caches, TLB, buses, interrupts, the host of a guest.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "jitter/counter.hpp"

namespace earlyseed {

// Measured with NIST's SP 800-90B tool on raw deltas, least assessment in bits a sample, x86-64 host / x86-64 guest /
// aarch64 guest under emulation: 64 KiB 1.21 / 1.55 / 1.23; 512 KiB 1.40 / 1.98 / 1.53; 1 MiB 2.25 / 1.93 / 2.12.
inline constexpr std::size_t kWalkBytes = std::size_t{1} << 20;
inline constexpr unsigned kWalkAccesses = 64;

class MemoryWalk {
public:
    // Touches every page, so that page faults do not pose as noise.
    void prepare() {
        for (std::size_t i = 0; i < buffer_.size(); i += 512) buffer_[i] = static_cast<std::uint8_t>(i >> 9);
    }

    // Fills `deltas` with counter steps per sample; a clock that runs backwards wraps to 2^63 and above.
    template <Counter C>
    void sample(std::span<std::uint64_t> deltas) {
        std::uint64_t last = C::now();
        for (std::uint64_t& delta : deltas) {
            walk();
            std::uint64_t now = C::now();
            delta = now - last;
            last = now;
        }
    }

private:
    void walk() {
        std::uint64_t state = state_;
        for (unsigned i = 0; i < kWalkAccesses; i++) {
            // Knuth's MMIX generator; each place depends on what was read at the one before.
            state = state * 6364136223846793005u + 1442695040888963407u;
            std::uint8_t& place = buffer_[static_cast<std::uint32_t>(state >> 44)];
            state += ++place;
        }
        state_ = state;
    }

    static_assert(kWalkBytes == std::size_t{1} << (64 - 44));
    std::uint64_t state_ = 0;  // all zero, so that the object costs no byte of the binary
    std::array<std::uint8_t, kWalkBytes> buffer_{};
};

}  // namespace earlyseed
