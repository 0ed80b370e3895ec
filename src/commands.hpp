// SPDX-License-Identifier: MIT
// The commands, one source file each. Each takes its parsed options and gives the exit status.
#pragma once

#include <optional>

#include "context.hpp"

namespace earlyseed {

inline constexpr int kExitDone = 0;
inline constexpr int kExitDegraded = 1;  // said in one line; nothing is lost and the boot goes on
inline constexpr int kExitUsage = 2;

struct LoadOptions {
    CommonOptions common;
    bool early = false;  // mount nothing
    Path root;           // where the root file system is mounted in the initrd
};
int load(const LoadOptions& options);

int save(const CommonOptions& options);

struct SetupOptions {
    CommonOptions common;
    Text<256> store;  // empty: choose
    bool dry_run = false;
};
int setup(const SetupOptions& options);

struct StatusOptions {
    CommonOptions common;
    bool json = false;
};
// Exit status 0: ready; 1: not ready, or something needs attention.
int show_status(const StatusOptions& options);

struct WaitOptions {
    std::optional<std::uint64_t> timeout_s;  // none: for ever
};
// Exit status 0: ready; 1: not within the time.
int wait(const WaitOptions& options);

struct AddOptions {
    std::uint64_t credit_bits = 0;
    Path file{"-"};
};
int add(const AddOptions& options);

int forget(const CommonOptions& options);

// Why a store with this content is never written, with what to do; empty when it may be.
Line refusal_of(StoreContent content);

}  // namespace earlyseed
