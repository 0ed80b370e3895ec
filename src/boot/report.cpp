// SPDX-License-Identifier: MIT
#include "boot/report.hpp"

#include "base/function_ref.hpp"
#include "base/text.hpp"

namespace earlyseed {

namespace {

using Key = Word;

// One field: its key and where its value lives, a text or a number.
struct Field {
    Key key;
    TextBuffer* text;
    std::uint64_t* number;
    bool always = false;  // written even when it is 0
};

// Visits each field in the order of the file: the one list that formatting and parsing share.
void for_each_field(Report& report, FunctionRef<void(const Field&)> visit) {
    for (std::size_t i = 0; i < kSources; i++) {
        SourceReport& source = report.sources[i];
        auto visit_number = [&](const char* name, std::uint64_t& value, bool always = false) {
            visit({Key(kSourceNames[i]).add(".", name), nullptr, &value, always});
        };
        auto visit_text = [&](const char* name, TextBuffer& value) {
            visit({Key(kSourceNames[i]).add(".", name), &value, nullptr});
        };
        visit_number("done", source.done);
        visit_number("bytes", source.bytes);
        visit_number("assessed_bits", source.assessed_bits);
        visit_number("credited_bits", source.credited_bits, source.done != 0);
        visit_number("time_us", source.time_us);
        visit_text("reason", source.reason);
        visit_text("advice", source.advice);
    }
    auto visit_number = [&](const char* name, std::uint64_t& value) { visit({Key(name), nullptr, &value}); };
    auto visit_text = [&](const char* name, TextBuffer& value) { visit({Key(name), &value, nullptr}); };
    visit_text("boot_id", report.boot_id);
    visit_text("ready", report.ready);
    visit_text("ready_by", report.ready_by);
    visit_number("ready_at_ms", report.ready_at_ms);
    visit_number("jitter.samples", report.jitter_samples);
    visit_number("seed.generation", report.seed_generation);
    visit_number("seed.saved_at", report.seed_saved_at);
    visit_text("seed.saved_boot", report.seed_saved_boot);
    visit_text("seed.store", report.store);
    visit_text("store.state", report.store_state);
    visit_text("store.problem", report.store_problem);
}

}  // namespace

void SourceReport::set(const Credit& credit) {
    credited_bits = credit.bits;
    Explanation explanation = explain(credit.reason);
    reason = explanation.what;
    advice = explanation.advice;
}

void append_json(TextBuffer& to, std::string_view text) {
    to.append('"');
    for (char c : text) {
        if (c == '"' || c == '\\') to.append('\\');
        to.append(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
    }
    to.append('"');
}

static void format_value(const Field& field, Format format, ReportText& text) {
    if (field.number) {
        text.add(*field.number);
    } else if (format == Format::json) {
        append_json(text, *field.text);
    } else {
        text.add(*field.text);
    }
}

void format_report(Report& report, Format format, ReportText& text) {
    bool json = format == Format::json;
    for_each_field(report, [&](const Field& field) {
        bool is_zero = field.text ? field.text->empty() : *field.number == 0;
        if (is_zero && !field.always) return;
        if (json) {
            append_json(text, field.key);
        } else {
            text.add(field.key);
        }
        text.add(json ? ": " : " = ");
        format_value(field, format, text);
        text.add(json ? ",\n " : "\n");
    });
}

static void parse_value(std::string_view value, const Field& field) {
    if (field.number) {
        *field.number = parse_number(value).value_or(0);
    } else {
        field.text->assign(value);
    }
}

static void clear(Report& report) {
    for_each_field(report, [](const Field& field) { parse_value({}, field); });
}

void parse_report(std::string_view text, std::string_view boot_id, Report& report) {
    clear(report);
    while (!text.empty()) {
        std::string_view value = take_until(text, '\n');
        std::string_view key = trim(take_until(value, '='));
        value = trim(value);
        for_each_field(report, [&](const Field& field) {
            if (field.key.view() == key) parse_value(value, field);
        });
    }
    if (report.boot_id.view() == boot_id) return;
    clear(report);
    report.boot_id = boot_id;
}

}  // namespace earlyseed
