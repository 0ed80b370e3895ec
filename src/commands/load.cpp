// SPDX-License-Identifier: MIT
// earlyseed load: makes the kernel's generator ready, honestly and without making the boot wait. Does what is possible
// at the moment it is called, and never the same thing twice in one boot.
#include <algorithm>

#include "commands/commands.hpp"
#include "base/hash.hpp"
#include "jitter/jitter.hpp"
#include "system/log.hpp"
#include "seed/rotate.hpp"

namespace earlyseed {

namespace {

constexpr std::size_t kDeviceBytes = 64;
constexpr unsigned kDeviceTimeoutMs = 50;
constexpr std::size_t kCpuWords = 8;

struct Load {
    const Options& options;
    const Config& config;
    Boot boot{};
    Machine machine{};
    Report report{};
    JitterResult jitter{};
    Line summary{};
    Status written{};  // the report
    bool degraded = false;
};

void note_ready(Report& report, std::string_view thanks_to) {
    if (report.ready.view() == "yes") return;
    report.ready = "yes";
    report.ready_by = thanks_to;
    report.ready_at_ms = kernel::monotonic_ns() / 1'000'000;
}

// Writes the report; true when the generator is ready.
bool publish(Load& load) {
    bool ready = kernel::crng_ready();
    if (ready)
        note_ready(load.report, "others");
    else
        load.report.ready = "no";
    load.written = write_report(load.report);
    return ready;
}

void summarise(Line& summary, std::string_view source, const SourceReport& s, std::string_view detail) {
    summary.add("; ", source, " ", s.credited_bits, " bits");
    if (!detail.empty()) summary.add(" (", detail, ")");
    if (s.credited_bits == 0) summary.add(": ", s.reason);
    if (s.credited_bits == 0 && !s.advice.empty()) summary.add("; ", s.advice);
}

// Feeds the kernel with what a source gave, conditioned with the machine's own marks. False when it was not accepted.
bool feed_source(Load& load, SourceReport& source, std::string_view name, std::span<const std::uint8_t> bytes,
                 Credit credit) {
    Secret<64> pool_input;
    Hash(label::kSources, pool_input.span().size())
        .add(bytes)
        .add(load.machine.tag)
        .add(load.boot.id)
        .add(bytes_of(kernel::realtime_s()))
        .add(bytes_of(kernel::monotonic_ns()))
        .finish(pool_input.span());
    bool made_ready = false;
    credit = feed(pool_input.span(), credit, made_ready);
    if (made_ready) note_ready(load.report, name);
    source.done = 1;
    source.set(credit);
    if (credit.reason != Reason::not_accepted) return true;
    load.degraded = true;
    return false;
}

void feed_jitter(Load& load) {
    SourceReport& source = load.report[Source::jitter];
    Credit credit{load.jitter.credit_bits, load.jitter.reason};
    if (load.config.credit_jitter == JitterPolicy::never) credit = {0, Reason::jitter_never};
    bool accepted = feed_source(load, source, "jitter", load.jitter.digest.span(), credit);
    source.bytes = std::uint64_t{load.jitter.samples} * sizeof(std::uint64_t);
    source.assessed_bits = std::uint64_t{load.jitter.samples} * load.jitter.assessed_millibits / 1000;
    source.time_us = load.jitter.time_ns / 1000;
    if (accepted && !load.jitter.seen.empty()) source.reason.add(" (", load.jitter.seen, ")");
    load.report.jitter_samples = load.jitter.samples;
    summarise(load.summary, "jitter", source,
              Text<64>().add(load.jitter.samples, " samples, ", Tenths{source.time_us}, " ms").view());
}

// The CPU's own generator. Nobody can look into it, and some have failed and said the same for ever: never credited.
void feed_cpu(Load& load) {
    std::uint64_t words[kCpuWords];
    std::uint64_t start = kernel::monotonic_ns();
    std::span<const std::uint64_t> got(words, kernel::cpu_random(words));
    if (got.empty()) return;
    SourceReport& source = load.report[Source::cpu];
    std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(words), got.size_bytes());
    source.bytes = bytes.size();
    bool stuck = is_stuck(bytes);
    feed_source(load, source, "cpu", bytes, {0, stuck ? Reason::stuck : Reason::never_credited});
    wipe(words, sizeof words);
    source.time_us = (kernel::monotonic_ns() - start) / 1000;
    if (stuck) summarise(load.summary, "cpu", source, "");
}

// What could give in the next boot what it gave in this one: files, disks and flash memory (MTD's character device), and
// the kernel's own devices, /dev/urandom among them (major 1; Documentation/admin-guide/devices.txt).
bool may_repeat(const kernel::FileInfo& info) {
    bool of_a_device = info.kind == kernel::FileKind::character_device;
    if (!of_a_device) return info.kind != kernel::FileKind::other;
    return info.device.major == 1 || info.device.major == 90;
}

// The hardware RNG, or a source of the administrator's, once somebody is at its other end: what it gives within its time.
// True when it gave its part now.
bool feed_device(Load& load, std::size_t at, const char* path, unsigned quality) {
    SourceReport& source = load.report.sources[at];
    const char* name = kSourceNames[at];
    if (source.done != 0) return false;
    auto device = kernel::open_source(path);
    if (!device) return false;
    Secret<kDeviceBytes> buffer;
    std::uint64_t start = kernel::monotonic_ns();
    std::uint64_t end = start + std::uint64_t{kDeviceTimeoutMs} * 1'000'000;
    std::size_t size = 0;
    for (unsigned tries = 0; size < kDeviceBytes && tries < kDeviceTimeoutMs; tries++) {
        auto got = kernel::read_some(*device, buffer.span().subspan(size));
        if (got) {
            size += *got;
            if (*got == 0) break;
        } else if (got.error().code == EAGAIN) {
            kernel::sleep_ms(1);
        } else {
            break;
        }
        if (kernel::monotonic_ns() >= end) break;
    }
    // No driver behind the node, nobody at the other end of a FIFO, or nothing to say yet: perhaps at the next call.
    if (size == 0) return false;
    auto info = kernel::file_info(*device);
    bool keeps = !info || may_repeat(*info);
    auto bytes = buffer.span().first(size);
    source.bytes = size;
    source.assessed_bits = size * 8 * quality / 1024;
    feed_source(load, source, name, bytes, credit_for_device(bytes, quality, keeps));
    source.time_us = (kernel::monotonic_ns() - start) / 1000;
    summarise(load.summary, name, source, "");
    return true;
}

// All of them; true when one gave its part now.
bool feed_devices(Load& load) {
    bool given = feed_device(load, static_cast<std::size_t>(Source::hwrng), "/dev/hwrng", load.config.hwrng_quality);
    std::size_t at = static_cast<std::size_t>(Source::extra);
    for (const SourceSpec& spec : load.config.sources) {
        if (!spec.path.empty()) given |= feed_device(load, at, spec.path.c_str(), spec.quality);
        at++;
    }
    return given;
}

// What the kernel command line carries, for a machine under test: a seed that every user can read.
void feed_cmdline(Load& load) {
    SourceReport& source = load.report[Source::cmdline];
    const auto& seed = load.config.cmdline_seed;
    if (source.done != 0 || all_zero(seed)) return;
    source.bytes = seed.size();
    source.assessed_bits = kFullCreditBits;
    feed_source(load, source, "cmdline", seed, {kFullCreditBits, Reason::none});
    source.advice = "EVERY USER CAN READ earlyseed.seed=, and it is credited: for tests only";
    summarise(load.summary, "cmdline", source, "");
    log::warn(source.advice);
}

// One line that names the store, what is wrong with it and what to do.
void store_problem(Load& load, std::string_view state, const Line& problem) {
    load.report.store_state = state;
    load.report.store_problem = problem.view();
    log::warn(problem);
    load.degraded = true;
}

void feed_seed(Load& load, Store& store) {
    Report& report = load.report;
    SourceReport& source = report[Source::seed];
    std::uint64_t start = kernel::monotonic_ns();
    std::array<Slot, 2> slots;
    store.read(slots);
    Choice choice = choose(slots);
    Stamp stamp{load.boot.id, load.machine.tag};
    Line problem("store ");
    problem.add(load.config.store.text, ": ");

    auto write_failed = [&](const Error& error, std::string_view object) {
        store_problem(load, "failed", problem.add(describe(error, object), "; check the medium"));
    };
    source.done = 1;
    report.store_problem.clear();
    if (choice.content == StoreContent::seed) {
        const Record& seed = slots[static_cast<std::size_t>(choice.seed_slot)].record;
        RotationResult result = rotate(store, slots, choice,
                                       {.jitter = load.jitter.digest.span(),
                                        .stamp = stamp,
                                        .virtual_machine = load.machine.is_virtual,
                                        .policy = load.config.credit_seed});
        if (result.made_ready) note_ready(report, "seed");
        source.bytes = kSeedBytes;
        source.assessed_bits = result.credit.bits;
        source.set(result.credit);
        report.seed_generation = seed.generation;
        report.seed_saved_at = seed.saved_at_s;
        report.seed_saved_boot.clear();
        report.seed_saved_boot.add(Hex{seed.boot_id});
        report.store_state = "rotated";
        if (store.read_only()) {
            store_problem(load, "read-only", problem.add(kNotWritable));
        } else if (!result.retired) {
            write_failed(result.retired.error(), "the next seed");
        } else if (!result.renewed) {
            write_failed(result.renewed.error(), "over the used seed");
        }
    } else if (Line refusal = refusal_of(choice.content); !refusal.empty()) {
        source.set({0, Reason::refused});
        store_problem(load, "refused", problem.add(refusal));
    } else {
        bool pristine = slots[0].state == SlotState::pristine && slots[1].state == SlotState::pristine;
        source.set({0, pristine ? Reason::no_seed : Reason::damaged});
        report.store_state = "created";
        if (store.read_only()) {
            store_problem(load, "read-only", problem.add("holds no seed and ", kNotWritable));
        } else if (SaveResult saved = save_seed(store, slots, choice, stamp); !saved.written) {
            write_failed(saved.written.error(), "a first seed");
        }
    }
    if (store.flaw() != Reason::none && report.store_problem.empty()) {
        store_problem(load, "flawed", problem.add(explained(store.flaw())));
    }
    source.time_us = (kernel::monotonic_ns() - start) / 1000;
    summarise(load.summary, "seed", source, "");
}

int run(Load& load) {
    kernel::lock_memory();
    kernel::File lock;
    if (take_lock(0, lock) == Lock::busy) return kExitDone;  // the other one does the work
    load.boot = read_boot();
    load.report = read_report(load.boot);
    bool wants_jitter = load.report[Source::jitter].done == 0;
    if (kernel::crng_ready()) note_ready(load.report, wants_jitter ? "kernel" : "others");

    Stage stage = load.options.early          ? Stage::early
                  : !load.options.root.empty() ? Stage::root
                                               : current_stage();
    Store store;
    Line problem;
    auto outcome = Store::Outcome::absent;
    bool wants_seed = load.report[Source::seed].done == 0 && !kernel::file_info(kForgottenPath, false);
    if (wants_seed) outcome = store.open(load.config.store, Store::Mode::write, stage, load.options.root.view(), problem);
    if (load.config.debug) {
        constexpr char names[][8] = {"early", "initrd", "root", "running"};
        log::info(Line("debug: stage ").add(names[static_cast<unsigned>(stage)], "; ", problem.empty() ? Line("store opened, or done") : problem));
    }
    load.report.store = load.config.store.text;
    bool has_store = wants_seed && outcome == Store::Outcome::opened;
    // Once more in the running system nothing can come any more.
    bool store_is_lost = wants_seed && (outcome == Store::Outcome::refused ||
                                        (outcome == Store::Outcome::absent && stage == Stage::running));
    if (wants_jitter || has_store) {
        load.machine = identify_machine();
        if (load.machine.sysfs_missing) log::warn(Line("no /sys: the machine cannot be identified; is it mounted?"));
        bool earns = wants_jitter && load.config.credit_jitter != JitterPolicy::never;
        collect_jitter<CpuCounter>(earns ? kFullCreditBits : 0, load.config.jitter_timeout_ms, load.jitter);
    }
    if (wants_jitter) {
        feed_jitter(load);
        feed_cpu(load);
        feed_cmdline(load);
        publish(load);  // a store that does not answer must not hide it
    }
    if (has_store) {
        feed_seed(load, store);
    } else if (store_is_lost) {
        if (outcome == Store::Outcome::absent) problem.add("; see 'earlyseed setup'");
        store_problem(load, outcome == Store::Outcome::absent ? "missing" : "refused", problem);
        load.report[Source::seed].done = 1;
        load.report[Source::seed].set({0, outcome == Store::Outcome::absent ? Reason::no_store : Reason::refused});
    } else if (wants_seed) {
        load.report.store_state = "missing";
        load.report.store_problem = problem.view();
        load.summary.add("; seed 0 bits: ", problem);
    }
    // After the seed, which must not wait for a device that is slow.
    bool has_device = feed_devices(load);
    if (!wants_jitter && !has_device && !has_store && !store_is_lost) return kExitDone;
    bool ready = publish(load);
    if (!load.written) log::warn(describe(load.written.error(), kReportPath));
    if (!load.summary.empty()) {
        log::info(Line(ready ? "crng ready" : "crng not ready").add(load.summary));
    }
    return load.degraded ? kExitDegraded : kExitDone;
}

}  // namespace

int load(const Options& options) {
    log::begin("load", true);
    Config config = read_config(options.config_path);
    if (config.off || config.initrd_off) return kExitDone;
    if (!require_root()) return kExitDegraded;
    Load load{.options = options, .config = config};
    auto work = [](void* context) { return run(*static_cast<Load*>(context)); };
    int result = kernel::run_bounded(config.load_timeout_ms, work, &load);
    if (result != kernel::kTimedOut) return result;
    log::warn(Line("not finished after ").add(config.load_timeout_ms, " ms; the boot goes on, so does load"));
    return kExitDegraded;
}

}  // namespace earlyseed
