// SPDX-License-Identifier: MIT
// Continuous health tests of the jitter samples, each on every sample: NIST SP 800-90B 4.4.1 (repetition count, on the
// delta and, as a stuck test, on its first and second difference) and 4.4.2 (adaptive proportion), a lag predictor, and
// a monotonic clock. They take plain time deltas, so recordings and fuzzers drive them as the sampler does. An alarm is
// final: what was sampled earns nothing.
//
// All run at H = 1 bit a sample, eight times the credited rate: at the credited rate they would be nearly blind.
// The cutoffs are computed by tests/entropy/cutoffs.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "jitter/shortage.hpp"

namespace earlyseed {

// C = 1 + ceil(-log2(alpha) / H), alpha = 2^-30, H = 1 (SP 800-90B 4.4.1).
inline constexpr unsigned kRepetitionCutoff = 31;

// C = 1 + critbinom(W, 2^-H, 1 - alpha), W = 512, alpha = 2^-30, H = 1 (SP 800-90B 4.4.2).
inline constexpr unsigned kWindow = 512;
inline constexpr unsigned kProportionCutoff = 325;

// The same for each of the 64 lags, with alpha = 2^-36 each, so that 64 lags together keep 2^-30.
inline constexpr unsigned kLags = 64;
inline constexpr unsigned kLagCutoff = 332;

// Timestamps are unsigned: a delta of this or more is a clock that ran backwards.
inline constexpr std::uint64_t kBackwards = std::uint64_t{1} << 63;

// What a test measures, and the value at which it raises the alarm.
struct HealthTest {
    char name[32];
    unsigned cutoff;
    Shortage shortage;
};
inline constexpr std::array<HealthTest, 6> kHealthTests{{
    {"clock ran backwards", 1, Shortage::timer_backwards},
    {"repetition count", kRepetitionCutoff, Shortage::repetition_count},
    {"  of the first difference", kRepetitionCutoff, Shortage::repetition_count},
    {"  of the second difference", kRepetitionCutoff, Shortage::repetition_count},
    {"adaptive proportion", kProportionCutoff, Shortage::adaptive_proportion},
    {"lag prediction", kLagCutoff, Shortage::lag_prediction},
}};

// What a test has seen so far.
struct TestCount {
    unsigned worst = 0;   // steps backwards; the longest run; the most hits in a window of 512
    unsigned alarms = 0;  // how often that was at the cutoff or above
};

class HealthTests {
public:
    ~HealthTests() { wipe(*this); }
    // One more sample: the whole delta, in clock steps.
    void add(std::uint64_t delta);

    // Index in kHealthTests of the first test that failed; kHealthTests.size() when none did.
    std::size_t failed() const { return failed_; }
    Shortage alarm() const { return failed_ == kHealthTests.size() ? Shortage::none : kHealthTests[failed_].shortage; }
    const TestCount& count(std::size_t test) const { return counts_[test]; }

private:
    // Length of the current run of one value.
    struct Run {
        std::uint64_t value = 0;
        unsigned length = 0;
        unsigned add(std::uint64_t next);  // the run's length with `next`
    };
    void note(std::size_t test, unsigned value);

    std::size_t failed_ = kHealthTests.size();
    std::array<TestCount, kHealthTests.size()> counts_{};
    std::uint64_t samples_ = 0;
    std::array<Run, 3> runs_{};            // of the delta, its first and its second difference
    std::array<std::uint64_t, 2> last_{};  // the last delta and its first difference
    std::uint64_t window_value_ = 0;
    unsigned window_count_ = 0;
    std::array<std::uint64_t, kLags> history_{};  // the last 64 deltas, a ring
    std::array<std::uint16_t, kLags> lag_hits_{};
};

}  // namespace earlyseed
