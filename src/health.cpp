// SPDX-License-Identifier: MIT
#include "health.hpp"

namespace earlyseed {

bool HealthTests::Run::add(std::uint64_t next) {
    length = length != 0 && next == value ? length + 1 : 1;
    value = next;
    return length >= kRepetitionCutoff;
}

void HealthTests::add(std::uint64_t delta) {
    if (delta >= kBackwards) raise(Reason::timer_backwards);

    // The differences catch a clock that counts its own readings (constant slope) or a constant acceleration.
    std::uint64_t difference = delta - last_delta_;
    std::uint64_t second_difference = difference - last_difference_;
    if (delta_run_.add(delta)) raise(Reason::repetition_count);
    if (samples_ >= 1 && first_difference_run_.add(difference)) raise(Reason::repetition_count);
    if (samples_ >= 2 && second_difference_run_.add(second_difference)) raise(Reason::repetition_count);
    last_delta_ = delta;
    last_difference_ = difference;

    if (samples_ % kWindow == 0) {
        window_value_ = delta;
        window_count_ = 0;
        lag_hits_.fill(0);
    }
    if (delta == window_value_ && ++window_count_ >= kProportionCutoff) raise(Reason::adaptive_proportion);

    for (unsigned lag = 1; lag <= kLags && lag <= samples_; lag++) {
        if (history_[(samples_ - lag) % kLags] == delta && ++lag_hits_[lag - 1] >= kLagCutoff) {
            raise(Reason::lag_prediction);
        }
    }
    history_[samples_ % kLags] = delta;
    samples_++;
}

}  // namespace earlyseed
