// SPDX-License-Identifier: MIT
#include "credit/feed.hpp"

#include "credit/pool.hpp"
#include "system/random.hpp"

namespace earlyseed {

Fed feed(std::span<const std::uint8_t, 64> bytes, Credit credit) {
    bool was_ready = kernel::crng_ready();
    if (!kernel::add_entropy(bytes, credit.bits)) return {.credit = {0, Reason::not_accepted}};
    // Once ready, what is mixed would wait for the next reseeding, up to a minute away. Linux before 4.14 has no such
    // call.
    if (was_ready) ignore(kernel::reseed());
    return {.credit = credit, .made_ready = !was_ready && kernel::crng_ready()};
}

}  // namespace earlyseed
