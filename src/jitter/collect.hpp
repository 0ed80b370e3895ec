// SPDX-License-Identifier: MIT
// Collecting CPU jitter: samples in batches, each hashed whole and judged, until enough is earned or the time is over.
#pragma once

#include "base/hash.hpp"
#include "jitter/judge.hpp"
#include "jitter/sampler.hpp"
#include "system/clock.hpp"
#include "system/cpu.hpp"

namespace earlyseed {

// So that a collection ends when the clock of the time limit stands still.
inline constexpr unsigned kMostBatches = 64;

struct JitterResult {
    Secret<64> digest;  // BLAKE2b-512 over every delta, good or bad
    unsigned samples = 0;
    unsigned credit_bits = 0;         // 0 unless the collection was complete
    unsigned assessed_millibits = 0;  // JitterJudge::assessed_millibits()
    std::uint64_t time_ns = 0;
    Shortage shortage = Shortage::none;  // why credit_bits is 0
    Word seen;                           // JitterJudge::seen() of it
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
        if (judge.alarm() != Shortage::none || judge.earned_bits() >= wanted_bits) break;
        if (++batches == kMostBatches || result.time_ns >= std::uint64_t{timeout_ms} * 1'000'000) break;
    }
    hash.finish(result.digest.span());
    result.assessed_millibits = judge.assessed_millibits();
    if (judge.alarm() == Shortage::none && judge.earned_bits() >= wanted_bits) {
        result.credit_bits = wanted_bits;
        return;
    }
    result.shortage = judge.shortage();
    result.seen = judge.seen(result.shortage);
}

}  // namespace earlyseed
