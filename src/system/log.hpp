// SPDX-License-Identifier: MIT
// Where the program speaks: one line at a time to the kernel log, and to a person at a terminal. Only the commands
// call it; what they call hands its errors up.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "base/text.hpp"

namespace earlyseed::log {

// The command's name (a literal), with which every line begins ("earlyseed: load: "), and whether it is run for the boot
// (load, save: the kernel log) or for a person (the others: standard error).
void begin(std::string_view name, bool for_boot);

void info(const TextBuffer& line);
void warn(const TextBuffer& line);

}  // namespace earlyseed::log

namespace earlyseed {

// "cannot write PARTLABEL=earlyseed: No space left on device"
Line describe(const Error& error, std::string_view object);

}  // namespace earlyseed
