// SPDX-License-Identifier: MIT
// earlyseed save: writes the seed for the next boot.
#pragma once

#include "boot/config_file.hpp"
#include "commands/command.hpp"

namespace earlyseed {

struct SaveOptions {
    Path config_path{kConfigPath};
};

int save(const SaveOptions& options);
extern const Command kSaveCommand;

}  // namespace earlyseed
