// SPDX-License-Identifier: MIT
#include "log.hpp"

#include "kernel.hpp"

namespace earlyseed {

namespace log {

namespace {

constinit Text<32> prefix;
constinit bool to_kernel = false;
constinit bool to_person = true;

constexpr int kWarning = 4;
constexpr int kInformation = 6;

void say(int level, std::string_view line) {
    Line full;
    full.add("earlyseed: ", prefix, line);
    bool logged = to_kernel && kernel::log_to_kernel(level, full.view());
    if (logged && !to_person) return;
    kernel::print(2, full.add("\n").view());
}

}  // namespace

void begin(std::string_view command, bool for_boot) {
    prefix = Text<32>(command);
    prefix.add(": ");
    to_kernel = for_boot;
    // In the initrd the kernel log is on the console already.
    to_person = !for_boot || (kernel::is_terminal(2) && !kernel::in_initramfs());
}

void info(std::string_view line) { say(kInformation, line); }
void warn(std::string_view line) { say(kWarning, line); }

}  // namespace log

Line describe(const Error& error, std::string_view object) {
    Line line("cannot ");
    line.add(error.operation, " ", object, ": ", kernel::error_text(error.code));
    return line;
}

}  // namespace earlyseed
