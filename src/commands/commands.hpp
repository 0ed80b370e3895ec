// SPDX-License-Identifier: MIT
// The commands, one source file each. Each takes its parsed options and gives the exit status.
#pragma once

#include "boot/context.hpp"

namespace earlyseed {

inline constexpr int kExitDone = 0;
inline constexpr int kExitDegraded = 1;  // said in one line; nothing is lost and the boot goes on
inline constexpr int kExitUsage = 2;
inline constexpr int kExitNotReady = 3;  // status: the generator is not ready

inline constexpr std::uint64_t kForever = ~std::uint64_t{0};

struct Options {
    Path config_path{kConfigPath};
    bool early = false;         // load: mount nothing
    Path root;                  // load: where the root file system is mounted in the initrd
    Text<256> store;            // setup: empty = choose
    bool dry_run = false;       // setup
    bool image = false;         // setup: for other machines to run, so without a seed
    bool json = false;          // status
    std::uint64_t timeout_s = kForever;  // wait
    std::uint64_t credit_bits = 0;       // add
    std::uint64_t samples = 1'000'000;   // record; NIST's tool wants a million
    Text<8> format{"text"};              // record: "text", "bytes" or "words"
    bool judge = false;                  // record
    Path file{"-"};                      // add, record
};

int load(const Options& options);
int save(const Options& options);
int setup(const Options& options);
// Exit status 0: ready; 1: ready, and something needs attention; 3: not ready.
int show_status(const Options& options);
// Exit status 0: ready; 1: not within the time.
int wait(const Options& options);
int add(const Options& options);
int forget(const Options& options);
// Exit status 0: recorded, or judged to earn credit; 1: judged to earn none; 2: could not be read or written.
int record(const Options& options);

}  // namespace earlyseed
