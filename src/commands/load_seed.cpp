// SPDX-License-Identifier: MIT
#include "boot/writable_store.hpp"
#include "commands/load_run.hpp"
#include "credit/use_seed.hpp"
#include "system/clock.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

namespace {

// A problem with what the store is or holds.
void report_flaw(LoadRun& run, std::string_view state, std::string_view what) {
    report_store_problem(run, state, about_store(run.config.store.text, what));
}

void report_failed_write(LoadRun& run, const Error& error, std::string_view object) {
    report_store_problem(run, "failed"sv, failed_write(run.config.store.text, error, object));
}

void use_and_report(LoadRun& run, Store& store, const std::array<Slot, 2>& slots, const Choice& choice,
                    const Stamp& stamp) {
    Report& report = run.report;
    SeedUse use =
        use_seed(store, slots, choice, stamp, run.jitter.digest.span(), run.machine.is_virtual, run.config.credit_seed);
    if (use.fed.made_ready) note_ready(report, "seed"sv);
    SourceReport& source = report[Source::seed];
    source.bytes = kSeedBytes;
    source.assessed_bits = use.fed.credit.bits;
    source.set(use.fed.credit);
    const Record& seed = slots[static_cast<std::size_t>(choice.seed_slot)].record;
    report.seed_generation = seed.generation;
    report.seed_saved_at = seed.saved_at_s;
    report.seed_saved_boot.clear();
    report.seed_saved_boot.add(Hex{seed.boot_id});
    report.store_state = "rotated";
    if (store.read_only()) {
        report_flaw(run, "read-only"sv, kNotWritable);
    } else if (!use.retired) {
        report_failed_write(run, use.retired.error(), "the next seed"sv);
    } else if (!use.renewed) {
        report_failed_write(run, use.renewed.error(), "over the used seed"sv);
    }
}

void make_first_seed(LoadRun& run, Store& store, const std::array<Slot, 2>& slots, const Choice& choice,
                     const Stamp& stamp) {
    bool pristine = slots[0].state == SlotState::pristine && slots[1].state == SlotState::pristine;
    run.report[Source::seed].set({0, pristine ? Reason::no_seed : Reason::damaged});
    run.report.store_state = "created";
    if (store.read_only()) {
        report_flaw(run, "read-only"sv, Line("holds no seed and ").add(kNotWritable));
    } else if (SaveResult saved = save_next_seed(store, slots, choice, stamp); !saved.written) {
        report_failed_write(run, saved.written.error(), "a first seed"sv);
    }
}

}  // namespace

void report_store_problem(LoadRun& run, std::string_view state, const Line& problem) {
    run.report.store_state = state;
    run.report.store_problem = problem.view();
    run.log.warn(problem);
    run.degraded = true;
}

void feed_seed(LoadRun& run, Store& store) {
    std::uint64_t start = kernel::monotonic_ns();
    std::array<Slot, 2> slots;
    store.read(slots);
    Choice choice = choose(slots);
    Stamp stamp{run.boot.id, run.machine.tag};
    SourceReport& source = run.report[Source::seed];
    source.done = 1;
    run.report.store_problem.clear();
    if (choice.content == StoreContent::seed) {
        use_and_report(run, store, slots, choice, stamp);
    } else if (std::string_view refusal = refusal_of(choice.content); !refusal.empty()) {
        source.set({0, Reason::refused});
        report_flaw(run, "refused"sv, refusal);
    } else {
        make_first_seed(run, store, slots, choice, stamp);
    }
    if (store.flaw() != StoreFlaw::none && run.report.store_problem.empty()) {
        report_flaw(run, "flawed"sv, explained(reason_of(store.flaw())));
    }
    source.time_us = (kernel::monotonic_ns() - start) / 1000;
    summarise(run.summary, "seed"sv, source, ""sv);
}

}  // namespace earlyseed
