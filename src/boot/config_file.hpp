// SPDX-License-Identifier: MIT
// Reading the configuration.
#pragma once

#include "boot/config.hpp"
#include "system/log.hpp"

namespace earlyseed {

// The configuration file and the kernel command line. A file that does not exist is no error; each complaint is one
// warning.
Config read_config(const Path& path, const Log& log);

// The same of the file alone: what it does not set stays in `config` as it is.
void read_config_file(const Path& path, const Log& log, Config& config);

}  // namespace earlyseed
