// SPDX-License-Identifier: MIT
// A min-entropy estimate of one batch of jitter samples: the least of several predictors' (SP 800-90B 6.3.1 for the
// most common value; lag and order-1 and order-2 predictors after 6.3.8 and 6.3.9), each with its 99 % upper bound.
// It catches what the continuous tests are too coarse for: clocks of constant or quadratic slope, periods longer
// than 64, Markov sources. It cannot tell a good generator's output from entropy; nothing can.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.hpp"

namespace earlyseed {

inline constexpr std::size_t kBatchSamples = 1024;

// Counts of up to 64-bit values, open addressing; never more than kBatchSamples values are added between clears.
class CountTable {
public:
    void clear();
    // Adds one to the count of `value`, and returns the new count.
    unsigned add(std::uint64_t value);

private:
    static constexpr std::size_t kSize = 2 * kBatchSamples;
    SecretArray<std::uint64_t, kSize> values_;
    SecretArray<std::uint16_t, kSize> counts_;
};

// About 70 KiB of tables, wiped at the end.
class Estimator {
public:
    // Min-entropy a sample, in thousandths of a bit.
    unsigned assess_millibits(std::span<const std::uint64_t, kBatchSamples> deltas);
    // How many different values there are.
    unsigned distinct(std::span<const std::uint64_t, kBatchSamples> deltas);

private:
    struct Prediction {
        std::uint64_t context;
        std::uint64_t next;
        unsigned count;
    };
    unsigned most_common(std::span<const std::uint64_t, kBatchSamples> deltas, unsigned differences);
    unsigned best_lag(std::span<const std::uint64_t, kBatchSamples> deltas) const;
    unsigned predicted(std::span<const std::uint64_t, kBatchSamples> deltas, unsigned order);

    CountTable counts_;
    static constexpr std::size_t kContexts = 2 * kBatchSamples;
    SecretArray<Prediction, kContexts> predictions_;
};

}  // namespace earlyseed
