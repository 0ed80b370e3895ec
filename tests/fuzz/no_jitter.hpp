// SPDX-License-Identifier: MIT
// In the place of the jitter collection, which takes milliseconds: the digest is another each time, and whether it
// earned its credit is up to the target. Given to the compiler with -include, so that load.cpp stays as it is.
#pragma once

#include "jitter/jitter.hpp"

namespace earlyseed {

template <>
void collect_jitter<CpuCounter>(unsigned wanted_bits, unsigned timeout_ms, JitterResult& result);

namespace fuzz {

inline bool jitter_earns = false;
inline Bytes<64> jitter_digest{};  // the last one

}  // namespace fuzz

}  // namespace earlyseed
