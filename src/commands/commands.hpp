// SPDX-License-Identifier: MIT
// All commands.
#pragma once

#include <span>

#include "commands/add.hpp"
#include "commands/forget.hpp"
#include "commands/load.hpp"
#include "commands/record.hpp"
#include "commands/save.hpp"
#include "commands/setup.hpp"
#include "commands/status.hpp"
#include "commands/store.hpp"
#include "commands/wait.hpp"

namespace earlyseed {

// In the order of the usage text.
std::span<const Command* const> all_commands();

// Finds the command that the first word names, and runs it with the others. `words`: without the program's name.
int run_command(std::span<char*> words);

}  // namespace earlyseed
