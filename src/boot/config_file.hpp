// SPDX-License-Identifier: MIT
// Reading the configuration.
#pragma once

#include "boot/config.hpp"
#include "system/log.hpp"

namespace earlyseed {

// The configuration file and the kernel command line. A file that does not exist is no error; each complaint is one
// warning.
Config read_config(const Path& path, const Log& log);

}  // namespace earlyseed
