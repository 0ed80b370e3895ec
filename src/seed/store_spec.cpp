// SPDX-License-Identifier: MIT
#include "seed/store_spec.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

namespace {

bool has_control_character(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        auto byte = static_cast<unsigned char>(c);
        return byte < ' ' || byte == 0x7f;
    });
}

// "DEVICE", "DEVICE:/path" or "/path": the part before the path, and the path.
void split(std::string_view text, std::string_view& device, std::string_view& path) {
    device = text;
    path = {};
    if (std::size_t colon = text.find(":/"sv); colon != std::string_view::npos) {
        device = first(text, colon);
        path = text;
        path.remove_prefix(colon + 1);
    } else if (text.starts_with('/') && !text.starts_with("/dev/"sv)) {
        device = {};
        path = text;
    }
}

// A file's absolute path that stays within its file system.
bool is_file_path(std::string_view path) {
    return path.starts_with('/') && !path.ends_with('/') && !contains(path, "/../"sv);
}

bool set_device(std::string_view text, StoreSpec& store) {
    if (!text.starts_with("/dev/"sv)) {
        store.tag = take_until(text, '=');
        if (!is_one_of(store.tag, {"PARTLABEL"sv, "PARTUUID"sv, "UUID"sv, "LABEL"sv})) return false;
        // The value becomes the name of a link below /dev/disk: it must not lead anywhere else.
        if (contains(text, "/"sv)) return false;
    }
    // The kernel and udev's links have a partition's UUID in lower case.
    for (char c : text) store.device.append(store.tag == "PARTUUID"sv ? lower(c) : c);
    return !store.device.empty();
}

}  // namespace

std::optional<StoreSpec> parse_store(std::string_view text) {
    // '#' would begin a comment in the configuration, a line end another line, and blanks at the ends would be lost
    // there.
    if (text.empty() || text.size() > kMostStoreBytes) return {};
    if (contains(text, "#"sv) || has_control_character(text) || trim(text).size() != text.size()) return {};
    StoreSpec store;
    store.text = text;
    std::string_view device, path;
    split(text, device, path);
    store.path = path;
    if (!path.empty() && !is_file_path(path)) return {};

    if (device.empty()) {
        store.kind = StoreSpec::Kind::file_in_root;
        return path.empty() || text.front() != '/' ? std::nullopt : std::optional(store);
    }
    store.kind = path.empty() ? StoreSpec::Kind::partition : StoreSpec::Kind::file_on;
    if (!set_device(device, store)) return {};
    return store;
}

}  // namespace earlyseed
