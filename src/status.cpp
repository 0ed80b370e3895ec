// SPDX-License-Identifier: MIT
// earlyseed status: is the generator ready, thanks to what, what did each source give, what is in the store, what to do.
// For people, and with --json for programs: one flat object, with the keys of the report and a few of its own (the schema is
// in earlyseed(8); "version" counts its changes).
#include "commands.hpp"
#include "log.hpp"

namespace earlyseed {

namespace {

// A UTC date, "2026-11-22 08:00:00Z", after Howard Hinnant's days_from_civil read backwards.
Text<24> date(std::uint64_t seconds) {
    std::uint64_t days = seconds / 86400 + 719468;
    std::uint64_t era = days / 146097;
    std::uint64_t day_of_era = days % 146097;
    std::uint64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    std::uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    std::uint64_t shifted_month = (5 * day_of_year + 2) / 153;
    std::uint64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    std::uint64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    std::uint64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    Text<24> text;
    auto two = [&](std::uint64_t n, std::string_view after) { text.add(n < 10 ? "0" : "", n, after); };
    text.add(year, "-");
    two(month, "-");
    two(day, " ");
    two(seconds / 3600 % 24, ":");
    two(seconds / 60 % 60, ":");
    two(seconds % 60, "Z");
    return text;
}

// What the store holds now; only root can see it.
struct StoreView {
    bool seen = false;
    bool has_seed = false;
    Line problem{};
    std::uint64_t generation = 0;
    std::uint64_t saved_at_s = 0;
    bool creditable = false;
    bool bound = false;  // to this machine
};

StoreView look_at_store(const Config& config) {
    StoreView view;
    if (!kernel::is_root()) {
        view.problem.add("run as root to see the store");
        return view;
    }
    Store store;
    if (store.open(config.store, Store::Mode::read, current_stage(), {}, view.problem) != Store::Outcome::opened) {
        return view;
    }
    std::array<Slot, 2> slots;
    store.read(slots);
    Choice choice = choose(slots);
    view.seen = true;
    view.has_seed = choice.content == StoreContent::seed;
    view.problem = refusal_of(choice.content);
    if (!view.has_seed) return view;
    const Record& seed = slots[static_cast<std::size_t>(choice.seed_slot)].record;
    view.generation = seed.generation;
    view.saved_at_s = seed.saved_at_s;
    view.creditable = seed.creditable && choice.sibling_valid && store.flaw() == Reason::none;
    view.bound = !all_zero(seed.machine_tag) && seed.machine_tag == identify_machine().tag;
    if (store.flaw() != Reason::none) view.problem.add(explained(store.flaw()));
    return view;
}

struct NamedSource {
    std::string_view name;
    const SourceReport& report;
};

void print_text(Report& report, const StoreView& store, bool ready, std::string_view name) {
    auto say = [](const auto&... parts) { kernel::print(1, Line().add(parts..., "\n").view()); };
    if (!ready) {
        say("kernel generator: NOT READY");
    } else if (report.ready.view() != "yes") {
        say("kernel generator: ready; earlyseed did not run in this boot");
    } else if (report.ready_by.view() == "kernel") {
        say("kernel generator: ready, before earlyseed gave anything (seen at ", Tenths{report.ready_at_ms}, " s)");
    } else {
        say("kernel generator: ready ", Tenths{report.ready_at_ms}, " s after boot, thanks to ", report.ready_by);
    }
    for (auto [source, r] : {NamedSource{"jitter", report.jitter}, {"cpu", report.cpu}, {"hwrng", report.hwrng},
                             {"seed", report.seed}}) {
        if (r.done == 0) continue;
        say("  ", source, ": ", r.credited_bits, " bits credited; ", r.bytes, " bytes mixed in ", Tenths{r.time_us}, " ms",
            r.reason.empty() ? "" : "; ", r.reason);
        if (!r.advice.empty()) say("    -> ", r.advice);
    }
    say("store: ", name);
    if (store.has_seed) {
        say("  next seed: generation ", store.generation, ", saved ",
            store.saved_at_s == 0 ? Text<24>("at an unknown time") : date(store.saved_at_s), ", ",
            store.creditable ? "creditable" : "not creditable", ", ",
            store.bound ? "bound to this machine" : "not bound to this machine");
    } else if (store.seen && store.problem.empty()) {
        say("  empty");
    }
    if (!report.store_problem.empty()) say("  in this boot: ", report.store_problem);
    if (!store.problem.empty()) say("  now: ", store.problem);
    if (!ready && !report.ready.empty()) say("-> nothing gave enough credit: see the reasons above");
    if (!ready && report.ready.empty()) say("-> run 'earlyseed load', and see that your initrd has earlyseed");
}

void print_json(Report& report, const StoreView& store, bool ready, std::string_view name) {
    auto yes = [](bool b) { return b ? "true" : "false"; };
    ReportText out("{\"version\": 1,\n ");
    format_report(report, Format::json, out);
    if (store.has_seed) {
        out.add("\"next.generation\": ", store.generation, ",\n \"next.saved_at\": ", store.saved_at_s,
                ",\n \"next.creditable\": ", yes(store.creditable), ",\n \"next.bound\": ", yes(store.bound), ",\n ");
    }
    out.add("\"store.name\": ");
    append_json(out, name);
    out.add(",\n \"store.now\": ");
    append_json(out, store.problem.view());
    kernel::print(1, out.add(",\n \"ready_now\": ", yes(ready), "}\n").view());
}

}  // namespace

int show_status(const Options& options) {
    log::begin("status", false);
    Config config = read_config(options.config_path);
    Report report = read_report(read_boot());
    bool ready = kernel::crng_ready();
    StoreView store = look_at_store(config);
    (options.json ? print_json : print_text)(report, store, ready, config.store.text.view());
    bool attention = !ready || !report.store_problem.empty() || (kernel::is_root() && !store.problem.empty());
    return attention ? kExitDegraded : kExitDone;
}

}  // namespace earlyseed
