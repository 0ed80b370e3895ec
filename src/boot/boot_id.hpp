// SPDX-License-Identifier: MIT
// The kernel's random ID of this boot.
#pragma once

#include "base/fixed_string.hpp"
#include "base/ids.hpp"

namespace earlyseed {

// As text and as bytes; empty and zeros without /proc.
struct Boot {
    Word text;
    BootId id{};
};
Boot read_boot();

}  // namespace earlyseed
