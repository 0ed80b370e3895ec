// SPDX-License-Identifier: MIT
// Continuous health tests of the jitter samples, each on every sample: NIST SP 800-90B 4.4.1 (repetition count) and
// 4.4.2 (adaptive proportion), a lag predictor, and a monotonic clock. They take plain time deltas, so recordings
// and fuzzers drive them as the sampler does. An alarm is final: what was sampled earns nothing.
//
// All run at H = 1 bit a sample, eight times the credited rate: at the credited rate they would be nearly blind.
#pragma once

#include <array>
#include <cstdint>

#include "bytes.hpp"
#include "policy.hpp"

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

class HealthTests {
public:
    ~HealthTests() { wipe(this, sizeof *this); }
    // One more sample: the whole delta, in clock steps.
    void add(std::uint64_t delta);

    // The first test that failed (timer_backwards, repetition_count, adaptive_proportion, lag_prediction), or none.
    Reason alarm() const { return alarm_; }

private:
    // Length of the current run of one value.
    struct Run {
        std::uint64_t value = 0;
        unsigned length = 0;
        bool add(std::uint64_t next);  // true when the run reaches the cutoff
    };
    void raise(Reason reason) {
        if (alarm_ == Reason::none) alarm_ = reason;
    }

    Reason alarm_ = Reason::none;
    std::uint64_t samples_ = 0;
    Run delta_run_, first_difference_run_, second_difference_run_;
    std::uint64_t last_delta_ = 0, last_difference_ = 0;
    std::uint64_t window_value_ = 0;
    unsigned window_count_ = 0;
    std::array<std::uint64_t, kLags> history_{};  // the last 64 deltas, a ring
    std::array<std::uint16_t, kLags> lag_hits_{};
};

}  // namespace earlyseed
