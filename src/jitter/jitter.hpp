// SPDX-License-Identifier: MIT
// Collecting CPU jitter: samples in batches, each hashed whole, tested and assessed; what passes earns credit.
//
// Claimed min-entropy: 1/8 bit a sample. Assessed by NIST's tool: see tests/entropy/README.md; the least is many times
// that. Every batch must pass the health tests at H = 1 and be assessed at 1 bit a sample or more. The first batch is
// the start-up test and earns nothing, each later one 128 bits: three batches, 3072 samples, give 256 bits.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "jitter/estimate.hpp"
#include "base/hash.hpp"
#include "jitter/health.hpp"
#include "system/kernel.hpp"
#include "credit/policy.hpp"
#include "jitter/sampler.hpp"
#include "base/text.hpp"

namespace earlyseed {

inline constexpr unsigned kBatchCreditBits = kBatchSamples / 8;
inline constexpr unsigned kLeastMillibits = 1000;
// The start-up test of the timer: in the first batch it may stand still at this many samples at most. A clock that is
// coarser than a sample cannot see what varies between samples.
inline constexpr unsigned kMostStill = kBatchSamples / 8;
// So that a collection ends when the clock of the time limit stands still.
inline constexpr unsigned kMostBatches = 64;

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
    unsigned earned_bits() const { return alarm() == Reason::none ? earned_bits_ : 0; }
    // timer_coarse, else the first health test that failed, or none. Final.
    Reason alarm() const { return timer_.coarse() ? Reason::timer_coarse : health_.alarm(); }
    // Why nothing is earned: the alarm; else low_estimate when a batch after the first was below kLeastMillibits; else
    // out_of_time: there were too few batches.
    Reason shortage() const;
    // What the test behind `reason` saw, for a person: "31, alarm at 31"; empty for other reasons.
    Text<64> seen(Reason reason) const;

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

struct JitterResult {
    Secret<64> digest;  // BLAKE2b-512 over every delta, good or bad
    unsigned samples = 0;
    unsigned credit_bits = 0;         // 0 unless the collection was complete
    unsigned assessed_millibits = 0;  // JitterJudge::assessed_millibits()
    std::uint64_t time_ns = 0;
    Reason reason = Reason::none;  // why credit_bits is 0
    Text<64> seen;                 // JitterJudge::seen() of it
};

inline constinit MemoryWalk memory_walk;

// Collects until `wanted_bits` are earned, an alarm is raised, or `timeout_ms` have passed (looked at between batches,
// so overrun by one batch of 1024 samples at most). wanted_bits = 0: one batch, for mixing only.
// Pins the process to its CPU.
template <Counter C>
void collect_jitter(unsigned wanted_bits, unsigned timeout_ms, JitterResult& result) {
    std::uint64_t start = kernel::monotonic_ns();
    Hash hash(label::kJitter, result.digest.span().size());
    JitterJudge judge;
    SecretArray<std::uint64_t, kBatchSamples> batch;

    kernel::pin_to_current_cpu();
    memory_walk.prepare();
    for (unsigned batches = 0;;) {
        memory_walk.sample<C>(batch.span());
        hash.add(batch.span());
        judge.add(batch.span());
        result.samples += kBatchSamples;
        result.time_ns = kernel::monotonic_ns() - start;
        if (judge.alarm() != Reason::none || judge.earned_bits() >= wanted_bits) break;
        if (++batches == kMostBatches || result.time_ns >= std::uint64_t{timeout_ms} * 1'000'000) break;
    }
    hash.finish(result.digest.span());
    result.assessed_millibits = judge.assessed_millibits();
    if (judge.alarm() == Reason::none && judge.earned_bits() >= wanted_bits) {
        result.credit_bits = wanted_bits;
        return;
    }
    result.reason = judge.shortage();
    result.seen = judge.seen(result.reason).view();
}

}  // namespace earlyseed
