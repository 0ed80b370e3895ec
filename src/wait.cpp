// SPDX-License-Identifier: MIT
// earlyseed wait: returns when the kernel's generator is ready. It only watches: unlike a blocking getrandom() it does not
// make the kernel gather jitter of its own.
#include <algorithm>

#include "commands.hpp"
#include "log.hpp"

namespace earlyseed {

int wait(const Options& options) {
    log::begin("wait", false);
    constexpr std::uint64_t slice_ms = 60'000;
    std::uint64_t start = kernel::monotonic_ns();
    while (!kernel::crng_ready()) {
        std::uint64_t waited_ms = (kernel::monotonic_ns() - start) / 1'000'000;
        std::uint64_t left_ms = slice_ms;
        if (options.timeout_s != kForever) {
            // More than a century is for ever; the multiplication must not wrap.
            std::uint64_t timeout_ms = std::min<std::uint64_t>(options.timeout_s, 1ull << 32) * 1000;
            if (waited_ms >= timeout_ms) {
                log::warn(Line("the kernel's generator is not ready after ")
                              .add(options.timeout_s, " s; see 'earlyseed status'"));
                return kExitDegraded;
            }
            left_ms = std::min(left_ms, timeout_ms - waited_ms);
        }
        kernel::wait_until_ready(static_cast<unsigned>(left_ms));
    }
    return kExitDone;
}

}  // namespace earlyseed
