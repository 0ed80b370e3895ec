// SPDX-License-Identifier: MIT
// The continuous health tests: each at its exact cutoff and alone, each on the failure that it is there for, and none
// on a source that keeps its rate. The cutoffs are computed again from SP 800-90B's formulas.
#include "jitter/health.hpp"

#include <cmath>
#include <new>
#include <string>

#include "catch.hpp"
#include "deltas.hpp"

using namespace earlyseed;

namespace {

Shortage alarm_on(const Deltas& deltas) {
    HealthTests tests;
    for (std::uint64_t delta : deltas) tests.add(delta);
    return tests.alarm();
}

// How many samples until the alarm; 0 = none.
std::size_t samples_to_alarm(const Deltas& deltas) {
    HealthTests tests;
    for (std::size_t i = 0; i < deltas.size(); i++) {
        tests.add(deltas[i]);
        if (tests.alarm() != Shortage::none) return i + 1;
    }
    return 0;
}

// 1 + critbinom(n, p, 1 - alpha): critbinom is the least k for which P(X <= k) >= 1 - alpha.
unsigned binomial_cutoff(unsigned n, long double p, long double alpha) {
    long double above = 0;  // P(X > k)
    unsigned k = n;
    for (; k > 0; k--) {
        long double term = std::exp(std::lgamma(n + 1.0L) - std::lgamma(k + 1.0L) - std::lgamma(n - k + 1.0L) +
                                    k * std::log(p) + (n - k) * std::log(1 - p));
        if (above + term > alpha) break;
        above += term;
    }
    return 1 + k;
}

// `hits` samples that equal the one `lag` before, with a fresh value after every 29, so that no run gets long;
// everything else is fresh. Starts at the start of a window.
Deltas lag_hits(unsigned lag, unsigned hits, Prng& prng) {
    Deltas deltas;
    for (unsigned i = 0; i < kWindow; i++) {
        bool hit = i >= lag && hits != 0 && i % 30 != 0;
        if (hit) hits--;
        deltas.push_back(hit ? deltas[i - lag] : prng.unique());
    }
    REQUIRE(hits == 0);
    return deltas;
}

// A window whose first value occurs `count` times in all, evenly spread.
Deltas window_with(unsigned count, Prng& prng) {
    std::uint64_t value = prng.unique();
    Deltas deltas = make_deltas(kWindow, [&](std::size_t) { return prng.unique(); });
    for (unsigned i = 0; i < count; i++) deltas[i * kWindow / count] = value;
    return deltas;
}

Deltas joined(Deltas a, const Deltas& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

}  // namespace

TEST_CASE("P3: the cutoffs are SP 800-90B's at H = 1") {
    const long double alpha = std::ldexp(1.0L, -30);
    CHECK(kRepetitionCutoff == 1 + static_cast<unsigned>(std::ceil(-std::log2(alpha) / 1)));
    CHECK(kProportionCutoff == binomial_cutoff(kWindow, 0.5L, alpha));
    // 64 lags share 2^-30.
    CHECK(kLags == 64);
    CHECK(kLagCutoff == binomial_cutoff(kWindow, 0.5L, alpha / kLags));
    // The formula itself, on the other rows of the table of measurements: H = 1/8.
    CHECK(binomial_cutoff(512, std::exp2(-0.125L), alpha) == 502);
    CHECK(binomial_cutoff(512, std::exp2(-0.125L), alpha / 64) == 505);
}

TEST_CASE("P3: repetition count: 30 equal samples pass, 31 do not") {
    for (std::uint64_t value : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{26000}, kBackwards - 1}) {
        Prng prng(1);
        Deltas deltas = make_deltas(100, [&](std::size_t) { return prng.unique(); });
        for (unsigned i = 0; i < 30; i++) deltas.push_back(value);
        deltas.push_back(value + (value == 0 ? 7 : -1ull));
        CHECK(alarm_on(deltas) == Shortage::none);
        deltas.back() = value;
        CHECK(alarm_on(deltas) == Shortage::repetition_count);
        CHECK(samples_to_alarm(deltas) == 131);
    }
    // From the very first sample on too.
    CHECK(samples_to_alarm(Deltas(40, 5)) == 31);
    CHECK(samples_to_alarm(Deltas(40, 0)) == 31);
}

TEST_CASE("P3: repetition count on the first difference: a clock that counts its readings") {
    auto line = [](std::size_t size) { return make_deltas(size, [](std::size_t i) { return 1000 + 3 * i; }); };
    CHECK(alarm_on(line(31)) == Shortage::none);              // 30 equal differences
    CHECK(alarm_on(line(32)) == Shortage::repetition_count);  // 31
    // Downwards, where differences wrap.
    CHECK(alarm_on(make_deltas(32, [](std::size_t i) { return 1000 - 3 * i; })) == Shortage::repetition_count);
}

TEST_CASE("P3: repetition count on the second difference: a constant acceleration") {
    auto square = [](std::size_t size) { return make_deltas(size, [](std::size_t i) { return 1000 + i * i; }); };
    CHECK(alarm_on(square(32)) == Shortage::none);              // 30 equal second differences
    CHECK(alarm_on(square(33)) == Shortage::repetition_count);  // 31
}

TEST_CASE("P3: adaptive proportion: 324 of a window of 512 pass, 325 do not") {
    Prng prng(1);
    CHECK(alarm_on(window_with(kProportionCutoff - 1, prng)) == Shortage::none);
    CHECK(alarm_on(window_with(kProportionCutoff, prng)) == Shortage::adaptive_proportion);
    CHECK(samples_to_alarm(window_with(kProportionCutoff, prng)) == 1 + 324 * 512 / 325);
}

TEST_CASE("P3: adaptive proportion: each window counts anew, by its own first value") {
    Prng prng(3);
    Deltas full = window_with(kProportionCutoff - 1, prng);
    Deltas twice = joined(full, full);
    CHECK(alarm_on(twice) == Shortage::none);
    CHECK(alarm_on(joined(twice, window_with(kProportionCutoff, prng))) == Shortage::adaptive_proportion);
    // Half a window in, the same samples are divided between two windows.
    Deltas shifted = joined(make_deltas(kWindow / 2, [&](std::size_t) { return prng.unique(); }),
                            window_with(kProportionCutoff, prng));
    CHECK(alarm_on(shifted) == Shortage::none);
}

TEST_CASE("P3: lag predictor: 331 hits in a window pass, 332 do not, for each of the 64 lags") {
    for (unsigned lag = 1; lag <= kLags; lag++) {
        INFO("lag " << lag);
        Prng prng(lag);
        CHECK(alarm_on(lag_hits(lag, kLagCutoff - 1, prng)) == Shortage::none);
        CHECK(alarm_on(lag_hits(lag, kLagCutoff, prng)) == Shortage::lag_prediction);
    }
    Prng prng(65);
    CHECK(alarm_on(lag_hits(kLags + 1, kLagCutoff, prng)) == Shortage::none);
}

TEST_CASE("P3: lag predictor: each window counts anew") {
    Prng prng(7);
    Deltas deltas = lag_hits(9, kLagCutoff - 1, prng);
    deltas = joined(deltas, lag_hits(9, kLagCutoff - 1, prng));
    CHECK(alarm_on(deltas) == Shortage::none);
    CHECK(alarm_on(joined(deltas, lag_hits(9, kLagCutoff, prng))) == Shortage::lag_prediction);
}

TEST_CASE("P3: a clock that ran backwards once") {
    Prng prng(1);
    Deltas deltas = make_deltas(100, [&](std::size_t) { return prng.unique(); });
    deltas[50] = kBackwards - 1;
    CHECK(alarm_on(deltas) == Shortage::none);
    deltas[50] = kBackwards;
    CHECK(alarm_on(deltas) == Shortage::timer_backwards);
    deltas[50] = ~std::uint64_t{0};  // one step back
    CHECK(alarm_on(deltas) == Shortage::timer_backwards);
    CHECK(samples_to_alarm(deltas) == 51);
}

TEST_CASE("P3: each test tells the worst that it saw, and how often it was at its cutoff") {
    HealthTests tests;
    auto worst = [&](std::size_t test) { return tests.count(test).worst; };
    auto alarms = [&](std::size_t test) { return tests.count(test).alarms; };
    enum : std::size_t { kClock, kRepetition, kFirst, kSecond, kProportion, kLag };
    Prng prng(9);
    for (int i = 0; i < 200; i++) tests.add(prng.unique());
    CHECK(tests.failed() == kHealthTests.size());
    for (std::size_t test = kRepetition; test < kHealthTests.size(); test++) CHECK(worst(test) <= 1);
    // 40 equal ones are at or above 31 ten times; their differences are 0 from the second one on.
    for (int i = 0; i < 40; i++) tests.add(77);
    CHECK(worst(kRepetition) == 40);
    CHECK(alarms(kRepetition) == 10);
    CHECK(worst(kFirst) == 39);
    CHECK(alarms(kFirst) == 9);
    CHECK(worst(kSecond) == 38);
    CHECK(alarms(kSecond) == 8);
    CHECK(worst(kLag) == 39);
    CHECK(alarms(kLag) == 0);
    CHECK(worst(kClock) == 0);
    tests.add(kBackwards);
    tests.add(~std::uint64_t{0});
    CHECK(worst(kClock) == 2);
    CHECK(alarms(kClock) == 2);
    CHECK(tests.failed() == kRepetition);
    // A window of one value.
    for (int i = 0; i < 1024; i++) tests.add(5);
    CHECK(worst(kProportion) == 512);
    CHECK(alarms(kProportion) >= 512 - kProportionCutoff + 1);
}

TEST_CASE("P3: an alarm is final, and the first one is kept") {
    HealthTests tests;
    for (int i = 0; i < 31; i++) tests.add(5);
    REQUIRE(tests.alarm() == Shortage::repetition_count);
    tests.add(kBackwards);
    CHECK(tests.alarm() == Shortage::repetition_count);
    Prng prng(1);
    for (int i = 0; i < 5000; i++) tests.add(prng.unique());
    CHECK(tests.alarm() == Shortage::repetition_count);
}

TEST_CASE("P3: each failing clock is refused, and by the test that is there for it") {
    constexpr std::size_t size = 3072;
    Prng prng(11);
    auto noise = [&](std::uint64_t values) { return prng.below(values); };

    // Samples of 0.6 us.
    CHECK(alarm_on(Deltas(size, 1500)) == Shortage::repetition_count);                  // constant
    CHECK(alarm_on(coarse_clock(size, 600, 1'000'000)) == Shortage::repetition_count);  // 1 ms tick
    CHECK(alarm_on(coarse_clock(size, 600, 4'000'000)) == Shortage::repetition_count);  // 4 ms tick
    CHECK(alarm_on(coarse_clock(size, 617, 1000)) == Shortage::lag_prediction);         // beat of a 1 us clock
    CHECK(alarm_on(make_deltas(size, [](std::size_t i) { return 7 * i; })) == Shortage::repetition_count);  // linear
    CHECK(alarm_on(make_deltas(size, [](std::size_t i) { return 7 * (i % 500); })) == Shortage::repetition_count);
    CHECK(alarm_on(make_deltas(size, [](std::size_t i) { return 3 * i * i; })) ==
          Shortage::repetition_count);  // square
    for (unsigned period = 2; period <= 64; period++) {
        INFO("period " << period);
        CHECK(alarm_on(periodic(size, period)) == Shortage::lag_prediction);
    }
    // A biased low bit.
    CHECK(alarm_on(make_deltas(size, [&](std::size_t) { return 1500 + (noise(100) < 85 ? 1u : 0u); })) !=
          Shortage::none);
    // One sample in a thousand is noise.
    CHECK(alarm_on(make_deltas(size, [&](std::size_t) { return noise(1000) == 0 ? noise(64) : 1500; })) ==
          Shortage::repetition_count);
    // Runs of 40, each of a value of its own: nothing else sees them soon.
    Deltas runs;
    while (runs.size() < size) runs.insert(runs.end(), 40, prng.unique());
    CHECK(alarm_on(runs) == Shortage::repetition_count);
}

TEST_CASE("P3: adaptive proportion sees what repetition count is too coarse for") {
    // One value prevails with 80 %, broken by fresh ones every 20 samples at the latest.
    Prng prng(5);
    Deltas deltas = make_deltas(
        512, [&](std::size_t i) { return i != 0 && (i % 20 == 19 || prng.below(5) == 0) ? prng.unique() : 1500; });
    CHECK(alarm_on(deltas) == Shortage::adaptive_proportion);
}

TEST_CASE("P3: no false alarm in a million samples of 1 bit and of 2 bits each") {
    for (std::uint64_t values : {2u, 4u}) {
        Prng prng(values);
        HealthTests tests;
        for (unsigned i = 0; i < 1'000'000; i++) tests.add(1500 + 26 * prng.below(values));
        INFO(values << " values");
        CHECK(tests.alarm() == Shortage::none);
    }
}

TEST_CASE("P6: the history of deltas is wiped when the tests go") {
    alignas(HealthTests) std::uint8_t place[sizeof(HealthTests)];
    auto* tests = new (place) HealthTests;
    for (unsigned i = 0; i < 100; i++) tests->add(0xa5a5a5a5a5a5 + i * i * i);
    CHECK_FALSE(all_zero(place));
    tests->~HealthTests();
    CHECK(all_zero(place));
}
