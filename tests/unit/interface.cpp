// SPDX-License-Identifier: MIT
// Prints as JSON what the documentation must know of the program and the program does not print by itself: the keys of
// the configuration with their defaults, the words of the kernel command line, the reasons for a credit of zero, the
// keys of the report and what `status --json` adds. For tests/docs.
#include <cstdio>
#include <string>
#include <vector>

#include "boot/report.hpp"
#include "scene.hpp"

using namespace earlyseed;

namespace {

std::string quoted(std::string_view text) {
    FixedString<1024> json;
    append_json(json, text);
    return std::string(json.view());
}

std::string list(const std::vector<std::string>& texts) {
    std::string json;
    for (const std::string& text : texts) json += (json.empty() ? "" : ", ") + quoted(text);
    return "[" + json + "]";
}

std::string default_of(std::string_view key) {
    Config config;
    if (key == "store") return std::string(config.store.text.view());
    if (key == "credit-seed") return config.credit_seed == SeedPolicy::automatic ? "auto" : "?";
    if (key == "credit-jitter") return config.credit_jitter == JitterPolicy::automatic ? "auto" : "?";
    if (key == "hwrng-quality") return std::to_string(config.hwrng_quality);
    if (key == "jitter-timeout-ms") return std::to_string(config.jitter_timeout_ms);
    if (key == "load-timeout-ms") return std::to_string(config.load_timeout_ms);
    return "";  // a list
}

std::string config_keys() {
    std::string json;
    for_each_config_key([&](std::string_view key, std::string_view expected) {
        json += (json.empty() ? "" : ", ") + quoted(key) + ": {\"default\": " + quoted(default_of(key)) +
                ", \"expected\": " + quoted(expected) + "}";
    });
    return "{" + json + "}";
}

std::vector<std::string> reasons() {
    std::vector<std::string> texts;
    for (std::size_t i = 1; i < kReasons; i++) texts.push_back(explain(static_cast<Reason>(i)).what);
    return texts;
}

// Every key, in the order of the file.
std::vector<std::string> report_keys() {
    Report report;
    for (SourceReport& source : report.sources) {
        source.done = source.bytes = source.assessed_bits = source.credited_bits = source.time_us = 1;
        source.reason = source.advice = "x";
    }
    report.boot_id = report.ready = report.ready_by = report.store = "x";
    report.store_state = report.store_problem = report.seed_saved_boot = "x";
    report.ready_at_ms = report.jitter_samples = report.seed_generation = report.seed_saved_at = 1;
    ReportText text;
    format_report(report, Format::lines, text);
    std::vector<std::string> keys;
    for (std::string_view rest = text; !rest.empty();) {
        std::string_view line = rest.substr(0, rest.find('\n'));
        keys.emplace_back(line.substr(0, line.find(' ')));
        rest.remove_prefix(line.size() + 1);
    }
    return keys;
}

// What status prints of a machine that has a seed, is ready by it, and has a TPM without a driver.
std::string status_json() {
    scene::machine();
    fake::put_text("/sys/firmware/acpi/tables/TPM2", "");
    scene::seeded_partition();
    scene::run_load();
    StatusOptions options;
    options.json = true;
    show_status(options);
    return fake::state().out;
}

}  // namespace

int main() {
    std::vector<std::string> words;
    for (std::string_view word : kernel_words()) words.emplace_back(word);
    std::printf("{\"keys\": %s,\n \"kernel_words\": %s,\n \"reasons\": %s,\n \"report_keys\": %s,\n \"status\": %s}\n",
                config_keys().c_str(), list(words).c_str(), list(reasons()).c_str(), list(report_keys()).c_str(),
                status_json().c_str());
    return 0;
}
