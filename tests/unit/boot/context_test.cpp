// SPDX-License-Identifier: MIT
// What the commands share: where they read, what they say when they cannot, the lock, the kernel log.
#include <cerrno>

#include "boot/run_lock.hpp"
#include "catch.hpp"
#include "scene.hpp"
#include "system/log.hpp"

using namespace earlyseed;
using namespace earlyseed::scene;

namespace {

constexpr Log kLog("load", Log::Audience::boot);

bool says(const std::string& part) { return said().find(part) != std::string::npos; }

}  // namespace

TEST_CASE("P8: the configuration is read, the kernel command line wins, each complaint is one warning with its line") {
    machine("credit-seed = never\nwidth = 7\nhwrng-quality = 9000\n");
    fake::put_text("/proc/cmdline", "quiet earlyseed.credit_seed=always earlyseed.colour=red\n");
    Config config = read_config(Path("/etc/earlyseed.conf"), kLog);
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
    CHECK(read_config(Path("/etc/earlyseed.conf"), kLog).store.text.view() == kDefaultStore);
    CHECK(said().empty());
    fake::state().failures.push_back({.call = "read_text", .code = EIO});
    CHECK(read_config(Path("/etc/earlyseed.conf"), kLog).store.text.view() == kDefaultStore);
    CHECK(says("defaults are used"));
}

TEST_CASE("P8: no /proc is a warning") {
    machine();
    fake::state().files.erase("/proc/cmdline");
    read_config(Path("/etc/earlyseed.conf"), kLog);
    CHECK(says("is /proc mounted?"));
}

TEST_CASE("P8: a configuration that is too long says so") {
    machine("credit-seed = never\n" + std::string(9000, '#'));
    CHECK(read_config(Path("/etc/earlyseed.conf"), kLog).credit_seed == SeedPolicy::never);
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
    CHECK(take_lock(0, lock, kLog) == Lock::taken);
    kernel::File second;
    CHECK(take_lock(0, second, kLog) == Lock::busy);
    CHECK(fake::state().sleeps == 0);
    CHECK(take_lock(100, second, kLog) == Lock::busy);
    CHECK(fake::state().sleeps == 10);
    lock.close();
    CHECK(take_lock(100, second, kLog) == Lock::taken);
    CHECK(fake::state().sleeps == 10);
    CHECK(fake::find("/run/earlyseed")->permissions == 0755);
}

TEST_CASE("P4: with a clock that stands still the lock is given up all the same") {
    machine();
    fake::state().tick_ns = 0;
    fake::state().lock_busy = true;
    kernel::File lock;
    CHECK(take_lock(2000, lock, kLog) == Lock::busy);
    CHECK(fake::state().sleeps == 200);
}
