// SPDX-License-Identifier: MIT
// This boot's report, /run/earlyseed/report: what each source gave, and why a zero is a zero. It is how one call of
// load knows what an earlier one did, and what status shows. Text, one `key = value` a line; it holds no secret.
// Formatting and parsing only.
#pragma once

#include <cstdint>
#include <string_view>

#include "boot/config.hpp"
#include "base/text.hpp"

namespace earlyseed {

inline constexpr const char* kRunFolder = "/run/earlyseed";
inline constexpr const char* kReportPath = "/run/earlyseed/report";
inline constexpr const char* kForgottenPath = "/run/earlyseed/forgotten";  // forget was run in this boot: save nothing
inline constexpr const char* kLockPath = "/run/earlyseed/lock";

struct SourceReport {
    std::uint64_t done = 0;  // 1 = this source has given what it gives in this boot
    std::uint64_t bytes = 0;
    std::uint64_t assessed_bits = 0;
    std::uint64_t credited_bits = 0;
    std::uint64_t time_us = 0;
    Text<128> reason;  // why credited_bits is 0
    Text<128> advice;

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
inline constexpr char kSourceNames[kSources][8] = {"jitter", "cpu", "hwrng", "seed", "cmdline",
                                                   "source1", "source2", "source3", "source4"};

struct Report {
    Text<40> boot_id;
    Text<8> ready;      // "yes" or "no", when last looked at
    Text<16> ready_by;  // a source's name; "kernel" when it was ready before earlyseed gave anything, "others" later
    std::uint64_t ready_at_ms = 0;  // since boot, when earlyseed first saw it ready
    SourceReport sources[kSources];
    SourceReport& operator[](Source source) { return sources[static_cast<std::size_t>(source)]; }
    const SourceReport& operator[](Source source) const { return sources[static_cast<std::size_t>(source)]; }
    std::uint64_t jitter_samples = 0;
    Text<256> store;
    Text<16> store_state;     // "rotated", "created", "read-only", "failed", "flawed", "missing", "refused"
    Text<320> store_problem;  // one line: what, where, what to do
    std::uint64_t seed_generation = 0;
    std::uint64_t seed_saved_at = 0;  // seconds since the epoch, 0 = unknown
    Text<40> seed_saved_boot;
};

// As `key = value` lines, or as the members of a JSON object ("key": value, …) without its braces. A key without news is
// left out.
using ReportText = Text<8192>;
enum class Format { lines, json };
void format_report(Report& report, Format format, ReportText& text);

// Appends `text` as a JSON string, quotes included.
void append_json(TextBuffer& to, std::string_view text);

// Unknown keys are passed over. A report of another boot than `boot_id` is as good as none.
Report parse_report(std::string_view text, std::string_view boot_id);

}  // namespace earlyseed
