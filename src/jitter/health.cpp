// SPDX-License-Identifier: MIT
#include "jitter/health.hpp"

#include <algorithm>

namespace earlyseed {

namespace {
enum : std::size_t { kClock, kRepetition, kFirstDifference, kSecondDifference, kProportion, kLag };
}

unsigned HealthTests::Run::add(std::uint64_t next) {
    length = length != 0 && next == value ? length + 1 : 1;
    value = next;
    return length;
}

void HealthTests::note(std::size_t test, unsigned value) {
    TestCount& count = counts_[test];
    count.worst = std::max(count.worst, value);
    if (value < kHealthTests[test].cutoff) return;
    count.alarms++;
    if (failed_ == kHealthTests.size()) failed_ = test;
}

void HealthTests::add(std::uint64_t delta) {
    if (delta >= kBackwards) note(kClock, counts_[kClock].worst + 1);

    // The differences catch a clock that counts its own readings (constant slope) or a constant acceleration.
    std::uint64_t difference = delta - last_[0];
    std::uint64_t second_difference = difference - last_[1];
    note(kRepetition, runs_[0].add(delta));
    if (samples_ >= 1) note(kFirstDifference, runs_[1].add(difference));
    if (samples_ >= 2) note(kSecondDifference, runs_[2].add(second_difference));
    last_ = {delta, difference};

    if (samples_ % kWindow == 0) {
        window_value_ = delta;
        window_count_ = 0;
        lag_hits_.fill(0);
    }
    if (delta == window_value_) note(kProportion, ++window_count_);

    for (unsigned lag = 1; lag <= kLags && lag <= samples_; lag++) {
        if (history_[(samples_ - lag) % kLags] == delta) note(kLag, ++lag_hits_[lag - 1]);
    }
    history_[samples_ % kLags] = delta;
    samples_++;
}

}  // namespace earlyseed
