// SPDX-License-Identifier: MIT
// earlyseed add: mixes bytes from elsewhere.
#pragma once

#include "commands/command.hpp"

namespace earlyseed {

struct AddOptions {
    std::uint64_t credit_bits = 0;
    Path file{"-"};
};

int add(const AddOptions& options);
extern const Command kAddCommand;

}  // namespace earlyseed
