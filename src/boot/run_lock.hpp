// SPDX-License-Identifier: MIT
// One earlyseed at a time.
#pragma once

#include "system/files.hpp"
#include "system/log.hpp"

namespace earlyseed {

// Creates /run/earlyseed and takes the lock, waiting up to `ms` while another process holds it. `failed` comes after
// one warning; load then goes on without, as a boot must not depend on /run.
enum class Lock { taken, busy, failed };
Lock take_lock(unsigned ms, kernel::File& lock, const Log& log);

// For commands that change the store on their own account, with 2 s of patience: false after one warning. Two writers
// at once could tear both slots.
bool lock_for_writing(kernel::File& lock, const Log& log);

}  // namespace earlyseed
