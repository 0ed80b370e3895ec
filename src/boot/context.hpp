// SPDX-License-Identifier: MIT
// What load, save and the other commands share: the configuration, this boot, the machine, the lock and the report.
#pragma once

#include "boot/config.hpp"
#include "machine/identity.hpp"
#include "system/kernel.hpp"
#include "seed/record.hpp"
#include "boot/report.hpp"
#include "seed/store.hpp"

namespace earlyseed {

// The configuration file and the kernel command line. A file that is not there is no error; each complaint is one
// warning.
Config read_config(const Path& path);

// The kernel's random ID of this boot, as text and as bytes; empty and zeros without /proc.
struct Boot {
    Text<40> text;
    BootId id{};
};
Boot read_boot();

// Creates /run/earlyseed and takes the lock, waiting up to `ms` while another process holds it. `failed` comes after one
// warning; load then goes on without, as a boot must not depend on /run.
enum class Lock { taken, busy, failed };
Lock take_lock(unsigned ms, kernel::File& lock);

// For commands that change the store on their own account, with 2 s of patience: false after one warning. Two writers at
// once could tear both slots.
bool lock_store(kernel::File& lock);

// A store that may be written, and what it holds.
struct OpenStore {
    Store store;
    std::array<Slot, 2> slots;
    Choice choice{};
};
// False after one warning that says what is wrong, where, and what to do.
bool open_store(const StoreSpec& spec, Store::Mode mode, OpenStore& opened);

// Why a store with this content is never written, with what to do; empty when it may be.
Line refusal_of(StoreContent content);

// "what; advice" of a reason.
Line explained(Reason reason);

// What is wrong with a store that can be read only.
inline constexpr const char* kNotWritable = "cannot be written; make it writable, or check the medium";

// Opens a command's input: a file, which may be a FIFO and is waited for, or "-", the standard input.
Result<kernel::File> open_input(const Path& path);

Report read_report(const Boot& boot);
Status write_report(Report& report);

// One line to the standard output.
void say(const Line& line);

// Root and nothing less: false after one warning.
bool require_root();

// initrd or running system, as far as the process can see.
Stage current_stage();

}  // namespace earlyseed
