// SPDX-License-Identifier: MIT
#include "commands/load_run.hpp"
#include "system/clock.hpp"
#include "system/cpu.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

namespace {

constexpr std::size_t kDeviceBytes = 64;
constexpr unsigned kDeviceTimeoutMs = 50;
constexpr std::size_t kCpuWords = 8;

// Feeds the kernel with what a source gave, conditioned with the machine's own marks. False when it was not accepted.
bool feed_source(LoadRun& run, SourceReport& source, std::string_view name, std::span<const std::uint8_t> bytes,
                 Credit credit) {
    Secret<64> pool_input;
    Hash(label::kSources, pool_input.span().size())
        .add(bytes)
        .add(run.machine.tag)
        .add(run.boot.id)
        .add(bytes_of(kernel::realtime_s()))
        .add(bytes_of(kernel::monotonic_ns()))
        .finish(pool_input.span());
    Fed fed = feed(pool_input.span(), credit);
    if (fed.made_ready) note_ready(run.report, name);
    source.done = 1;
    source.set(fed.credit);
    if (fed.credit.reason != Reason::not_accepted) return true;
    run.degraded = true;
    return false;
}

std::uint64_t microseconds_since(std::uint64_t start_ns) { return (kernel::monotonic_ns() - start_ns) / 1000; }

// Reads what a device gives within its time; how many bytes. 0: no driver behind the node, nobody at the other end of a
// FIFO, or nothing to say yet.
std::size_t read_within_limit(const kernel::File& device, std::span<std::uint8_t> buffer) {
    std::uint64_t end = kernel::monotonic_ns() + std::uint64_t{kDeviceTimeoutMs} * 1'000'000;
    std::size_t size = 0;
    for (unsigned tries = 0; size < buffer.size() && tries < kDeviceTimeoutMs; tries++) {
        auto got = kernel::read_some(device, buffer.subspan(size));
        if (got && *got == 0) break;
        if (got) {
            size += *got;
        } else if (got.error().code == EAGAIN) {
            kernel::sleep_ms(1);
        } else {
            break;
        }
        if (kernel::monotonic_ns() >= end) break;
    }
    return size;
}

// True when it gave its part now. Not done when it gave nothing: perhaps at the next call.
bool feed_device(LoadRun& run, std::size_t index, const char* path, unsigned quality) {
    SourceReport& source = run.report.sources[index];
    std::string_view name = kSourceNames[index];
    if (source.done != 0) return false;
    auto device = kernel::open_source(path);
    if (!device) return false;
    std::uint64_t start = kernel::monotonic_ns();
    Secret<kDeviceBytes> buffer;
    std::size_t size = read_within_limit(*device, buffer.span());
    if (size == 0) return false;
    auto bytes = buffer.span().first(size);
    // What cannot be examined counts as a file, which earns nothing.
    auto info = kernel::file_info(*device);
    Credit credit =
        credit_for_device(bytes, quality, info ? *info : kernel::FileInfo{.kind = kernel::FileKind::regular});
    source.bytes = size;
    source.assessed_bits = size * 8 * quality / 1024;
    feed_source(run, source, name, bytes, credit);
    source.time_us = microseconds_since(start);
    summarise(run.summary, name, source, ""sv);
    return true;
}

}  // namespace

void feed_jitter(LoadRun& run) {
    SourceReport& source = run.report[Source::jitter];
    const JitterResult& jitter = run.jitter;
    Credit credit = credit_for_jitter(jitter.credit_bits, jitter.shortage, run.config.credit_jitter);
    bool accepted = feed_source(run, source, "jitter"sv, jitter.digest.span(), credit);
    source.bytes = std::uint64_t{jitter.samples} * sizeof(std::uint64_t);
    source.assessed_bits = std::uint64_t{jitter.samples} * jitter.assessed_millibits / 1000;
    source.time_us = jitter.time_ns / 1000;
    if (accepted && !jitter.seen.empty()) source.reason.add(" (", jitter.seen, ")");
    run.report.jitter_samples = jitter.samples;
    summarise(run.summary, "jitter"sv, source, Word().add(jitter.samples, " samples, ", Tenths{source.time_us}, " ms"));
}

void feed_cpu(LoadRun& run) {
    std::uint64_t start = kernel::monotonic_ns();
    SecretArray<std::uint64_t, kCpuWords> words;
    std::size_t got = kernel::cpu_random(words.span());
    if (got == 0) return;
    SourceReport& source = run.report[Source::cpu];
    std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(words.span().data()),
                                        got * sizeof(std::uint64_t));
    source.bytes = bytes.size();
    Credit credit = credit_for_cpu(bytes);
    feed_source(run, source, "cpu"sv, bytes, credit);
    source.time_us = microseconds_since(start);
    if (credit.reason == Reason::stuck) summarise(run.summary, "cpu"sv, source, ""sv);
}

void feed_command_line(LoadRun& run) {
    SourceReport& source = run.report[Source::cmdline];
    const auto& seed = run.config.cmdline_seed;
    if (source.done != 0 || all_zero(seed)) return;
    Credit credit = credit_for_command_line();
    source.bytes = seed.size();
    source.assessed_bits = credit.bits;
    feed_source(run, source, "cmdline"sv, seed, credit);
    source.advice = "EVERY USER CAN READ earlyseed.seed=, and it is credited: for tests only";
    summarise(run.summary, "cmdline"sv, source, ""sv);
    run.log.warn(source.advice);
}

bool feed_devices(LoadRun& run) {
    bool given = feed_device(run, static_cast<std::size_t>(Source::hwrng), "/dev/hwrng", run.config.hwrng_quality);
    std::size_t index = static_cast<std::size_t>(Source::extra);
    for (const SourceSpec& spec : run.config.sources) {
        if (!spec.path.empty()) given |= feed_device(run, index, spec.path.c_str(), spec.quality);
        index++;
    }
    return given;
}

}  // namespace earlyseed
