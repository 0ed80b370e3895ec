// SPDX-License-Identifier: MIT
// Which block device a store's tag names.
#include "system/kernel.hpp"
#include "seed/store.hpp"

namespace earlyseed {

namespace {

// /sys/class/block/*/uevent says a partition's name as soon as the kernel knows it, without udev.
struct Search {
    std::string_view key;    // "PARTNAME=" or "PARTUUID="
    std::string_view value;
    Path found;
    unsigned count = 0;
};

bool look_at(void* context, std::string_view name) {
    Search& search = *static_cast<Search*>(context);
    Path path("/sys/class/block/");
    path.add(name, "/uevent");
    char buffer[1024];
    auto uevent = kernel::read_text(path.c_str(), buffer);
    if (!uevent) return true;
    std::string_view device, rest = *uevent;
    bool matches = false;
    while (!rest.empty()) {
        std::string_view line = take_until(rest, '\n');
        if (std::string_view value = line; take_prefix(value, "DEVNAME=")) device = value;
        if (std::string_view value = line; take_prefix(value, search.key)) {
            matches = same_ignoring_case(value, search.value);
        }
    }
    if (matches && !device.empty()) {
        search.found = Path("/dev/");
        search.found.add(device);
        search.count++;
    }
    return true;
}

// udev's folders: /dev/disk/by-partlabel and so on.
Path link_to(std::string_view tag, std::string_view value) {
    Path path("/dev/disk/by-");
    for (char c : tag) {
        char lower = static_cast<char>(c | 0x20);
        path.append(std::string_view(&lower, 1));
    }
    return path.add("/", value);
}

bool is_block_device(const Path& path) {
    auto info = kernel::file_info(path.c_str(), true);
    return info && info->kind == kernel::FileKind::block_device;
}

}  // namespace

Store::Outcome find_device(const StoreSpec& spec, Path& device, Line& problem) {
    std::string_view tag = spec.tag.view();
    if (tag == "PARTLABEL" || tag == "PARTUUID") {
        Search search{.key = tag == "PARTUUID" ? "PARTUUID=" : "PARTNAME=", .value = spec.device.view(), .found = {}};
        [[maybe_unused]] Status listed = kernel::for_each_name("/sys/class/block", &search, look_at);
        if (search.count > 1) {
            problem.add("store ", spec.text, ": several partitions are called that; name one with PARTUUID=");
            return Store::Outcome::refused;
        }
        device = search.found;
        if (search.count == 1 && is_block_device(device)) return Store::Outcome::opened;
    }
    // A file system's UUID or label is taken from udev only: it has made sure that this is no member of a RAID.
    device = tag.empty() ? Path(spec.device.view()) : link_to(tag, spec.device.view());
    if (is_block_device(device)) return Store::Outcome::opened;
    problem.add("store ", spec.text, " is not there");
    return Store::Outcome::absent;
}

}  // namespace earlyseed
