// SPDX-License-Identifier: MIT
#include "commands/commands.hpp"

#include "base/text.hpp"
#include "system/process.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

namespace {

constexpr const Command* kCommands[] = {&kLoadCommand, &kSaveCommand,   &kSetupCommand,  &kStatusCommand, &kWaitCommand,
                                        &kAddCommand,  &kForgetCommand, &kRecordCommand, &kStoreCommand};

void print_usage(int descriptor) {
    kernel::print(descriptor, "usage: earlyseed COMMAND [OPTION]...\n\n"sv);
    for (const Command* command : kCommands) {
        Line line("  ");
        line.add(command->name, command->arguments.empty() ? "" : " ", command->arguments, "\n      ");
        kernel::print(descriptor, line.add(command->summary, "\n"));
    }
    kernel::print(descriptor,
                  "\n  --config FILE is read in place of /etc/earlyseed.conf; also: --help, --version\n\n"
                  "Exit status: 0 done; 1 not done, or in part: one line says why; 2 usage; 3 status: not ready.\n"
                  "See earlyseed(8).\n"sv);
}

}  // namespace

std::span<const Command* const> all_commands() { return kCommands; }

int run_command(std::span<char*> words) {
    if (words.empty()) {
        print_usage(2);
        return kExitUsage;
    }
    std::string_view name = words[0];
    if (is_one_of(name, {"--help"sv, "-h"sv, "help"sv})) {
        print_usage(1);
        return kExitDone;
    }
    if (name == "--version"sv) {
        kernel::print(1, "earlyseed " EARLYSEED_VERSION "\n"sv);
        return kExitDone;
    }
    for (const Command* command : kCommands) {
        if (name == command->name) return command->run(words.subspan(1));
    }
    return usage_error("unknown command"sv, name);
}

}  // namespace earlyseed
