// SPDX-License-Identifier: MIT
// This boot's report, kReportPath: what each source gave, and why a zero is a zero. It is how one call of
// load knows what an earlier one did, and what status shows. Text, one `key = value` a line; it holds no secret.
// Formatting and parsing only.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "boot/config.hpp"

namespace earlyseed {

struct SourceReport {
    std::uint64_t done = 0;  // 1 = this source has given what it gives in this boot
    std::uint64_t bytes = 0;
    std::uint64_t assessed_bits = 0;
    std::uint64_t credited_bits = 0;
    std::uint64_t time_us = 0;
    Line reason;  // why credited_bits is 0
    Line advice;

    void set(const Credit& credit);
};

// In the order in which they are shown.
enum class Source : unsigned {
    jitter,
    cpu,
    hwrng,
    seed,
    cmdline,  // earlyseed.seed= on the kernel command line
    extra,    // `source =` in the configuration: kMostSources of them, in its order
};
inline constexpr std::size_t kSources = static_cast<std::size_t>(Source::extra) + kMostSources;
// "jitter" to "source4".
inline constexpr char kSourceNames[kSources][8] = {"jitter",  "cpu",     "hwrng",   "seed",   "cmdline",
                                                   "source1", "source2", "source3", "source4"};

struct Report {
    Word boot_id;
    Word ready;     // "yes" or "no", when last looked at
    Word ready_by;  // a source's name; "kernel" when it was ready before earlyseed gave anything, "others" later
    std::uint64_t ready_at_ms = 0;  // since boot, when earlyseed first saw it ready
    std::array<SourceReport, kSources> sources;
    SourceReport& operator[](Source source) { return sources[static_cast<std::size_t>(source)]; }
    const SourceReport& operator[](Source source) const { return sources[static_cast<std::size_t>(source)]; }
    std::uint64_t jitter_samples = 0;
    Path store;
    Word store_state;    // "rotated", "created", "read-only", "failed", "flawed", "missing", "refused"
    Line store_problem;  // one line: what, where, what to do
    std::uint64_t seed_generation = 0;
    std::uint64_t seed_saved_at = 0;  // seconds since the epoch, 0 = unknown
    Word seed_saved_boot;
};

// As `key = value` lines, or as the members of a JSON object ("key": value, …) without its braces. A key whose value is
// empty or 0 is left out, but for the credit of a source that has given.
using ReportText = FixedString<16384>;
enum class Format { lines, json };
void format_report(Report& report, Format format, ReportText& text);

// Appends `text` as a JSON string, quotes included.
void append_json(TextBuffer& to, std::string_view text);

// Unknown keys are skipped. Another boot's report than that of `boot_id` is as good as none.
void parse_report(std::string_view text, std::string_view boot_id, Report& report);

}  // namespace earlyseed
