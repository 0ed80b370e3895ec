// SPDX-License-Identifier: MIT
// Sequences of time deltas with known faults and known entropy, for the tests of what judges them. The same on every
// run.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace earlyseed {

using Deltas = std::vector<std::uint64_t>;

// splitmix64 (Steele, Lea, Flood 2014; public domain).
class Prng {
public:
    explicit Prng(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return z ^ z >> 31;
    }
    std::uint64_t below(std::uint64_t limit) { return next() % limit; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }
    // A delta that nothing else has.
    std::uint64_t unique() { return next() >> 2; }

private:
    std::uint64_t state_;
};

inline Deltas make_deltas(std::size_t size, const std::function<std::uint64_t(std::size_t)>& delta) {
    Deltas deltas(size);
    for (std::size_t i = 0; i < size; i++) deltas[i] = delta(i);
    return deltas;
}

// Samples of equal length, seen by a clock that steps only every `step_ns`.
inline Deltas coarse_clock(std::size_t size, std::uint64_t sample_ns, std::uint64_t step_ns) {
    return make_deltas(size, [=](std::size_t i) {
        return (i + 1) * sample_ns / step_ns * step_ns - i * sample_ns / step_ns * step_ns;
    });
}

// The same `period` different values over and over.
inline Deltas periodic(std::size_t size, std::size_t period) {
    Prng prng(period);
    Deltas one = make_deltas(period, [&](std::size_t) { return prng.unique(); });
    return make_deltas(size, [&](std::size_t i) { return one[i % period]; });
}

}  // namespace earlyseed
