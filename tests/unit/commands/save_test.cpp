// SPDX-License-Identifier: MIT
// earlyseed save: where the next seed goes, what it is worth, and that nothing waits for it.
#include <algorithm>
#include <cerrno>

#include <set>

#include "catch.hpp"
#include "scene.hpp"

using namespace earlyseed;
using namespace earlyseed::scene;

namespace {

std::vector<std::string> writes() { return fake::journal_of({"write"}); }

bool says(const std::string& part) { return said().find(part) != std::string::npos; }

}  // namespace

TEST_CASE("P5: save writes into the older slot, flushes and reads back; the newest record stays") {
    for (bool newer_first : {true, false}) {
        machine();
        fake::state().crng = fake::Crng::ready;
        fake::Entry& store = empty_partition();
        put_seed(store, newer_first ? 0 : 1, {.generation = 12, .fill = 0x41});
        put_seed(store, newer_first ? 1 : 0, {.generation = 11, .fill = 0x42});
        CHECK(run_save() == kExitDone);
        std::string older = newer_first ? "slot 1" : "slot 0";
        CHECK(ritual() == std::vector<std::string>{"flush", "read slot 0", "read slot 1", "write " + older, "flush",
                                                   "read " + older});
        Found next = newest(store.durable);
        CHECK(next.generation == 13);
        CHECK(next.creditable);
        CHECK(next.boot_id == read_boot().id);
        CHECK(next.tag == identify_machine().tag);
        CHECK(next.seed != seed_bytes(0x41));
        CHECK(slot(store.durable, newer_first ? 0 : 1).seed == seed_bytes(0x41));
        CHECK(says("seed saved, generation 13"));
        CHECK(leak({seed_bytes(0x41), seed_bytes(0x42)}) == "");
        CHECK(fake::state().feeds.empty());
    }
}

TEST_CASE("P5: save fills both slots of an empty store, so that the next boot has its credit") {
    machine();
    fake::state().crng = fake::Crng::ready;
    fake::Entry& store = empty_partition();
    CHECK(run_save() == kExitDone);
    CHECK(writes() == std::vector<std::string>{"write slot 0", "write slot 1"});
    CHECK(slot(store.durable, 0).generation == 1);
    CHECK(slot(store.durable, 1).generation == 2);
    CHECK(slot(store.durable, 0).seed != slot(store.durable, 1).seed);
    fake::reboot();
    fake::state().crng = fake::Crng::by_credit;
    CHECK(run_load() == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0, 256});
}

TEST_CASE("P3: a saved seed is creditable when the generator is ready, or when it comes from a fresh seed") {
    struct Case {
        fake::Crng crng;
        Seed older, newer;
        bool creditable;
    };
    const Case cases[] = {
        {fake::Crng::ready, {.generation = 1}, {.generation = 2}, true},
        {fake::Crng::ready, {.generation = 1}, {.generation = 2, .creditable = false}, true},
        {fake::Crng::never, {.generation = 1}, {.generation = 2}, true},
        {fake::Crng::never, {.generation = 1}, {.generation = 2, .creditable = false}, false},
        {fake::Crng::never, {.generation = 2, .fill = 9}, {.generation = 2}, false},
        {fake::Crng::never, {.generation = 1}, {.generation = 2, .boot_id = {}}, false},
    };
    for (bool has_insecure : {true, false}) {
        for (const Case& c : cases) {
            machine();
            fake::state().crng = c.crng;
            fake::state().has_insecure = has_insecure;
            fake::Entry& store = empty_partition();
            put_seed(store, 0, c.older);
            put_seed(store, 1, c.newer);
            CHECK(run_save() == kExitDone);
            CHECK(newest(store.durable).generation == 3);
            CHECK(newest(store.durable).creditable == c.creditable);
            CHECK(says("not creditable") == !c.creditable);
        }
    }
}

TEST_CASE("P2: another machine's seed gives no creditable one before the generator is ready") {
    machine();
    fake::Entry& store = seeded_partition();
    give_identity("99999999-0042-3510-8057-b3c04f564433");
    fake::state().crng = fake::Crng::never;
    CHECK(run_save() == kExitDone);
    CHECK_FALSE(newest(store.durable).creditable);
}

TEST_CASE("P3: a seed that waits in the boot that saved it is worth as much in the next save") {
    machine();
    fake::state().crng = fake::Crng::ready;
    fake::Entry& store = empty_partition();
    CHECK(run_save() == kExitDone);
    fake::state().crng = fake::Crng::never;
    CHECK(run_save() == kExitDone);
    CHECK(newest(store.durable).generation == 3);
    CHECK(newest(store.durable).creditable);
}

TEST_CASE("P4: save never blocks, whatever the generator does") {
    for (fake::Crng crng : {fake::Crng::never, fake::Crng::by_credit, fake::Crng::ready}) {
        machine();
        fake::state().crng = crng;
        seeded_partition();
        fake::state().journal.clear();
        CHECK(run_save() == kExitDone);
        CHECK(fake::state().sleeps == 0);
        // All that it calls; none of these waits for the generator. (tests/secrets traces the real program.)
        const std::set<std::string> harmless{
            "file_info",   "read_text", "make_directory",  "lock",          "open_exclusive",
            "read",        "write",     "flush",           "create",        "remove_file",
            "write_bytes", "random",    "insecure_random", "for_each_name", "log"};
        for (const std::string& line : fake::state().journal) {
            INFO(line);
            CHECK(harmless.count(line.substr(0, line.find(' '))) == 1);
        }
        CHECK(fake::journal_of({"random"}).size() == 1);
        CHECK(fake::journal_of({"insecure_random"}).size() == (crng == fake::Crng::ready ? 0u : 1u));
    }
}

TEST_CASE("P5: each failure of save is exit 1 with a line, and the seed is still there") {
    struct Case {
        const char* call;
        unsigned nth;
        const char* line;
    };
    const Case cases[] = {{"write", 1, "cannot write the seed"},
                          {"flush", 2, "cannot flush the seed"},
                          {"read", 3, "cannot read the seed"},
                          {"flush", 1, "cannot be written"},
                          {"open_exclusive", 1, "cannot open"}};
    for (const Case& c : cases) {
        machine();
        fake::Entry& store = seeded_partition();
        fake::state().failures.push_back({.call = c.call, .nth = c.nth});
        CHECK(run_save() == kExitDegraded);
        INFO(said());
        CHECK(says(c.line));
        CHECK(slot(store.durable, 1).seed == seed_bytes(0x52));
        CHECK_FALSE(says("seed saved"));
    }
    machine();
    seeded_partition();
    fake::state().read_back_differs = true;
    CHECK(run_save() == kExitDegraded);
    CHECK(says("cannot read back the seed"));
}

TEST_CASE("P5: save never writes to a store that is missing, foreign, read-only or of another version") {
    machine();
    SECTION("missing") {
        CHECK(run_save() == kExitDegraded);
        CHECK(says("is not there"));
    }
    SECTION("foreign") {
        fake::set_content(empty_partition(), 0, fake::Buffer(600, 0x99));
        CHECK(run_save() == kExitDegraded);
        CHECK(says("holds data that is not earlyseed's"));
    }
    SECTION("read-only") {
        seeded_partition().read_only = true;
        CHECK(run_save() == kExitDegraded);
        CHECK(says("make it writable"));
    }
    SECTION("both slots unreadable") {
        seeded_partition();
        fake::state().failures.push_back({.call = "read", .nth = 0});
        CHECK(run_save() == kExitDegraded);
        CHECK(says("cannot be read"));
    }
    SECTION("another user") {
        seeded_partition();
        fake::state().root = false;
        CHECK(run_save() == kExitDegraded);
        CHECK(says("must be run as root"));
    }
    SECTION("earlyseed=off") {
        seeded_partition();
        fake::put_text("/proc/cmdline", "earlyseed=off\n");
        CHECK(run_save() == kExitDone);
        CHECK(said().empty());
    }
    CHECK(writes().empty());
}

TEST_CASE("P5: rd.earlyseed=0 is for the initrd: save saves") {
    machine();
    fake::Entry& store = seeded_partition();
    fake::put_text("/proc/cmdline", "rd.earlyseed=0\n");
    CHECK(run_save() == kExitDone);
    CHECK(newest(store.durable).generation == 3);
}

TEST_CASE("P5: save waits for the lock, but not for ever") {
    machine();
    seeded_partition();
    SECTION("held") {
        fake::state().lock_busy = true;
        CHECK(run_save() == kExitDegraded);
        CHECK(says("another earlyseed is at work"));
        CHECK(fake::state().sleeps <= 200);
        CHECK(fake::state().sleeps >= 100);
        CHECK(writes().empty());
    }
    SECTION("cannot be taken") {
        fake::state().failures.push_back({.call = "lock", .nth = 0, .code = EROFS});
        CHECK(run_save() == kExitDegraded);
        CHECK(says("is /run mounted?"));
        CHECK(writes().empty());
    }
    SECTION("taken and given back") {
        CHECK(run_save() == kExitDone);
        CHECK_FALSE(fake::state().lock_held);
        CHECK(fake::state().handles.empty());
    }
}

TEST_CASE("P6: a world-readable store is saved to, named, and what is saved is not creditable") {
    machine(kQuiet + "store = " + kFile + "\n");
    fake::state().crng = fake::Crng::ready;
    fake::Entry& store = empty_file();
    store.permissions = 0604;
    CHECK(run_save() == kExitDegraded);
    CHECK(says("the store is readable by users other than root"));
    CHECK(newest(store.durable).generation == 2);
    CHECK_FALSE(newest(store.durable).creditable);
    store.permissions = 0600;
    CHECK(run_save() == kExitDone);
    CHECK(newest(store.durable).creditable);
}

TEST_CASE("P2: after forget nothing is saved until the next boot") {
    machine();
    fake::state().crng = fake::Crng::ready;
    fake::Entry& store = seeded_partition();
    CHECK(forget(ForgetOptions()) == kExitDone);
    fake::state().journal.clear();
    CHECK(run_save() == kExitDone);
    CHECK(writes().empty());
    CHECK(says("nothing is saved until the next boot"));
    CHECK(newest(store.durable).generation == 0);
    fake::reboot();
    CHECK(run_save() == kExitDone);
    CHECK(newest(store.durable).generation == 2);
}

TEST_CASE("P9: save to a store in a file mounts it privately, and shares a file system that is mounted already") {
    machine(kQuiet + "store = UUID=1234-ABCD:/earlyseed/seed\n");
    fake::put_device("/dev/vda2", 65536, 0xfe02);
    fake::put_link("/dev/disk/by-uuid/1234-ABCD", "/dev/vda2");
    fake::FileSystem& boot = fake::put_file_system("/dev/vda2", "ext4");
    boot.in_use_writable = true;
    boot.files["/earlyseed/seed"] = empty_file();
    CHECK(run_save() == kExitDone);
    CHECK(newest(boot.files["/earlyseed/seed"].durable).generation == 2);
    CHECK(fake::state().mistakes.empty());
    CHECK(fake::state().mounts.empty());
}
