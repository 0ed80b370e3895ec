// SPDX-License-Identifier: MIT
// Which block device a store's tag names, and what is on it.
#pragma once

#include "seed/store.hpp"

namespace earlyseed {

// Path of the block device that `spec` names. Absent or, when several partitions have that name, refused: with a
// problem.
Store::Outcome find_device(const StoreSpec& spec, Path& device, Line& problem);

// "ext4" or "vfat", from the first 2048 bytes of a file system; empty when it is neither.
std::string_view file_system_type(std::span<const std::uint8_t> start);

}  // namespace earlyseed
