// SPDX-License-Identifier: MIT
#include "report.hpp"

namespace earlyseed {

namespace {

// Calls visit(key, field) for every field: the one list that formatting and parsing share.
template <typename ReportType, typename Visit>
void for_each_field(ReportType& r, Visit visit) {
    visit("boot_id", r.boot_id);
    visit("ready", r.ready);
    visit("ready_by", r.ready_by);
    visit("ready_at_ms", r.ready_at_ms);
    auto source = [&](auto& s, auto... keys) {
        const std::string_view names[] = {keys...};
        visit(names[0], s.done);
        visit(names[1], s.bytes);
        visit(names[2], s.assessed_bits);
        visit(names[3], s.credited_bits);
        visit(names[4], s.time_us);
        visit(names[5], s.reason);
        visit(names[6], s.advice);
    };
    source(r.jitter, "jitter.done", "jitter.bytes", "jitter.assessed_bits", "jitter.credited_bits", "jitter.time_us",
           "jitter.reason", "jitter.advice");
    visit("jitter.samples", r.jitter_samples);
    source(r.hwrng, "hwrng.done", "hwrng.bytes", "hwrng.assessed_bits", "hwrng.credited_bits", "hwrng.time_us",
           "hwrng.reason", "hwrng.advice");
    source(r.seed, "seed.done", "seed.bytes", "seed.assessed_bits", "seed.credited_bits", "seed.time_us",
           "seed.reason", "seed.advice");
    visit("seed.generation", r.seed_generation);
    visit("seed.saved_at", r.seed_saved_at);
    visit("seed.saved_boot", r.seed_saved_boot);
    visit("seed.store", r.store);
    visit("store.state", r.store_state);
    visit("store.problem", r.store_problem);
}

bool is_empty(std::uint64_t number) { return number == 0; }
template <std::size_t N>
bool is_empty(const Text<N>& text) { return text.empty(); }

void read_value(std::string_view value, std::uint64_t& number) { number = parse_number(value).value_or(0); }
template <std::size_t N>
void read_value(std::string_view value, Text<N>& text) { text = value; }

}  // namespace

void SourceReport::set(const Credit& credit) {
    credited_bits = credit.bits;
    reason = explain(credit.reason).what;
    advice = explain(credit.reason).advice;
}

ReportText format_report(const Report& report) {
    ReportText text;
    // credited_bits stands there even as a zero, once its source is done: the zero is the news.
    const SourceReport* sources[] = {&report.jitter, &report.hwrng, &report.seed};
    for_each_field(report, [&](std::string_view key, const auto& field) {
        bool news = !is_empty(field);
        for (const SourceReport* s : sources) {
            news = news || (s->done != 0 && static_cast<const void*>(&field) == &s->credited_bits);
        }
        if (news) text.add(key, " = ", field, "\n");
    });
    return text;
}

Report parse_report(std::string_view text, std::string_view boot_id) {
    Report report;
    while (!text.empty()) {
        std::string_view line = take_until(text, '\n');
        std::string_view key = trim(take_until(line, '='));
        for_each_field(report, [&](std::string_view name, auto& field) {
            if (name == key) read_value(trim(line), field);
        });
    }
    if (report.boot_id.view() == boot_id) return report;
    Report fresh;
    fresh.boot_id = boot_id;
    return fresh;
}

}  // namespace earlyseed
