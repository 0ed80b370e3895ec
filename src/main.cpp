// SPDX-License-Identifier: MIT
// The program: src/commands/ does the work.
#include "commands/commands.hpp"
#include "system/process.hpp"

int main(int argc, char** argv) {
    earlyseed::kernel::harden();
    std::span<char*> words(argv, static_cast<std::size_t>(argc));
    return earlyseed::run_command(words.empty() ? words : words.subspan(1));
}
