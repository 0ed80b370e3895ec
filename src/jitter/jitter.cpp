// SPDX-License-Identifier: MIT
#include "jitter/jitter.hpp"

#include <algorithm>

namespace earlyseed {

namespace {

TimerTest test_timer(std::span<const std::uint64_t, kBatchSamples> batch, unsigned distinct) {
    TimerTest timer{.still = 0, .distinct = distinct, .step = 0};
    std::uint64_t last = batch[0];
    for (std::uint64_t delta : batch) {
        if (delta == 0) timer.still++;
        std::uint64_t step = delta > last ? delta - last : last - delta;
        if (step != 0 && (timer.step == 0 || step < timer.step)) timer.step = step;
        last = delta;
    }
    return timer;
}

}  // namespace

void JitterJudge::add(std::span<const std::uint64_t, kBatchSamples> batch) {
    for (std::uint64_t delta : batch) health_.add(delta);
    unsigned millibits = estimator_.assess_millibits(batch);
    least_ = std::min(least_, millibits);
    if (batches_++ == 0) {
        timer_ = test_timer(batch, estimator_.distinct(batch));
        return;
    }
    if (millibits < kLeastMillibits) {
        low_batches_++;
        return;
    }
    earned_bits_ += kBatchCreditBits;
    least_earning_ = std::min(least_earning_, millibits);
}

Reason JitterJudge::shortage() const {
    if (alarm() != Reason::none) return alarm();
    return low_batches_ != 0 ? Reason::low_estimate : Reason::out_of_time;
}

Text<64> JitterJudge::seen(Reason reason) const {
    Text<64> text;
    if (reason == Reason::timer_coarse) {
        text.add(timer_.distinct, " different, ", timer_.still, " zeros in ", std::uint64_t{kBatchSamples});
    } else if (reason == Reason::low_estimate) {
        text.add(Thousandths{least_}, " bits");
    } else if (reason == health_.alarm() && reason != Reason::none) {
        text.add(health_.count(health_.failed()).worst, ", alarm at ", kHealthTests[health_.failed()].cutoff);
    }
    return text;
}

}  // namespace earlyseed
