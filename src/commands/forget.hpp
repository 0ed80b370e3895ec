// SPDX-License-Identifier: MIT
// earlyseed forget: wipes the store.
#pragma once

#include "boot/config_file.hpp"
#include "commands/command.hpp"

namespace earlyseed {

struct ForgetOptions {
    Path config_path{kConfigPath};
};

int forget(const ForgetOptions& options);
extern const Command kForgetCommand;

}  // namespace earlyseed
