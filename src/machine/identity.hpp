// SPDX-License-Identifier: MIT
// Which machine this is, and whether it is a virtual one. Read from what the firmware says, the same in the initrd and
// in the running system (so nothing that needs a mount or a driver: systemd-boot's system token is left out for that).
#pragma once

#include <span>
#include <string_view>

#include "base/ids.hpp"

namespace earlyseed {

struct Machine {
    MachineTag tag{};  // zeros = no identity that can be trusted
    bool is_virtual = false;
    bool sysfs_missing = false;
};

// Reads below /sys and /proc/device-tree.
Machine identify_machine();

// The text of a file below /sys or /proc without its line end, as far as `buffer` has room; empty when there is none.
std::string_view read_field(const char* path, std::span<char> buffer);

// True for what manufacturers leave in a serial number's field: one character over and over, "Not Specified",
// "To Be Filled By O.E.M.", "0123456789" and their kin.
bool is_placeholder(std::string_view value);

// True for the names that hypervisors give their machines in DMI (vendor or product).
bool is_virtual_product(std::string_view name);

}  // namespace earlyseed
