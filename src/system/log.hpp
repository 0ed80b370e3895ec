// SPDX-License-Identifier: MIT
// Where the program speaks: one line at a time to the kernel log, and to a person at a terminal. Only the commands and
// what reads their configuration, lock and store for them call it; the rest hands its errors up.
#pragma once

#include <string_view>

namespace earlyseed {

// The lines of one command; each begins with "earlyseed: " and its name.
class Log {
public:
    enum class Audience {
        boot,    // load, save: the kernel log, and standard error when that is a terminal or the kernel log fails
        person,  // standard error
    };
    // `command` is a literal.
    constexpr Log(std::string_view command, Audience audience) : command_(command), audience_(audience) {}

    void info(std::string_view line) const;
    void warn(std::string_view line) const;

private:
    void write(int level, std::string_view line) const;

    std::string_view command_;
    Audience audience_;
};

// One line to the standard output.
void print_line(std::string_view line);

}  // namespace earlyseed
