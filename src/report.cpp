// SPDX-License-Identifier: MIT
#include "report.hpp"

namespace earlyseed {

namespace {

// One line of the file: its key ("jitter" and "bytes", or "" and "ready"), and where its value lives, a text or a number.
struct Field {
    std::string_view source;
    std::string_view name;
    TextBuffer* text;
    std::uint64_t* number;
    bool always;  // written even when it is 0
};

// Hands every field to visit(context, field): the one list that formatting and parsing share.
void for_each_field(Report& r, void* context, void (*visit)(void* context, const Field& field)) {
    struct Source {
        std::string_view name;
        SourceReport& report;
    };
    Source sources[] = {{"jitter", r.jitter}, {"hwrng", r.hwrng}, {"seed", r.seed}};
    for (auto& [source, s] : sources) {
        // The zero of a source that has given is the news.
        const Field fields[] = {{source, "done", nullptr, &s.done, false},
                                {source, "bytes", nullptr, &s.bytes, false},
                                {source, "assessed_bits", nullptr, &s.assessed_bits, false},
                                {source, "credited_bits", nullptr, &s.credited_bits, s.done != 0},
                                {source, "time_us", nullptr, &s.time_us, false},
                                {source, "reason", &s.reason, nullptr, false},
                                {source, "advice", &s.advice, nullptr, false}};
        for (const Field& field : fields) visit(context, field);
    }
    const Field fields[] = {{"", "boot_id", &r.boot_id, nullptr, false},
                            {"", "ready", &r.ready, nullptr, false},
                            {"", "ready_by", &r.ready_by, nullptr, false},
                            {"", "ready_at_ms", nullptr, &r.ready_at_ms, false},
                            {"jitter", "samples", nullptr, &r.jitter_samples, false},
                            {"seed", "generation", nullptr, &r.seed_generation, false},
                            {"seed", "saved_at", nullptr, &r.seed_saved_at, false},
                            {"seed", "saved_boot", &r.seed_saved_boot, nullptr, false},
                            {"seed", "store", &r.store, nullptr, false},
                            {"store", "state", &r.store_state, nullptr, false},
                            {"store", "problem", &r.store_problem, nullptr, false}};
    for (const Field& field : fields) visit(context, field);
}

Text<32> key_of(const Field& field) {
    return Text<32>(field.source).add(field.source.empty() ? "" : ".", field.name);
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
        if (json) append_json(out, key_of(field).view());
        else out.append(key_of(field));
        out.append(json ? ": " : " = ");
        if (field.number) out.append(*field.number);
        else if (json) append_json(out, field.text->view());
        else out.append(*field.text);
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
            if (key_of(field).view() != a.key) return;
            if (field.text) field.text->assign(a.value);
            else *field.number = parse_number(a.value).value_or(0);
        });
    }
    if (report.boot_id.view() == boot_id) return report;
    Report fresh;
    fresh.boot_id = boot_id;
    return fresh;
}

}  // namespace earlyseed
