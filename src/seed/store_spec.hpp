// SPDX-License-Identifier: MIT
// Where the seed is kept, as `store =` names it. Parsing only.
#pragma once

#include <optional>
#include <string_view>

#include "base/fixed_string.hpp"

namespace earlyseed {

inline constexpr std::string_view kDefaultStore = "PARTLABEL=earlyseed";
// The syntax, for messages.
inline constexpr std::string_view kStoreSyntax = "PARTLABEL=…, PARTUUID=…, UUID=…:/path, /dev/… or /path";

// So that the paths which it leads to fit into a Path.
inline constexpr std::size_t kMostStoreBytes = 255;

struct StoreSpec {
    enum class Kind {
        partition,    // PARTLABEL=, PARTUUID=, UUID=, LABEL= or /dev/…: a block device of its own
        file_on,      // the same, then ":/path": a regular file on that device's file system, mounted for the purpose
        file_in_root  // "/path": a regular file on the root file system
    };
    Path text;  // as written, at most kMostStoreBytes
    Kind kind = Kind::partition;
    Word tag;     // "PARTLABEL", …; empty when `device` is a path
    Path device;  // the tag's value (a PARTUUID in lower case), or a path below /dev
    Path path;    // of the file, absolute; empty for a partition
};

// None when `text` is no store: the syntax is StoreSpec's.
std::optional<StoreSpec> parse_store(std::string_view text);

}  // namespace earlyseed
