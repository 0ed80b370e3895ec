// SPDX-License-Identifier: MIT
// A collection of jitter: what each clock earns, when the collecting ends, and that everything is hashed. The clocks
// are counters of the test; what runs between two readings is the product's own sampler.
#include "jitter/collect.hpp"

#include <memory>
#include <string>

#include "base/text.hpp"
#include "catch.hpp"
#include "deltas.hpp"
#include "fake_kernel.hpp"

using namespace earlyseed;

namespace {

// Reads as `delta(n)` since the last reading, n counting from 0.
struct ScriptedCounter {
    static inline std::function<std::uint64_t(std::size_t)> delta;
    static inline std::uint64_t time;
    static inline std::size_t readings;
    // What a reading takes on the kernel's clock.
    static inline std::uint64_t ns_per_reading;

    static std::uint64_t now() {
        fake::state().now_ns += ns_per_reading;
        if (readings++ != 0) time += delta((readings - 2) % (kBatchSamples + 1));
        return time;
    }
};

using Delta = std::function<std::uint64_t(std::size_t)>;

void set_counter(Delta delta) {
    fake::reset();
    ScriptedCounter::delta = std::move(delta);
    ScriptedCounter::time = 1'000'000;
    ScriptedCounter::readings = 0;
    ScriptedCounter::ns_per_reading = 1000;
}

std::unique_ptr<JitterResult> collect(unsigned wanted_bits = 256, unsigned timeout_ms = 250) {
    auto result = std::make_unique<JitterResult>();
    collect_jitter<ScriptedCounter>(wanted_bits, timeout_ms, *result);
    return result;
}

std::unique_ptr<JitterResult> collect_from(Delta delta) {
    set_counter(std::move(delta));
    return collect();
}

// Deltas from their own sequence, so that a batch's extra first reading does not shift them.
Delta sequence(const std::function<std::uint64_t(std::size_t)>& delta) {
    return [delta, n = std::size_t{0}](std::size_t) mutable { return delta(n++); };
}

Delta good_source(std::uint64_t values = 16) {
    return [prng = Prng(42), values](std::size_t) mutable { return 1500 + 26 * prng.below(values); };
}

void add(JitterJudge& judge, const Deltas& deltas) {
    REQUIRE(deltas.size() == kBatchSamples);
    judge.add(std::span<const std::uint64_t, kBatchSamples>(deltas));
}

Deltas good_batch(std::uint64_t seed) {
    Prng prng(seed);
    return make_deltas(kBatchSamples, [&](std::size_t) { return 1500 + 26 * prng.below(16); });
}

std::string hex(std::span<const std::uint8_t> bytes) { return std::string(Line().add(Hex{bytes}).view()); }

}  // namespace

TEST_CASE("P3: the judge gives nothing for the first batch, and 128 bits for each later good one") {
    auto judge = std::make_unique<JitterJudge>();
    CHECK(judge->earned_bits() == 0);
    for (unsigned batches = 1; batches <= 5; batches++) {
        add(*judge, good_batch(batches));
        CHECK(judge->earned_bits() == 128 * (batches - 1));
    }
    CHECK(judge->alarm() == Shortage::none);
    CHECK(judge->low_batches() == 0);
    // 1/8 bit a sample is an eighth of what a batch must be assessed at, at the least.
    CHECK(kBatchCreditBits * 8 == kBatchSamples);
    CHECK(kLeastMillibits == 1000);
}

TEST_CASE("P3: an alarm takes everything back, at once and for good") {
    auto judge = std::make_unique<JitterJudge>();
    for (unsigned i = 1; i <= 3; i++) add(*judge, good_batch(i));
    REQUIRE(judge->earned_bits() == 256);
    Deltas deltas = good_batch(4);
    deltas[1000] = ~std::uint64_t{0};
    add(*judge, deltas);
    CHECK(judge->earned_bits() == 0);
    CHECK(judge->alarm() == Shortage::timer_backwards);
    for (unsigned i = 5; i <= 9; i++) add(*judge, good_batch(i));
    CHECK(judge->earned_bits() == 0);

    // In the start-up batch it is as final.
    judge = std::make_unique<JitterJudge>();
    add(*judge, deltas);
    add(*judge, good_batch(1));
    CHECK(judge->earned_bits() == 0);
}

TEST_CASE("P3: a run that goes on from one batch into the next is one run") {
    auto judge = std::make_unique<JitterJudge>();
    Deltas first = good_batch(1), second = good_batch(2);
    for (unsigned i = 0; i < 16; i++) first[kBatchSamples - 1 - i] = second[i] = 9;
    add(*judge, first);
    CHECK(judge->alarm() == Shortage::none);
    add(*judge, second);
    CHECK(judge->alarm() == Shortage::repetition_count);
}

TEST_CASE("P3: a batch below 1 bit a sample earns nothing, and takes nothing from the others") {
    auto judge = std::make_unique<JitterJudge>();
    add(*judge, good_batch(1));
    add(*judge, good_batch(2));
    add(*judge, periodic(kBatchSamples, 100));
    CHECK(judge->alarm() == Shortage::none);
    CHECK(judge->low_batches() == 1);
    CHECK(judge->earned_bits() == 128);
    // The claim is about what earned.
    CHECK(judge->assessed_millibits() > 2000);
    add(*judge, good_batch(3));
    CHECK(judge->earned_bits() == 256);

    judge = std::make_unique<JitterJudge>();
    add(*judge, good_batch(1));
    add(*judge, periodic(kBatchSamples, 100));
    CHECK(judge->earned_bits() == 0);
    CHECK(judge->assessed_millibits() < 200);
}

TEST_CASE("P3: the least assessment of the batches that earned is the one that is told") {
    auto judge = std::make_unique<JitterJudge>();
    Estimator estimator;
    add(*judge, good_batch(1));
    unsigned least = 64000;
    for (unsigned values : {64u, 4u, 32u}) {
        Prng prng(values);
        Deltas deltas = make_deltas(kBatchSamples, [&](std::size_t) { return prng.below(values); });
        least = std::min(least, estimator.assess_millibits(std::span<const std::uint64_t, kBatchSamples>(deltas)));
        add(*judge, deltas);
    }
    CHECK(judge->assessed_millibits() == least);
    CHECK(least > 1000);
    CHECK(least < 2000);
}

TEST_CASE("P3: a good source earns exactly 256 bits in three batches") {
    auto result = collect_from(good_source());
    CHECK(result->credit_bits == 256);
    CHECK(result->shortage == Shortage::none);
    CHECK(result->samples == 3 * kBatchSamples);
    CHECK(result->assessed_millibits > 2500);
    CHECK(result->assessed_millibits < 4000);
    CHECK(result->time_ns >= 3 * kBatchSamples * 1000);
    CHECK(result->time_ns < 4 * kBatchSamples * 1000);
}

TEST_CASE("P3: no more is credited than was asked for, and less is never credited in part") {
    set_counter(good_source());
    auto result = collect(128);
    CHECK(result->credit_bits == 128);
    CHECK(result->samples == 2 * kBatchSamples);

    set_counter(good_source());
    result = collect(200);
    CHECK(result->credit_bits == 200);
    CHECK(result->samples == 3 * kBatchSamples);

    // Stopped by the time limit with 128 of 256.
    set_counter(good_source());
    result = collect(256, 2);
    CHECK(result->samples == 2 * kBatchSamples);
    CHECK(result->credit_bits == 0);
    CHECK(result->shortage == Shortage::out_of_time);
}

TEST_CASE("P3: with nothing wanted, one batch is mixed and nothing credited") {
    set_counter(good_source());
    auto result = collect(0);
    CHECK(result->samples == kBatchSamples);
    CHECK(result->credit_bits == 0);
    CHECK(result->shortage == Shortage::none);
    CHECK_FALSE(all_zero(result->digest.span()));
}

TEST_CASE("P3: clocks and faults that earn nothing, each with its reason") {
    Prng prng(1);
    std::uint64_t ticks = 0;
    auto tick = [&](std::uint64_t sample_ns, std::uint64_t step_ns) {
        return sequence([&ticks, sample_ns, step_ns](std::size_t i) {
            ticks = (i + 1) * sample_ns / step_ns * step_ns - i * sample_ns / step_ns * step_ns;
            return ticks;
        });
    };
    struct Clock {
        const char* name;
        Delta delta;
        Shortage reason;
    };
    for (const Clock& clock : {
             Clock{"constant", sequence([](std::size_t) { return 1500u; }), Shortage::repetition_count},
             Clock{"standing still", sequence([](std::size_t) { return 0u; }), Shortage::timer_coarse},
             Clock{"linear", sequence([](std::size_t i) { return 7 * i; }), Shortage::repetition_count},
             Clock{"quadratic", sequence([](std::size_t i) { return 3 * i * i; }), Shortage::repetition_count},
             Clock{"4 ms tick", tick(600, 4'000'000), Shortage::timer_coarse},
             Clock{"1 ms tick", tick(600, 1'000'000), Shortage::timer_coarse},
             Clock{"1 us clock", tick(617, 1000), Shortage::timer_coarse},
             Clock{"one noisy bit in a thousand",
                   sequence([&](std::size_t) { return 1500u + (prng.one_in(1000) ? 26u : 0u); }),
                   Shortage::repetition_count},
             Clock{"a biased low bit", sequence([&](std::size_t) { return 1500u + (prng.below(100) < 70 ? 26u : 0u); }),
                   Shortage::adaptive_proportion},
             Clock{"runs of 40", sequence([](std::size_t i) { return Prng(i / 40).unique() >> 30; }),
                   Shortage::repetition_count},
             Clock{"backwards once in a while", sequence([&](std::size_t i) {
                       return i % 500 == 499 ? 0 - std::uint64_t{300} : 1500 + 26 * prng.below(16);
                   }),
                   Shortage::timer_backwards},
         }) {
        INFO(clock.name);
        auto result = collect_from(clock.delta);
        CHECK(result->credit_bits == 0);
        CHECK(result->shortage == clock.reason);
        // An alarm ends the collection with its batch; what there is was hashed all the same.
        CHECK(result->samples <= 3 * kBatchSamples);
        CHECK_FALSE(all_zero(result->digest.span()));
    }
}

TEST_CASE("P3: periods up to 64 raise the alarm, periods up to 400 are assessed too low") {
    for (unsigned period = 2; period <= 400; period += period < 70 ? 1 : 33) {
        INFO("period " << period);
        Prng prng(period);
        Deltas values = make_deltas(period, [&](std::size_t) { return 1500 + prng.below(1 << 20); });
        set_counter(sequence([&](std::size_t i) { return values[i % period]; }));
        auto result = collect(256, 10);
        CHECK(result->credit_bits == 0);
        CHECK(result->shortage == (period <= 64 ? Shortage::lag_prediction : Shortage::low_estimate));
        CHECK(result->assessed_millibits < 1000);
    }
}

TEST_CASE("P3: a low estimate alone is tried again, and the good batches then count") {
    // A bad stretch of one batch after the start-up batch.
    Deltas bad = periodic(kBatchSamples, 100);
    set_counter([good = good_source(), n = std::size_t{0}, &bad](std::size_t i) mutable {
        std::size_t batch = n++ / (kBatchSamples + 1);
        return batch == 1 ? bad[i % kBatchSamples] >> 20 : good(i);
    });
    auto result = collect();
    CHECK(result->credit_bits == 256);
    CHECK(result->samples == 4 * kBatchSamples);
    CHECK(result->shortage == Shortage::none);
}

TEST_CASE("P4: the time limit is looked at after every batch") {
    Deltas values = periodic(100, 100);
    for (unsigned timeout_ms : {0u, 1u, 5u, 50u}) {
        INFO(timeout_ms << " ms");
        set_counter(sequence([&](std::size_t i) { return values[i % 100] >> 20; }));
        auto result = collect(256, timeout_ms);
        CHECK(result->credit_bits == 0);
        CHECK(result->time_ns >= std::uint64_t{timeout_ms} * 1'000'000);
        CHECK(result->time_ns <= std::uint64_t{timeout_ms} * 1'000'000 + 1'100'000);  // a batch takes 1.03 ms here
        // After the start-up batch alone, time is all that was missing.
        CHECK(result->shortage == (timeout_ms <= 1 ? Shortage::out_of_time : Shortage::low_estimate));
    }
}

TEST_CASE("P4: a collection ends when the clock of the time limit stands still") {
    Deltas values = periodic(100, 100);
    set_counter(sequence([&](std::size_t i) { return values[i % 100] >> 20; }));
    fake::state().tick_ns = 0;
    ScriptedCounter::ns_per_reading = 0;
    auto result = collect();
    CHECK(result->samples == kMostBatches * kBatchSamples);
    CHECK(result->credit_bits == 0);
    CHECK(result->shortage == Shortage::low_estimate);
    CHECK(result->time_ns == 0);
}

TEST_CASE("P3: every delta is hashed, good or bad, in order") {
    set_counter(good_source());
    auto result = collect();

    // The same deltas, by hand: a batch is kBatchSamples deltas, and one reading before them.
    Hash hash(label::kJitter, 64);
    Delta delta = good_source();
    for (unsigned batch = 0; batch < 3; batch++) {
        if (batch != 0) delta(0);  // between two batches
        hash.add(make_deltas(kBatchSamples, [&](std::size_t) { return delta(0); }));
    }
    Bytes<64> expected;
    hash.finish(expected);
    CHECK(hex(result->digest.span()) == hex(expected));

    // A collection that ends in an alarm: one delta changed anywhere is another digest.
    auto constant_but = [](std::size_t odd) {
        return sequence([odd](std::size_t i) { return i == odd ? 1501u : 1500u; });
    };
    std::string plain = hex(collect_from(constant_but(kBatchSamples))->digest.span());
    for (std::size_t odd : {0u, 500u, 1023u}) {
        CHECK(hex(collect_from(constant_but(odd))->digest.span()) != plain);
    }
}

TEST_CASE("P3: this machine's own counter earns 256 bits") {
    fake::reset();
    fake::state().tick_ns = 1000;
    auto result = std::make_unique<JitterResult>();
    collect_jitter<CpuCounter>(256, 60'000, *result);
    INFO("shortage " << static_cast<int>(result->shortage) << ", " << result->assessed_millibits
                     << " thousandths of a bit");
    CHECK(result->credit_bits == 256);
    CHECK(result->assessed_millibits >= 1000);
    CHECK(result->samples >= 3 * kBatchSamples);

    auto again = std::make_unique<JitterResult>();
    collect_jitter<CpuCounter>(256, 60'000, *again);
    CHECK(hex(again->digest.span()) != hex(result->digest.span()));
}
