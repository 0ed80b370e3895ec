// SPDX-License-Identifier: MIT
// Which block device a store's tag names.
#include "seed/store_device.hpp"
#include "catch.hpp"
#include "scene.hpp"

using namespace earlyseed;
using namespace earlyseed::scene;

namespace {

// Its path; "!" and the problem when there is none.
std::string device_of(std::string_view spec) {
    Path device;
    Line problem;
    bool found = find_device(*parse_store(spec), device, problem) == Store::Outcome::opened;
    CHECK(problem.empty() == found);
    return found ? std::string(device.view()) : "!" + std::string(problem.view());
}

}  // namespace

TEST_CASE("P4: a partition is found by its name or UUID in /sys, without udev") {
    machine();
    fake::put_partition("sda1", 8192, 0x801, "root", "aaaaaaaa-01");
    fake::put_partition("sda2", 8192, 0x802, "earlyseed", "aaaaaaaa-02");
    fake::put_partition("nvme0n1p3", 8192, 0x10303, "", "aaaaaaaa-03");
    CHECK(device_of("PARTLABEL=earlyseed") == "/dev/sda2");
    CHECK(device_of("PARTUUID=aaaaaaaa-02") == "/dev/sda2");
    CHECK(device_of("PARTUUID=AAAAAAAA-03:/seed") == "/dev/nvme0n1p3");
    CHECK(device_of("PARTLABEL=EarlySeed") == "!store PARTLABEL=EarlySeed is not there");
    CHECK(device_of("PARTLABEL=early") == "!store PARTLABEL=early is not there");
    CHECK(device_of("PARTLABEL=earlyseedx") == "!store PARTLABEL=earlyseedx is not there");
}

TEST_CASE("P1: of two partitions with one name neither is used") {
    machine();
    fake::put_partition("sda1", 8192, 0x801, "earlyseed");
    fake::put_partition("sdb1", 8192, 0x811, "earlyseed");
    CHECK(device_of("PARTLABEL=earlyseed").find("!store PARTLABEL=earlyseed: several partitions") == 0);
    CHECK(run_load() == kExitDegraded);
    CHECK(fake::journal_of({"write", "open_exclusive"}).empty());
}

TEST_CASE("P4: udev's links are the other way") {
    machine();
    fake::put_device("/dev/vda7", 8192, 0xfe07);
    for (const char* link : {"by-partlabel/earlyseed", "by-partuuid/ab-77", "by-uuid/ab-cd", "by-label/BOOT"}) {
        fake::put_link(std::string("/dev/disk/") + link, "/dev/vda7");
    }
    CHECK(device_of("PARTLABEL=earlyseed") == "/dev/disk/by-partlabel/earlyseed");
    CHECK(device_of("PARTUUID=AB-77") == "/dev/disk/by-partuuid/ab-77");
    CHECK(device_of("UUID=ab-cd:/seed") == "/dev/disk/by-uuid/ab-cd");
    CHECK(device_of("LABEL=BOOT:/seed") == "/dev/disk/by-label/BOOT");
    CHECK(device_of("/dev/vda7") == "/dev/vda7");
    CHECK(device_of("/dev/vda8") == "!store /dev/vda8 is not there");
    CHECK(device_of("UUID=other:/seed") == "!store UUID=other:/seed is not there");
}

TEST_CASE("P1: a file system's UUID is never looked for in /sys, where a RAID member has it too") {
    machine();
    fake::put_partition("sda1", 8192, 0x801, "root", "ab-cd");
    CHECK(device_of("UUID=ab-cd:/seed") == "!store UUID=ab-cd:/seed is not there");
    CHECK(fake::journal_of({"for_each_name"}).empty());
}

TEST_CASE("P4: a name in /sys whose device node is not there yet, or a link to nothing, is not there") {
    machine();
    fake::put_partition("sda2", 8192, 0x802, "earlyseed");
    fake::state().files.erase("/dev/sda2");
    CHECK(device_of("PARTLABEL=earlyseed") == "!store PARTLABEL=earlyseed is not there");
    fake::put_link("/dev/disk/by-partlabel/earlyseed", "/dev/sda2");
    CHECK(device_of("PARTLABEL=earlyseed") == "!store PARTLABEL=earlyseed is not there");
    fake::put_text("/dev/sda2", "a regular file");
    CHECK(device_of("PARTLABEL=earlyseed") == "!store PARTLABEL=earlyseed is not there");
}
