// SPDX-License-Identifier: MIT
// For people, and with --json for programs: one flat object, with the keys of the report and a few of its own (the
// schema is in earlyseed(8); "version" counts its changes).
#include "commands/status.hpp"

#include "base/text.hpp"
#include "boot/report_file.hpp"
#include "boot/writable_store.hpp"
#include "commands/missed_sources.hpp"
#include "credit/policy.hpp"
#include "machine/kernel_messages.hpp"
#include "system/clock.hpp"
#include "system/process.hpp"
#include "system/random.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

namespace {

// "3 h" of a time in seconds: one unit says enough.
Word duration(std::uint64_t seconds) {
    Word text;
    if (seconds >= 2 * 86400) return text.add(seconds / 86400, " days");
    if (seconds >= 2 * 3600) return text.add(seconds / 3600, " h");
    return text.add(seconds / 60, " min");
}

// What the store holds now; only root can see it.
struct StoreView {
    bool seen = false;
    bool has_seed = false;
    Line problem{};
    std::uint64_t generation = 0;
    std::uint64_t saved_at_s = 0;
    Word saved_boot{};
    bool creditable = false;  // by this machine at its next boot, as far as the record and the store go
    bool bound = false;       // to this machine
};

StoreView look_at_store(const Config& config, const Machine& machine, const Boot& boot) {
    StoreView view;
    if (!kernel::is_root()) {
        view.problem.add("run as root to see the store");
        return view;
    }
    Store store;
    auto outcome = store.open(config.store, Store::Mode::read, current_stage(), {}, view.problem);
    if (outcome == Store::Outcome::absent) view.problem.add("; see 'earlyseed setup'");
    if (outcome != Store::Outcome::opened) return view;
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
    view.saved_boot.add(Hex{seed.boot_id});
    view.creditable = doubt_at_next_boot(facts_about(seed, choice, store, {boot.id, machine.tag})) == Reason::none;
    view.bound = !all_zero(seed.machine_tag) && seed.machine_tag == machine.tag;
    if (store.flaw() != StoreFlaw::none) view.problem.add(explained(reason_of(store.flaw())));
    return view;
}

struct Findings {
    const Config& config;
    Machine machine;
    Report report{};
    StoreView store{};
    bool ready = false;
    bool knows_when = false;
    std::uint64_t ready_at_ms = 0;  // since boot
    Line ready_by{};
};

void find_out_since_when(Findings& found) {
    const Report& report = found.report;
    std::string_view by = report.ready_by;
    if (!by.empty() && by != "kernel"sv && by != "others"sv) {
        found.knows_when = true;
        found.ready_at_ms = report.ready_at_ms;
        found.ready_by.add("thanks to ", by);
        return;
    }
    ReadyMessage message = find_ready_message();
    found.knows_when = message.found;
    found.ready_at_ms = message.ready_at_ms;
    found.ready_by.add(message.before_init ? "thanks to what the kernel trusts: the CPU, the boot loader or a driver"
                       : by == "kernel"sv  ? "before earlyseed gave anything"
                                           : "not thanks to earlyseed");
}

// A terminal's colours around what is good and what is not; nothing elsewhere.
struct Colours {
    std::string_view good, bad, plain;
};

void print_generator(const Findings& found, const Colours& colour) {
    Line head("kernel generator: ");
    if (found.ready) {
        head.add(colour.good, "ready", colour.plain);
        if (found.knows_when) head.add(" ", Tenths{found.ready_at_ms}, " s after boot");
        head.add(", ", found.ready_by);
    } else {
        head.add(colour.bad, "NOT READY", colour.plain, " after ", Tenths{kernel::monotonic_ns() / 1'000'000}, " s");
    }
    print_line(head);
}

void print_sources(const Report& report) {
    for (std::size_t i = 0; i < kSources; i++) {
        const SourceReport& source = report.sources[i];
        if (source.done == 0) continue;
        Line line("  ");
        line.add(kSourceNames[i], ": ", source.credited_bits, " bits credited");
        if (source.assessed_bits != source.credited_bits) line.add(" of ", source.assessed_bits, " assessed");
        line.add("; ", source.bytes, " bytes mixed in ", Tenths{source.time_us}, " ms");
        if (!source.reason.empty()) line.add("; ", source.reason);
        print_line(line);
        if (!source.advice.empty()) print_line(Line("    -> ").add(source.advice));
    }
}

// A line in the colour of what needs attention; nothing when `problem` is empty.
void complain(const Colours& colour, std::string_view about, std::string_view problem) {
    if (!problem.empty()) print_line(Line(colour.bad).add(about, problem, colour.plain));
}

void print_next_seed(const StoreView& store, const Report& report) {
    Line line("  next seed: generation ");
    line.add(store.generation, ", saved ");
    std::uint64_t now_s = kernel::realtime_s();
    if (store.saved_at_s != 0 && now_s >= store.saved_at_s) {
        line.add(duration(now_s - store.saved_at_s), " ago");
    } else {
        line.add("at an unknown time");
    }
    std::string_view boot = first(store.saved_boot, 8);  // as far as the ID's first '-'
    bool this_boot = report.boot_id.view().starts_with(boot);
    line.add(this_boot ? " in this boot" : " in boot ");
    if (!this_boot) line.add(boot);
    line.add(store.creditable ? ", creditable" : ", not creditable",
             store.bound ? ", bound to this machine" : ", not bound to this machine");
    print_line(line);
}

void print_store(const Findings& found, const Colours& colour) {
    print_line(Line("store: ").add(found.config.store.text));
    if (found.store.has_seed) {
        print_next_seed(found.store, found.report);
    } else if (found.store.seen && found.store.problem.empty()) {
        print_line("  empty"sv);
    }
    complain(colour, "  in this boot: "sv, found.report.store_problem);
    complain(colour, "  now: "sv, found.store.problem);
}

void print_missed_sources(const Findings& found) {
    for_each_missed_source(found.config, found.report, found.machine, [](const MissedSource& missed) {
        print_line(Line("not used: ").add(missed.name, ": ", missed.what));
        print_line(Line("    -> ").add(missed.advice));
    });
}

void print_verdict(const Findings& found, const Colours& colour) {
    if (found.config.off || found.config.initrd_off) {
        complain(colour, "-> "sv, "load is switched off on the kernel command line"sv);
    } else if (found.report.ready.empty()) {
        complain(colour, "-> "sv,
                 "load has not run in this boot: rebuild the initrd with earlyseed (in a container: its host's)"sv);
    } else if (!found.ready) {
        complain(colour, "-> "sv, "nothing gave enough credit; the reasons are above"sv);
    }
}

void print_json(Findings& found) {
    ReportText out("{\"version\": 1,\n ");
    format_report(found.report, Format::json, out);
    auto key = [&](std::string_view name) {
        append_json(out, name);
        out.add(": ");
    };
    auto text = [&](std::string_view name, std::string_view value) {
        key(name);
        append_json(out, value);
        out.add(",\n ");
    };
    auto number = [&](std::string_view name, std::uint64_t value) {
        key(name);
        out.add(value, ",\n ");
    };
    auto flag = [&](std::string_view name, bool value, std::string_view end = ",\n "sv) {
        key(name);
        out.add(value ? "true" : "false", end);
    };
    if (found.store.has_seed) {
        number("next.generation"sv, found.store.generation);
        number("next.saved_at"sv, found.store.saved_at_s);
        text("next.saved_boot"sv, found.store.saved_boot);
        flag("next.creditable"sv, found.store.creditable);
        flag("next.bound"sv, found.store.bound);
    }
    text("store.name"sv, found.config.store.text);
    text("store.now"sv, found.store.problem);
    if (found.knows_when) number("ready_since_ms"sv, found.ready_at_ms);
    text("ready_thanks_to"sv, found.ready_by);
    key("unused"sv);
    std::string_view before = "["sv;
    for_each_missed_source(found.config, found.report, found.machine, [&](const MissedSource& missed) {
        out.add(before, "{\"source\": ");
        append_json(out, missed.name);
        out.add(", \"what\": ");
        append_json(out, missed.what);
        out.add(", \"advice\": ");
        append_json(out, missed.advice);
        out.add("}");
        before = ", "sv;
    });
    out.add(before == "["sv ? "[]" : "]", ",\n ");
    flag("ready_now"sv, found.ready, "}\n"sv);
    kernel::print(1, out);
}

}  // namespace

const Command kStatusCommand{
    "status", "[--json]", "is the generator ready, by what, and what to do", [](std::span<char*> words) {
        StatusOptions options;
        const Option table[] = {{"--config"sv, options.config_path}, {"--json"sv, options.json}};
        return parse_options(words, table) ? show_status(options) : kExitUsage;
    }};

int show_status(const StatusOptions& options) {
    const Log log("status", Log::Audience::person);
    kernel::lock_memory();
    Config config = read_config(options.config_path, log);
    Boot boot = read_boot();
    Findings found{.config = config, .machine = identify_machine()};
    read_report(boot, found.report);
    found.ready = kernel::crng_ready();
    if (found.ready) find_out_since_when(found);
    Colours colour;
    if (kernel::is_terminal(1)) colour = {"\33[32m"sv, "\33[31m"sv, "\33[m"sv};
    // Before the store is looked at: its medium may not answer.
    if (!options.json) {
        print_generator(found, colour);
        print_sources(found.report);
    }
    found.store = look_at_store(config, found.machine, boot);
    if (options.json) {
        print_json(found);
    } else {
        print_store(found, colour);
        print_missed_sources(found);
        print_verdict(found, colour);
    }
    if (!found.ready) return kExitNotReady;
    bool attention = found.report.ready.empty() || !found.report.store_problem.empty() ||
                     (kernel::is_root() && !found.store.problem.empty());
    return attention ? kExitDegraded : kExitDone;
}

}  // namespace earlyseed
