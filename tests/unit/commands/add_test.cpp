// SPDX-License-Identifier: MIT
// earlyseed add: bytes from elsewhere, credited as declared and never with more than they can hold.
#include <cerrno>

#include "catch.hpp"
#include "scene.hpp"

using namespace earlyseed;
using namespace earlyseed::scene;

namespace {

int run_add(std::uint64_t bits, const char* file = "/root/bytes") {
    Options options;
    options.credit_bits = bits;
    options.file = file;
    return add(options);
}

void give(std::size_t size, const char* file = "/root/bytes", int end_code = 0) {
    fake::Buffer bytes;
    for (std::size_t i = 0; i < size; i++) bytes.push_back(static_cast<std::uint8_t>(i * 29 + (i >> 8) + 3));
    fake::put_stream(file, bytes, end_code);
}

bool says(const std::string& part) { return said().find(part) != std::string::npos; }

}  // namespace

TEST_CASE("P3: add credits what is declared, but no more than 8 bits a byte and 256 in all") {
    struct Case {
        std::size_t bytes;
        std::uint64_t declared;
        unsigned credited;
    };
    for (Case c : {Case{32, 0, 0},
                   {32, 100, 100},
                   {32, 256, 256},
                   {32, 257, 256},
                   {1, 100, 8},
                   {5000, 100000, 256},
                   {31, 256, 248},
                   {64, ~std::uint64_t{0}, 256}}) {
        INFO(c.bytes << " bytes, " << c.declared << " bits");
        machine();
        give(c.bytes);
        CHECK(run_add(c.declared) == kExitDone);
        CHECK(credits() == std::vector<unsigned>{c.credited});
        CHECK(says(std::to_string(c.bytes) + " bytes mixed, " + std::to_string(c.credited) + " bits credited"));
        CHECK(says("no more than the input can hold") == (c.credited < c.declared));
        CHECK(says("is now ready") == (c.credited >= 256));
        CHECK(leak() == "");
        CHECK(fake::state().handles.empty());
    }
}

TEST_CASE("P3: all of the input counts, whatever its size") {
    auto fed = [](std::size_t size, std::size_t changed) {
        machine();
        give(size);
        if (changed < size) fake::find("/root/bytes")->cached[changed] ^= 1;
        REQUIRE(run_add(0) == kExitDone);
        return fake::state().feeds.at(0).bytes;
    };
    fake::Buffer base = fed(9000, 9000);
    CHECK(base.size() == 64);
    CHECK(base == fed(9000, 9000));
    for (std::size_t at : {0, 4095, 4096, 8999}) CHECK(base != fed(9000, at));
    CHECK(base != fed(8999, 9000));
}

TEST_CASE("P4: add stops after 1 MiB of an endless device") {
    machine();
    give((1 << 20) + 100);
    CHECK(run_add(0) == kExitDone);
    CHECK(says("1048576 bytes mixed"));
}

TEST_CASE("P3: add reads the standard input by default") {
    machine();
    give(32, "/dev/stdin");
    Options options;
    options.credit_bits = 8;
    CHECK(add(options) == kExitDone);
    CHECK(credits() == std::vector<unsigned>{8});
}

TEST_CASE("P10: when the generator is ready, what is added reaches its output at once") {
    machine();
    fake::state().crng = fake::Crng::ready;
    give(32);
    CHECK(run_add(256) == kExitDone);
    CHECK(ritual() == std::vector<std::string>{"add_entropy 256", "reseed"});
    CHECK_FALSE(says("is now ready"));
}

TEST_CASE("P8: what add cannot do is exit 1 with a line, and feeds nothing") {
    machine();
    std::string line;
    SECTION("empty") {
        give(0);
        line = "/root/bytes is empty; nothing was added";
    }
    SECTION("missing") { line = "cannot open /root/bytes"; }
    SECTION("a read error after some bytes") {
        give(100, "/root/bytes", EIO);
        line = "cannot read /root/bytes";
    }
    SECTION("not root") {
        give(32);
        fake::state().root = false;
        line = "must be run as root";
    }
    SECTION("EPERM") {
        give(32);
        fake::state().may_add_entropy = false;
        line = std::string(explain(Reason::not_accepted).what);
    }
    CHECK(run_add(8) == kExitDegraded);
    INFO(said());
    CHECK(says(line));
    CHECK(fake::state().feeds.empty());
}
