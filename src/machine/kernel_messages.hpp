// SPDX-License-Identifier: MIT
// What the kernel's log says of the random number generator.
#pragma once

#include <cstdint>

namespace earlyseed {

struct ReadyMessage {
    bool found = false;             // "crng init done"
    std::uint64_t ready_at_ms = 0;  // since boot
    bool before_init = false;       // so it trusted one of what it has itself; false when that cannot be told
};

// Reads /dev/kmsg, which only root can where dmesg is restricted; a long log has lost its start.
ReadyMessage find_ready_message();

}  // namespace earlyseed
