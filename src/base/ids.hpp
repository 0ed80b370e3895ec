// SPDX-License-Identifier: MIT
// What a seed is bound to.
#pragma once

#include "base/bytes.hpp"

namespace earlyseed {

using BootId = Bytes<16>;      // the kernel's random ID of a boot; zeros = unknown
using MachineTag = Bytes<32>;  // a hash of the machine's identity; zeros = the identity is unknown

}  // namespace earlyseed
