// SPDX-License-Identifier: MIT
// earlyseed wait: returns when the kernel's generator is ready.
#pragma once

#include "commands/command.hpp"

namespace earlyseed {

inline constexpr std::uint64_t kForever = ~std::uint64_t{0};

struct WaitOptions {
    std::uint64_t timeout_s = kForever;
};

// Exit status 0: ready; 1: not within the time.
int wait(const WaitOptions& options);
extern const Command kWaitCommand;

}  // namespace earlyseed
