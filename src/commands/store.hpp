// SPDX-License-Identifier: MIT
// earlyseed store: tells shell scripts which store is configured, so that none of them parses the configuration.
#pragma once

#include "boot/config_file.hpp"
#include "commands/command.hpp"

namespace earlyseed {

struct StoreOptions {
    Path config_path{kConfigPath};
    bool no_command_line =
        false;  // for build hooks and maintainer scripts: /proc/cmdline is of this boot, or the host's
};

// Prints four lines, `KIND=partition`, `file` or `root`, `STORE=`, `DEVICE=` and `FILE=`, as earlyseed(8) describes
// them. Opens no store and needs no right.
int print_store(const StoreOptions& options);
extern const Command kStoreCommand;

}  // namespace earlyseed
