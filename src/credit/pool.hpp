// SPDX-License-Identifier: MIT
// The one way into the kernel's pool: the only call of RNDADDENTROPY in the program. Called by feed() alone.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.hpp"

namespace earlyseed::kernel {

// Mixes 64 bytes and credits `credit_bits` (RNDADDENTROPY). EPERM without CAP_SYS_ADMIN.
Status add_entropy(std::span<const std::uint8_t, 64> bytes, unsigned credit_bits);

}  // namespace earlyseed::kernel
