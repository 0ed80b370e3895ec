// SPDX-License-Identifier: MIT
// earlyseed record: what is recorded is what load would have sampled, and what is judged is judged as load judges it.
#include <cerrno>
#include <memory>

#include "catch.hpp"
#include "deltas.hpp"
#include "jitter/collect.hpp"
#include "scene.hpp"

using namespace earlyseed;
using namespace earlyseed::scene;

namespace {

constexpr const char* kRecording = "/root/recording";

std::string stamps_of(const Deltas& deltas, std::uint64_t start = 123456789) {
    std::string text = std::to_string(start) + "\n";
    for (std::uint64_t delta : deltas) text += std::to_string(start += delta) + "\n";
    return text;
}

int judge(const std::string& text) {
    machine();
    fake::put_text(kRecording, text);
    RecordOptions options;
    options.judge = true;
    options.file = kRecording;
    return record(options);
}

int take(std::uint64_t samples, const char* format, const char* file = kRecording) {
    fake::put_folder("/root");
    RecordOptions options;
    options.samples = samples;
    options.format = format;
    options.file = file;
    return record(options);
}

std::string recording() {
    const fake::Buffer& content = fake::find(kRecording)->cached;
    return {content.begin(), content.end()};
}

bool says(const std::string& part) { return (fake::state().out + fake::state().err).find(part) != std::string::npos; }

Deltas noise(std::size_t size, std::uint64_t values = 16) {
    Prng prng(size + values);
    return make_deltas(size, [&](std::size_t) { return 1500 + 26 * prng.below(values); });
}

}  // namespace

TEST_CASE("P3: a recording of noise is judged to earn 256 bits: exit 0") {
    CHECK(judge(stamps_of(noise(3 * kBatchSamples))) == kExitDone);
    CHECK(says("samples: 3072 in 3 batches, 0 more not judged"));
    CHECK(says("16 different deltas, 0 zeros, least step 26"));
    CHECK(says("credit: 256 bits"));
    // More is judged to its end, and what does not fill a batch is not.
    CHECK(judge(stamps_of(noise(20 * kBatchSamples + 100))) == kExitDone);
    CHECK(says("samples: 20480 in 20 batches, 100 more not judged"));
}

TEST_CASE("P3: the judgement is the one of load's own judge") {
    for (std::uint64_t values : {2u, 3u, 4u, 64u}) {
        INFO(values << " values");
        Deltas deltas = noise(4 * kBatchSamples, values);
        auto own = std::make_unique<JitterJudge>();
        for (std::size_t at = 0; at < deltas.size(); at += kBatchSamples) {
            own->add(std::span<const std::uint64_t, kBatchSamples>(deltas.data() + at, kBatchSamples));
        }
        CHECK(judge(stamps_of(deltas)) == (own->earned_bits() >= 256 ? kExitDone : kExitDegraded));
        CHECK(
            says(std::string(Line("estimate: ").add(Thousandths{own->assessed_millibits()}, " bits a sample").view())));
    }
}

TEST_CASE("P3: a recording that earns nothing is exit 1 with the test, what it saw and what to do") {
    Prng prng(3);
    Deltas backwards = noise(3072);
    backwards[2000] = 0 - std::uint64_t{5};
    Deltas late = noise(20 * kBatchSamples);
    for (std::size_t i = 0; i < 31; i++) late[19 * kBatchSamples + i] = 9;
    struct Case {
        const char* what;
        Deltas deltas;
        const char* line;
    };
    for (const Case& c : {
             Case{"4 ms tick", coarse_clock(3072, 600, 4'000'000),
                  "the clock is too coarse for a sample (1 different, 1024 zeros in 1024)"},
             Case{"1 us clock", coarse_clock(3072, 617, 1000),
                  "the clock is too coarse for a sample (2 different, 393 zeros in 1024)"},
             Case{"linear", make_deltas(3072, [](std::size_t i) { return 7 * i; }),
                  "repetition count test: the timings repeat (3071, alarm at 31)"},
             Case{"period 7", periodic(3072, 7), "lag prediction test: the timings are periodic"},
             Case{"biased", make_deltas(3072, [&](std::size_t) { return prng.below(10) < 7 ? 5u : 6 + prng.below(9); }),
                  "adaptive proportion test: one timing prevails"},
             Case{"backwards", backwards, "the clock ran backwards (1, alarm at 1)"},
             Case{"a run in the last batch", late, "repetition count test: the timings repeat (31, alarm at 31)"},
             Case{"period 100", periodic(3072, 100), "assessed below 1 bit a sample (0."},
         }) {
        INFO(c.what);
        CHECK(judge(stamps_of(c.deltas)) == kExitDegraded);
        INFO(fake::state().out);
        CHECK(says("credit: 0 bits: "));
        CHECK(says(c.line));
        CHECK(says("rely on the seed or a hardware RNG"));
    }
}

TEST_CASE("P3: each test's worst value, cutoff and alarms are shown") {
    Deltas deltas = noise(3072);
    for (std::size_t i = 0; i < 40; i++) deltas[100 + i] = 9;
    CHECK(judge(stamps_of(deltas)) == kExitDegraded);
    CHECK(says("repetition count: worst 40, alarm at 31, alarms 10\n"));
    CHECK(says("  of the first difference: worst 39, alarm at 31, alarms 9\n"));
    CHECK(says("clock ran backwards: worst 0, alarm at 1, alarms 0\n"));
}

TEST_CASE("P8: too few samples are refused, with the number that is needed") {
    CHECK(judge(stamps_of(noise(3071))) == kExitDegraded);
    CHECK(says("3 batches of 1024 samples are needed"));
    CHECK(judge("") == kExitDegraded);
    CHECK(judge("# nothing\n") == kExitDegraded);
}

TEST_CASE("P8: comments, blanks, empty lines, CR LF and a last line without an end are no mistake") {
    std::string plain = stamps_of(noise(3072)), text = "# a board, its clock\r\n\n";
    for (char c : plain) text += c == '\n' ? " # " + std::string(200, 'x') + "\r\n" : std::string(1, c);
    text.pop_back();
    CHECK(judge(text) == kExitDone);
    CHECK(says("samples: 3072"));
}

TEST_CASE("P8: what is no time stamp is named with its line: exit 2") {
    for (std::string bad : {"x", "-5", "1.5", "0x10", "18446744073709551616", "12 13", "99999999999999999999999999"}) {
        INFO(bad);
        CHECK(judge("1\n# two\n" + bad + "\n4\nx\n") == kExitUsage);
        CHECK(says("/root/recording, line 3: not a time stamp"));
        CHECK_FALSE(says("credit"));
    }
    // As long as the buffer for a line.
    CHECK(judge("1\n" + std::string(63, '0') + "7\n") == kExitUsage);
    RecordOptions options;
    options.judge = true;
    options.file = "/root/nothing";
    machine();
    CHECK(record(options) == kExitUsage);
    CHECK(says("cannot open /root/nothing"));
}

TEST_CASE("P3: what is recorded as text is judged as it was sampled, and is a time stamp a line") {
    machine();
    CHECK(take(3 * kBatchSamples, "text") == kExitDone);
    std::string text = recording();
    CHECK(text.starts_with("# "));
    CHECK(std::count(text.begin(), text.end(), '\n') == 3 * kBatchSamples + 2);
    CHECK(fake::find(kRecording)->permissions == 0600);
    // Whatever this machine's clock is worth, it is a recording without a mistake.
    CHECK(judge(text) != kExitUsage);
    CHECK(says("samples: 3072 in 3 batches, 0 more not judged"));
}

TEST_CASE("P3: any number of samples is recorded, in three formats") {
    for (std::uint64_t samples : {0u, 1u, 1023u, 1024u, 1025u, 5000u}) {
        INFO(samples);
        machine();
        CHECK(take(samples, "bytes") == kExitDone);
        CHECK(recording().size() == samples);
        CHECK(take(samples, "words") == kExitDone);
        CHECK(recording().size() == 8 * samples);
        CHECK(take(samples, "text") == kExitDone);
        std::string text = recording();
        CHECK(std::count(text.begin(), text.end(), '\n') == static_cast<long>(samples) + 2);
    }
    machine();
    CHECK(take(10, "bytes", "-") == kExitDone);
    CHECK(fake::text_of("/dev/stdout").size() == 10);
}

TEST_CASE("P8: a recording that cannot be written is exit 2 with a line") {
    machine();
    fake::state().failures.push_back({.call = "write_bytes", .nth = 3, .code = ENOSPC});
    CHECK(take(5000, "words") == kExitUsage);
    CHECK(says("cannot write /root/recording: "));
    machine();
    fake::state().failures.push_back({.call = "create", .code = EROFS});
    CHECK(take(10, "words") == kExitUsage);
    CHECK(says("cannot create /root/recording"));
}
