// SPDX-License-Identifier: MIT
#include "system/log.hpp"

#include "base/fixed_string.hpp"
#include "system/mounts.hpp"
#include "system/process.hpp"

namespace earlyseed {

// Syslog's levels.
constexpr int kWarning = 4;
constexpr int kInformation = 6;

void Log::info(std::string_view line) const { write(kInformation, line); }

void Log::warn(std::string_view line) const { write(kWarning, line); }

void Log::write(int level, std::string_view line) const {
    Line full("earlyseed: ");
    full.add(command_, ": ", line);
    bool logged = audience_ == Audience::boot && kernel::log_to_kernel(level, full);
    // In the initrd the kernel log is on the console already.
    if (logged && (!kernel::is_terminal(2) || kernel::in_initramfs())) return;
    kernel::print(2, full.add("\n"));
}

void print_line(std::string_view line) { kernel::print(1, Line(line).add("\n")); }

}  // namespace earlyseed
