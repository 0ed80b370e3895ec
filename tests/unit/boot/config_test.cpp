// SPDX-License-Identifier: MIT
// /etc/earlyseed.conf, the kernel command line and the syntax of a store. A mistake is named and costs nothing else.
#include "boot/config.hpp"

#include <string>
#include <vector>

#include "catch.hpp"

using namespace earlyseed;

namespace {

std::vector<std::string> complaints;

void complain(std::string_view where, std::string_view what) {
    complaints.push_back(std::string(where) + ": " + std::string(what));
}

Config from_file(std::string_view text, const Config& start = {}) {
    complaints.clear();
    Config config = start;
    parse_config(text, config, &complain);
    return config;
}

Config from_command_line(std::string_view text, const Config& start = {}) {
    complaints.clear();
    Config config = start;
    parse_command_line(text, config, &complain);
    return config;
}

void check_defaults(const Config& config) {
    CHECK(config.store.text.view() == "PARTLABEL=earlyseed");
    CHECK(config.credit_seed == SeedPolicy::automatic);
    CHECK(config.credit_jitter == JitterPolicy::automatic);
    CHECK(config.hwrng_quality == 0);
    CHECK(config.jitter_timeout_ms == 250);
    CHECK(config.load_timeout_ms == 1000);
    CHECK_FALSE(config.off);
    CHECK_FALSE(config.initrd_off);
    CHECK_FALSE(config.debug);
}

using Complaints = std::vector<std::string>;

}  // namespace

TEST_CASE("config: the defaults") {
    check_defaults(Config());
    check_defaults(from_file(""));
    check_defaults(from_file("\n\n# nothing\n   \n"));
    check_defaults(from_command_line(""));
    CHECK(complaints.empty());
}

TEST_CASE("config: every key") {
    Config config = from_file(
        "store = UUID=1234-ABCD:/earlyseed/seed\n"
        "credit-seed = always\n"
        "credit-jitter=never\n"
        "  hwrng-quality\t=\t900  # trusted\n"
        "jitter-timeout-ms = 100\r\n"
        "load-timeout-ms = 2000");
    CHECK(complaints == Complaints{});
    CHECK(config.store.text.view() == "UUID=1234-ABCD:/earlyseed/seed");
    CHECK(config.store.kind == StoreSpec::Kind::file_on);
    CHECK(config.credit_seed == SeedPolicy::always);
    CHECK(config.credit_jitter == JitterPolicy::never);
    CHECK(config.hwrng_quality == 900);
    CHECK(config.jitter_timeout_ms == 100);
    CHECK(config.load_timeout_ms == 2000);

    CHECK(from_file("credit-seed = never").credit_seed == SeedPolicy::never);
    CHECK(from_file("credit-seed = auto", config).credit_seed == SeedPolicy::automatic);
    CHECK(from_file("credit-jitter = auto", config).credit_jitter == JitterPolicy::automatic);
    CHECK(from_file("hwrng-quality = 0", config).hwrng_quality == 0);
    CHECK(from_file("hwrng-quality = 1024").hwrng_quality == 1024);
    CHECK(from_file("jitter-timeout-ms = 1").jitter_timeout_ms == 1);
    CHECK(from_file("load-timeout-ms = 60000").load_timeout_ms == 60000);
    CHECK(complaints.empty());
}

TEST_CASE("P8: a bad value is named with its line, and the default is used") {
    for (const char* line : {"store = ",
                             "store = somewhere",
                             "credit-seed = yes",
                             "credit-seed = Auto",
                             "credit-seed =",
                             "credit-jitter = always",
                             "hwrng-quality = 1025",
                             "hwrng-quality = -1",
                             "hwrng-quality = 1e3",
                             "hwrng-quality = 18446744073709551617",
                             "jitter-timeout-ms = 0",
                             "jitter-timeout-ms = 60001",
                             "jitter-timeout-ms = 4294967297",
                             "jitter-timeout-ms = 250ms",
                             "load-timeout-ms = 0",
                             "load-timeout-ms = forever",
                             "source =",
                             "source = ttyS0",
                             "source = /dev/x 1025",
                             "source = /dev/x 5 5"}) {
        INFO(line);
        check_defaults(from_file("# first\n" + std::string(line) + "\n"));
        REQUIRE(complaints.size() == 1);
        CHECK(complaints[0].rfind("line 2: bad value '", 0) == 0);
        std::string key(line, std::string_view(line).find(' '));
        CHECK(complaints[0].find("for " + key + ": expected ") != std::string::npos);
    }
    from_file("hwrng-quality = 2000");
    CHECK(complaints == Complaints{"line 1: bad value '2000' for hwrng-quality: expected 0 to 1024"});
}

TEST_CASE("config: each source is one more, four at most") {
    Config config = from_file("source = /dev/ttyACM0\t 512\nsource = /run/net.sock\n");
    CHECK(complaints.empty());
    CHECK(config.sources[0].path.view() == "/dev/ttyACM0");
    CHECK(config.sources[0].quality == 512);
    CHECK(config.sources[1].path.view() == "/run/net.sock");
    CHECK(config.sources[1].quality == 0);
    CHECK(config.sources[2].path.empty());
    from_file("source = /1\nsource = /2\nsource = /3\nsource = /4\nsource = /5\n");
    CHECK(complaints ==
          Complaints{"line 5: bad value '/5' for source: expected a path and 0 to 1024, in four lines at most"});
}

TEST_CASE("P3: only a whole seed on the kernel command line counts, and none in the configuration") {
    Config config = from_command_line("earlyseed.seed=" + std::string(62, '0') + "1f");
    CHECK(complaints.empty());
    CHECK(config.cmdline_seed[31] == 0x1f);
    for (const std::string& seed : {std::string(62, 'a'), std::string(66, 'a'), std::string(63, 'a') + "g",
                                    std::string(64, '0'), std::string()}) {
        Config bad = from_command_line("earlyseed.seed=" + seed);
        CHECK(all_zero(bad.cmdline_seed));
        CHECK(complaints == Complaints{"kernel command line: earlyseed.seed= takes 64 hexadecimal digits: ignored"});
    }
    CHECK(all_zero(from_file("seed = " + std::string(64, 'a')).cmdline_seed));
    CHECK(complaints.size() == 1);
}

TEST_CASE("P8: an unknown key is named with its line, and the rest is read") {
    Config config = from_file("credit-seed = never\n\ncredit_seed = always\n = 3\nhwrng-quality = 5\n");
    CHECK(complaints == Complaints{"line 3: unknown key 'credit_seed': ignored", "line 4: unknown key '': ignored"});
    CHECK(config.credit_seed == SeedPolicy::never);
    CHECK(config.hwrng_quality == 5);
}

TEST_CASE("P8: a line without '=' is named") {
    Config config = from_file("credit-seed\nhwrng-quality 7\ncredit-seed = never");
    CHECK(complaints ==
          Complaints{"line 1: no '=' in 'credit-seed': ignored", "line 2: no '=' in 'hwrng-quality 7': ignored"});
    CHECK(config.credit_seed == SeedPolicy::never);
}

TEST_CASE("config: later lines win, and a later bad one does not undo an earlier good one") {
    CHECK(from_file("credit-seed = never\ncredit-seed = always").credit_seed == SeedPolicy::always);
    CHECK(from_file("credit-seed = never\ncredit-seed = perhaps").credit_seed == SeedPolicy::never);
    CHECK(complaints.size() == 1);
}

TEST_CASE("config: a comment ends its line only") {
    Config config = from_file("#credit-seed = never\n credit-jitter = never# = auto\n##\nhwrng-quality = 1");
    CHECK(complaints == Complaints{});
    CHECK(config.credit_seed == SeedPolicy::automatic);
    CHECK(config.credit_jitter == JitterPolicy::never);
    CHECK(config.hwrng_quality == 1);
}

TEST_CASE("config: text of any kind and length is survived") {
    std::string longest(5000, 'x');
    from_file(longest + "=" + longest + "\n" + longest + "\nstore = " + longest);
    CHECK(complaints.size() == 3);
    for (const std::string& complaint : complaints) CHECK(complaint.size() < 600);
    from_file(std::string("\0=\0\n\xff=\xfe\n", 8));
    CHECK(complaints.size() == 2);
}

TEST_CASE("config: every syntax of a store") {
    struct Expected {
        const char* text;
        StoreSpec::Kind kind;
        const char* tag;
        const char* device;
        const char* path;
    };
    using Kind = StoreSpec::Kind;
    for (const Expected& e : {
             Expected{"PARTLABEL=earlyseed", Kind::partition, "PARTLABEL", "earlyseed", ""},
             Expected{"PARTUUID=0a1b-02", Kind::partition, "PARTUUID", "0a1b-02", ""},
             Expected{"PARTUUID=0A1B-02", Kind::partition, "PARTUUID", "0a1b-02", ""},
             Expected{"UUID=0a1b-02", Kind::partition, "UUID", "0a1b-02", ""},
             Expected{"LABEL=seed", Kind::partition, "LABEL", "seed", ""},
             Expected{"PARTLABEL=a=b c", Kind::partition, "PARTLABEL", "a=b c", ""},
             Expected{"/dev/vda3", Kind::partition, "", "/dev/vda3", ""},
             Expected{"/dev/disk/by-id/nvme-x-part3", Kind::partition, "", "/dev/disk/by-id/nvme-x-part3", ""},
             Expected{"UUID=1234-ABCD:/earlyseed/seed", Kind::file_on, "UUID", "1234-ABCD", "/earlyseed/seed"},
             Expected{"LABEL=ESP:/seed", Kind::file_on, "LABEL", "ESP", "/seed"},
             Expected{"PARTUUID=12:/seed", Kind::file_on, "PARTUUID", "12", "/seed"},
             Expected{"PARTLABEL=boot:/a/b", Kind::file_on, "PARTLABEL", "boot", "/a/b"},
             Expected{"/dev/vda1:/seed", Kind::file_on, "", "/dev/vda1", "/seed"},
             Expected{"/var/lib/earlyseed/seed", Kind::file_in_root, "", "", "/var/lib/earlyseed/seed"},
             Expected{"/developer/seed", Kind::file_in_root, "", "", "/developer/seed"},
         }) {
        INFO(e.text);
        auto store = parse_store(e.text);
        REQUIRE(store);
        CHECK(store->text.view() == e.text);
        CHECK(store->kind == e.kind);
        CHECK(store->tag.view() == e.tag);
        CHECK(store->device.view() == e.device);
        CHECK(store->path.view() == e.path);
    }
}

TEST_CASE("config: what is no store") {
    for (const char* text :
         {"", "earlyseed", "vda3", "dev/vda3", "partlabel=earlyseed", "PARTLABEL", "PARTLABEL=", "UUID=", "UUID=:/seed",
          ":/seed", "=x", "ID=x", "PARTLABELS=x", "SERIAL=x:/seed", "/", "/var/lib/", "UUID=12:/", "UUID=12:/dir/",
          "/dev/vda1:/", "seed:/file", "/var/x:/file",
          // a value that would lead out of /dev/disk/by-…
          "PARTLABEL=../../etc/shadow", "PARTLABEL=a/b", "LABEL=/dev/vda1", "UUID=../../../dev/vda1:/seed",
          // a path that would lead out of its file system
          "UUID=12:/../report", "/dev/vda1:/a/../../b", "/var/../etc/x",
          // what the configuration would not give back
          "/var/lib/a#b", "PARTLABEL=#1", "/var/lib/seed ", "PARTLABEL=seed\t", "/a\nsource = /dev/zero 1024",
          "/a\x7f"}) {
        INFO("'" << text << "'");
        CHECK_FALSE(parse_store(text).has_value());
    }
}

TEST_CASE("config: a store that is too long is refused, never cut") {
    auto repeated = [](std::size_t size) { return std::string(size, 'x'); };
    CHECK(parse_store("PARTLABEL=" + repeated(245)));
    CHECK_FALSE(parse_store("PARTLABEL=" + repeated(246)));
    CHECK(parse_store("/" + repeated(254)));
    CHECK_FALSE(parse_store("/" + repeated(255)));
    CHECK(parse_store("UUID=" + repeated(60) + ":/" + repeated(188)));
    CHECK_FALSE(parse_store("UUID=" + repeated(60) + ":/" + repeated(189)));
    CHECK_FALSE(parse_store("UUID=" + repeated(60) + ":/" + repeated(5000)));
    CHECK_FALSE(parse_store("PARTLABEL" + repeated(100) + "=x"));
}

TEST_CASE("command line: the words") {
    CHECK(from_command_line("BOOT_IMAGE=/vmlinuz root=/dev/vda1 ro quiet earlyseed=off\n").off);
    CHECK(from_command_line("earlyseed=0").off);
    CHECK_FALSE(from_command_line("earlyseed=1").off);
    CHECK_FALSE(from_command_line("earlyseed=on").off);
    CHECK(from_command_line("rd.earlyseed=0 quiet").initrd_off);
    CHECK(from_command_line("rd.earlyseed=off").initrd_off);
    CHECK_FALSE(from_command_line("rd.earlyseed=0").off);
    CHECK_FALSE(from_command_line("rd.earlyseed=1").initrd_off);
    CHECK_FALSE(from_command_line("earlyseed=off").initrd_off);
    CHECK(from_command_line("a earlyseed.debug b").debug);
    CHECK(from_command_line("earlyseed.store=/dev/vdb").store.device.view() == "/dev/vdb");
    CHECK(from_command_line("earlyseed.credit_seed=always\n").credit_seed == SeedPolicy::always);
    CHECK(from_command_line("earlyseed.credit_seed=never earlyseed.credit_seed=auto").credit_seed ==
          SeedPolicy::automatic);
    CHECK(complaints.empty());
}

TEST_CASE("command line: other programs' words are passed over in silence") {
    check_defaults(
        from_command_line("earlysee=off xearlyseed=off noearlyseed EARLYSEED=off rd.early=0 store=/dev/vdb "
                          "credit_seed=always systemd.mask=earlyseed.service  root=LABEL=earlyseed=off"));
    CHECK(complaints == Complaints{});
}

TEST_CASE("P8: words of ours that nobody knows are named") {
    check_defaults(from_command_line("earlyseed=perhaps earlyseed.stores=/dev/vdb rd.earlyseed.x"));
    CHECK(complaints == Complaints{"kernel command line: unknown word 'earlyseed=perhaps': ignored",
                                   "kernel command line: unknown word 'earlyseed.stores=/dev/vdb': ignored",
                                   "kernel command line: unknown word 'rd.earlyseed.x': ignored"});
    check_defaults(from_command_line("earlyseed.store=nowhere earlyseed.credit_seed=yes"));
    REQUIRE(complaints.size() == 2);
    CHECK(complaints[0].rfind("kernel command line: bad value 'nowhere' for store: expected PARTLABEL=", 0) == 0);
    CHECK(complaints[1] == "kernel command line: bad value 'yes' for credit-seed: expected auto, always or never");
}

TEST_CASE("command line: what follows -- is init's") {
    check_defaults(from_command_line("quiet -- earlyseed=off earlyseed.store=/dev/vdb"));
    CHECK(from_command_line("--x earlyseed=off --").off);
    CHECK(complaints.empty());
}

TEST_CASE("command line: quoted values, as the kernel reads them") {
    CHECK(from_command_line("earlyseed.store=\"PARTLABEL=my seed\" quiet").store.device.view() == "my seed");
    CHECK(from_command_line("\"earlyseed.store=PARTLABEL=my seed\" quiet").store.device.view() == "my seed");
    CHECK(from_command_line("earlyseed.store=\"/dev/vdb\"").store.device.view() == "/dev/vdb");
    CHECK(complaints == Complaints{});
}

TEST_CASE("command line: words inside another program's quotes are not ours") {
    check_defaults(from_command_line("dyndbg=\"file a.c +p earlyseed=off -- x\" foo=\"a rd.earlyseed=0 b\""));
    CHECK(complaints == Complaints{});
    CHECK(from_command_line("foo=\"a -- b\" earlyseed=off").off);
}

TEST_CASE("command line: later words win") {
    CHECK_FALSE(from_command_line("earlyseed=off earlyseed=on").off);
    CHECK_FALSE(from_command_line("rd.earlyseed=0 rd.earlyseed=1").initrd_off);
    CHECK(from_command_line("earlyseed=on earlyseed=off").off);
    CHECK(from_command_line("earlyseed.store=/dev/vda earlyseed.store=/dev/vdb").store.device.view() == "/dev/vdb");
}

TEST_CASE("command line: it wins over the file") {
    Config file = from_file("store = /dev/vda\ncredit-seed = always\nhwrng-quality = 7");
    Config config = from_command_line("earlyseed.store=/dev/vdb earlyseed.credit_seed=never", file);
    CHECK(config.store.device.view() == "/dev/vdb");
    CHECK(config.credit_seed == SeedPolicy::never);
    CHECK(config.hwrng_quality == 7);
    // A mistake there leaves what the file says.
    CHECK(from_command_line("earlyseed.credit_seed=x", file).credit_seed == SeedPolicy::always);
}
