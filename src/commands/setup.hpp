// SPDX-License-Identifier: MIT
// earlyseed setup: chooses or creates the store, and writes the configuration.
#pragma once

#include "boot/config_file.hpp"
#include "commands/command.hpp"

namespace earlyseed {

struct SetupOptions {
    Path config_path{kConfigPath};
    Path store;          // empty: the configured one, or else the best
    bool image = false;  // for other machines to run, so without a seed
    bool dry_run = false;
};

int setup(const SetupOptions& options);
extern const Command kSetupCommand;

}  // namespace earlyseed
