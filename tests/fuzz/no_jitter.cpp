// SPDX-License-Identifier: MIT
#include "no_jitter.hpp"

namespace earlyseed {

template <>
void collect_jitter<CpuCounter>(unsigned wanted_bits, unsigned, JitterResult& result) {
    static std::uint64_t collected = 0;
    write_le<std::uint64_t>(fuzz::jitter_digest, ++collected);
    result.digest.copy_from(fuzz::jitter_digest);
    result.samples = kBatchSamples;
    result.credit_bits = fuzz::jitter_earns ? wanted_bits : 0;
    result.shortage = result.credit_bits == wanted_bits ? Shortage::none : Shortage::out_of_time;
}

}  // namespace earlyseed
