// SPDX-License-Identifier: MIT
#include "jitter/judge.hpp"

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

Shortage JitterJudge::shortage() const {
    if (alarm() != Shortage::none) return alarm();
    return low_batches_ != 0 ? Shortage::low_estimate : Shortage::out_of_time;
}

Word JitterJudge::seen(Shortage shortage) const {
    Word text;
    if (shortage == Shortage::timer_coarse) {
        text.add(timer_.distinct, " different, ", timer_.still, " zeros in ", std::uint64_t{kBatchSamples});
    } else if (shortage == Shortage::low_estimate) {
        text.add(Thousandths{least_}, " bits");
    } else if (shortage == health_.alarm() && shortage != Shortage::none) {
        text.add(health_.count(health_.failed()).worst, ", alarm at ", kHealthTests[health_.failed()].cutoff);
    }
    return text;
}

}  // namespace earlyseed
