// SPDX-License-Identifier: MIT
// earlyseed setup: which store it chooses, and that it touches nothing that is not its own.
#include <algorithm>
#include <cerrno>

#include "catch.hpp"
#include "scene.hpp"

using namespace earlyseed;
using namespace earlyseed::scene;

namespace {

int run_setup(std::string_view store = "", bool dry_run = false) {
    SetupOptions options;
    options.store = store;
    options.dry_run = dry_run;
    return setup(options);
}

int run_setup_for_image() {
    SetupOptions options;
    options.image = true;
    return setup(options);
}

bool says(const std::string& part) { return said().find(part) != std::string::npos; }

std::string config() { return fake::text_of("/etc/earlyseed.conf"); }

// What a dry run may not do.
std::vector<std::string> changes() {
    return fake::journal_of({"write", "create_zeros", "write_text", "remove_file", "add_entropy", "lock", "remount"});
}

// A file system at `folder`, on a device of its own that udev knows by UUID.
fake::FileSystem& separate(const std::string& folder, const std::string& device, std::uint64_t number,
                           const std::string& uuid, std::string_view type) {
    fake::put_folder(folder);
    fake::state().devices[folder] = number;
    fake::put_device(device, 65536, number);
    fake::put_link("/dev/disk/by-uuid/" + uuid, device);
    fake::FileSystem& file_system = fake::put_file_system(device, type);
    file_system.in_use_writable = true;
    return file_system;
}

}  // namespace

TEST_CASE("P5: setup chooses a partition named earlyseed before all else, and fills it") {
    machine("");
    fake::state().crng = fake::Crng::ready;
    separate("/boot", "/dev/vda2", 0xfe02, "1111", "ext4");
    fake::Entry& store = empty_partition(2 << 20);
    CHECK(run_setup() == kExitDone);
    CHECK(config() == "store = PARTLABEL=earlyseed\n");
    CHECK(slot(store.durable, 0).generation == 1);
    CHECK(slot(store.durable, 1).generation == 2);
    CHECK(slot(store.durable, 1).creditable);
    CHECK(says("a first seed was saved"));
    CHECK(fake::journal_of({"mount", "create_zeros"}).empty());
    CHECK(leak() == "");
    CHECK(fake::state().handles.empty());
}

TEST_CASE("P5: setup chooses a separate /boot, else the ESP, else the root file system") {
    struct Case {
        const char* folder;
        const char* type;
        const char* store;
    };
    for (Case c : {Case{"/boot", "ext4", "UUID=AB-12:/earlyseed/seed"},
                   {"/boot/efi", "vfat", "UUID=AB-12:/earlyseed/seed"},
                   {"/efi", "vfat", "UUID=AB-12:/earlyseed/seed"},
                   {"/boot", "xfs", "/var/lib/earlyseed/seed"},
                   {"/home", "ext4", "/var/lib/earlyseed/seed"}}) {
        INFO(c.folder << " " << c.type);
        machine("");
        fake::FileSystem& boot = separate(c.folder, "/dev/vda2", 0xfe02, "AB-12", c.type);
        CHECK(run_setup() == kExitDone);
        INFO(said());
        CHECK(config() == std::string("store = ") + c.store + "\n");
        bool in_root = c.store[0] == '/';
        fake::Entry* store = in_root ? fake::find(kFile) : &boot.files["/earlyseed/seed"];
        REQUIRE(store != nullptr);
        CHECK(store->permissions == 0600);
        CHECK(store->durable.size() == 8192);
        CHECK(newest(store->durable).generation == 2);
        CHECK(fake::state().mistakes.empty());
        CHECK(fake::state().mounts.empty());
    }
}

TEST_CASE("P8: a /boot on LVM or encrypted is not there in time, one on RAID is") {
    for (bool mapped : {true, false}) {
        INFO(mapped);
        machine("");
        separate("/boot", "/dev/md1", 0x901, "1111", "ext4");
        if (mapped) fake::put_folder("/sys/dev/block/9:1/dm");
        CHECK(run_setup() == kExitDone);
        INFO(said());
        CHECK(config() == (mapped ? "store = /var/lib/earlyseed/seed\n" : "store = UUID=1111:/earlyseed/seed\n"));
    }
}

TEST_CASE("P5: where /var is a file system of its own, the store is below /boot on the root file system") {
    machine("");
    fake::state().devices["/var"] = 0x803;
    fake::put_folder("/boot");
    CHECK(run_setup() == kExitDone);
    INFO(said());
    CHECK(config() == "store = /boot/earlyseed/seed\n");
    REQUIRE(fake::find("/boot/earlyseed/seed") != nullptr);
    CHECK(newest(fake::find("/boot/earlyseed/seed")->durable).generation == 2);
}

TEST_CASE("P2: setup --image leaves the store of an image without a seed, wherever the image is made") {
    machine("");
    fake::state().crng = fake::Crng::ready;
    SECTION("on a disk of its own") {}
    SECTION("on an overlay or btrfs of the machine that makes it") { fake::state().devices[""] = 0x2a; }
    SECTION("that machine has a partition named earlyseed") { empty_partition(); }
    CHECK(run_setup_for_image() == kExitDone);
    INFO(said());
    CHECK(config() == "store = /var/lib/earlyseed/seed\n");
    REQUIRE(fake::find(kFile) != nullptr);
    CHECK(fake::find(kFile)->durable == fake::Buffer(8192, 0));
    CHECK(fake::journal_of({"write", "add_entropy"}).empty());
    CHECK(says("left without a seed"));
}

TEST_CASE("P2: setup --image does not call a store empty that has a seed") {
    machine("");
    fake::state().crng = fake::Crng::ready;
    CHECK(run_setup("/var/lib/earlyseed/seed") == kExitDone);
    fake::Buffer content = fake::find(kFile)->durable;
    CHECK(run_setup_for_image() == kExitDegraded);
    INFO(said());
    CHECK(says("holds a seed; run 'earlyseed forget'"));
    CHECK(fake::find(kFile)->durable == content);
}

TEST_CASE("P8: where no store will do, setup gives advice and changes nothing") {
    machine("");
    SECTION("btrfs, ZFS, overlay: no block device below the root") { fake::state().devices[""] = 0x2a; }
    SECTION("/var and /boot are somewhere else, and neither will do") {
        fake::state().devices["/var"] = 0x803;
        separate("/boot", "/dev/dm-0", 0xfe00, "1111", "ext4");
        fake::put_folder("/sys/dev/block/254:0/dm");
    }
    CHECK(run_setup() == kExitDegraded);
    INFO(said());
    CHECK(says("no store"));
    CHECK(says("make a partition of 1 MiB named earlyseed"));
    CHECK(changes().empty());
}

TEST_CASE("P8: setup --dry-run says what it would do, and does nothing of it") {
    machine("debug-me\n");
    SECTION("partition") {
        fake::Entry& store = empty_partition();
        CHECK(run_setup("", true) == kExitDone);
        CHECK(store.durable == fake::Buffer(store.durable.size(), 0));
        CHECK(says("it is there"));
        CHECK(says("would write 'store = PARTLABEL=earlyseed' to /etc/earlyseed.conf"));
    }
    SECTION("separate /boot, before earlyseed ever ran") {
        fake::FileSystem& boot = separate("/boot", "/dev/vda2", 0xfe02, "1111", "ext4");
        CHECK(run_setup("", true) == kExitDone);
        CHECK(boot.files.empty());
        CHECK(says("would create it: 8192 bytes, mode 0600"));
    }
    SECTION("root") {
        CHECK(run_setup("", true) == kExitDone);
        CHECK(fake::find(kFile) == nullptr);
        CHECK(says("would create it"));
    }
    INFO(said());
    CHECK(changes().empty());
    CHECK(config() == "debug-me\n");
}

TEST_CASE("P5: setup never writes to a device that holds data, wherever its marks are") {
    constexpr std::size_t size = 4 << 20;
    for (std::size_t at : {std::size_t{0}, std::size_t{4096}, std::size_t{8192}, std::size_t{65536},
                           std::size_t{(1 << 20) - 1}, size - 65536, size - 4096, size - 1}) {
        INFO("data at " << at);
        machine("");
        fake::Entry& store = empty_partition(size);
        fake::set_content(store, at, {0x45});
        fake::Buffer content = store.durable;
        CHECK(run_setup() == kExitDegraded);
        CHECK(says("holds data"));
        CHECK(store.durable == content);
        CHECK(fake::journal_of({"write", "write_text"}).empty());
        CHECK(config().empty());
    }
    // A store whose other data cannot be read is as good as full.
    machine("");
    empty_partition(size);
    fake::state().failures.push_back({.call = "read", .nth = 1, .only = "block"});
    CHECK(run_setup() == kExitDegraded);
    CHECK(fake::journal_of({"write"}).empty());
}

TEST_CASE("P5: setup --store refuses what is in use, too small, absent, or no store at all") {
    machine("");
    std::string store = "/dev/vda1", line;
    int exit = kExitDegraded;
    SECTION("mounted") {
        empty_partition().busy = true;
        line = "in use";
    }
    SECTION("too small") {
        empty_partition(4096);
        line = "8192 are needed";
    }
    SECTION("absent") { line = "is not there"; }
    SECTION("a file on a device that is absent") {
        store = "UUID=77-77:/seed";
        line = "is not there";
    }
    SECTION("nonsense") {
        store = "floppy";
        line = "is no store";
        exit = kExitUsage;
    }
    SECTION("a file of another size") {
        store = "/var/lib/seed";
        fake::put_text(store, "hello\n");
        line = "8192 are needed";
    }
    SECTION("somebody else's file") {
        store = "/var/lib/seed";
        fake::put_text(store, std::string(8192, 'x'));
        line = "holds data that is not";
    }
    SECTION("lock") {
        empty_partition();
        fake::state().lock_busy = true;
        line = "another earlyseed is at work";
    }
    SECTION("not root") {
        empty_partition();
        fake::state().root = false;
        line = "must be run as root";
    }
    SECTION("read-only") {
        empty_partition().read_only = true;
        line = "make it writable";
    }
    SECTION("a write error") {
        empty_partition();
        fake::state().failures.push_back({.call = "flush", .nth = 2});
        line = "cannot flush the seed";
    }
    CHECK(run_setup(store) == exit);
    INFO(said());
    CHECK(says(line));
    CHECK(config().empty());
}

TEST_CASE("P5: setup a second time keeps the seed and the configuration") {
    machine("");
    fake::Entry& store = empty_partition();
    CHECK(run_setup() == kExitDone);
    fake::Buffer content = store.durable;
    fake::state().journal.clear();
    CHECK(run_setup() == kExitDone);
    CHECK(store.durable == content);
    CHECK(says("it holds a seed already, generation 2"));
    CHECK(fake::journal_of({"write"}).empty());
    for (const std::string& line : fake::journal_of({"write_text"})) CHECK(line.find("/etc/") == std::string::npos);
}

TEST_CASE("P8: setup keeps a store that is configured, with every line of the configuration") {
    for (std::string text :
         {"store = /srv/seed  # mine\n", "store = /dev/sdz9\nstore = /srv/seed\nstore = nonsense\n"}) {
        machine(text);
        fake::put_folder("/srv");
        empty_partition();  // setup would choose it
        CHECK(run_setup("", true) == kExitDone);
        CHECK_FALSE(says("would write"));
        CHECK(run_setup() == kExitDone);
        INFO(said());
        CHECK(says("store /srv/seed: as configured\n"));
        CHECK(config() == text);
        REQUIRE(fake::find("/srv/seed") != nullptr);
        CHECK(newest(fake::find("/srv/seed")->durable).generation == 2);
    }
}

TEST_CASE("P8: setup obeys no store of the kernel command line, which is this boot's, or the host's of a chroot") {
    machine("store = nonsense\n");
    fake::put_text("/proc/cmdline", "earlyseed.store=/srv/seed\n");
    CHECK(run_setup() == kExitDone);
    CHECK(config() == "store = /var/lib/earlyseed/seed\n");
}

TEST_CASE("P8: setup edits the configuration in place and keeps every other line") {
    struct Case {
        const char* before;
        const char* after;
    };
    for (Case c :
         {Case{"# mine\n\ncredit-seed = always\nstore = /dev/old\n# end\n",
               "# mine\n\ncredit-seed = always\nstore = /dev/vda1\n# end\n"},
          {"store=/dev/a\nhwrng-quality = 7\nstore = /dev/b\n", "store = /dev/vda1\nhwrng-quality = 7\n"},
          {"#store = /dev/a\ncredit-jitter = never", "#store = /dev/a\ncredit-jitter = never\nstore = /dev/vda1\n"},
          {"store = /dev/vda1\n", "store = /dev/vda1\n"},
          {"", "store = /dev/vda1\n"}}) {
        machine(c.before);
        empty_partition();
        CHECK(run_setup("/dev/vda1") == kExitDone);
        CHECK(config() == c.after);
        CHECK(fake::find("/etc/earlyseed.conf")->permissions == 0644);
    }
}

TEST_CASE("P8: setup makes a configuration where there is none, and leaves one that is too long alone") {
    machine("");
    empty_partition();
    SECTION("none") {
        fake::state().files.erase("/etc/earlyseed.conf");
        CHECK(run_setup() == kExitDone);
        CHECK(config() == "# See earlyseed.conf(5).\nstore = PARTLABEL=earlyseed\n");
    }
    SECTION("too long") {
        fake::put_text("/etc/earlyseed.conf", std::string(9000, '#'));
        CHECK(run_setup() == kExitDegraded);
        CHECK(says("is too long"));
        CHECK(config() == std::string(9000, '#'));
    }
    SECTION("cannot be written") {
        fake::state().read_only_trees.insert("/etc");
        CHECK(run_setup() == kExitDegraded);
        CHECK(says("cannot create /etc/earlyseed.conf"));
    }
}

TEST_CASE("P2: setup ends what forget began") {
    machine("");
    fake::Entry& store = empty_partition();
    CHECK(run_setup() == kExitDone);
    CHECK(forget(ForgetOptions()) == kExitDone);
    CHECK(run_setup() == kExitDone);
    CHECK(newest(store.durable).generation == 2);
    CHECK(run_save() == kExitDone);
    CHECK(newest(store.durable).generation == 3);
}

TEST_CASE("P8: setup names the command that rebuilds the initrd") {
    struct Case {
        const char* tool;
        const char* line;
    };
    for (Case c : {Case{"/usr/sbin/update-initramfs", "now run 'update-initramfs -u'"},
                   {"/usr/bin/dracut", "now run 'dracut --force'"},
                   {"/nothing", "now rebuild your initrd"}}) {
        machine("");
        empty_partition();
        fake::put_text(c.tool, "");
        CHECK(run_setup() == kExitDone);
        CHECK(says(c.line));
    }
}
