// SPDX-License-Identifier: MIT
#include "system/clock.hpp"

#include <poll.h>
#include <time.h>

namespace earlyseed::kernel {

static std::uint64_t clock_ns(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

std::uint64_t monotonic_ns() { return clock_ns(CLOCK_MONOTONIC); }

std::uint64_t realtime_s() {
    constexpr std::uint64_t start_of_2020 = 1577836800;
    std::uint64_t now = clock_ns(CLOCK_REALTIME) / 1'000'000'000;
    return now < start_of_2020 ? 0 : now;
}

void sleep_ms(unsigned ms) { poll(nullptr, 0, static_cast<int>(ms)); }

}  // namespace earlyseed::kernel
