// SPDX-License-Identifier: MIT
// earlyseed record: raw jitter samples, and what they are worth.
#pragma once

#include "commands/command.hpp"

namespace earlyseed {

struct RecordOptions {
    std::uint64_t samples = 1'000'000;  // NIST's tool wants a million
    Path format{"text"};                // "text", "bytes" or "words"
    bool judge = false;
    Path file{"-"};
};

// Exit status 0: recorded, or judged to earn credit; 1: judged to earn none; 2: could not be read or written.
int record(const RecordOptions& options);
extern const Command kRecordCommand;

}  // namespace earlyseed
