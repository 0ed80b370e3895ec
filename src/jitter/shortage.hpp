// SPDX-License-Identifier: MIT
// Why a collection of jitter samples earned nothing.
#pragma once

namespace earlyseed {

enum class Shortage {
    none,                 // it earned what was wanted
    timer_coarse,         // the clock is coarser than a sample
    timer_backwards,      // the clock ran backwards
    repetition_count,     // SP 800-90B 4.4.1
    adaptive_proportion,  // SP 800-90B 4.4.2
    lag_prediction,       // a lag of 1 to 64 predicts too many samples
    low_estimate,         // assessed below kLeastMillibits
    out_of_time,          // too few batches within the time limit
};

}  // namespace earlyseed
