// SPDX-License-Identifier: MIT
// Makes the kernel's generator ready without making the boot wait. Does what is possible at the moment it is called,
// and never the same thing twice in one boot.
#include "commands/load.hpp"

#include "boot/run_lock.hpp"
#include "boot/writable_store.hpp"
#include "commands/load_run.hpp"
#include "system/clock.hpp"
#include "system/process.hpp"
#include "system/random.hpp"
#include "system/run_directory.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

void note_ready(Report& report, std::string_view by) {
    if (report.ready.view() == "yes"sv) return;
    report.ready = "yes";
    report.ready_by = by;
    report.ready_at_ms = kernel::monotonic_ns() / 1'000'000;
}

void summarise(Line& summary, std::string_view name, const SourceReport& source, std::string_view detail) {
    summary.add("; ", name, " ", source.credited_bits, " bits");
    if (!detail.empty()) summary.add(" (", detail, ")");
    if (source.credited_bits == 0) summary.add(": ", source.reason);
    if (source.credited_bits == 0 && !source.advice.empty()) summary.add("; ", source.advice);
}

namespace {

// What this call can do about the seed.
enum class SeedTask {
    none,   // it was done in this boot, or is not wanted
    use,    // the store is open
    later,  // the store is not there yet
    lost,   // the store cannot be used, or is not there and nothing will appear any more
};

Stage stage_of(const LoadOptions& options) {
    if (options.early) return Stage::early;
    return options.root.empty() ? current_stage() : Stage::root;
}

void log_stage(const LoadRun& run, Stage stage, std::string_view problem) {
    constexpr std::string_view names[] = {"early"sv, "initrd"sv, "root"sv, "running"sv};
    run.log.info(
        Line("debug: stage ")
            .add(names[static_cast<unsigned>(stage)], "; ", problem.empty() ? "store opened, or done"sv : problem));
}

// Opens the store. When the seed is lost, that is reported.
SeedTask prepare_seed(LoadRun& run, Store& store, Line& problem) {
    Stage stage = stage_of(run.options);
    bool wanted = run.report[Source::seed].done == 0 && !kernel::file_info(kForgottenPath, false);
    auto outcome = Store::Outcome::absent;
    if (wanted) outcome = store.open(run.config.store, Store::Mode::write, stage, run.options.root, problem);
    if (run.config.debug) log_stage(run, stage, problem);
    run.report.store = run.config.store.text;
    if (!wanted) return SeedTask::none;
    switch (outcome) {
        case Store::Outcome::opened:
            return SeedTask::use;
        case Store::Outcome::refused:
            run.report[Source::seed].set({0, Reason::refused});
            return SeedTask::lost;
        case Store::Outcome::absent:
            // In the running system this is the last call: nothing will appear later.
            if (stage != Stage::running) return SeedTask::later;
            run.report[Source::seed].set({0, Reason::no_store});
            problem.add("; see 'earlyseed setup'");
            return SeedTask::lost;
    }
    return SeedTask::none;
}

void collect(LoadRun& run, bool wants_credit) {
    run.machine = identify_machine();
    if (run.machine.sysfs_missing) run.log.warn("no /sys: the machine cannot be identified; is it mounted?"sv);
    bool earns = wants_credit && run.config.credit_jitter != JitterPolicy::never;
    collect_jitter<CpuCounter>(earns ? kFullCreditBits : 0, run.config.jitter_timeout_ms, run.jitter);
}

// Writes the report; true when the generator is ready.
bool publish(LoadRun& run) {
    bool ready = kernel::crng_ready();
    if (ready) {
        note_ready(run.report, "others"sv);
    } else {
        run.report.ready = "no";
    }
    run.report_written = write_report(run.report);
    return ready;
}

void do_seed_task(LoadRun& run, SeedTask task, Store& store, const Line& problem) {
    switch (task) {
        case SeedTask::none:
            return;
        case SeedTask::use:
            return feed_seed(run, store);
        case SeedTask::lost: {
            SourceReport& source = run.report[Source::seed];
            bool refused = source.reason.view() == explain(Reason::refused).what;
            source.done = 1;
            return report_store_problem(run, refused ? "refused"sv : "missing"sv, problem);
        }
        case SeedTask::later:
            run.report.store_state = "missing";
            run.report.store_problem = problem.view();
            run.summary.add("; seed 0 bits: ", problem);
            return;
    }
}

int run_load(LoadRun& run) {
    kernel::lock_memory();
    kernel::File lock;
    if (take_lock(0, lock, run.log) == Lock::busy) return kExitDone;  // the other one does the work
    run.boot = read_boot();
    read_report(run.boot, run.report);
    bool wants_jitter = run.report[Source::jitter].done == 0;
    if (kernel::crng_ready()) note_ready(run.report, wants_jitter ? "kernel"sv : "others"sv);

    Store store;
    Line problem;
    SeedTask task = prepare_seed(run, store, problem);
    if (wants_jitter || task == SeedTask::use) collect(run, wants_jitter);
    if (wants_jitter) {
        feed_jitter(run);
        feed_cpu(run);
        feed_command_line(run);
        publish(run);  // a store that does not answer must not hide it
    }
    do_seed_task(run, task, store, problem);
    // After the seed, which must not wait for a device that is slow.
    bool device_gave = feed_devices(run);
    bool did_something = wants_jitter || device_gave || task == SeedTask::use || task == SeedTask::lost;
    if (!did_something) return kExitDone;
    bool ready = publish(run);
    if (!run.report_written) run.log.warn(describe(run.report_written.error(), kReportPath));
    if (!run.summary.empty()) run.log.info(Line(ready ? "crng ready" : "crng not ready").add(run.summary));
    return run.degraded ? kExitDegraded : kExitDone;
}

}  // namespace

const Command kLoadCommand{"load", "[--early] [--root DIR]",
                           "feed the kernel and rotate the seed; for the initrd's hooks", [](std::span<char*> words) {
                               LoadOptions options;
                               const Option table[] = {{"--config"sv, options.config_path},
                                                       {"--early"sv, options.early},
                                                       {"--root"sv, options.root}};
                               return parse_options(words, table) ? load(options) : kExitUsage;
                           }};

int load(const LoadOptions& options) {
    const Log log("load", Log::Audience::boot);
    Config config = read_config(options.config_path, log);
    if (config.off || config.initrd_off) return kExitDone;
    if (!require_root(log)) return kExitDegraded;
    LoadRun run{.options = options, .config = config, .log = log};
    int result = kernel::run_bounded(config.load_timeout_ms, [&] { return run_load(run); });
    if (result != kernel::kTimedOut) return result;
    log.warn(Line("not finished after ").add(config.load_timeout_ms, " ms; the boot goes on, so does load"));
    return kExitDegraded;
}

}  // namespace earlyseed
