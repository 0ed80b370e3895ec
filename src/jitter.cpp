// SPDX-License-Identifier: MIT
#include "jitter.hpp"

#include <algorithm>

namespace earlyseed {

void JitterJudge::add(std::span<const std::uint64_t, kBatchSamples> batch) {
    for (std::uint64_t delta : batch) health_.add(delta);
    unsigned millibits = estimator_.assess_millibits(batch);
    least_ = std::min(least_, millibits);
    bool start_up = !started_;
    started_ = true;
    if (start_up) return;
    if (millibits < kLeastMillibits) {
        low_ = true;
        return;
    }
    earned_bits_ += kBatchCreditBits;
    least_earning_ = std::min(least_earning_, millibits);
}

}  // namespace earlyseed
