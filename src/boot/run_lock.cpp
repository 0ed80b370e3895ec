// SPDX-License-Identifier: MIT
#include "boot/run_lock.hpp"

#include "system/clock.hpp"
#include "system/run_directory.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

Lock take_lock(unsigned ms, kernel::File& lock, const Log& log) {
    ignore(kernel::make_directory(kRunDirectory, 0755));  // the lock says what is wrong with it
    for (unsigned waited_ms = 0;; waited_ms += 10) {
        auto taken = kernel::try_lock(kLockPath);
        if (taken) {
            lock = std::move(*taken);
            return Lock::taken;
        }
        if (taken.error().code != EWOULDBLOCK) {
            log.warn(describe(taken.error(), kLockPath).add("; is /run mounted?"));
            return Lock::failed;
        }
        if (waited_ms >= ms) return Lock::busy;
        kernel::sleep_ms(10);
    }
}

bool lock_for_writing(kernel::File& lock, const Log& log) {
    Lock outcome = take_lock(2000, lock, log);
    if (outcome == Lock::busy) log.warn("another earlyseed is at work and does not end; nothing was done"sv);
    return outcome == Lock::taken;
}

}  // namespace earlyseed
