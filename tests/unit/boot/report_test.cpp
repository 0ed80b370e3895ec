// SPDX-License-Identifier: MIT
// This boot's report: what is written is what is read, only in the same boot, and JSON that a parser takes.
#include "boot/report.hpp"

#include <string>
#include <vector>

#include "catch.hpp"

using namespace earlyseed;

namespace {

constexpr const char* kBoot = "3b2f8a90-5d0c-4e1b-9a77-0123456789ab";

void fill(SourceReport& source, const std::string& name, std::uint64_t number) {
    source.done = 1;
    source.bytes = number + 1;
    source.assessed_bits = number + 2;
    source.credited_bits = number + 3;
    source.time_us = number + 4;
    source.reason = name + ": a reason = with an equals sign";
    source.advice = name + ": an advice";
}

Report full_report() {
    Report report;
    report.boot_id = kBoot;
    report.ready = "yes";
    report.ready_by = "jitter";
    report.ready_at_ms = 812;
    for (std::size_t i = 0; i < kSources; i++) fill(report.sources[i], kSourceNames[i], 100 * (i + 1));
    fill(report[Source::seed], "seed", ~std::uint64_t{0} - 10);
    report.jitter_samples = 3072;
    report.store = "UUID=1234-ABCD:/earlyseed/seed";
    report.store_state = "rotated";
    report.store_problem = "store x: \"quoted\" and \\ too";
    report.seed_generation = 41;
    report.seed_saved_at = 1763800000;
    report.seed_saved_boot = "00000000-1111-2222-3333-444444444444";
    return report;
}

std::string lines(Report report) {
    ReportText text;
    format_report(report, Format::lines, text);
    CHECK_FALSE(text.full());
    return std::string(text.view());
}

std::string json(Report report) {
    ReportText text;
    format_report(report, Format::json, text);
    CHECK_FALSE(text.full());
    return std::string(text.view());
}

std::string as_json(std::string_view text) {
    Line line;
    append_json(line, text);
    return std::string(line.view());
}

void check_equal(const SourceReport& a, const SourceReport& b) {
    CHECK(a.done == b.done);
    CHECK(a.bytes == b.bytes);
    CHECK(a.assessed_bits == b.assessed_bits);
    CHECK(a.credited_bits == b.credited_bits);
    CHECK(a.time_us == b.time_us);
    CHECK(a.reason.view() == b.reason.view());
    CHECK(a.advice.view() == b.advice.view());
}

void check_equal(const Report& a, const Report& b) {
    CHECK(a.boot_id.view() == b.boot_id.view());
    CHECK(a.ready.view() == b.ready.view());
    CHECK(a.ready_by.view() == b.ready_by.view());
    CHECK(a.ready_at_ms == b.ready_at_ms);
    for (std::size_t i = 0; i < kSources; i++) check_equal(a.sources[i], b.sources[i]);
    CHECK(a.jitter_samples == b.jitter_samples);
    CHECK(a.store.view() == b.store.view());
    CHECK(a.store_state.view() == b.store_state.view());
    CHECK(a.store_problem.view() == b.store_problem.view());
    CHECK(a.seed_generation == b.seed_generation);
    CHECK(a.seed_saved_at == b.seed_saved_at);
    CHECK(a.seed_saved_boot.view() == b.seed_saved_boot.view());
}

Report fresh() {
    Report report;
    report.boot_id = kBoot;
    return report;
}

}  // namespace

TEST_CASE("P8: every field of the report comes back") {
    Report report = full_report();
    check_equal(parse_report(lines(report), kBoot), report);
    check_equal(parse_report(lines(fresh()), kBoot), fresh());
}

TEST_CASE("P8: the keys of the report") {
    std::string expected;
    std::uint64_t number = 100;
    for (std::string name : {"jitter", "cpu", "hwrng", "seed", "cmdline", "source1", "source2", "source3", "source4"}) {
        std::uint64_t base = name == "seed" ? ~std::uint64_t{0} - 10 : number;
        number += 100;
        expected += name + ".done = 1\n";
        for (std::string key : {"bytes", "assessed_bits", "credited_bits", "time_us"}) {
            expected += name + "." + key + " = " + std::to_string(++base) + "\n";
        }
        expected += name + ".reason = " + name + ": a reason = with an equals sign\n";
        expected += name + ".advice = " + name + ": an advice\n";
    }
    CHECK(lines(full_report()) ==
          expected +
              "boot_id = 3b2f8a90-5d0c-4e1b-9a77-0123456789ab\nready = yes\nready_by = jitter\nready_at_ms = 812\n"
              "jitter.samples = 3072\nseed.generation = 41\nseed.saved_at = 1763800000\n"
              "seed.saved_boot = 00000000-1111-2222-3333-444444444444\nseed.store = UUID=1234-ABCD:/earlyseed/seed\n"
              "store.state = rotated\nstore.problem = store x: \"quoted\" and \\ too\n");
    CHECK(lines(fresh()) == std::string("boot_id = ") + kBoot + "\n");
}

TEST_CASE("P8: a zero is shown when its source has given, and left out when it has not") {
    Report report = fresh();
    report[Source::jitter].done = 1;
    CHECK(lines(report).find("jitter.credited_bits = 0\n") != std::string::npos);
    CHECK(lines(report).find("jitter.bytes") == std::string::npos);
    CHECK(lines(report).find("seed.") == std::string::npos);
    CHECK(json(report).find("\"jitter.credited_bits\": 0,") != std::string::npos);
    CHECK(json(report).find("seed") == std::string::npos);
}

TEST_CASE("P1: another boot's report is as good as none") {
    check_equal(parse_report(lines(full_report()), "3b2f8a90-5d0c-4e1b-9a77-0123456789ac"), [] {
        Report report;
        report.boot_id = "3b2f8a90-5d0c-4e1b-9a77-0123456789ac";
        return report;
    }());
    check_equal(parse_report("", kBoot), fresh());
    // Without a boot ID, or with a torn one, nothing in it counts.
    check_equal(parse_report("jitter.done = 1\nseed.done = 1\n", kBoot), fresh());
    check_equal(parse_report("jitter.done = 1\nboot_id = 3b2f8a90\n", kBoot), fresh());
}

TEST_CASE("report: unknown keys, blanks and rubbish are passed over") {
    std::string text =
        std::string("# a comment\nnews = 1\n\n=\n===\nboot_id=") + kBoot +
        "\n  jitter.done   =  1  \njitter.doneness = 2\n.done = 3\nseed.bytes = many\nseed.time_us = -4\n"
        "hwrng.reason = no \t\njitter = 7\nready";
    Report report = parse_report(text, kBoot);
    Report expected = fresh();
    expected[Source::jitter].done = 1;
    expected[Source::hwrng].reason = "no";
    check_equal(report, expected);
}

TEST_CASE("P8: a source's credit brings its reason and its advice, and a later credit takes them away") {
    SourceReport source;
    source.set({0, Reason::virtual_machine});
    CHECK(source.credited_bits == 0);
    CHECK(source.reason.view() == explain(Reason::virtual_machine).what);
    CHECK(source.advice.view() == explain(Reason::virtual_machine).advice);
    source.set({256, Reason::none});
    CHECK(source.credited_bits == 256);
    CHECK(source.reason.empty());
    CHECK(source.advice.empty());
}

TEST_CASE("report: JSON strings") {
    CHECK(as_json("") == "\"\"");
    CHECK(as_json("plain text/1") == "\"plain text/1\"");
    CHECK(as_json("a\"b\\c") == "\"a\\\"b\\\\c\"");
    CHECK(as_json("\n\t\x01\x1f") == "\"    \"");
    CHECK(as_json(std::string_view("a\0b", 3)) == "\"a b\"");
    CHECK(as_json("\xc3\xa9 \xe2\x80\xa6") == "\"\xc3\xa9 \xe2\x80\xa6\"");  // UTF-8 stays
}

TEST_CASE("report: JSON members") {
    Report report = fresh();
    report.ready_at_ms = 5;
    report.store_problem = "say \"x\"";
    CHECK(json(report) == std::string("\"boot_id\": \"") + kBoot +
                              "\",\n \"ready_at_ms\": 5,\n \"store.problem\": \"say \\\"x\\\"\",\n ");
    // The same keys in both formats.
    std::string all = json(full_report());
    std::string text = lines(full_report());
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
        std::string key = text.substr(at, text.find(' ', at) - at);
        INFO(key);
        CHECK(all.find("\"" + key + "\": ") != std::string::npos);
    }
}

TEST_CASE("report: the longest report fits, and comes back") {
    Report report = full_report();
    std::string longest(400, 'x');
    for (SourceReport& source : report.sources) {
        source.reason = longest;
        source.advice = longest;
        for (auto* number :
             {&source.done, &source.bytes, &source.assessed_bits, &source.credited_bits, &source.time_us})
            *number = ~std::uint64_t{0};
    }
    report.store = longest;
    report.store_problem = longest;
    check_equal(parse_report(lines(report), kBoot), report);
    json(report);
}
