// SPDX-License-Identifier: MIT
#include "boot/report.hpp"

namespace earlyseed {

namespace {

// Where a value of an Owner lives, a text or a number, and its key.
template <typename Owner>
struct FieldOf {
    const char* key;
    TextBuffer* (*text)(Owner&);
    std::uint64_t* (*number)(Owner&);
};
constexpr FieldOf<SourceReport> kSourceFields[] = {
    {"done", nullptr, [](SourceReport& s) { return &s.done; }},
    {"bytes", nullptr, [](SourceReport& s) { return &s.bytes; }},
    {"assessed_bits", nullptr, [](SourceReport& s) { return &s.assessed_bits; }},
    {"credited_bits", nullptr, [](SourceReport& s) { return &s.credited_bits; }},
    {"time_us", nullptr, [](SourceReport& s) { return &s.time_us; }},
    {"reason", [](SourceReport& s) -> TextBuffer* { return &s.reason; }, nullptr},
    {"advice", [](SourceReport& s) -> TextBuffer* { return &s.advice; }, nullptr},
};

constexpr FieldOf<Report> kReportFields[] = {
    {"boot_id", [](Report& r) -> TextBuffer* { return &r.boot_id; }, nullptr},
    {"ready", [](Report& r) -> TextBuffer* { return &r.ready; }, nullptr},
    {"ready_by", [](Report& r) -> TextBuffer* { return &r.ready_by; }, nullptr},
    {"ready_at_ms", nullptr, [](Report& r) { return &r.ready_at_ms; }},
    {"jitter.samples", nullptr, [](Report& r) { return &r.jitter_samples; }},
    {"seed.generation", nullptr, [](Report& r) { return &r.seed_generation; }},
    {"seed.saved_at", nullptr, [](Report& r) { return &r.seed_saved_at; }},
    {"seed.saved_boot", [](Report& r) -> TextBuffer* { return &r.seed_saved_boot; }, nullptr},
    {"seed.store", [](Report& r) -> TextBuffer* { return &r.store; }, nullptr},
    {"store.state", [](Report& r) -> TextBuffer* { return &r.store_state; }, nullptr},
    {"store.problem", [](Report& r) -> TextBuffer* { return &r.store_problem; }, nullptr},
};

// One line of the file.
struct Field {
    Text<32> key;
    TextBuffer* text;
    std::uint64_t* number;
    bool always = false;  // written even when it is 0
};

template <typename Owner>
Field field_of(Owner& owner, const FieldOf<Owner>& f, const char* prefix) {
    return {Text<32>(prefix).add(*prefix == '\0' ? "" : ".", f.key), f.text ? f.text(owner) : nullptr, f.number ? f.number(owner) : nullptr};
}

// Hands every field to visit(context, field): the one list that formatting and parsing share.
void for_each_field(Report& r, void* context, void (*visit)(void* context, const Field& field)) {
    for (std::size_t i = 0; i < kSources; i++) {
        SourceReport& s = r.sources[i];
        for (const auto& f : kSourceFields) {
            Field field = field_of(s, f, kSourceNames[i]);
            // The zero of a source that has given is the news.
            field.always = field.number == &s.credited_bits && s.done != 0;
            visit(context, field);
        }
    }
    for (const auto& f : kReportFields) visit(context, field_of(r, f, ""));
}

}  // namespace

void SourceReport::set(const Credit& credit) {
    credited_bits = credit.bits;
    reason = explain(credit.reason).what;
    advice = explain(credit.reason).advice;
}

void append_json(TextBuffer& to, std::string_view text) {
    to.append("\"");
    for (char c : text) {
        if (c == '"' || c == '\\') to.append("\\");
        to.append(static_cast<unsigned char>(c) < 0x20 ? std::string_view(" ") : std::string_view(&c, 1));
    }
    to.append("\"");
}

void format_report(Report& report, Format format, ReportText& text) {
    struct Output {
        bool json;
        ReportText& text;
    };
    Output output{format == Format::json, text};
    for_each_field(report, &output, [](void* context, const Field& field) {
        bool is_zero = field.text ? field.text->empty() : *field.number == 0;
        if (is_zero && !field.always) return;
        auto& [json, out] = *static_cast<Output*>(context);
        if (json)
            append_json(out, field.key.view());
        else
            out.append(field.key);
        out.append(json ? ": " : " = ");
        if (field.number)
            out.append(*field.number);
        else if (json)
            append_json(out, field.text->view());
        else
            out.append(*field.text);
        out.append(json ? ",\n " : "\n");
    });
}

Report parse_report(std::string_view text, std::string_view boot_id) {
    struct Assignment {
        std::string_view key, value;
    };
    Report report;
    while (!text.empty()) {
        std::string_view line = take_until(text, '\n');
        Assignment assignment{.key = trim(take_until(line, '=')), .value = trim(line)};
        for_each_field(report, &assignment, [](void* context, const Field& field) {
            const Assignment& a = *static_cast<const Assignment*>(context);
            if (field.key.view() != a.key) return;
            if (field.text)
                field.text->assign(a.value);
            else
                *field.number = parse_number(a.value).value_or(0);
        });
    }
    if (report.boot_id.view() == boot_id) return report;
    Report fresh;
    fresh.boot_id = boot_id;
    return fresh;
}

}  // namespace earlyseed
