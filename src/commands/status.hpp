// SPDX-License-Identifier: MIT
// earlyseed status: is the generator ready, by what, and what to do.
#pragma once

#include "boot/config_file.hpp"
#include "commands/command.hpp"

namespace earlyseed {

struct StatusOptions {
    Path config_path{kConfigPath};
    bool json = false;
};

// Exit status 0: ready; 1: ready, and something needs attention; 3: not ready.
int show_status(const StatusOptions& options);
extern const Command kStatusCommand;

}  // namespace earlyseed
