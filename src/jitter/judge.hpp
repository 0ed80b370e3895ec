// SPDX-License-Identifier: MIT
// The judgement on jitter samples, batch by batch: what is tested, what is assessed, what is earned. Knows no clock and
// no sampler, so recordings are judged as load judges its own samples.
//
// Claimed min-entropy: 1/8 bit a sample. Assessed by NIST's tool: see tests/entropy/README.md; the least is many times
// that. Every batch must pass the health tests at H = 1 and be assessed at 1 bit a sample or more. The first batch is
// the start-up test and earns nothing, each later one 128 bits: three batches, 3072 samples, give 256 bits.
#pragma once

#include <cstdint>

#include "base/fixed_string.hpp"
#include "jitter/estimate.hpp"
#include "jitter/health.hpp"

namespace earlyseed {

inline constexpr unsigned kBatchCreditBits = kBatchSamples / 8;
inline constexpr unsigned kLeastMillibits = 1000;
// The start-up test of the timer: in the first batch it may stand still at this many samples at most. A clock that is
// coarser than a sample cannot see what varies between samples.
inline constexpr unsigned kMostStill = kBatchSamples / 8;

// What the start-up test of the timer saw in the first batch.
struct TimerTest {
    unsigned still = 0;      // deltas of 0
    unsigned distinct = 0;   // different deltas
    std::uint64_t step = 0;  // the least difference between one delta and the next, 0 = all are equal
    bool coarse() const { return still > kMostStill; }
};

// The judgement on a collection, batch by batch; on recordings too. About 75 KiB, wiped at the end.
class JitterJudge {
public:
    void add(std::span<const std::uint64_t, kBatchSamples> batch);
    // What the batches so far are worth; 0 after an alarm.
    unsigned earned_bits() const { return alarm() == Shortage::none ? earned_bits_ : 0; }
    // timer_coarse, else the first health test that failed, or none. Final.
    Shortage alarm() const { return timer_.coarse() ? Shortage::timer_coarse : health_.alarm(); }
    // Why nothing is earned: the alarm; else low_estimate when a batch after the first was below kLeastMillibits; else
    // out_of_time: there were too few batches.
    Shortage shortage() const;
    // What the test behind `shortage` saw, for a person: "31, alarm at 31"; empty for others.
    Word seen(Shortage shortage) const;

    unsigned batches() const { return batches_; }
    unsigned low_batches() const { return low_batches_; }  // of those after the first
    // The least of the batches that earned something, or of all when none did.
    unsigned assessed_millibits() const { return earned_bits_ != 0 ? least_earning_ : least_; }
    const TimerTest& timer() const { return timer_; }
    const HealthTests& health() const { return health_; }

private:
    TimerTest timer_;
    HealthTests health_;
    Estimator estimator_;
    unsigned batches_ = 0, low_batches_ = 0;
    unsigned earned_bits_ = 0;
    unsigned least_ = 64000, least_earning_ = 64000;
};

}  // namespace earlyseed
