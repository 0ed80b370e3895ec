// SPDX-License-Identifier: MIT
// What the administrator asked for: /etc/earlyseed.conf and the kernel command line. Parsing only, pure: a complaint is
// handed to a callback, and the default is used instead.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "base/function_ref.hpp"
#include "credit/policy.hpp"
#include "seed/store_spec.hpp"

namespace earlyseed {

inline constexpr std::string_view kConfigPath = "/etc/earlyseed.conf";

// A source of random bytes that the administrator has added, as `source =` names it: "PATH", or "PATH QUALITY".
inline constexpr std::size_t kMostSources = 4;
struct SourceSpec {
    Path path;             // of a character device, FIFO, unix socket or file; empty = none
    unsigned quality = 0;  // 1024ths of a bit per bit
};

struct Config {
    StoreSpec store;
    std::array<SourceSpec, kMostSources> sources;
    Bytes<32> cmdline_seed{};  // earlyseed.seed=; zeros = none
    SeedPolicy credit_seed = SeedPolicy::automatic;
    JitterPolicy credit_jitter = JitterPolicy::automatic;
    unsigned hwrng_quality = 0;  // 1024ths of a bit per bit
    unsigned jitter_timeout_ms = 250;
    unsigned load_timeout_ms = 1000;
    bool off = false;         // earlyseed=off: nothing is done at all
    bool initrd_off = false;  // rd.earlyseed=0: load does nothing
    bool debug = false;       // earlyseed.debug: each call of load says what it found

    Config();
};

// Called with where ("line 3", "kernel command line") and what is wrong, without a full stop.
using Complain = FunctionRef<void(std::string_view where, std::string_view what)>;

// Calls visit for each key of the configuration file, with the values that it takes in words.
void for_each_config_key(FunctionRef<void(std::string_view key, std::string_view expected)> visit);

// The words of the kernel command line that are looked at; those that end with '=' take a value.
std::span<const std::string_view> kernel_words();

// `key = value` lines, `#` comments. Later lines win.
void parse_config(std::string_view text, Config& config, Complain complain);

// /proc/cmdline: only words that begin with earlyseed or rd.earlyseed are looked at. Wins over the file.
void parse_command_line(std::string_view text, Config& config, Complain complain);

}  // namespace earlyseed
