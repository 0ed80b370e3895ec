// SPDX-License-Identifier: MIT
// Collecting CPU jitter: samples in batches, each hashed whole, tested and assessed; what passes earns credit.
//
// Claimed min-entropy: 1/8 bit a sample. Assessed by NIST's tool: 1.93 bits and more on three platforms, a factor
// of 15. Every batch must pass the health tests at H = 1 and be assessed at 1 bit a sample or more. The first batch is
// the start-up test and earns nothing, each later one 128 bits: three batches, 3072 samples, give 256 bits.
#pragma once

#include <cstdint>

#include "bytes.hpp"
#include "estimate.hpp"
#include "hash.hpp"
#include "health.hpp"
#include "kernel.hpp"
#include "policy.hpp"
#include "sampler.hpp"

namespace earlyseed {

inline constexpr unsigned kBatchCreditBits = kBatchSamples / 8;
inline constexpr unsigned kLeastMillibits = 1000;
// So that a collection ends when the clock of the time limit stands still.
inline constexpr unsigned kMostBatches = 64;

// The judgement on a collection, batch by batch; on recordings too. About 75 KiB, wiped at the end.
class JitterJudge {
public:
    void add(std::span<const std::uint64_t, kBatchSamples> batch);
    // What the batches so far are worth; 0 after an alarm.
    unsigned earned_bits() const { return alarm() == Reason::none ? earned_bits_ : 0; }
    // The first health test that failed, or none.
    Reason alarm() const { return health_.alarm(); }
    // True when a batch after the first was assessed below kLeastMillibits.
    bool low() const { return low_; }
    // The least of the batches that earned something, or of all when none did.
    unsigned assessed_millibits() const { return earned_bits_ != 0 ? least_earning_ : least_; }

private:
    HealthTests health_;
    Estimator estimator_;
    bool started_ = false;
    bool low_ = false;
    unsigned earned_bits_ = 0;
    unsigned least_ = 64000, least_earning_ = 64000;
};

struct JitterResult {
    Secret<64> digest;                // BLAKE2b-512 over every delta, good or bad
    unsigned samples = 0;
    unsigned credit_bits = 0;         // 0 unless the collection was complete
    unsigned assessed_millibits = 0;  // JitterJudge::assessed_millibits()
    std::uint64_t time_ns = 0;
    Reason reason = Reason::none;     // why credit_bits is 0
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
    if (judge.alarm() != Reason::none) {
        result.reason = judge.alarm();
    } else if (judge.earned_bits() < wanted_bits) {
        result.reason = judge.low() ? Reason::low_estimate : Reason::out_of_time;
    } else {
        result.credit_bits = wanted_bits;
    }
}

}  // namespace earlyseed
