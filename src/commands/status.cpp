// SPDX-License-Identifier: MIT
// earlyseed status: is the generator ready, thanks to what, what did each source give, what is in the store, what to do.
// For people, and with --json for programs: one flat object, with the keys of the report and a few of its own (the schema is
// in earlyseed(8); "version" counts its changes).
#include "commands/commands.hpp"
#include "system/log.hpp"
#include "commands/missed_sources.hpp"

namespace earlyseed {

namespace {

// "3 h" of a time in seconds: one unit says enough.
Text<32> duration(std::uint64_t seconds) {
    if (seconds >= 2 * 86400) return Text<32>().add(seconds / 86400, " days");
    if (seconds >= 2 * 3600) return Text<32>().add(seconds / 3600, " h");
    return Text<32>().add(seconds / 60, " min");
}

// What the kernel's log says of the generator. As root only, where dmesg is restricted; a long log forgets its start.
struct KernelLog {
    bool has_ready = false;
    std::uint64_t ready_at_ms = 0;  // since boot
    bool before_init = false;       // so it trusted one of what it has itself; false when that cannot be told
};

KernelLog read_kernel_log() {
    KernelLog found;
    auto log = kernel::open_read("/dev/kmsg", false);
    if (!log) return found;
    bool init_runs = true;  // for all that is known without the log's start
    Bytes<2048> record;
    constexpr unsigned most_records = 100'000;  // it may grow while it is read
    for (unsigned i = 0; i < most_records && !found.has_ready; i++) {
        auto got = kernel::read_some(*log, record);
        if (!got && got.error().code != EAGAIN) continue;  // overwritten before it was read (EPIPE), or too long (EINVAL)
        if (!got || *got == 0) break;
        // "6,339,5140900,-;message" and lines of its attributes (Documentation/ABI/testing/dev-kmsg).
        std::string_view text(reinterpret_cast<const char*>(record.data()), *got);
        std::string_view message = take_until(text, '\n');
        std::string_view head = take_until(message, ';');
        take_until(head, ',');
        if (take_until(head, ',') == "0") init_runs = false;
        init_runs = init_runs || starts_with(message, "Run /");
        if (!starts_with(message, "random: crng ") || !contains(message, "done")) continue;
        found.has_ready = true;
        found.ready_at_ms = parse_number(take_until(head, ',')).value_or(0) / 1000;
        found.before_init = !init_runs;
    }
    return found;
}

// What the store holds now; only root can see it.
struct StoreView {
    bool seen = false;
    bool has_seed = false;
    Line problem{};
    std::uint64_t generation = 0;
    std::uint64_t saved_at_s = 0;
    Text<40> saved_boot{};
    bool creditable = false;
    bool bound = false;  // to this machine
};

StoreView look_at_store(const Config& config, const Machine& machine) {
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
    view.creditable = seed.creditable && choice.sibling_valid && store.flaw() == Reason::none;
    view.bound = !all_zero(seed.machine_tag) && seed.machine_tag == machine.tag;
    if (store.flaw() != Reason::none) view.problem.add(explained(store.flaw()));
    return view;
}

struct Findings {
    const Config& config;
    Report report;
    Machine machine;
    StoreView store{};
    bool ready = false;
    bool knows_when = false;
    std::uint64_t ready_at_ms = 0;  // since boot
    Line thanks_to{};
};

void find_out_since_when(Findings& found) {
    const Report& report = found.report;
    std::string_view by = report.ready_by.view();
    if (!in_list("|kernel|others", by)) {
        found.knows_when = true;
        found.ready_at_ms = report.ready_at_ms;
        found.thanks_to.add("thanks to ", by);
        return;
    }
    KernelLog log = read_kernel_log();
    found.knows_when = log.has_ready;
    found.ready_at_ms = log.ready_at_ms;
    found.thanks_to.add(log.before_init    ? "thanks to what the kernel trusts: the CPU, the boot loader or a driver"
                        : by == "kernel" ? "before earlyseed gave anything"
                                         : "not thanks to earlyseed");
}

// A terminal's colours around what is good and what is not; nothing elsewhere.
struct Colours {
    const char *good = "", *bad = "", *plain = "";
};

void print_generator(const Findings& found, const Colours& colour) {
    Line head("kernel generator: ");
    if (found.ready) {
        head.add(colour.good, "ready", colour.plain);
        if (found.knows_when) head.add(" ", Tenths{found.ready_at_ms}, " s after boot");
        head.add(", ", found.thanks_to);
    } else {
        head.add(colour.bad, "NOT READY", colour.plain, " after ", Tenths{kernel::monotonic_ns() / 1'000'000}, " s");
    }
    say(head);
    for (std::size_t i = 0; i < kSources; i++) {
        const SourceReport& r = found.report.sources[i];
        if (r.done == 0) continue;
        Line line("  ");
        line.add(kSourceNames[i], ": ", r.credited_bits, " bits credited");
        if (r.assessed_bits != r.credited_bits) line.add(" of ", r.assessed_bits, " assessed");
        line.add("; ", r.bytes, " bytes mixed in ", Tenths{r.time_us}, " ms");
        if (!r.reason.empty()) line.add("; ", r.reason);
        say(line);
        if (!r.advice.empty()) say(Line("    -> ").add(r.advice));
    }
}

void print_store(const Findings& found, const Colours& colour) {
    const Report& report = found.report;
    const StoreView& store = found.store;
    say(Line("store: ").add(found.config.store.text));
    if (store.has_seed) {
        Line line("  next seed: generation ");
        line.add(store.generation, ", saved ");
        std::uint64_t now_s = kernel::realtime_s();
        if (store.saved_at_s != 0 && now_s >= store.saved_at_s)
            line.add(duration(now_s - store.saved_at_s), " ago");
        else
            line.add("at an unknown time");
        std::string_view boot = first(store.saved_boot.view(), 8);  // as far as the ID's first '-'
        bool this_boot = starts_with(report.boot_id.view(), boot);
        line.add(this_boot ? " in this boot" : " in boot ");
        if (!this_boot) line.add(boot);
        line.add(store.creditable ? ", creditable" : ", not creditable",
                 store.bound ? ", bound to this machine" : ", not bound to this machine");
        say(line);
    } else if (store.seen && store.problem.empty()) {
        say("  empty");
    }
    auto complain = [&](const char* when, const TextBuffer& problem) {
        if (!problem.empty()) say(Line(colour.bad).add(when, problem, colour.plain));
    };
    complain("  in this boot: ", report.store_problem);
    complain("  now: ", store.problem);
    for_each_unused(found.config, report, found.machine, nullptr, [](void*, const Unused& unused) {
        say(Line("not used: ").add(unused.source, ": ", unused.what));
        say(Line("    -> ").add(unused.advice));
    });
    if (found.config.off || found.config.initrd_off)
        complain("-> ", Line("load is switched off on the kernel command line"));
    else if (report.ready.empty())
        complain("-> ", Line("load has not run in this boot: make the initrd anew with earlyseed (in a container: its host's)"));
    else if (!found.ready)
        complain("-> ", Line("nothing gave enough credit; the reasons are above"));
}

void print_json(Findings& found) {
    const StoreView& store = found.store;
    auto yes = [](bool b) { return b ? "true" : "false"; };
    ReportText out("{\"version\": 1,\n ");
    format_report(found.report, Format::json, out);
    if (store.has_seed) {
        out.add("\"next.generation\": ", store.generation, ",\n \"next.saved_at\": ", store.saved_at_s,
                ",\n \"next.saved_boot\": \"", store.saved_boot, "\",\n \"next.creditable\": ", yes(store.creditable),
                ",\n \"next.bound\": ", yes(store.bound), ",\n ");
    }
    out.add("\"store.name\": ");
    append_json(out, found.config.store.text.view());
    out.add(",\n \"store.now\": ");
    append_json(out, store.problem.view());
    if (found.knows_when) out.add(",\n \"ready_since_ms\": ", found.ready_at_ms);
    out.add(",\n \"ready_thanks_to\": \"", found.thanks_to, "\",\n \"unused\": [");
    for_each_unused(found.config, found.report, found.machine, &out, [](void* context, const Unused& unused) {
        auto& text = *static_cast<ReportText*>(context);
        text.add(text.view().back() == '[' ? "" : ", ", "{\"source\": ");
        append_json(text, unused.source);
        text.add(", \"what\": \"", unused.what, "\", \"advice\": \"", unused.advice, "\"}");
    });
    kernel::print(1, out.add("],\n \"ready_now\": ", yes(found.ready), "}\n").view());
}

}  // namespace

int show_status(const Options& options) {
    log::begin("status", false);
    Config config = read_config(options.config_path);
    Findings found{.config = config, .report = read_report(read_boot()), .machine = identify_machine()};
    found.ready = kernel::crng_ready();
    if (found.ready) find_out_since_when(found);
    Colours colour;
    if (kernel::is_terminal(1)) colour = {"\33[32m", "\33[31m", "\33[m"};
    // Before the store is looked at: its medium may not answer.
    if (!options.json) print_generator(found, colour);
    found.store = look_at_store(config, found.machine);
    if (options.json)
        print_json(found);
    else
        print_store(found, colour);
    if (!found.ready) return kExitNotReady;
    bool attention = found.report.ready.empty() || !found.report.store_problem.empty() ||
                     (kernel::is_root() && !found.store.problem.empty());
    return attention ? kExitDegraded : kExitDone;
}

}  // namespace earlyseed
