// SPDX-License-Identifier: MIT
// earlyseed forget: the store is wiped before an image is made, and stays wiped.
#include <algorithm>
#include <cerrno>

#include <sodium/crypto_generichash.h>

#include "catch.hpp"
#include "scene.hpp"

using namespace earlyseed;
using namespace earlyseed::scene;

namespace {

bool is_wiped(const fake::Entry& store) {
    auto zero = [](std::uint8_t byte) { return byte == 0; };
    return std::all_of(store.durable.begin(), store.durable.begin() + kStoreBytes, zero) &&
           std::all_of(store.cached.begin(), store.cached.begin() + kStoreBytes, zero);
}

bool says(const std::string& part) { return said().find(part) != std::string::npos; }

}  // namespace

TEST_CASE("P2: forget wipes both slots, durably, and leaves a note for this boot") {
    machine();
    fake::Entry& store = seeded_partition();
    CHECK(forget(Options()) == kExitDone);
    CHECK(ritual() == std::vector<std::string>{"flush", "read slot 0", "read slot 1", "write slot 0", "flush",
                                               "read slot 0", "write slot 1", "flush", "read slot 1"});
    CHECK(is_wiped(store));
    CHECK(fake::find(kForgottenPath) != nullptr);
    CHECK(says("wiped"));
    CHECK(leak({seed_bytes(0x31), seed_bytes(0x52)}) == "");
}

TEST_CASE("P2: forget wipes damaged stores and those of another version too") {
    machine();
    fake::Entry& store = seeded_partition();
    fake::set_content(store, 100, {9, 9, 9});
    SECTION("one slot damaged") {}
    SECTION("both slots damaged") { fake::set_content(store, 4096 + 100, {9, 9, 9}); }
    SECTION("another version") {
        fake::Buffer block = record_of({.generation = 5});
        block[8] = 7;
        Bytes<32> sum;
        crypto_generichash(sum.data(), sum.size(), block.data(), 480, nullptr, 0);
        std::copy(sum.begin(), sum.end(), block.begin() + 480);
        fake::set_content(store, 4096, block);
    }
    CHECK(forget(Options()) == kExitDone);
    CHECK(is_wiped(store));
}

TEST_CASE("P5: forget never writes over somebody else's data") {
    machine();
    fake::Entry& store = empty_partition();
    fake::set_content(store, 0, fake::Buffer(4096, 0x66));
    CHECK(forget(Options()) == kExitDegraded);
    CHECK(fake::journal_of({"write"}).empty());
    CHECK(says("holds data that is not earlyseed's"));
    CHECK(fake::find(kForgottenPath) == nullptr);
}

TEST_CASE("P5: forget writes nothing where it can read nothing") {
    machine();
    seeded_partition();
    fake::state().failures.push_back({.call = "read", .nth = 0});
    CHECK(forget(Options()) == kExitDegraded);
    CHECK(fake::journal_of({"write"}).empty());
    CHECK(says("cannot be read"));
}

TEST_CASE("P8: what forget cannot do is exit 1 with a line") {
    machine();
    fake::Entry& store = seeded_partition();
    std::string line;
    SECTION("write") {
        fake::state().failures.push_back({.call = "write", .nth = 2});
        line = "cannot write zeros";
    }
    SECTION("flush") {
        fake::state().failures.push_back({.call = "flush", .nth = 2});
        line = "cannot flush zeros";
    }
    SECTION("read-only") {
        store.read_only = true;
        line = "make it writable";
    }
    SECTION("busy") {
        store.busy = true;
        line = "is in use";
    }
    SECTION("lock") {
        fake::state().lock_busy = true;
        line = "another earlyseed is at work";
    }
    SECTION("not root") {
        fake::state().root = false;
        line = "must be run as root";
    }
    SECTION("no note") {
        fake::state().failures.push_back({.call = "write_text", .nth = 0, .only = "forgotten"});
        line = "the shutdown will save a seed again";
    }
    CHECK(forget(Options()) == kExitDegraded);
    INFO(said());
    CHECK(says(line));
}

TEST_CASE("P2: forget fails when it cannot tell which of two partitions is meant") {
    machine();
    seeded_partition();
    fake::put_partition("vdc1", 65536, 0xfe21, "earlyseed");
    CHECK(forget(Options()) == kExitDegraded);
    INFO(said());
    CHECK(says("several partitions are called that"));
    CHECK(fake::journal_of({"write"}).empty());
}

TEST_CASE("P8: forget without a store has nothing to do") {
    machine();
    CHECK(forget(Options()) == kExitDone);
    CHECK(says("nothing to forget"));
}
