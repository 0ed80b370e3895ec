// SPDX-License-Identifier: MIT
// Who hears what.
#include "system/log.hpp"

#include "catch.hpp"
#include "scene.hpp"

using namespace earlyseed;
using namespace earlyseed::scene;

TEST_CASE("P8: a command for the boot logs to the kernel, for a person to the standard error, and never loses a line") {
    machine();
    const Log load("load", Log::Audience::boot), save("save", Log::Audience::boot),
        status("status", Log::Audience::person);
    load.info("one");
    REQUIRE(fake::state().kernel_log.size() == 1);
    CHECK(fake::state().kernel_log[0].text == "earlyseed: load: one");
    CHECK(fake::state().kernel_log[0].level == 6);
    CHECK(fake::state().err.empty());
    fake::state().failures.push_back({.call = "log"});
    load.warn("two");
    CHECK(fake::state().err == "earlyseed: load: two\n");
    fake::state().err.clear();

    fake::state().terminal = true;
    save.warn("three");
    CHECK(fake::state().err == "earlyseed: save: three\n");
    CHECK(fake::state().kernel_log.back().text == "earlyseed: save: three");
    CHECK(fake::state().kernel_log.back().level == 4);
    fake::state().err.clear();

    fake::state().initramfs = true;  // the kernel log is on the console
    load.warn("four");
    CHECK(fake::state().err.empty());

    status.warn("five");
    CHECK(fake::state().err == "earlyseed: status: five\n");
    CHECK(fake::state().kernel_log.back().text == "earlyseed: load: four");
}
