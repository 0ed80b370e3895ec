// SPDX-License-Identifier: MIT
// earlyseed load: makes the kernel's generator ready, for the initrd's hooks.
#pragma once

#include "boot/config_file.hpp"
#include "commands/command.hpp"

namespace earlyseed {

struct LoadOptions {
    Path config_path{kConfigPath};
    bool early = false;  // mount nothing: the machine may be about to resume from hibernation
    Path root;           // where the root file system is mounted in the initrd
};

int load(const LoadOptions& options);
extern const Command kLoadCommand;

}  // namespace earlyseed
