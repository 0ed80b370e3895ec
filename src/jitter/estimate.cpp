// SPDX-License-Identifier: MIT
#include "jitter/estimate.hpp"

#include <algorithm>

#include "jitter/health.hpp"  // kLags

namespace earlyseed {

namespace {

// Multiplicative hashing (Knuth, TAOCP 3, 6.4): enough to spread deltas over a table.
std::uint64_t mix(std::uint64_t value) {
    value *= 0x9e3779b97f4a7c15;
    return value ^ value >> 32;
}

// -log2(p) in thousandths, for 0 < p <= 1: the integer part by doubling, ten more binary digits by squaring (Knuth,
// TAOCP 1, 1.2.2, exercise 25's method for base 2). The C library's log2 and its table would be 3 KiB of the program.
unsigned minus_log2_thousandths(double p) {
    unsigned whole = 0;
    for (; p < 0.5; p *= 2) whole++;
    unsigned fraction = 0;  // 1024ths; p is in [0.5, 1]
    for (unsigned bit = 512; bit != 0; bit /= 2) {
        p *= p;
        if (p < 0.5) {
            p *= 2;
            fraction += bit;
        }
    }
    return whole * 1000 + fraction * 1000 / 1024;
}

// -log2 of the 99 % upper bound of the success rate `hits` / `trials` (SP 800-90B 6.3.1, step 2).
unsigned millibits(unsigned hits, unsigned trials) {
    double p = static_cast<double>(hits) / trials;
    double upper = p + 2.576 * __builtin_sqrt(p * (1 - p) / (trials - 1));
    // Not one hit in a thousand trials: the bound would be 0; 1 / trials is bound enough.
    return minus_log2_thousandths(std::clamp(upper, 1.0 / trials, 1.0));
}

}  // namespace

void CountTable::clear() { std::fill(counts_.span().begin(), counts_.span().end(), std::uint16_t{0}); }

unsigned CountTable::add(std::uint64_t value) {
    std::size_t at = mix(value) % kSize;
    while (counts_.span()[at] != 0 && values_.span()[at] != value) at = (at + 1) % kSize;
    values_.span()[at] = value;
    return ++counts_.span()[at];
}

// Occurrences of the most common value of the deltas, or of their first or second difference.
unsigned Estimator::most_common(std::span<const std::uint64_t, kBatchSamples> deltas, unsigned differences) {
    counts_.clear();
    unsigned most = 0;
    for (std::size_t i = differences; i < deltas.size(); i++) {
        std::uint64_t value = deltas[i];
        if (differences == 1) value -= deltas[i - 1];
        if (differences == 2) value -= 2 * deltas[i - 1] - deltas[i - 2];
        most = std::max(most, counts_.add(value));
    }
    return most;
}

// Hits of the lag, of 1 to 64, that predicts best.
unsigned Estimator::best_lag(std::span<const std::uint64_t, kBatchSamples> deltas) const {
    unsigned best = 0;
    for (unsigned lag = 1; lag <= kLags; lag++) {
        unsigned hits = 0;
        for (std::size_t i = kLags; i < deltas.size(); i++) hits += deltas[i] == deltas[i - lag];
        best = std::max(best, hits);
    }
    return best;
}

// Hits of the predictor that names, after the last `order` deltas, the one that followed them most often so far.
unsigned Estimator::predicted(std::span<const std::uint64_t, kBatchSamples> deltas, unsigned order) {
    counts_.clear();
    auto predictions = predictions_.span();
    for (Prediction& p : predictions) p.count = 0;
    unsigned hits = 0;
    for (std::size_t i = order; i < deltas.size(); i++) {
        std::uint64_t context = 0;
        for (unsigned back = 1; back <= order; back++) context = mix(context + deltas[i - back] + back);
        std::size_t at = context % kContexts;
        while (predictions[at].count != 0 && predictions[at].context != context) at = (at + 1) % kContexts;
        Prediction& best = predictions[at];
        if (best.count != 0 && best.next == deltas[i]) hits++;
        unsigned count = counts_.add(mix(context) + deltas[i]);
        if (count >= best.count) best = {context, deltas[i], count};
    }
    return hits;
}

unsigned Estimator::distinct(std::span<const std::uint64_t, kBatchSamples> deltas) {
    counts_.clear();
    unsigned distinct = 0;
    for (std::uint64_t delta : deltas) distinct += counts_.add(delta) == 1;
    return distinct;
}

unsigned Estimator::assess_millibits(std::span<const std::uint64_t, kBatchSamples> deltas) {
    unsigned least = millibits(best_lag(deltas), kBatchSamples - kLags);
    for (unsigned differences = 0; differences <= 2; differences++) {
        least = std::min(least, millibits(most_common(deltas, differences), kBatchSamples - differences));
    }
    for (unsigned order = 1; order <= 2; order++) {
        least = std::min(least, millibits(predicted(deltas, order), kBatchSamples - order));
    }
    return least;
}

}  // namespace earlyseed
