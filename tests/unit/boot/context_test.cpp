// SPDX-License-Identifier: MIT
// What the commands share: where they read, what they say when they cannot, the lock, the kernel log.
#include <cerrno>

#include "catch.hpp"
#include "system/log.hpp"
#include "scene.hpp"

using namespace earlyseed;
using namespace earlyseed::scene;

namespace {

bool says(const std::string& part) { return said().find(part) != std::string::npos; }

}  // namespace

TEST_CASE("P8: the configuration is read, the kernel command line wins, each complaint is one warning with its line") {
    machine("credit-seed = never\nwidth = 7\nhwrng-quality = 9000\n");
    fake::put_text("/proc/cmdline", "quiet earlyseed.credit_seed=always earlyseed.colour=red\n");
    log::begin("load", true);
    Config config = read_config(Path("/etc/earlyseed.conf"));
    CHECK(config.credit_seed == SeedPolicy::always);
    CHECK(config.hwrng_quality == 0);
    REQUIRE(fake::state().kernel_log.size() == 3);
    CHECK(fake::state().kernel_log[0].text.find("earlyseed: load: /etc/earlyseed.conf, line 2: unknown key 'width'") ==
          0);
    CHECK(fake::state().kernel_log[1].text.find("earlyseed: load: /etc/earlyseed.conf, line 3: bad value '9000'") == 0);
    CHECK(fake::state().kernel_log[2].text.find("kernel command line: unknown word 'earlyseed.colour=red'") !=
          std::string::npos);
    for (const fake::LogLine& line : fake::state().kernel_log) CHECK(line.level == 4);
}

TEST_CASE("P4: without a configuration there are defaults and no complaint; one that cannot be read is a warning") {
    machine();
    fake::state().files.erase("/etc/earlyseed.conf");
    log::begin("load", true);
    CHECK(read_config(Path("/etc/earlyseed.conf")).store.text.view() == kDefaultStore);
    CHECK(said().empty());
    fake::state().failures.push_back({.call = "read_text", .code = EIO});
    CHECK(read_config(Path("/etc/earlyseed.conf")).store.text.view() == kDefaultStore);
    CHECK(says("defaults are used"));
}

TEST_CASE("P8: no /proc is a warning") {
    machine();
    fake::state().files.erase("/proc/cmdline");
    log::begin("load", true);
    read_config(Path("/etc/earlyseed.conf"));
    CHECK(says("is /proc mounted?"));
}

TEST_CASE("P8: a configuration that is too long says so") {
    machine("credit-seed = never\n" + std::string(9000, '#'));
    log::begin("load", true);
    CHECK(read_config(Path("/etc/earlyseed.conf")).credit_seed == SeedPolicy::never);
    CHECK(says("too long"));
}

TEST_CASE("P1: the boot ID is read whole, or is unknown") {
    machine();
    CHECK(read_boot().text.view() == "b007b007-0000-4000-8000-000000000001");
    CHECK(read_boot().id[0] == 0xb0);
    CHECK(read_boot().id[15] == 1);
    for (const char* text : {"", "b007b007-0000-4000-8000-00000000001\n", "no boot ID here\n"}) {
        fake::put_text("/proc/sys/kernel/random/boot_id", text);
        CHECK(read_boot().text.empty());
    }
}

TEST_CASE("P4: the lock is tried as long as was asked, and no longer") {
    machine();
    kernel::File lock;
    CHECK(take_lock(0, lock) == Lock::taken);
    kernel::File second;
    CHECK(take_lock(0, second) == Lock::busy);
    CHECK(fake::state().sleeps == 0);
    CHECK(take_lock(100, second) == Lock::busy);
    CHECK(fake::state().sleeps == 10);
    lock.close();
    CHECK(take_lock(100, second) == Lock::taken);
    CHECK(fake::state().sleeps == 10);
    CHECK(fake::find("/run/earlyseed")->permissions == 0755);
}

TEST_CASE("P4: with a clock that stands still the lock is given up all the same") {
    machine();
    fake::state().tick_ns = 0;
    fake::state().lock_busy = true;
    kernel::File lock;
    CHECK(take_lock(2000, lock) == Lock::busy);
    CHECK(fake::state().sleeps == 200);
}

TEST_CASE("P8: a command for the boot logs to the kernel, for a person to the standard error, and never loses a line") {
    machine();
    log::begin("load", true);
    log::info(Line("one"));
    REQUIRE(fake::state().kernel_log.size() == 1);
    CHECK(fake::state().kernel_log[0].text == "earlyseed: load: one");
    CHECK(fake::state().kernel_log[0].level == 6);
    CHECK(fake::state().err.empty());
    fake::state().failures.push_back({.call = "log"});
    log::warn(Line("two"));
    CHECK(fake::state().err == "earlyseed: load: two\n");
    fake::state().err.clear();

    fake::state().terminal = true;
    log::begin("save", true);
    log::warn(Line("three"));
    CHECK(fake::state().err == "earlyseed: save: three\n");
    CHECK(fake::state().kernel_log.back().text == "earlyseed: save: three");
    CHECK(fake::state().kernel_log.back().level == 4);
    fake::state().err.clear();

    fake::state().initramfs = true;  // the kernel log is on the console
    log::begin("load", true);
    log::warn(Line("four"));
    CHECK(fake::state().err.empty());

    log::begin("status", false);
    log::warn(Line("five"));
    CHECK(fake::state().err == "earlyseed: status: five\n");
    CHECK(fake::state().kernel_log.back().text == "earlyseed: load: four");
}
