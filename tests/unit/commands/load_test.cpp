// SPDX-License-Identifier: MIT
// earlyseed load: what each call does at its stage, what it credits and why not, and that it stands in nobody's way.
// The order of a rotation and power cuts are rotate_test.cpp's.
#include <algorithm>
#include <cerrno>

#include <sodium/crypto_generichash.h>

#include "catch.hpp"
#include "jitter/collect.hpp"
#include "scene.hpp"

using namespace earlyseed;
using namespace earlyseed::scene;

namespace {

std::string what(Reason reason) { return std::string(explain(reason).what); }

std::vector<std::string> writes() { return fake::journal_of({"write", "create_zeros"}); }

std::vector<std::string> mounts() { return fake::journal_of({"private_mounts", "mount", "unmount", "remount"}); }

bool said_once(const std::string& part) {
    std::string all = said();
    std::size_t at = all.find(part);
    return at != std::string::npos && all.find(part, at + 1) == std::string::npos;
}

// A store in a file system of its own, not mounted yet, on a device that udev knows by UUID.
fake::FileSystem& file_on_boot(std::string_view type = "ext4") {
    fake::put_device("/dev/vda2", 65536, 0xfe02);
    fake::FileSystem& boot = fake::put_file_system("/dev/vda2", type);
    fake::put_link("/dev/disk/by-uuid/1234-ABCD", "/dev/vda2");
    fake::Entry file;
    file.cached.assign(8192, 0);
    file.durable = file.cached;
    put_seed(file, 0, {.generation = 1, .fill = 0x31});
    put_seed(file, 1, {.generation = 2, .fill = 0x52});
    boot.files["/earlyseed/seed"] = file;
    return boot;
}

const std::string kOnBoot = kQuiet + "store = UUID=1234-ABCD:/earlyseed/seed\n";
const std::string kInRoot = kQuiet + "store = /var/lib/earlyseed/seed\n";

}  // namespace

// --- P3: what is credited, and the reason for each zero
// ---------------------------------------------------------------

TEST_CASE(
    "P2, P3: each doubt about a seed costs its credit, is named, and the seed is mixed and rotated all the same") {
    struct Case {
        Reason reason;
        std::string config;
        Seed older, newer;
        void (*scene)();
    };
    const Case cases[] = {
        {Reason::none, "", {.generation = 1}, {.generation = 2}, [] {}},
        {Reason::none, "credit-seed = always\n", {.generation = 1}, {.generation = 2}, [] {}},
        {Reason::none,
         "credit-seed = always\n",
         {.generation = 1},
         {.generation = 2},
         [] { fake::state().hypervisor = true; }},
        {Reason::seed_never, "credit-seed = never\n", {.generation = 1}, {.generation = 2}, [] {}},
        {Reason::virtual_machine, "", {.generation = 1}, {.generation = 2}, [] { fake::state().hypervisor = true; }},
        {Reason::virtual_machine,
         "",
         {.generation = 1},
         {.generation = 2},
         [] { fake::put_text("/sys/class/dmi/id/product_name", "VirtualBox\n"); }},
        {Reason::not_creditable, "", {.generation = 1}, {.generation = 2, .creditable = false}, [] {}},
        {Reason::not_creditable,
         "credit-seed = always\n",
         {.generation = 1},
         {.generation = 2, .creditable = false},
         [] {}},
        {Reason::other_machine,
         "",
         {.generation = 1},
         {.generation = 2},
         [] { give_identity("99999999-0042-3510-8057-b3c04f564433"); }},
        {Reason::other_machine,
         "credit-seed = always\n",
         {.generation = 1},
         {.generation = 2},
         [] { give_identity("99999999-0042-3510-8057-b3c04f564433"); }},
        {Reason::other_machine,
         "credit-seed = always\n",
         {.generation = 1},
         {.generation = 2},
         [] { give_identity("00000000-0000-0000-0000-000000000000"); }},
        {Reason::machine_unknown,
         "",
         {.generation = 1, .bound = false},
         {.generation = 2, .bound = false},
         [] { give_identity("00000000-0000-0000-0000-000000000000"); }},
        {Reason::none,
         "credit-seed = always\n",
         {.generation = 1, .bound = false},
         {.generation = 2, .bound = false},
         [] { give_identity("Not Specified"); }},
        {Reason::sibling_doubt, "", {.generation = 2, .fill = 3}, {.generation = 2}, [] {}},
        {Reason::boot_unknown,
         "",
         {.generation = 1},
         {.generation = 2},
         [] { fake::state().files.erase("/proc/sys/kernel/random/boot_id"); }},
        {Reason::boot_unknown, "", {.generation = 1}, {.generation = 2, .boot_id = {}}, [] {}},
    };
    for (const Case& c : cases) {
        INFO(what(c.reason) << "; " << c.config);
        machine(kQuiet + c.config);
        fake::Entry& store = empty_partition();
        put_seed(store, 0, c.older);
        put_seed(store, 1, c.newer);
        c.scene();
        std::uint64_t before = newest(store.durable).generation;
        CHECK(run_load() == kExitDone);
        CHECK(credits() == std::vector<unsigned>{0, c.reason == Reason::none ? 256u : 0u});
        CHECK(report("seed.reason") == what(c.reason));
        CHECK(report("seed.advice") == explain(c.reason).advice);
        CHECK(report("seed.bytes") == "64");
        CHECK(newest(store.durable).generation == before + 2);
        CHECK(writes().size() == 2);
        if (c.reason != Reason::none) CHECK(said_once("seed 0 bits: " + what(c.reason)));
        CHECK(leak() == "");
    }
}

TEST_CASE("P1: a sibling that is damaged, pristine, foreign or unreadable costs the credit of one boot") {
    for (int kind : {0, 1, 2, 3}) {
        machine();
        fake::state().crng = fake::Crng::ready;
        fake::Entry& store = empty_partition();
        put_seed(store, 1, {.generation = 2});
        if (kind == 0) {
            put_seed(store, 0, {.generation = 3});
            fake::set_content(store, 90, {1, 2, 3});
        }
        if (kind == 2) fake::set_content(store, 0, fake::Buffer(512, 0x77));
        if (kind == 3) fake::state().failures.push_back({.call = "read", .nth = 1, .only = "slot 0"});
        CHECK(run_load() == kExitDone);
        CHECK(credits() == std::vector<unsigned>{0, 0});
        CHECK(report("seed.reason") == what(Reason::sibling_doubt));
        CHECK_FALSE(slot(store.durable, 0).creditable);
        CHECK(slot(store.durable, 1).creditable);
        fake::reboot();
        CHECK(run_load() == kExitDone);
        CHECK(credits() == std::vector<unsigned>{0, 256});
    }
}

TEST_CASE("P1: a seed saved in this very boot is not credited in it") {
    machine();
    fake::Entry& store = empty_partition();
    put_seed(store, 0, {.generation = 1, .boot_id = read_boot().id});
    put_seed(store, 1, {.generation = 2, .boot_id = read_boot().id});
    CHECK(run_load() == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0, 0});
    CHECK(report("seed.reason") == what(Reason::saved_this_boot));
    CHECK(newest(store.durable).generation == 4);
}

TEST_CASE("P2: on a cloned disk the seed is mixed, and what is saved belongs to the clone from then on") {
    machine();
    fake::Entry& store = seeded_partition();
    give_identity("99999999-0042-3510-8057-b3c04f564433");
    fake::state().crng = fake::Crng::never;
    CHECK(run_load() == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0, 0});
    CHECK_FALSE(newest(store.durable).creditable);
    CHECK(newest(store.durable).tag == identify_machine().tag);
    fake::state().crng = fake::Crng::ready;
    CHECK(run_save() == kExitDone);
    fake::reboot();
    CHECK(run_load() == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0, 256});
}

TEST_CASE("P3: when the kernel refuses, there is no credit, the reason is named, and the seed is rotated") {
    machine();
    fake::Entry& store = seeded_partition();
    fake::state().may_add_entropy = false;
    CHECK(run_load() == kExitDegraded);
    CHECK(report("seed.credited_bits") == "0");
    CHECK(report("seed.reason") == what(Reason::not_accepted));
    CHECK(report("jitter.reason") == what(Reason::not_accepted));
    CHECK(newest(store.durable).generation == 4);
}

TEST_CASE("P3: jitter that is collected in time earns 256 bits, and alone makes the generator ready") {
    machine("jitter-timeout-ms = 60000\nload-timeout-ms = 60000\n");
    CHECK(run_load(true) == kExitDone);
    CHECK(credits() == std::vector<unsigned>{256});
    CHECK(report("jitter.credited_bits") == "256");
    CHECK(report("jitter.reason").empty());
    CHECK(report("ready") == "yes");
    CHECK(report("ready_by") == "jitter");
    CHECK(said_once("jitter 256 bits"));
}

TEST_CASE("P3: jitter that runs out of time earns nothing, says so, and is mixed all the same") {
    machine("jitter-timeout-ms = 1\nload-timeout-ms = 60000\n");
    fake::state().tick_ns = 2'000'000;  // more than the limit between two looks at the clock
    CHECK(run_load(true) == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0});
    CHECK(report("jitter.credited_bits") == "0");
    CHECK(report("jitter.reason") == what(Reason::out_of_time));
    CHECK(report("jitter.samples") == std::to_string(kBatchSamples));
    CHECK(report("ready") == "no");
    CHECK(said_once("jitter 0 bits"));
}

TEST_CASE("P3: a hardware RNG is credited by its configured quality, and waits for nobody") {
    struct Case {
        const char* config;
        std::size_t bytes;
        int end_code;
        unsigned bits;
        Reason reason;
        bool shown;
    };
    const Case cases[] = {
        {"", 4096, 0, 0, Reason::quality_zero, true},
        {"hwrng-quality = 1024\n", 4096, 0, 256, Reason::none, true},
        {"hwrng-quality = 512\n", 4096, 0, 256, Reason::none, true},
        {"hwrng-quality = 512\n", 32, EAGAIN, 128, Reason::none, true},
        {"hwrng-quality = 1024\n", 0, EAGAIN, 0, Reason::none, false},
        {"hwrng-quality = 1024\n", 0, 0, 0, Reason::none, false},
        {"hwrng-quality = 1024\n", 0, EIO, 0, Reason::none, false},
        {"hwrng-quality = 1024\n", 0, ENODEV, 0, Reason::none, false},
    };
    for (bool still : {false, true}) {
        for (const Case& c : cases) {
            INFO(c.config << c.bytes << " bytes, errno " << c.end_code << (still ? ", clock stands still" : ""));
            machine(kQuiet + c.config);
            if (still) fake::state().tick_ns = 0;
            fake::Buffer bytes;
            for (std::size_t i = 0; i < c.bytes; i++) bytes.push_back(static_cast<std::uint8_t>(i * 11 + 7));
            fake::put_stream("/dev/hwrng", bytes, c.end_code);
            CHECK(run_load(true) == kExitDone);
            CHECK(credits() ==
                  (c.shown ? std::vector<unsigned>{0, c.bits} : std::vector<unsigned>{0}));  // jitter first
            CHECK(report("hwrng.done") == (c.shown ? "1" : ""));
            if (c.shown) CHECK(report("hwrng.reason") == what(c.reason));
            CHECK(fake::state().sleeps <= 50);
            CHECK(report("ready") == (c.bits >= 256 ? "yes" : "no"));
            if (c.bits >= 256) CHECK(report("ready_by") == "hwrng");
        }
    }
}

TEST_CASE("P3: the CPU's generator is mixed and never credited, and one that repeats itself is told of") {
    for (bool stuck : {false, true}) {
        machine(kQuiet);
        for (std::uint64_t i = 0; i < 8; i++) {
            fake::state().cpu_words.push_back(stuck ? ~std::uint64_t{0} : 0x123456789abcdef * (i + 1));
        }
        CHECK(run_load(true) == kExitDone);
        CHECK(run_load(true) == kExitDone);
        CHECK(credits() == std::vector<unsigned>{0, 0});  // jitter, CPU; once
        CHECK(report("cpu.bytes") == "64");
        CHECK(report("cpu.credited_bits") == "0");
        CHECK(report("cpu.reason") == what(stuck ? Reason::stuck : Reason::never_credited));
        bool told = said().find("cpu 0 bits") != std::string::npos;
        CHECK(told == stuck);
    }
}

TEST_CASE("P3: a hardware RNG whose driver comes after the first call is used by the next one, once") {
    machine(kQuiet + "hwrng-quality = 1024\n");
    CHECK(run_load(true) == kExitDone);
    CHECK(report("hwrng.done") == "");
    fake::Buffer bytes;
    for (std::size_t i = 0; i < 4096; i++) bytes.push_back(static_cast<std::uint8_t>(i * 11 + 7));
    fake::put_stream("/dev/hwrng", bytes, 0);
    CHECK(run_load(true) == kExitDone);
    CHECK(run_load(true) == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0, 256});
    CHECK(report("ready_by") == "hwrng");
    CHECK(said_once("hwrng 256 bits"));
}

TEST_CASE(
    "P3: a source of the administrator's is credited by its quality once somebody is at its other end, a file never") {
    fake::Buffer bytes;
    for (std::size_t i = 0; i < 4096; i++) bytes.push_back(static_cast<std::uint8_t>(i * 11 + 7));
    machine(kQuiet + "source = /run/fifo 512\nsource = /etc/seed 1024\nsource = /dev/none 1024\n");
    fake::put_stream("/run/fifo", {}, 0);
    fake::put_text("/etc/seed", std::string(bytes.begin(), bytes.begin() + 64));
    CHECK(run_load(true) == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0, 0});  // jitter, the file
    CHECK(report("source1.done") == "");
    fake::put_stream("/run/fifo", {}, EAGAIN);  // somebody is there, and has nothing to say yet
    CHECK(run_load(true) == kExitDone);
    CHECK(report("source1.done") == "");
    CHECK(report("source2.bytes") == "64");
    CHECK(report("source2.reason") == what(Reason::repeatable));
    CHECK(report("source3.done") == "");
    fake::put_stream("/run/fifo", bytes, 0);
    CHECK(run_load(true) == kExitDone);
    CHECK(run_load(true) == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0, 0, 256});
    CHECK(report("source1.assessed_bits") == "256");
    CHECK(report("ready_by") == "source1");
    CHECK(said_once("source1 256 bits"));
}

TEST_CASE("P3: the kernel's own output, and flash memory, earn nothing as a source; a generator's device does") {
    for (auto [number, bits] : {std::pair{0x109u, 0u}, {0x5a06u, 0u}, {0xa600u, 256u}}) {
        machine(kQuiet + "source = /dev/source 1024\n");
        fake::Buffer bytes;
        for (std::size_t i = 0; i < 4096; i++) bytes.push_back(static_cast<std::uint8_t>(i * 11 + 7));
        fake::put_stream("/dev/source", bytes, 0);
        fake::find("/dev/source")->kind = kernel::FileKind::character_device;
        fake::find("/dev/source")->number = number;
        CHECK(run_load(true) == kExitDone);
        CHECK(credits() == std::vector<unsigned>{0, bits});
        CHECK(report("source1.reason") == (bits == 0 ? what(Reason::repeatable) : ""));
    }
}

TEST_CASE(
    "P4: a source that is slow comes after the seed, and what came before a store that is slow is in the report") {
    machine("credit-jitter = never\nsource = /run/fifo 1024\n");
    seeded_partition();
    fake::put_stream("/run/fifo", {}, EAGAIN);
    bool jitter_is_told = false;
    fake::state().before_call = [&] {
        jitter_is_told = jitter_is_told || (report("jitter.done") == "1" && fake::journal_of({"write"}).empty());
    };
    CHECK(run_load(true) == kExitDone);
    fake::state().before_call = nullptr;
    CHECK(jitter_is_told);
    std::vector<std::string> calls = fake::journal_of({"add_entropy", "read_some"});
    std::size_t reads = 0, feeds = 0, feeds_after = 0;
    for (const std::string& call : calls) {
        reads += call == "read_some /run/fifo";
        feeds += call.rfind("add_entropy", 0) == 0;
        feeds_after += call.rfind("add_entropy", 0) == 0 && reads != 0;
    }
    CHECK(reads > 0);
    CHECK(feeds == 2);  // jitter, then the seed
    CHECK(feeds_after == 0);
}

TEST_CASE("P8: ready without earlyseed, before or after its first call, is told apart") {
    machine();
    fake::state().crng = fake::Crng::by_time;
    fake::state().crng_ready_at_ns = fake::state().now_ns + 500'000'000;
    CHECK(run_load(true) == kExitDone);
    CHECK(report("ready") == "no");
    fake::state().now_ns += 1'000'000'000;
    seeded_partition();
    CHECK(run_load(true) == kExitDone);
    CHECK(report("ready_by") == "others");
    machine();
    fake::state().crng = fake::Crng::ready;
    CHECK(run_load(true) == kExitDone);
    CHECK(report("ready_by") == "kernel");
}

TEST_CASE("P3: a seed on the kernel command line is credited once, with a warning") {
    machine();
    fake::put_text("/proc/cmdline", "quiet earlyseed.seed=" + std::string(64, 'a') + "\n");
    CHECK(run_load(true) == kExitDone);
    CHECK(run_load(true) == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0, 256});
    CHECK(report("ready_by") == "cmdline");
    CHECK(said_once("EVERY USER CAN READ earlyseed.seed="));
}

// --- P4 and P9: stages
// --------------------------------------------------------------------------------------------------

TEST_CASE("P9: load --early mounts nothing and opens no file") {
    for (const std::string& config : {kOnBoot, kInRoot}) {
        machine(config);
        file_on_boot();
        empty_file();
        CHECK(run_load(true) == kExitDone);
        CHECK(mounts().empty());
        CHECK(fake::journal_of({"open_exclusive"}).empty());
        CHECK(writes().empty());
        CHECK(credits() == std::vector<unsigned>{0});  // jitter is mixed
        CHECK(report("store.state") == "missing");
        CHECK(said_once(config == kOnBoot ? "waits until a file system may be mounted" : "waits for the root"));
    }
}

TEST_CASE("P9: load --early uses a raw partition as soon as it is there") {
    machine();
    CHECK(run_load(true) == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0});
    fake::Entry& store = seeded_partition();
    CHECK(run_load(true) == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0, 256});
    CHECK(mounts().empty());
    CHECK(newest(store.durable).generation == 4);
}

TEST_CASE("P9: a store in a file is mounted privately, by load without --early, and unmounted again") {
    for (const char* type : {"ext4", "vfat"}) {
        machine(kOnBoot);
        fake::state().initramfs = true;
        fake::FileSystem& boot = file_on_boot(type);
        CHECK(run_load(true) == kExitDone);
        CHECK(run_load() == kExitDone);
        CHECK(mounts() == std::vector<std::string>{"private_mounts", std::string("mount /dev/vda2 ") + type + " rw",
                                                   "unmount /run/earlyseed/mnt"});
        CHECK(credits() == std::vector<unsigned>{0, 256});
        CHECK(newest(boot.files["/earlyseed/seed"].durable).generation == 4);
        CHECK(fake::state().mistakes.empty());
        CHECK(fake::state().handles.empty());
        CHECK(leak() == "");
    }
}

TEST_CASE("P4: a store's file system that cannot be mounted is one line, and load ends well for the boot") {
    struct Case {
        void (*scene)();
        const char* line;
    };
    const Case cases[] = {
        {[] { fake::state().file_systems["/dev/vda2"].mount_code = ENODEV; },
         "kernel module of its file system is missing"},
        {[] { fake::state().file_systems["/dev/vda2"].mount_code = EIO; }, "cannot mount /dev/disk/by-uuid/1234-ABCD"},
        {[] {
             fake::put_file_system("/dev/vda2", "xfs");
             fake::set_content(*fake::find("/dev/vda2"), 0x438, {0, 0});
         },
         "neither ext2, 3 or 4 nor vfat"},
        {[] { fake::state().failures.push_back({.call = "private_mounts"}); }, "cannot make mounts private"},
        {[] { fake::state().file_systems["/dev/vda2"].files.clear(); }, "is not there"},
    };
    for (const Case& c : cases) {
        machine(kOnBoot);
        file_on_boot();
        c.scene();
        CHECK(run_load() == kExitDegraded);
        INFO(said());
        CHECK(said_once(c.line));
        CHECK(credits() == std::vector<unsigned>{0});
        CHECK(writes().empty());
        CHECK(fake::state().mounts.empty());
        CHECK(fake::state().handles.empty());
    }
}

TEST_CASE("P1: a file system that can only be mounted read-only: mixed, no credit") {
    machine(kOnBoot);
    file_on_boot().read_only = true;
    CHECK(run_load() == kExitDegraded);
    CHECK(mounts() == std::vector<std::string>{"private_mounts", "mount /dev/vda2 ext4 rw", "mount /dev/vda2 ext4 ro",
                                               "unmount /run/earlyseed/mnt"});
    CHECK(credits() == std::vector<unsigned>{0, 0});
    CHECK(report("seed.reason") == what(Reason::read_only));
    CHECK(writes().empty());
}

TEST_CASE("P4: a file on the root file system waits for it, and is then used below --root") {
    machine(kInRoot);
    fake::state().initramfs = true;
    fake::put_folder("/sysroot/var/lib/earlyseed");
    fake::Entry& store = empty_file("/sysroot/var/lib/earlyseed/seed");
    put_seed(store, 0, {.generation = 1});
    put_seed(store, 1, {.generation = 2});
    CHECK(run_load() == kExitDone);
    CHECK(writes().empty());
    CHECK(credits() == std::vector<unsigned>{0});
    CHECK(report("store.state") == "missing");
    CHECK(said_once("waits for the root file system"));

    SECTION("writable") {
        CHECK(run_load(false, "/sysroot") == kExitDone);
        CHECK(mounts().empty());
    }
    SECTION("read-only: made writable for the purpose, and read-only again") {
        fake::state().read_only_trees.insert("/sysroot");
        CHECK(run_load(false, "/sysroot") == kExitDone);
        CHECK(mounts() == std::vector<std::string>{"private_mounts", "remount /sysroot rw", "remount /sysroot ro"});
        CHECK(fake::state().read_only_trees.count("/sysroot") == 1);
        CHECK(fake::state().mistakes.empty());
    }
    CHECK(credits() == std::vector<unsigned>{0, 256});
    CHECK(newest(store.durable).generation == 4);
    CHECK(report("store.state") == "rotated");
}

TEST_CASE("P1: a root that stays read-only: mixed, no credit, and the remount is not undone that was never done") {
    machine(kInRoot);
    fake::put_folder("/sysroot/var/lib/earlyseed");
    fake::Entry& store = empty_file("/sysroot/var/lib/earlyseed/seed");
    put_seed(store, 0, {.generation = 1});
    put_seed(store, 1, {.generation = 2});
    fake::state().read_only_trees.insert("/sysroot");
    fake::state().failures.push_back({.call = "remount", .code = EROFS});
    CHECK(run_load(false, "/sysroot") == kExitDegraded);
    CHECK(credits() == std::vector<unsigned>{0, 0});
    CHECK(report("seed.reason") == what(Reason::read_only));
    CHECK(mounts() == std::vector<std::string>{"private_mounts", "remount /sysroot rw"});
    CHECK(writes().empty());
}

TEST_CASE("P4: a second load of the same boot does nothing twice") {
    machine();
    fake::Entry& store = seeded_partition();
    CHECK(run_load(true) == kExitDone);
    fake::Buffer content = store.durable;
    std::string text = fake::text_of(kReportPath);
    std::size_t lines = fake::state().kernel_log.size();
    fake::state().journal.clear();
    for (bool early : {true, false}) {
        CHECK(run_load(early) == kExitDone);
        CHECK(run_load(early, "/sysroot") == kExitDone);
    }
    CHECK(ritual().empty());
    CHECK(store.durable == content);
    CHECK(fake::text_of(kReportPath) == text);
    CHECK(fake::state().kernel_log.size() == lines);
}

TEST_CASE("P1: a second load that finds no report, as /run is gone, credits nothing twice") {
    machine();
    seeded_partition();
    CHECK(run_load() == kExitDone);
    fake::state().files.erase(kReportPath);
    CHECK(run_load() == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0, 256, 0, 0});
    CHECK(report("seed.reason") == what(Reason::saved_this_boot));
}

TEST_CASE("P1: a report of another boot says nothing about this one") {
    machine();
    seeded_partition();
    CHECK(run_load() == kExitDone);
    std::string text = fake::text_of(kReportPath);
    fake::reboot();
    fake::put_folder("/run/earlyseed");
    fake::put_text(kReportPath, text);
    CHECK(run_load() == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0, 256});
}

TEST_CASE("P4: load ends when the clock stands still") {
    for (const char* config : {"", "credit-jitter = never\n"}) {
        machine(config);
        fake::state().tick_ns = 0;
        fake::state().crng = fake::Crng::never;
        fake::state().epoch_s = 0;
        fake::put_stream("/dev/hwrng", {}, EAGAIN);
        fake::Entry& store = seeded_partition();
        CHECK(run_load() == kExitDone);
        CHECK(credits().size() == 2);  // jitter, seed; the hardware RNG has nothing to say
        CHECK(newest(store.durable).generation == 4);
        CHECK(fake::state().sleeps <= 50);
    }
}

TEST_CASE("P4: load gives no later than its bound: exit 1 and one line") {
    machine(kQuiet + "load-timeout-ms = 300\n");
    seeded_partition();
    SECTION("the work hangs") { fake::state().hangs = true; }
    SECTION("a flush takes seconds") { fake::state().flush_ns = 2'000'000'000; }
    CHECK(run_load() == kExitDegraded);
    CHECK(fake::journal_of({"run_bounded"}) == std::vector<std::string>{"run_bounded 300"});
    CHECK(said_once("not finished after 300 ms"));
}

TEST_CASE("P4: load and save never wait for the generator, and never read from it what would block") {
    for (fake::Crng crng : {fake::Crng::never, fake::Crng::ready}) {
        machine();
        fake::state().crng = crng;
        seeded_partition();
        CHECK(run_load() == kExitDone);
        CHECK(run_save() == kExitDone);
        CHECK(fake::journal_of({"wait_until_ready"}).empty());
        CHECK(fake::state().mistakes.empty());
        CHECK(fake::state().sleeps == 0);
    }
}

TEST_CASE("P4: while another load is at work, load does nothing and waits for nothing") {
    machine();
    seeded_partition();
    fake::state().lock_busy = true;
    CHECK(run_load() == kExitDone);
    CHECK(ritual().empty());
    CHECK(fake::state().sleeps == 0);
    CHECK(said().empty());
}

TEST_CASE("P4: without /run load still rotates and credits; it says what it could not do") {
    machine();
    fake::Entry& store = seeded_partition();
    fake::state().failures.push_back({.call = "make_directory", .nth = 0, .code = EROFS});
    fake::state().failures.push_back({.call = "lock", .nth = 0, .code = ENOENT});
    fake::state().failures.push_back({.call = "write_text", .nth = 0, .code = ENOENT});
    CHECK(run_load() == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0, 256});
    CHECK(newest(store.durable).generation == 4);
    CHECK(said_once("is /run mounted?"));
    CHECK(said_once("cannot create /run/earlyseed/report"));
}

TEST_CASE("P4: earlyseed=off and rd.earlyseed=0 leave everything alone") {
    for (const char* word : {"earlyseed=off", "rd.earlyseed=0"}) {
        machine();
        fake::put_text("/proc/cmdline", std::string("quiet ") + word + "\n");
        seeded_partition();
        CHECK(run_load() == kExitDone);
        CHECK(ritual().empty());
        CHECK(said().empty());
        CHECK(fake::find(kReportPath) == nullptr);
    }
}

TEST_CASE("P4: load as another user: exit 1 with a line, nothing is touched") {
    machine();
    seeded_partition();
    fake::state().root = false;
    CHECK(run_load() == kExitDegraded);
    CHECK(said_once("must be run as root"));
    CHECK(ritual().empty());
}

// --- stores without a seed
// ------------------------------------------------------------------------------------------------

TEST_CASE("P5: an empty store gets two records, creditable when the generator is ready") {
    for (bool ready : {true, false}) {
        machine();
        fake::state().crng = ready ? fake::Crng::ready : fake::Crng::never;
        fake::Entry& store = empty_partition();
        CHECK(run_load() == kExitDone);
        CHECK(fake::journal_of({"write"}) == std::vector<std::string>{"write slot 0", "write slot 1"});
        CHECK(slot(store.durable, 0).generation == 1);
        CHECK(slot(store.durable, 1).generation == 2);
        for (int i : {0, 1}) {
            CHECK(slot(store.durable, i).creditable == ready);
            CHECK(slot(store.durable, i).boot_id == read_boot().id);
        }
        CHECK(slot(store.durable, 0).seed != slot(store.durable, 1).seed);
        CHECK(report("store.state") == "created");
        CHECK(report("seed.reason") == what(Reason::no_seed));
        CHECK(credits() == std::vector<unsigned>{0});
        fake::power_cut();
        CHECK(run_load() == kExitDone);
        CHECK(credits() == std::vector<unsigned>{0, ready ? 256u : 0u});
    }
}

TEST_CASE("P5: two damaged slots are named as such and filled anew") {
    machine();
    fake::state().crng = fake::Crng::ready;
    fake::Entry& store = seeded_partition();
    fake::set_content(store, 90, {1, 2, 3});
    fake::set_content(store, 4096 + 90, {1, 2, 3});
    CHECK(run_load() == kExitDone);
    CHECK(report("seed.reason") == what(Reason::damaged));
    CHECK(report("store.state") == "created");
    CHECK(slot_state(store.durable, 0) == SlotState::valid);
    CHECK(slot_state(store.durable, 1) == SlotState::valid);
}

TEST_CASE("P5: a first seed that cannot be written is exit 1 with a line") {
    machine();
    empty_partition();
    fake::state().failures.push_back({.call = "flush", .nth = 2});
    CHECK(run_load() == kExitDegraded);
    CHECK(report("store.state") == "failed");
    CHECK(said_once("cannot flush a first seed"));
}

TEST_CASE("P5: foreign data, another version, an unreadable or unusable store: never written, exit 1, one line") {
    struct Case {
        void (*scene)(fake::Entry& store);
        const char* line;
    };
    const Case cases[] = {
        {[](fake::Entry& s) {
             fake::set_content(s, 0, {'L', 'U', 'K', 'S', 0xba, 0xbe});
         },
         "holds data that is not"},
        {[](fake::Entry& s) {
             fake::set_content(s, 4096, {'L', 'V', 'M', '2'});
         },
         "holds data that is not"},
        // ext4 with blocks of 1 KiB: both slots begin with zeros.
        {[](fake::Entry& s) {
             fake::set_content(s, 1024 + 56, {0x53, 0xef});
         },
         "holds data that is not"},
        {[](fake::Entry& s) {
             fake::Buffer block = record_of({.generation = 5});
             block[8] = 2;  // the version; a checksum to match
             Bytes<32> sum;
             crypto_generichash(sum.data(), sum.size(), block.data(), 480, nullptr, 0);
             std::copy(sum.begin(), sum.end(), block.begin() + 480);
             fake::set_content(s, 0, block);
             put_seed(s, 1, {.generation = 4});
         },
         "is of another version of earlyseed"},
        {[](fake::Entry&) { fake::state().failures.push_back({.call = "read", .nth = 0}); }, "cannot be read"},
        {[](fake::Entry& s) { s.busy = true; }, "is in use"},
        {[](fake::Entry& s) {
             s.cached.resize(4096);
             s.durable.resize(4096);
         },
         "8192 are needed"},
    };
    for (const Case& c : cases) {
        machine();
        fake::Entry& store = empty_partition();
        c.scene(store);
        fake::Buffer content = store.durable;
        CHECK(run_load() == kExitDegraded);
        CHECK(writes().empty());
        CHECK(store.durable == content);
        CHECK(report("store.state") == "refused");
        INFO(said());
        CHECK(said_once(std::string("earlyseed: load: store PARTLABEL=earlyseed")));
        CHECK(said_once(c.line));
        // Said once in a boot.
        fake::state().kernel_log.clear();
        CHECK(run_load() == kExitDone);
        CHECK(said().empty());
    }
}

TEST_CASE("P8: a store that never came is an error in the running system, not before") {
    machine();
    fake::state().initramfs = true;
    CHECK(run_load() == kExitDone);
    CHECK(said_once("store PARTLABEL=earlyseed is not there"));
    CHECK(fake::state().kernel_log.back().level == 6);
    fake::state().initramfs = false;
    CHECK(run_load() == kExitDegraded);
    CHECK(said_once("see 'earlyseed setup'"));
    CHECK(report("seed.reason") == what(Reason::no_store));
    CHECK(report("store.state") == "missing");
    CHECK(run_load() == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0});
}

TEST_CASE("P6: a seed that others may read is not credited, nor are its successors, and the store is named") {
    machine(kInRoot);
    fake::state().crng = fake::Crng::ready;
    fake::Entry& store = empty_file();
    put_seed(store, 0, {.generation = 1});
    put_seed(store, 1, {.generation = 2});
    store.permissions = 0644;
    CHECK(run_load() == kExitDegraded);
    CHECK(credits() == std::vector<unsigned>{0, 0});
    CHECK(report("seed.reason") == what(Reason::exposed));
    CHECK(report("store.state") == "flawed");
    CHECK_FALSE(slot(store.durable, 0).creditable);
    CHECK_FALSE(slot(store.durable, 1).creditable);
    CHECK(said().find("chmod 600") != std::string::npos);
}

TEST_CASE("P1: a store in memory or on an overlay never earns credit: the next boot may find the same seed again") {
    machine(kInRoot);
    fake::state().crng = fake::Crng::ready;
    fake::Entry& store = empty_file();
    put_seed(store, 0, {.generation = 1});
    put_seed(store, 1, {.generation = 2});
    fake::state().forgetful_trees.insert("/var");
    CHECK(run_load() == kExitDegraded);
    CHECK(credits() == std::vector<unsigned>{0, 0});
    CHECK(report("seed.bytes") == "64");
    CHECK(report("seed.reason") == what(Reason::forgetful));
    CHECK(report("store.state") == "flawed");
    CHECK_FALSE(slot(store.durable, 0).creditable);
    CHECK_FALSE(slot(store.durable, 1).creditable);
    CHECK(said().find("put the store on a disk") != std::string::npos);
}

TEST_CASE("P8: a store that is exposed and read-only too has one problem in its line") {
    machine(kInRoot);
    fake::Entry& store = empty_file();
    put_seed(store, 0, {.generation = 1});
    put_seed(store, 1, {.generation = 2});
    store.permissions = 0644;
    store.read_only = true;
    CHECK(run_load() == kExitDegraded);
    CHECK(report("store.problem") ==
          "store /var/lib/earlyseed/seed: cannot be written; make it writable, or check the medium");
}

TEST_CASE("P6: a store of another user, or behind a symbolic link, is refused") {
    machine(kInRoot);
    fake::Entry& store = empty_file("/var/lib/earlyseed/other");
    fake::put_link(kFile, "/var/lib/earlyseed/other");
    SECTION("link") {
        CHECK(run_load() == kExitDegraded);
        CHECK(said_once("symbolic link"));
    }
    SECTION("owner") {
        fake::put_text("/etc/earlyseed.conf", kQuiet + "store = /var/lib/earlyseed/other\n");
        store.owner = 1000;
        CHECK(run_load() == kExitDegraded);
        CHECK(said_once("does not belong to root"));
    }
    CHECK(writes().empty());
}

TEST_CASE("P6: no secret byte in a log line, a print, the report or any file but the store") {
    for (bool debug : {false, true}) {
        for (fake::Crng crng : {fake::Crng::never, fake::Crng::by_credit, fake::Crng::ready}) {
            machine("");
            fake::state().crng = crng;
            fake::state().terminal = true;
            if (debug) fake::put_text("/proc/cmdline", "earlyseed.debug\n");
            fake::put_stream("/dev/hwrng", fake::Buffer(64, 0x5a), 0);
            seeded_partition();
            CHECK(run_load() != kExitUsage);
            std::vector<fake::Buffer> secrets{seed_bytes(0x31), seed_bytes(0x52), fake::Buffer(64, 0x5a)};
            CHECK(leak(secrets) == "");
            CHECK(run_save() == kExitDone);
            show_status(StatusOptions());
            StatusOptions json;
            json.json = true;
            show_status(json);
            CHECK(leak(secrets) == "");
            CHECK(fake::find(kReportPath)->permissions == 0644);
            // The search finds what it is to find.
            fake::state().err += std::string(reinterpret_cast<const char*>(secrets[1].data()) + 8, 8);
            CHECK(leak(secrets) != "");
        }
    }
}

TEST_CASE("P2: after forget, load puts no new seed into the store in that boot") {
    machine();
    fake::Entry& store = seeded_partition();
    CHECK(forget(ForgetOptions()) == kExitDone);
    CHECK(run_load() == kExitDone);
    CHECK(std::all_of(store.durable.begin(), store.durable.end(), [](std::uint8_t b) { return b == 0; }));
}

TEST_CASE("P1: a load that was killed at any call, and run again in the same boot, credits no seed twice") {
    for (fake::Crng crng : {fake::Crng::by_credit, fake::Crng::never}) {
        machine();
        fake::state().crng = crng;
        seeded_partition();
        std::vector<fake::State> killed;
        fake::state().before_call = [&] {
            const std::vector<std::string>& journal = fake::state().journal;
            if (journal.empty()) return;
            std::string_view last = journal.back();
            for (const char* call : {"write", "flush", "read ", "add_entropy", "remove_file"}) {
                if (last.substr(0, std::string_view(call).size()) == call) killed.push_back(fake::state());
            }
        };
        run_load();
        REQUIRE(killed.size() > 10);
        fake::State end = fake::state();
        for (fake::State& state : killed) {
            fake::state() = state;
            INFO("killed after " << fake::state().journal.back());
            fake::state().before_call = {};
            fake::state().handles.clear();
            fake::state().lock_held = false;
            run_load();
            std::vector<unsigned> all = credits();
            CHECK(std::count(all.begin(), all.end(), 256u) <= 1);
            fake::Entry& store = *fake::find(kDisk);
            CHECK(newest(store.durable).generation >= 2);
            bool credited = std::count(all.begin(), all.end(), 256u) == 1;
            // And the next boot, after a power cut, does not credit the seed that was credited here.
            Found seed_left = newest(store.durable);
            if (credited) CHECK(seed_left.seed != seed_bytes(0x52));
            fake::power_cut();
            CHECK(run_load() == kExitDone);
            CHECK(newest(fake::find(kDisk)->durable).generation > seed_left.generation);
        }
        fake::state() = end;
        fake::state().before_call = {};
    }
}
