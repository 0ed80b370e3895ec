// SPDX-License-Identifier: MIT
// What a command is: a name, options, and a function that does the work and gives the exit status. Each command's
// source declares its own options; this file parses them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "base/fixed_string.hpp"
#include "system/log.hpp"

namespace earlyseed {

inline constexpr int kExitDone = 0;
inline constexpr int kExitDegraded = 1;  // one line says why; nothing is lost and the boot goes on
inline constexpr int kExitUsage = 2;
inline constexpr int kExitNotReady = 3;  // status: the generator is not ready

// An option and the variable that it sets: a flag, or a number or text that follows it as the next word or after '='. A
// name without '-' is the operand.
struct Option {
    std::string_view name;
    std::variant<bool*, std::uint64_t*, Path*> variable;

    Option(std::string_view option, auto& sets) : name(option), variable(&sets) {}
};
// False after one line to standard error.
bool parse_options(std::span<char*> words, std::span<const Option> options);

struct Command {
    std::string_view name;
    std::string_view arguments;  // for the usage text
    std::string_view summary;
    // Parses the words after the command, does the work and returns the exit status.
    int (*run)(std::span<char*> words);
};

int usage_error(std::string_view what, std::string_view word);

// False after one warning when this is not root.
bool require_root(const Log& log);

}  // namespace earlyseed
