// SPDX-License-Identifier: MIT
#include "boot/config_file.hpp"

#include "system/files.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

void read_config_file(const Path& path, const Log& log, Config& config) {
    char buffer[8192];
    auto complain_of_file = [&](std::string_view where, std::string_view what) {
        log.warn(Line(path).add(", ", where, ": ", what));
    };
    if (auto file = kernel::read_text(path.c_str(), buffer)) {
        parse_config(*file, config, complain_of_file);
        if (file->size() == sizeof buffer) complain_of_file("line 1"sv, "the file is too long; its end was not read"sv);
    } else if (file.error().code != ENOENT) {
        log.warn(describe(file.error(), path).add("; defaults are used"));
    }
}

Config read_config(const Path& path, const Log& log) {
    Config config;
    read_config_file(path, log, config);
    char buffer[8192];
    if (auto command_line = kernel::read_text("/proc/cmdline", buffer)) {
        parse_command_line(*command_line, config, [&](std::string_view where, std::string_view what) {
            log.warn(Line(where).add(": ", what));
        });
    } else {
        log.warn(describe(command_line.error(), "/proc/cmdline"sv).add("; is /proc mounted?"));
    }
    return config;
}

}  // namespace earlyseed
