// SPDX-License-Identifier: MIT
// Where the program speaks: one line at a time to the kernel log, and to a person at a terminal. Only the commands
// call it; what they call hands its errors up.
#pragma once

#include <string_view>

#include "result.hpp"
#include "text.hpp"

namespace earlyseed::log {

// What every line begins with ("earlyseed: load: "), and whether the command is run for the boot (load, save: the
// kernel log) or for a person (the others: standard error).
void begin(std::string_view command, bool for_boot);

void info(std::string_view line);
void warn(std::string_view line);

}  // namespace earlyseed::log

namespace earlyseed {

// "cannot write PARTLABEL=earlyseed: No space left on device"
Line describe(const Error& error, std::string_view object);

}  // namespace earlyseed
