// SPDX-License-Identifier: MIT
// The kernel's random number generator, as far as it is asked and not fed; it is fed in credit/pool.hpp alone.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.hpp"

namespace earlyseed::kernel {

// Ready = getrandom() would not block. Asked with GRND_NONBLOCK, which never starts the kernel's own jitter loop.
bool crng_ready();
// Fills `out` (at most 256 bytes) if the generator is ready; EAGAIN otherwise. Never blocks.
Status random_bytes(std::span<std::uint8_t> out);
// The same without asking for readiness (GRND_INSECURE, Linux 5.6; EINVAL before). Never blocks.
Status insecure_random_bytes(std::span<std::uint8_t> out);
// Makes what was mixed reach the output now (RNDRESEEDCRNG, Linux 4.14). ENODATA when not ready.
Status reseed();
// Sleeps until the generator is ready, but `ms` at most.
void wait_until_ready(unsigned ms);

}  // namespace earlyseed::kernel
