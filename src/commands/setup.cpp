// SPDX-License-Identifier: MIT
// Says what it did and what is left to do. Formats nothing, shrinks nothing, and touches no device that holds data.
#include "commands/setup.hpp"

#include "base/text.hpp"
#include "boot/boot_id.hpp"
#include "boot/run_lock.hpp"
#include "boot/writable_store.hpp"
#include "credit/use_seed.hpp"
#include "machine/identity.hpp"
#include "seed/store_device.hpp"
#include "system/process.hpp"
#include "system/run_directory.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

namespace {

constexpr Log kLog("setup", Log::Audience::person);

int fail(const Line& line) {
    kLog.warn(line);
    return kExitDegraded;
}

// The block device that the file system of the directory `path` is on; none: not there, or no device of its own (btrfs,
// ZFS, overlay, NFS).
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

// A file system's UUID, by udev's links; empty when there is none.
Word uuid_of(kernel::DeviceNumber device) {
    Word uuid;
    ignore(kernel::for_each_name("/dev/disk/by-uuid", [&](std::string_view name) {
        auto link = kernel::file_info(Path("/dev/disk/by-uuid/").add(name).c_str(), true);
        if (!link || link->kind != kernel::FileKind::block_device || link->device != device) return true;
        uuid = name;
        return false;
    }));
    return uuid;
}

std::string_view type_on(std::string_view uuid) {
    auto device = kernel::open_read(Path("/dev/disk/by-uuid/").add(uuid).c_str(), false);
    Bytes<2048> start{};
    if (!device || !kernel::read_some(*device, start)) return {};
    return file_system_type(start);
}

// The store that the configuration file names; empty when it names none.
Path configured_store(const Path& config_path) {
    Config config;
    config.store = {};
    read_config_file(config_path, kLog, config);
    return config.store.text;
}

// The best store on this machine, as a specification; empty when there is none, with `why`. For an image: none of this
// machine's partitions, and the root file system whatever it is on here.
Path choose_store(bool image, Line& why) {
    Path device;
    Line unused;
    if (!image && find_device(*parse_store(kDefaultStore), device, unused) == Store::Outcome::opened) {
        why.add("a partition named earlyseed is there, the best place: ", device);
        return kDefaultStore;
    }
    kernel::DeviceNumber root = device_below("/");
    for (std::string_view directory : {"/boot"sv, "/boot/efi"sv, "/efi"sv}) {
        kernel::DeviceNumber below = device_below(Path(directory).c_str());
        if (below.major == 0 || below == root || is_mapped(below)) continue;
        Word uuid = uuid_of(below);
        if (uuid.empty() || type_on(uuid).empty()) continue;
        why.add(directory, " is a file system of its own, which can be mounted before the root");
        return Path("UUID=").add(uuid, ":/earlyseed/seed");
    }
    // Not below /etc, which people keep copies of.
    for (std::string_view directory : {"/var/lib"sv, "/boot"sv}) {
        if (device_below(Path(directory).c_str()) != root || (root.major == 0 && !image)) continue;
        why.add(
            "a file on the root file system: jitter alone serves what comes before its mount; a partition of 1 MiB "
            "named "
            "earlyseed would be earlier");
        Path store(directory);
        store.add("/earlyseed/seed");
        return store;
    }
    why.add(
        "no /boot, ESP or root file system will do (LVM, encryption, btrfs, ZFS, overlay, NFS); make a partition of 1 "
        "MiB "
        "named earlyseed, or name a file with --store");
    return {};
}

// The configuration with its `store =` line replaced or added.
FixedString<8192> configure(std::string_view old, std::string_view store) {
    FixedString<8192> text;
    bool written = false;
    while (!old.empty()) {
        std::string_view line = take_until(old, '\n');
        std::string_view rest = line;
        if (trim(take_until(rest, '=')) == "store"sv) {
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
    if (!old && old.error().code != ENOENT) return fail(describe(old.error(), path));
    if (old && old->size() == sizeof buffer) return fail(Line(path).add(" is too long; shorten it"));
    FixedString<8192> text = configure(old ? *old : "# See earlyseed.conf(5).\n"sv, store);
    if (old && text.view() == *old) return kExitDone;
    Status written = kernel::write_text(path.c_str(), text.view(), 0644);
    if (!written) return fail(describe(written.error(), path));
    print_line(Line(path).add(" written"));
    return kExitDone;
}

// Fills an empty store.
int fill(OpenStore& opened, const StoreSpec& spec) {
    auto& [store, slots, choice] = opened;
    if (choice.content == StoreContent::seed) {
        print_line(Line("it holds a seed already, generation ")
                       .add(slots[static_cast<std::size_t>(choice.seed_slot)].record.generation));
        return kExitDone;
    }
    SaveResult saved =
        save_next_seed(store, slots, choice, {.boot_id = read_boot().id, .machine_tag = identify_machine().tag});
    if (!saved.written) return fail(failed_write(spec.text, saved.written.error(), "the seed"sv));
    print_line(Line("a first seed was saved").add(saved.creditable ? "" : "; not creditable"));
    return kExitDone;
}

void say_what_is_left() {
    std::string_view command = kernel::file_info("/usr/sbin/update-initramfs", true) ? "update-initramfs -u"sv
                               : kernel::file_info("/usr/bin/dracut", true)          ? "dracut --force"sv
                                                                                     : ""sv;
    print_line(command.empty() ? Line("now rebuild your initrd")
                               : Line("now run '").add(command, "' to rebuild the initrd"));
}

// Says what would be done, and does nothing.
int rehearse(const StoreSpec& spec, const SetupOptions& options, bool configured) {
    Line problem;
    Store store;
    auto outcome = store.open(spec, Store::Mode::read, current_stage(), {}, problem);
    bool would_create = outcome == Store::Outcome::absent && spec.kind != StoreSpec::Kind::partition;
    if (outcome != Store::Outcome::opened && !would_create) return fail(problem);
    print_line(would_create ? Line("would create it: ").add(kStoreBytes, " bytes, mode 0600") : Line("it is there"));
    if (!configured) print_line(Line("would write 'store = ").add(spec.text, "' to ", options.config_path));
    return kExitDone;
}

int set_up(const StoreSpec& spec, const SetupOptions& options, bool configured) {
    kernel::File lock;
    OpenStore opened;
    if (!lock_for_writing(lock, kLog) || !open_for_writing(spec, Store::Mode::create, opened, kLog)) {
        return kExitDegraded;
    }
    if (!options.image) {
        if (int result = fill(opened, spec); result != kExitDone) return result;
    } else if (opened.choice.content == StoreContent::seed) {
        return fail(about_store(spec.text, "holds a seed; run 'earlyseed forget' before the image is made"sv));
    } else {
        print_line("left without a seed: each machine makes its own at its first boot"sv);
    }
    ignore(kernel::remove_file(kForgottenPath));  // at worst nothing is saved until the next boot
    if (!configured) {
        if (int result = write_config(options.config_path, spec.text); result != kExitDone) return result;
    }
    say_what_is_left();
    return kExitDone;
}

}  // namespace

const Command kSetupCommand{"setup", "[--store STORE] [--image] [--dry-run]",
                            "choose or create the store, and write the configuration", [](std::span<char*> words) {
                                SetupOptions options;
                                const Option table[] = {{"--config"sv, options.config_path},
                                                        {"--store"sv, options.store},
                                                        {"--image"sv, options.image},
                                                        {"--dry-run"sv, options.dry_run}};
                                return parse_options(words, table) ? setup(options) : kExitUsage;
                            }};

int setup(const SetupOptions& options) {
    if (!require_root(kLog)) return kExitDegraded;
    kernel::lock_memory();
    Path chosen(options.store);
    Line why("as asked");
    bool configured = false;
    if (chosen.empty()) {
        chosen = configured_store(options.config_path);
        configured = !chosen.empty();
        why = "as configured";
    }
    if (chosen.empty()) {
        why.clear();
        chosen = choose_store(options.image, why);
        if (chosen.empty()) return fail(Line("no store: ").add(why));
    }
    auto spec = parse_store(chosen);
    if (!spec) {
        kLog.warn(Line("'").add(chosen, "' is no store: ", kStoreSyntax));
        return kExitUsage;
    }
    print_line(about_store(chosen, why));
    return options.dry_run ? rehearse(*spec, options, configured) : set_up(*spec, options, configured);
}

}  // namespace earlyseed
