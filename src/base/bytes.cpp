// SPDX-License-Identifier: MIT
#include "base/bytes.hpp"

#include <sodium/utils.h>

namespace earlyseed {

void wipe_bytes(std::span<std::uint8_t> bytes) { sodium_memzero(bytes.data(), bytes.size()); }

}  // namespace earlyseed
