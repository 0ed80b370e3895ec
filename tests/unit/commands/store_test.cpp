// SPDX-License-Identifier: MIT
// earlyseed store: what shell scripts are told of the configured store.
#include <cerrno>

#include "catch.hpp"
#include "scene.hpp"

using namespace earlyseed;
using namespace earlyseed::scene;

namespace {

std::string printed(bool no_command_line = false) {
    fake::state().out.clear();
    StoreOptions options;
    options.no_command_line = no_command_line;
    CHECK(print_store(options) == kExitDone);
    return fake::state().out;
}

}  // namespace

TEST_CASE("store: kind, device and file of each syntax, for anybody") {
    struct Case {
        const char* config;
        const char* lines;
    };
    for (Case c :
         {Case{"", "KIND=partition\nSTORE=PARTLABEL=earlyseed\nDEVICE=PARTLABEL=earlyseed\nFILE=\n"},
          {"store = /dev/vda1", "KIND=partition\nSTORE=/dev/vda1\nDEVICE=/dev/vda1\nFILE=\n"},
          {"store = PARTUUID=AB-1:/a=", "KIND=file\nSTORE=PARTUUID=AB-1:/a=\nDEVICE=PARTUUID=ab-1\nFILE=/a=\n"},
          {"store = /it's a $(seed)", "KIND=root\nSTORE=/it's a $(seed)\nDEVICE=\nFILE=/it's a $(seed)\n"}}) {
        machine(c.config);
        fake::state().root = false;
        CHECK(printed() == c.lines);
        CHECK(printed(true) == c.lines);
        CHECK(fake::state().err.empty());
        CHECK(fake::journal_of({"open_store", "open_block", "mount", "lock", "write_text"}).empty());
    }
}

TEST_CASE("store: the last value that is one counts, and the bad one is named on standard error") {
    machine("store = /srv/first\nstore = /srv/last\nstore = nonsense\n");
    CHECK(printed().find("STORE=/srv/last\n") != std::string::npos);
    CHECK(fake::state().err.find("earlyseed: store: /etc/earlyseed.conf, line 3: bad value 'nonsense'") == 0);
}

TEST_CASE("store: the kernel command line wins, unless it is not to be read") {
    machine("store = /srv/seed\n");
    fake::put_text("/proc/cmdline", "earlyseed.store=UUID=1-2:/seed\n");
    CHECK(printed() == "KIND=file\nSTORE=UUID=1-2:/seed\nDEVICE=UUID=1-2\nFILE=/seed\n");
    CHECK(printed(true) == "KIND=root\nSTORE=/srv/seed\nDEVICE=\nFILE=/srv/seed\n");
    fake::state().files.erase("/proc/cmdline");
    CHECK(printed(true) == "KIND=root\nSTORE=/srv/seed\nDEVICE=\nFILE=/srv/seed\n");
    CHECK(fake::state().err.empty());
}

TEST_CASE("store: the longest names are printed whole") {
    const std::string store = "PARTLABEL=" + std::string(100, 'x') + ":/" + std::string(143, 'y');
    REQUIRE(store.size() == kMostStoreBytes);
    machine("store = " + store + "\n");
    CHECK(printed().find("STORE=" + store + "\n") != std::string::npos);
}
