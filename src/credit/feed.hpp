// SPDX-License-Identifier: MIT
// Feeding the kernel.
#pragma once

#include "credit/policy.hpp"

namespace earlyseed {

struct Fed {
    Credit credit;            // what the kernel was credited with, and why not more
    bool made_ready = false;  // the generator was not ready before, and is now
};

// Mixes 64 bytes with this credit (0 with Reason::not_accepted when the kernel refuses), and makes them reach the
// output at once if the generator is ready already.
Fed feed(std::span<const std::uint8_t, 64> bytes, Credit credit);

}  // namespace earlyseed
