// SPDX-License-Identifier: MIT
// Counts the seconds on a terminal. It only watches: unlike a blocking getrandom() it does not make the kernel gather
// jitter of its own.
#include "commands/wait.hpp"

#include <algorithm>

#include "system/clock.hpp"
#include "system/process.hpp"
#include "system/random.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

const Command kWaitCommand{"wait", "[--timeout SECONDS]", "wait until the kernel's generator is ready",
                           [](std::span<char*> words) {
                               WaitOptions options;
                               const Option table[] = {{"--timeout"sv, options.timeout_s}};
                               return parse_options(words, table) ? wait(options) : kExitUsage;
                           }};

int wait(const WaitOptions& options) {
    const Log log("wait", Log::Audience::person);
    bool shows = kernel::is_terminal(2) && !kernel::crng_ready();
    std::uint64_t slice_ms = shows ? 1000 : 60'000;
    std::uint64_t start = kernel::monotonic_ns();
    bool ready;
    while (!(ready = kernel::crng_ready())) {
        std::uint64_t waited_ms = (kernel::monotonic_ns() - start) / 1'000'000;
        if (shows) kernel::print(2, Line("\rnot ready, ").add(waited_ms / 1000, " s"));
        std::uint64_t left_ms = slice_ms;
        if (options.timeout_s != kForever) {
            // More than a century; the multiplication must not wrap.
            std::uint64_t timeout_ms = std::min<std::uint64_t>(options.timeout_s, 1ull << 32) * 1000;
            if (waited_ms >= timeout_ms) break;
            left_ms = std::min(left_ms, timeout_ms - waited_ms);
        }
        kernel::wait_until_ready(static_cast<unsigned>(left_ms));
    }
    if (shows) kernel::print(2, ready ? "; ready now\n"sv : "\n"sv);
    if (ready) return kExitDone;
    log.warn(Line("the kernel's generator is not ready after ").add(options.timeout_s, " s; see 'earlyseed status'"));
    return kExitDegraded;
}

}  // namespace earlyseed
