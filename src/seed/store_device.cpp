// SPDX-License-Identifier: MIT
#include "seed/store_device.hpp"

#include "base/text.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

namespace {

// The device's name in a uevent file, if the file's `key` ("PARTNAME=") has this value; empty otherwise.
std::string_view device_with(std::string_view uevent, std::string_view key, std::string_view wanted) {
    std::string_view device;
    bool matches = false;
    while (!uevent.empty()) {
        std::string_view line = take_until(uevent, '\n');
        if (std::string_view value = line; take_prefix(value, "DEVNAME="sv)) device = value;
        if (std::string_view value = line; take_prefix(value, key)) matches = value == wanted;
    }
    return matches ? device : std::string_view{};
}

// How many partitions have this name or UUID; `found`: the last of them. /sys/class/block/*/uevent has both as soon as
// the kernel knows the partition, without udev.
unsigned find_partition(std::string_view key, std::string_view value, Path& found) {
    unsigned count = 0;
    ignore(kernel::for_each_name("/sys/class/block", [&](std::string_view name) {
        char buffer[1024];
        auto uevent = kernel::read_text(Path("/sys/class/block/").add(name, "/uevent").c_str(), buffer);
        if (!uevent) return true;
        if (std::string_view device = device_with(*uevent, key, value); !device.empty()) {
            found = "/dev/";
            found.add(device);
            count++;
        }
        return true;
    }));
    return count;
}

// udev's links: /dev/disk/by-partlabel and so on.
Path link_to(std::string_view tag, std::string_view value) {
    Path path("/dev/disk/by-");
    for (char c : tag) path.add(lower(c));
    return path.add("/", value);
}

bool is_block_device(const Path& path) {
    auto info = kernel::file_info(path.c_str(), true);
    return info && info->kind == kernel::FileKind::block_device;
}

}  // namespace

Store::Outcome find_device(const StoreSpec& spec, Path& device, Line& problem) {
    std::string_view tag = spec.tag;
    if (tag == "PARTLABEL"sv || tag == "PARTUUID"sv) {
        unsigned count = find_partition(tag == "PARTUUID"sv ? "PARTUUID="sv : "PARTNAME="sv, spec.device, device);
        if (count > 1) {
            problem = about_store(spec.text, "several partitions are called that; name one with PARTUUID="sv);
            return Store::Outcome::refused;
        }
        if (count == 1 && is_block_device(device)) return Store::Outcome::opened;
    }
    // A file system's UUID or label is taken from udev only: it has made sure that this is no member of a RAID.
    device = tag.empty() ? Path(spec.device) : link_to(tag, spec.device);
    if (is_block_device(device)) return Store::Outcome::opened;
    problem.add("store ", spec.text, " is not there");
    return Store::Outcome::absent;
}

std::string_view file_system_type(std::span<const std::uint8_t> start) {
    // ext2, 3 and 4: s_magic (Linux, Documentation/filesystems/ext4/super.rst).
    if (start.size() >= 0x43a && start[0x438] == 0x53 && start[0x439] == 0xef) return "ext4"sv;
    // FAT12 to FAT32: boot signature, and the type's name (Microsoft, FAT specification 1.03).
    if (start.size() >= 512 && start[510] == 0x55 && start[511] == 0xaa) {
        auto has_name = [&](std::size_t at) {
            return start[at] == 'F' && start[at + 1] == 'A' && start[at + 2] == 'T';
        };
        if (has_name(54) || has_name(82)) return "vfat"sv;
    }
    return {};
}

}  // namespace earlyseed
