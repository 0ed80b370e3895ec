// SPDX-License-Identifier: MIT
// The store on its medium: how it is opened at which stage, and the one way in which a slot is written.
#include <cerrno>

#include "catch.hpp"
#include "scene.hpp"
#include "seed/store_device.hpp"

using namespace earlyseed;
using namespace earlyseed::scene;

namespace {

Store::Outcome open_it(Store& store, std::string_view spec, Stage stage, Store::Mode mode = Store::Mode::write,
                       std::string_view root = "") {
    Line problem;
    Store::Outcome outcome = store.open(*parse_store(spec), mode, stage, root, problem);
    CHECK(problem.empty() == (outcome == Store::Outcome::opened));
    return outcome;
}

}  // namespace

TEST_CASE("P9: which kind of store may be used at which stage") {
    struct Case {
        const char* spec;
        Store::Outcome at[4];
    };
    constexpr auto opened = Store::Outcome::opened, absent = Store::Outcome::absent;
    const Case cases[] = {{"PARTLABEL=earlyseed", {opened, opened, opened, opened}},
                          {"/dev/vda2:/seed", {absent, opened, opened, opened}},
                          {"/var/lib/earlyseed/seed", {absent, absent, opened, opened}}};
    for (const Case& c : cases) {
        for (Stage stage : {Stage::early, Stage::initrd, Stage::root, Stage::running}) {
            INFO(c.spec << " at stage " << static_cast<int>(stage));
            machine();
            fake::put_folder("/run/earlyseed");
            seeded_partition();
            fake::put_device("/dev/vda2", 65536, 0xfe02);
            fake::put_file_system("/dev/vda2", "vfat").files["/seed"] = empty_file();
            empty_file("/sysroot" + std::string(kFile));
            {
                Store store;
                CHECK(open_it(store, c.spec, stage, Store::Mode::write, stage == Stage::root ? "/sysroot" : "") ==
                      c.at[static_cast<int>(stage)]);
            }
            if (stage == Stage::early) CHECK(fake::journal_of({"mount", "private_mounts", "remount"}).empty());
            CHECK(fake::state().handles.empty());
            CHECK(fake::state().mounts.empty());
            CHECK(fake::state().mistakes.empty());
        }
    }
}

TEST_CASE("P1: a slot is written whole, flushed and read back, and the note of doubt is gone when it is durable") {
    machine();
    fake::put_folder("/run/earlyseed");
    fake::Entry& medium = empty_partition();
    fake::set_content(medium, 4096, fake::Buffer(4096, 0xee));
    Store store;
    REQUIRE(open_it(store, "PARTLABEL=earlyseed", Stage::early) == Store::Outcome::opened);
    Record record;
    record.generation = 9;
    fake::state().journal.clear();
    CHECK(store.write(1, record));
    CHECK(fake::state().journal ==
          std::vector<std::string>{"create /run/earlyseed/in-doubt", "write_bytes /run/earlyseed/in-doubt",
                                   "write slot 1", "flush", "read slot 1", "remove_file /run/earlyseed/in-doubt"});
    CHECK(slot(medium.durable, 1).generation == 9);
    CHECK(fake::Buffer(medium.durable.begin() + 4096 + 512, medium.durable.begin() + 8192) == fake::Buffer(3584, 0));
    CHECK(slot_state(medium.durable, 0) == SlotState::pristine);
}

TEST_CASE("P1: each failed step of a write is an error, and leaves the note of doubt") {
    struct Case {
        const char* call;
        const char* operation;
    };
    for (Case c : {Case{"write", "write"}, {"flush", "flush"}, {"read", "read"}, {"", "read back"}}) {
        machine();
        fake::put_folder("/run/earlyseed");
        empty_partition();
        Store store;
        REQUIRE(open_it(store, "PARTLABEL=earlyseed", Stage::early) == Store::Outcome::opened);
        if (*c.call)
            fake::state().failures.push_back({.call = c.call});
        else
            fake::state().read_back_differs = true;
        Record record;
        record.generation = 9;
        Status written = store.write(0, record);
        REQUIRE_FALSE(written);
        CHECK(std::string(written.error().operation) == c.operation);
        CHECK(fake::text_of("/run/earlyseed/in-doubt") == "0 PARTLABEL=earlyseed\n");
        fake::state().failures.clear();
        std::array<Slot, 2> slots;
        store.read(slots);
        // What never reached the medium is empty as before; what looks well may be lost with the power.
        CHECK(slots[0].state == (std::string_view(c.call) == "write" ? SlotState::pristine : SlotState::damaged));
        CHECK(slots[1].state == SlotState::pristine);
    }
}

TEST_CASE("P5: an empty beginning does not make a store of somebody else's data") {
    struct Case {
        std::size_t at;
        SlotState first, second;
    };
    // Behind the first record, as ext4's superblock with blocks of 1 KiB; behind the second; further on; at the very
    // end.
    for (Case c : {Case{1024, SlotState::foreign, SlotState::pristine},
                   {4096 + 512, SlotState::pristine, SlotState::foreign},
                   {65536, SlotState::foreign, SlotState::pristine},
                   {(4 << 20) - 1, SlotState::foreign, SlotState::pristine}}) {
        INFO("data at " << c.at);
        machine();
        fake::set_content(empty_partition(4 << 20), c.at, {0x53});
        Store store;
        REQUIRE(open_it(store, "PARTLABEL=earlyseed", Stage::early) == Store::Outcome::opened);
        std::array<Slot, 2> slots;
        store.read(slots);
        CHECK(slots[0].state == c.first);
        CHECK(slots[1].state == c.second);
        CHECK(choose(slots).content == StoreContent::foreign);
    }
}

TEST_CASE("P5: a note of doubt makes nobody else's data ours") {
    machine();
    fake::put_folder("/run/earlyseed");
    fake::set_content(empty_partition(), 0, fake::Buffer(4096, 0x53));
    fake::put_text("/run/earlyseed/in-doubt", "0 PARTLABEL=earlyseed\n");
    Store store;
    REQUIRE(open_it(store, "PARTLABEL=earlyseed", Stage::early) == Store::Outcome::opened);
    std::array<Slot, 2> slots;
    store.read(slots);
    CHECK(slots[0].state == SlotState::foreign);
}

TEST_CASE("P1: reading flushes first what an earlier process may have left in the cache") {
    machine();
    fake::Entry& medium = seeded_partition();
    // A process that wrote, and was killed before it flushed.
    fake::Buffer block = record_of({.generation = 3});
    std::copy(block.begin(), block.end(), medium.cached.begin());
    medium.pending.push_back({0, block});
    Store store;
    REQUIRE(open_it(store, "PARTLABEL=earlyseed", Stage::early) == Store::Outcome::opened);
    std::array<Slot, 2> slots;
    store.read(slots);
    CHECK(slots[0].record.generation == 3);
    CHECK(slot(medium.durable, 0).generation == 3);
}

TEST_CASE("P5: for reading only, nothing is flushed and nothing can be written") {
    machine();
    seeded_partition();
    Store store;
    REQUIRE(open_it(store, "PARTLABEL=earlyseed", Stage::running, Store::Mode::read) == Store::Outcome::opened);
    CHECK(store.read_only());
    std::array<Slot, 2> slots;
    store.read(slots);
    CHECK(slots[1].state == SlotState::valid);
    CHECK(fake::journal_of({"flush"}).empty());
    CHECK(fake::journal_of({"open_exclusive"}) == std::vector<std::string>{"open_exclusive /dev/vda1 read"});
}

TEST_CASE("P5: a file is made where it is missing only when that was asked for") {
    machine();
    fake::put_folder("/run/earlyseed");
    fake::put_device("/dev/vda2", 65536, 0xfe02);
    fake::FileSystem& boot = fake::put_file_system("/dev/vda2", "ext4");
    for (Store::Mode mode : {Store::Mode::read, Store::Mode::write}) {
        Store store;
        CHECK(open_it(store, "/dev/vda2:/a/seed", Stage::running, mode) == Store::Outcome::absent);
        CHECK(boot.files.empty());
    }
    Store store;
    CHECK(open_it(store, "/dev/vda2:/a/seed", Stage::running, Store::Mode::create) == Store::Outcome::opened);
    CHECK(boot.files["/a/seed"].durable == fake::Buffer(8192, 0));
    CHECK(boot.files["/a/seed"].permissions == 0600);
    CHECK(boot.files["/a"].permissions == 0700);
}

TEST_CASE("P5: what is no regular file and no block device is refused") {
    machine();
    fake::put_stream("/var/lib/fifo", {}, 0);
    fake::put_folder("/var/lib/folder");
    for (const char* path : {"/var/lib/fifo", "/var/lib/folder"}) {
        Store store;
        CHECK(open_it(store, path, Stage::running) == Store::Outcome::refused);
    }
}

TEST_CASE("P6: a file is exposed by any bit for group or others; a device is not judged") {
    for (unsigned mode : {0600u, 0400u, 0700u, 0640u, 0604u, 0620u, 0601u}) {
        machine();
        empty_file().permissions = static_cast<std::uint16_t>(mode);
        Store store;
        REQUIRE(open_it(store, kFile, Stage::running) == Store::Outcome::opened);
        CHECK((store.flaw() == StoreFlaw::exposed) == ((mode & 077) != 0));
    }
    machine();
    seeded_partition();
    Store store;
    REQUIRE(open_it(store, "/dev/vda1", Stage::running) == Store::Outcome::opened);
    CHECK(store.flaw() == StoreFlaw::none);
}

TEST_CASE("P5: file systems are told by their marks") {
    fake::Buffer start(2048);
    CHECK(file_system_type(start).empty());
    CHECK(file_system_type({}).empty());
    start[0x438] = 0x53;
    CHECK(file_system_type(start).empty());
    start[0x439] = 0xef;
    CHECK(file_system_type(start) == "ext4");
    CHECK(file_system_type(std::span(start).first(0x439)).empty());
    for (std::size_t at : {54, 82}) {
        fake::Buffer fat(512);
        fat[510] = 0x55;
        fat[511] = 0xaa;
        CHECK(file_system_type(fat).empty());  // a partition table
        fat[at] = 'F';
        fat[at + 1] = 'A';
        fat[at + 2] = 'T';
        CHECK(file_system_type(fat) == "vfat");
        fat[511] = 0;
        CHECK(file_system_type(fat).empty());
    }
}
