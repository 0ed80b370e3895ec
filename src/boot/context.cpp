// SPDX-License-Identifier: MIT
#include "boot/context.hpp"

#include "system/log.hpp"

namespace earlyseed {

namespace {

// What complain() names; the callback of a parser carries no context.
constinit const Path* config_path = nullptr;

void complain(std::string_view where, std::string_view what) {
    Line line;
    if (starts_with(where, "line")) line.add(*config_path, ", ");
    log::warn(line.add(where, ": ", what));
}

}  // namespace

Config read_config(const Path& path) {
    Config config;
    config_path = &path;
    char buffer[8192];
    auto file = kernel::read_text(path.c_str(), buffer);
    if (file) {
        parse_config(*file, config, complain);
        if (file->size() == sizeof buffer) complain("line 1", "the file is too long; its end was not read");
    } else if (file.error().code != ENOENT) {
        log::warn(describe(file.error(), path.view()).add("; defaults are used"));
    }
    auto command_line = kernel::read_text("/proc/cmdline", buffer);
    if (command_line) {
        parse_command_line(*command_line, config, complain);
    } else {
        log::warn(describe(command_line.error(), "/proc/cmdline").add("; is /proc mounted?"));
    }
    return config;
}

Boot read_boot() {
    Boot boot;
    char buffer[64];
    auto text = kernel::read_text("/proc/sys/kernel/random/boot_id", buffer);
    if (text && parse_hex(trim(*text), boot.id)) boot.text = trim(*text);
    return boot;
}

Lock take_lock(unsigned ms, kernel::File& lock) {
    [[maybe_unused]] Status made = kernel::make_directory(kRunFolder, 0755);
    for (unsigned waited = 0;; waited += 10) {
        auto taken = kernel::try_lock(kLockPath);
        if (taken) {
            lock = std::move(*taken);
            return Lock::taken;
        }
        if (taken.error().code != EWOULDBLOCK) {
            log::warn(describe(taken.error(), kLockPath).add("; is /run mounted?"));
            return Lock::failed;
        }
        if (waited >= ms) return Lock::busy;
        kernel::sleep_ms(10);
    }
}

bool lock_store(kernel::File& lock) {
    Lock outcome = take_lock(2000, lock);
    if (outcome == Lock::busy) log::warn(Line("another earlyseed is at work and does not end; nothing was done"));
    return outcome == Lock::taken;
}

Line refusal_of(StoreContent content) {
    switch (content) {
    case StoreContent::seed:
    case StoreContent::empty: return {};
    case StoreContent::other_version:
        return "is of another version of earlyseed; use that version, or run 'earlyseed forget'";
    case StoreContent::foreign:
        return "holds data that is not earlyseed's; nothing was written; wipe it yourself, or choose another store";
    case StoreContent::unreadable: return "cannot be read; check the medium";
    }
    return {};
}

bool open_store(const StoreSpec& spec, Store::Mode mode, OpenStore& opened) {
    Line problem;
    if (opened.store.open(spec, mode, current_stage(), {}, problem) == Store::Outcome::opened) {
        opened.store.read(opened.slots);
        opened.choice = choose(opened.slots);
        Line refusal = refusal_of(opened.choice.content);
        if (refusal.empty() && opened.store.read_only()) refusal = kNotWritable;
        if (refusal.empty()) return true;
        problem.add("store ", spec.text, ": ", refusal);
    }
    log::warn(problem);
    return false;
}

Line explained(Reason reason) {
    auto [what, advice] = explain(reason);
    return Line(what).add("; ", advice);
}

Result<kernel::File> open_input(const Path& path) {
    return path.view() == "-" ? Result<kernel::File>(kernel::standard_input()) : kernel::open_read(path.c_str(), true);
}

Report read_report(const Boot& boot) {
    char buffer[sizeof(ReportText)];
    auto text = kernel::read_text(kReportPath, buffer);
    return parse_report(text ? *text : std::string_view{}, boot.text.view());
}

Status write_report(Report& report) {
    ReportText text;
    format_report(report, Format::lines, text);
    return kernel::write_text(kReportPath, text.view(), 0644);
}

void say(const Line& line) { kernel::print(1, Line(line).add("\n").view()); }

bool require_root() {
    if (kernel::is_root()) return true;
    log::warn(Line("must be run as root"));
    return false;
}

Stage current_stage() { return kernel::in_initramfs() ? Stage::initrd : Stage::running; }

}  // namespace earlyseed
