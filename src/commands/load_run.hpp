// SPDX-License-Identifier: MIT
// One call of load while it runs: what it knows, and the parts of the ritual, in the order in which load.cpp calls
// them.
#pragma once

#include "boot/config.hpp"
#include "boot/report_file.hpp"
#include "commands/load.hpp"
#include "credit/feed.hpp"
#include "jitter/collect.hpp"
#include "machine/identity.hpp"
#include "seed/store.hpp"

namespace earlyseed {

struct LoadRun {
    const LoadOptions& options;
    const Config& config;
    const Log& log;
    Boot boot{};
    Machine machine{};
    Report report{};
    JitterResult jitter{};
    Line summary{};
    Status report_written{};
    bool degraded = false;
};

// Notes since when and by which source the generator is ready, unless that is known already.
void note_ready(Report& report, std::string_view by);

// Adds a source's credit to the summary, with a detail and, for a zero, the reason.
void summarise(Line& summary, std::string_view name, const SourceReport& source, std::string_view detail);

// What needs no device. Each feeds the kernel and reports.
void feed_jitter(LoadRun& run);  // of run.jitter
void feed_cpu(LoadRun& run);
void feed_command_line(LoadRun& run);

// The hardware RNG and the administrator's sources: each that answers in time, once a boot. True when one gave now.
bool feed_devices(LoadRun& run);

// Uses the seed in an open store, or makes a first one; reports both.
void feed_seed(LoadRun& run, Store& store);

// One line that names the store, what is wrong with it and what to do: reported and logged.
void report_store_problem(LoadRun& run, std::string_view state, const Line& problem);

}  // namespace earlyseed
