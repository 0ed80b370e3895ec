// SPDX-License-Identifier: MIT
#include "system/log.hpp"

#include "system/kernel.hpp"

namespace earlyseed {

namespace log {

namespace {

constinit std::string_view command;
constinit bool to_kernel = false;

constexpr int kWarning = 4;
constexpr int kInformation = 6;

void say(int level, const TextBuffer& line) {
    Line full("earlyseed: ");
    full.add(command, ": ", line);
    bool logged = to_kernel && kernel::log_to_kernel(level, full.view());
    // In the initrd the kernel log is on the console already.
    if (logged && (!kernel::is_terminal(2) || kernel::in_initramfs())) return;
    kernel::print(2, full.add("\n").view());
}

}  // namespace

void begin(std::string_view name, bool for_boot) {
    command = name;
    to_kernel = for_boot;
}

void info(const TextBuffer& line) { say(kInformation, line); }
void warn(const TextBuffer& line) { say(kWarning, line); }

}  // namespace log

Line describe(const Error& error, std::string_view object) {
    Line line("cannot ");
    line.add(error.operation, " ", object, ": ", kernel::error_text(error.code), " (errno ",
             static_cast<unsigned>(error.code), ")");
    return line;
}

}  // namespace earlyseed
