// SPDX-License-Identifier: MIT
// What the administrator asked for: /etc/earlyseed.conf and the kernel command line. Parsing only, pure: a
// complaint is handed to a callback, and the default is used instead.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "credit/policy.hpp"
#include "base/text.hpp"

namespace earlyseed {

inline constexpr std::string_view kConfigPath = "/etc/earlyseed.conf";
inline constexpr std::string_view kDefaultStore = "PARTLABEL=earlyseed";

// Where the seed is kept, as `store =` says it.
struct StoreSpec {
    enum class Kind {
        partition,    // PARTLABEL=, PARTUUID=, UUID=, LABEL= or /dev/…: a block device of its own
        file_on,      // the same, then ":/path": a regular file on that device's file system, mounted for the purpose
        file_in_root  // "/path": a regular file on the root file system
    };
    Text<256> text;                          // as written
    Kind kind = Kind::partition;
    Text<16> tag;                            // "PARTLABEL", …; empty when `device` is a path
    Text<128> device;                        // the tag's value, or a path below /dev
    Text<192> path;                          // of the file, absolute; empty for a partition
};

// None when `text` is no store: the syntax is StoreSpec's.
std::optional<StoreSpec> parse_store(std::string_view text);

// A source of the administrator's own, as `source =` says it: "PATH", or "PATH QUALITY".
inline constexpr std::size_t kMostSources = 4;
struct SourceSpec {
    Text<112> path;        // of a character device, FIFO, unix socket or file; empty = none
    unsigned quality = 0;  // 1024ths of a bit per bit
};

struct Config {
    StoreSpec store;
    std::array<SourceSpec, kMostSources> sources;
    Bytes<32> cmdline_seed{};            // earlyseed.seed=; zeros = none
    SeedPolicy credit_seed = SeedPolicy::automatic;
    JitterPolicy credit_jitter = JitterPolicy::automatic;
    unsigned hwrng_quality = 0;          // 1024ths of a bit per bit
    unsigned jitter_timeout_ms = 250;
    unsigned load_timeout_ms = 1000;
    bool off = false;                    // earlyseed=off: nothing is done at all
    bool initrd_off = false;             // rd.earlyseed=0: load does nothing
    bool debug = false;                  // earlyseed.debug: each call of load says what it found

    Config();
};

// Called with where ("line 3", "kernel command line") and what is wrong, without a full stop.
using Complain = void (*)(std::string_view where, std::string_view what);

// `key = value` lines, `#` comments. Later lines win.
void parse_config(std::string_view text, Config& config, Complain complain);

// /proc/cmdline: only words that begin with earlyseed or rd.earlyseed are looked at. Wins over the file.
void parse_command_line(std::string_view text, Config& config, Complain complain);

}  // namespace earlyseed
