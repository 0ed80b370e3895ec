// SPDX-License-Identifier: MIT
// earlyseed setup: chooses or creates the store, writes the configuration, and says what it did and what is left to do.
// Formats nothing, shrinks nothing, and touches no device that holds data.
#include "commands/commands.hpp"
#include "system/log.hpp"
#include "seed/rotate.hpp"

namespace earlyseed {

namespace {

int fail(const Line& line) {
    log::warn(line);
    return kExitDegraded;
}

// The block device that the file system of the folder `path` is on; none: not there, or no device of its own (btrfs, ZFS,
// overlay, NFS).
kernel::DeviceNumber device_below(const char* path) {
    auto info = kernel::file_info(path, true);
    if (!info || info->kind != kernel::FileKind::directory || info->device.major == 0) return {};
    return info->device;
}

// LVM or encryption: not there before it is activated or unlocked.
bool is_mapped(kernel::DeviceNumber device) {
    Path path("/sys/dev/block/");
    return static_cast<bool>(kernel::file_info(path.add(device.major, ":", device.minor, "/dm").c_str(), true));
}

// "UUID=…" of a file system, by udev's links.
struct UuidSearch {
    kernel::DeviceNumber device;
    Text<64> uuid{};
};

Text<64> uuid_of(kernel::DeviceNumber device) {
    UuidSearch search{.device = device};
    [[maybe_unused]] Status listed =
        kernel::for_each_name("/dev/disk/by-uuid", &search, [](void* context, std::string_view name) {
            auto& s = *static_cast<UuidSearch*>(context);
            auto link = kernel::file_info(Path("/dev/disk/by-uuid/").add(name).c_str(), true);
            if (!link || link->kind != kernel::FileKind::block_device || link->device != s.device) return true;
            s.uuid = name;
            return false;
        });
    return search.uuid;
}

std::string_view type_on(std::string_view uuid) {
    auto device = kernel::open_read(Path("/dev/disk/by-uuid/").add(uuid).c_str(), false);
    Bytes<2048> start{};
    if (!device || !kernel::read_some(*device, start)) return {};
    return file_system_type(start);
}

// The best store on this machine, as a specification; empty when there is none, with `why`. For an image none of this
// machine's partitions, and whatever its tree is on here: the root will be elsewhere.
Text<256> choose_store(bool image, Line& why) {
    Path device;
    Line unused;
    if (!image && find_device(*parse_store(kDefaultStore), device, unused) == Store::Outcome::opened) {
        why.add("a partition named earlyseed is there, the best place: ", device);
        return kDefaultStore;
    }
    kernel::DeviceNumber root = device_below("/");
    for (std::string_view folder : {"/boot", "/boot/efi", "/efi"}) {
        kernel::DeviceNumber below = device_below(Path(folder).c_str());
        if (below.major == 0 || below == root || is_mapped(below)) continue;
        Text<64> uuid = uuid_of(below);
        if (uuid.empty() || type_on(uuid.view()).empty()) continue;
        why.add(folder, " is a file system of its own, which can be mounted before the root");
        return Text<256>("UUID=").add(uuid, ":/earlyseed/seed");
    }
    // Not below /etc, which people keep copies of.
    for (std::string_view folder : {"/var/lib", "/boot"}) {
        if (device_below(Path(folder).c_str()) != root || (root.major == 0 && !image)) continue;
        why.add("a file on the root file system: jitter alone serves what comes before its mount; a partition of 1 MiB named "
                "earlyseed would be earlier");
        Text<256> store(folder);
        store.add("/earlyseed/seed");
        return store;
    }
    why.add("no /boot, ESP or root file system will do (LVM, encryption, btrfs, ZFS, overlay, NFS); make a partition of 1 MiB "
            "named earlyseed, or name a file with --store");
    return {};
}

// The configuration with its `store =` line replaced or added.
Text<8192> configure(std::string_view old, std::string_view store) {
    Text<8192> text;
    bool written = false;
    while (!old.empty()) {
        std::string_view line = take_until(old, '\n');
        std::string_view rest = line;
        if (trim(take_until(rest, '=')) == "store") {
            if (!written) text.add("store = ", store, "\n");
            written = true;
        } else {
            text.add(line, "\n");
        }
    }
    if (!written) text.add("store = ", store, "\n");
    return text;
}

int write_config(const Path& path, std::string_view store) {
    char buffer[7936];
    auto old = kernel::read_text(path.c_str(), buffer);
    if (!old && old.error().code != ENOENT) return fail(describe(old.error(), path.view()));
    if (old && old->size() == sizeof buffer) return fail(Line(path.view()).add(" is too long; shorten it"));
    Text<8192> text = configure(old ? *old : "# See earlyseed.conf(5).\n", store);
    if (old && text.view() == *old) return kExitDone;
    Status written = kernel::write_text(path.c_str(), text.view(), 0644);
    if (!written) return fail(describe(written.error(), path.view()));
    say(Line(path.view()).add(" written"));
    return kExitDone;
}

// Fills an empty store.
int fill(OpenStore& opened, const StoreSpec& spec) {
    auto& [store, slots, choice] = opened;
    Line problem("store ");
    problem.add(spec.text, ": ");
    if (choice.content == StoreContent::seed) {
        say(Line("it holds a seed already, generation ")
                .add(slots[static_cast<std::size_t>(choice.seed_slot)].record.generation));
        return kExitDone;
    }
    SaveResult saved =
        save_seed(store, slots, choice, {.boot_id = read_boot().id, .machine_tag = identify_machine().tag});
    if (!saved.written) return fail(problem.add(describe(saved.written.error(), "the seed"), "; check the medium"));
    say(Line("a first seed was saved").add(saved.creditable ? "" : "; not creditable"));
    return kExitDone;
}

void say_what_is_left() {
    std::string_view command = kernel::file_info("/usr/sbin/update-initramfs", true) ? "update-initramfs -u"
                               : kernel::file_info("/usr/bin/dracut", true)          ? "dracut --force"
                                                                                     : "";
    say(command.empty() ? Line("now make your initrd anew") : Line("now run '").add(command, "' to make the initrd anew"));
}

}  // namespace

int setup(const Options& options) {
    log::begin("setup", false);
    if (!require_root()) return kExitDegraded;
    Text<256> chosen = options.store;
    Line why("as asked");
    if (chosen.empty()) {
        why.clear();
        chosen = choose_store(options.image, why);
        if (chosen.empty()) return fail(Line("no store: ").add(why));
    }
    auto spec = parse_store(chosen.view());
    if (!spec) {
        log::warn(Line("'").add(chosen, "' is no store: PARTLABEL=…, PARTUUID=…, UUID=…:/path, /dev/… or /path"));
        return kExitUsage;
    }
    say(Line("store ").add(chosen, ": ", why));

    if (options.dry_run) {
        Line problem;
        Store store;
        auto outcome = store.open(*spec, Store::Mode::read, current_stage(), {}, problem);
        if (outcome == Store::Outcome::refused) return fail(problem);
        bool is_file = spec->kind != StoreSpec::Kind::partition;
        if (outcome == Store::Outcome::absent && !is_file) return fail(problem);
        say(outcome == Store::Outcome::absent ? Line("would create it: ").add(kStoreBytes, " bytes, mode 0600")
                                              : Line("it is there"));
        say(Line("would write 'store = ").add(chosen, "' to ", options.config_path));
        return kExitDone;
    }
    kernel::File lock;
    OpenStore opened;
    if (!lock_store(lock) || !open_store(*spec, Store::Mode::create, opened)) return kExitDegraded;
    if (options.image && opened.choice.content == StoreContent::seed) {
        return fail(Line("store ").add(chosen, ": holds a seed; run 'earlyseed forget' before the image is made"));
    }
    if (options.image) {
        say("left without a seed: each machine makes its own at its first boot");
    } else if (int result = fill(opened, *spec); result != kExitDone) {
        return result;
    }
    [[maybe_unused]] Status cleared = kernel::remove_file(kForgottenPath);
    if (int result = write_config(options.config_path, chosen.view()); result != kExitDone) return result;
    say_what_is_left();
    return kExitDone;
}

}  // namespace earlyseed
