// SPDX-License-Identifier: MIT
// The min-entropy estimate of a batch: against bounds that follow from how the batch was made, and against the same
// definitions written once more with maps and the mathematics library.
#include "jitter/estimate.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "catch.hpp"
#include "deltas.hpp"

using namespace earlyseed;

namespace {

unsigned assess(const Deltas& deltas) {
    REQUIRE(deltas.size() == kBatchSamples);
    static auto estimator = std::make_unique<Estimator>();
    return estimator->assess_millibits(std::span<const std::uint64_t, kBatchSamples>(deltas));
}

Deltas batch(const std::function<std::uint64_t(std::size_t)>& delta) { return make_deltas(kBatchSamples, delta); }

// Bits a sample, from the 99 % upper bound of a success rate.
long double bits(std::size_t hits, std::size_t trials) {
    long double n = static_cast<long double>(trials);
    long double p = static_cast<long double>(hits) / n;
    long double upper = p + 2.576L * std::sqrt(p * (1 - p) / (n - 1));
    return -std::log2(std::clamp(upper, 1 / n, 1.0L));
}

long double most_common(const Deltas& values) {
    std::map<std::uint64_t, std::size_t> counts;
    std::size_t most = 0;
    for (std::uint64_t value : values) most = std::max(most, ++counts[value]);
    return bits(most, values.size());
}

Deltas differences(const Deltas& values) {
    return make_deltas(values.size() - 1, [&](std::size_t i) { return values[i + 1] - values[i]; });
}

long double lag(const Deltas& deltas) {
    long double least = 64;
    for (std::size_t back = 1; back <= 64; back++) {
        std::size_t hits = 0;
        for (std::size_t i = 64; i < deltas.size(); i++) hits += deltas[i] == deltas[i - back];
        least = std::min(least, bits(hits, deltas.size() - 64));
    }
    return least;
}

// What followed the last `order` deltas most often so far (of equals, the latest) is the prediction.
long double predicted(const Deltas& deltas, std::size_t order) {
    struct Followers {
        std::map<std::uint64_t, unsigned> counts;
        std::uint64_t best = 0;
    };
    std::map<Deltas, Followers> contexts;
    std::size_t hits = 0;
    for (std::size_t i = order; i < deltas.size(); i++) {
        auto at = deltas.begin() + static_cast<std::ptrdiff_t>(i);
        Followers& f = contexts[Deltas(at - static_cast<std::ptrdiff_t>(order), at)];
        if (!f.counts.empty() && f.best == deltas[i]) hits++;
        unsigned count = ++f.counts[deltas[i]];
        if (count >= f.counts[f.best]) f.best = deltas[i];
        if (f.counts[f.best] == 0) f.counts.erase(f.best);
    }
    return bits(hits, deltas.size() - order);
}

long double expected(const Deltas& deltas) {
    Deltas first = differences(deltas);
    return std::min({most_common(deltas), most_common(first), most_common(differences(first)), lag(deltas),
                     predicted(deltas, 1), predicted(deltas, 2)});
}

void check_as_expected(const Deltas& deltas) {
    // Digits are cut off, never rounded up: at most 2 thousandths below, and none above.
    long double exact = expected(deltas) * 1000;
    unsigned assessed = assess(deltas);
    CHECK(assessed <= std::floor(exact) + 0.5L);
    CHECK(assessed + 2 >= exact);
}

}  // namespace

TEST_CASE("P3: nothing is assessed to be in a clock without noise") {
    CHECK(assess(Deltas(kBatchSamples, 0)) == 0);
    CHECK(assess(Deltas(kBatchSamples, 1500)) == 0);
    CHECK(assess(Deltas(kBatchSamples, ~std::uint64_t{0})) == 0);
    CHECK(assess(batch([](std::size_t i) { return 7 * i; })) == 0);          // linear: the first difference
    CHECK(assess(batch([](std::size_t i) { return 3 * i * i + 5; })) == 0);  // quadratic: the second
    CHECK(assess(batch([](std::size_t i) { return 7 * (i % 300); })) < 50);  // long sawtooth
    CHECK(assess(batch([](std::size_t i) { return i % 2 * 26; })) == 0);     // period 2
    CHECK(assess(coarse_clock(kBatchSamples, 600, 4'000'000)) < 20);         // 4 ms tick
    CHECK(assess(coarse_clock(kBatchSamples, 617, 1000)) < 300);             // beat of a 1 us clock
}

TEST_CASE("P3: every period up to 400 is assessed below 1 bit a sample") {
    for (std::size_t period = 1; period <= 400; period++) {
        INFO("period " << period);
        unsigned assessed = assess(periodic(kBatchSamples, period));
        CHECK(assessed < 1000);
        // A lag sees the short ones whole.
        if (period <= 64) CHECK(assessed == 0);
        if (period == 100) CHECK(assessed < 200);
    }
}

TEST_CASE("P3: a Markov source is seen by what follows what") {
    // Eight states, the successor is certain but for one time in ten: 0.15 bit a sample, though all values are as
    // frequent.
    Prng prng(1);
    const std::uint64_t next[] = {3, 6, 1, 7, 2, 0, 4, 5};
    std::uint64_t state = 0;
    Deltas deltas = batch([&](std::size_t) { return state = prng.one_in(10) ? prng.below(8) : next[state]; });
    CHECK(most_common(deltas) > 2);
    CHECK(assess(deltas) < 300);

    // Order 2: the next is the sum of the last two, with noise one time in ten.
    std::uint64_t before = 1, last = 1;
    deltas = batch([&](std::size_t) {
        std::uint64_t now = prng.one_in(10) ? prng.below(8) : (before + 3 * last) % 8;
        before = std::exchange(last, now);
        return now;
    });
    CHECK(predicted(deltas, 1) > 1);
    CHECK(assess(deltas) < 500);
}

TEST_CASE("P3: a uniform source of k bits is assessed at about k, never above") {
    for (unsigned k = 1; k <= 6; k++) {
        for (unsigned seed = 1; seed <= 20; seed++) {
            INFO(k << " bits, seed " << seed);
            Prng prng(seed);
            unsigned assessed = assess(batch([&](std::size_t) { return prng.below(1u << k); }));
            CHECK(assessed <= 1000 * k);
            CHECK(assessed >= 650 * k);
        }
    }
    // The low bits of a real delta lie on a step and an offset.
    Prng prng(1);
    unsigned plain = assess(batch([&](std::size_t) { return prng.below(8); }));
    prng = Prng(1);
    CHECK(assess(batch([&](std::size_t) { return 1500 + 26 * prng.below(8); })) == plain);
}

TEST_CASE("P3: a biased source is assessed by its bias") {
    for (unsigned percent : {55u, 60u, 70u, 80u, 90u, 99u}) {
        INFO(percent << " %");
        Prng prng(percent);
        unsigned assessed = assess(batch([&](std::size_t) { return prng.below(100) < percent ? 0u : 1u; }));
        double exact = -1000 * std::log2(percent / 100.0);
        CHECK(assessed < exact);
        CHECK(assessed > exact - 200);
        CHECK(assessed < 1000);
    }
    // One sample in a thousand is noise.
    Prng prng(1);
    CHECK(assess(batch([&](std::size_t) { return prng.one_in(1000) ? prng.unique() : 1500; })) < 10);
}

TEST_CASE("P3: a runs source is assessed low") {
    Prng prng(1);
    std::uint64_t value = 0;
    CHECK(assess(batch([&](std::size_t i) { return value = i % 40 == 0 ? prng.unique() : value; })) < 100);
}

TEST_CASE("P3: not one repetition in a batch counts as one in a thousand") {
    Prng prng(1);
    unsigned assessed = assess(batch([&](std::size_t) { return prng.unique(); }));
    CHECK(assessed >= 7900);  // the most common value of all occurs once in 1024; its upper bound is 3.6 / 1024
    CHECK(assessed <= 10000);
}

TEST_CASE("estimate: -log2 within 2 thousandths, for any rate") {
    // One value `count` times, at random places; all else occurs once.
    for (unsigned count = 2; count <= kBatchSamples; count += 13) {
        INFO(count << " of 1024");
        Prng prng(count);
        Deltas deltas = batch([&](std::size_t) { return prng.unique(); });
        for (unsigned placed = 0; placed < count;) {
            std::uint64_t& delta = deltas[static_cast<std::uint32_t>(prng.below(kBatchSamples))];
            placed += delta != 1500;
            delta = 1500;
        }
        check_as_expected(deltas);
    }
}

TEST_CASE("estimate: the same as its definition, for sources of all kinds") {
    for (unsigned seed = 1; seed <= 30; seed++) {
        INFO("seed " << seed);
        Prng prng(seed);
        check_as_expected(batch([&](std::size_t) { return prng.below(1 + seed); }));
        check_as_expected(batch([&](std::size_t) { return prng.one_in(2) ? 1500 : 1500 + 26 * prng.below(seed); }));
        Deltas noisy = periodic(kBatchSamples, 3 * seed);
        for (std::uint64_t& delta : noisy) delta = prng.one_in(4) ? prng.unique() : delta;
        check_as_expected(noisy);
        std::uint64_t state = 0;
        check_as_expected(batch([&](std::size_t) { return state = (state * 5 + prng.below(3)) % (seed + 7); }));
        check_as_expected(batch([&](std::size_t i) { return 7 * i + prng.below(2) * seed; }));
        check_as_expected(batch([&](std::size_t i) { return i * i + prng.below(3); }));
    }
}

TEST_CASE("estimate: one batch leaves nothing behind for the next") {
    Prng prng(9);
    Deltas deltas = batch([&](std::size_t) { return prng.below(16); });
    unsigned first = assess(deltas);
    CHECK(assess(Deltas(kBatchSamples, 1500)) == 0);
    CHECK(assess(periodic(kBatchSamples, 100)) < 200);
    CHECK(assess(deltas) == first);
}

TEST_CASE("P6: the tables of the estimate are wiped when it goes") {
    auto place = std::make_unique<std::uint64_t[]>(sizeof(Estimator) / 8 + 1);
    auto* estimator = new (place.get()) Estimator;
    Deltas deltas = periodic(kBatchSamples, 100);
    CHECK(estimator->assess_millibits(std::span<const std::uint64_t, kBatchSamples>(deltas)) < 200);
    estimator->~Estimator();
    CHECK(std::all_of(place.get(), place.get() + sizeof(Estimator) / 8, [](std::uint64_t word) { return word == 0; }));
}
