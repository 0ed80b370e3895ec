// SPDX-License-Identifier: MIT
// earlyseed status: what a person and a program are told.
#include <cerrno>

#include "catch.hpp"
#include "scene.hpp"

using namespace earlyseed;
using namespace earlyseed::scene;

namespace {

// A strict reader of JSON: true when `text` is one value and nothing else.
class Json {
public:
    static bool parses(std::string_view text) {
        Json json{text};
        if (!json.value()) return false;
        json.blanks();
        return json.rest_.empty();
    }

private:
    explicit Json(std::string_view text) : rest_(text) {}
    void blanks() {
        while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
    }
    bool take(std::string_view word) {
        blanks();
        if (rest_.substr(0, word.size()) != word) return false;
        rest_.remove_prefix(word.size());
        return true;
    }
    bool string() {
        if (!take("\"")) return false;
        while (!rest_.empty() && rest_[0] != '"') {
            if (static_cast<unsigned char>(rest_[0]) < 0x20) return false;
            std::size_t size = rest_[0] == '\\' ? 2 : 1;
            if (size == 2 && (rest_.size() < 2 || (rest_[1] != '"' && rest_[1] != '\\'))) return false;
            rest_.remove_prefix(size);
        }
        return take("\"");
    }
    bool number() {
        std::size_t digits = 0;
        while (digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9') digits++;
        if (digits == 0 || (digits > 1 && rest_[0] == '0')) return false;
        rest_.remove_prefix(digits);
        return true;
    }
    bool value() {
        if (take("true") || take("false")) return true;
        blanks();
        if (!rest_.empty() && rest_[0] == '"') return string();
        if (!take("{")) return number();
        do {
            if (!string() || !take(":") || !value()) return false;
        } while (take(","));
        return take("}");
    }
    std::string_view rest_;
};

int run_status(bool json = false) {
    fake::state().out.clear();
    Options options;
    options.json = json;
    return show_status(options);
}

bool prints(const std::string& part) { return fake::state().out.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("P8: status says who made the generator ready, what each source gave, and what the store holds") {
    machine();
    seeded_partition();
    CHECK(run_load() == kExitDone);
    fake::state().journal.clear();
    CHECK(run_status() == kExitDone);
    INFO(fake::state().out);
    CHECK(prints("kernel generator: ready"));
    CHECK(prints("thanks to seed"));
    CHECK(prints("jitter: 0 bits credited"));
    CHECK(prints("credit-jitter = never"));
    CHECK(prints("seed: 256 bits credited; 64 bytes mixed"));
    CHECK(prints("store: PARTLABEL=earlyseed"));
    CHECK(prints("next seed: generation 4, saved 2026-09-21 14:13:20Z, creditable, bound to this machine"));
    CHECK(fake::journal_of({"write", "flush", "add_entropy", "write_text"}).empty());
    CHECK(run_status(true) == kExitDone);
    INFO(fake::state().out);
    CHECK(Json::parses(fake::state().out));
    for (const char* part : {"\"version\": 1", "\"ready_now\": true", "\"ready_by\": \"seed\"",
                             "\"seed.credited_bits\": 256", "\"next.generation\": 4", "\"next.creditable\": true",
                             "\"next.bound\": true", "\"store.name\": \"PARTLABEL=earlyseed\""}) {
        INFO(part);
        CHECK(prints(part));
    }
}

TEST_CASE("P8: status gives the reason for each zero, with advice, and exit 1 when something needs attention") {
    struct Case {
        void (*scene)(fake::Entry& store);
        const char* line;
        int exit;
    };
    const Case cases[] = {
        {[](fake::Entry&) { fake::state().hypervisor = true; }, "set credit-seed = always", kExitDegraded},
        {[](fake::Entry& s) { s.read_only = true; }, "in this boot: store PARTLABEL=earlyseed: cannot be written",
         kExitDegraded},
        {[](fake::Entry& s) { s.busy = true; }, "is in use", kExitDegraded},
        {[](fake::Entry& s) { fake::set_content(s, 0, fake::Buffer(8192, 1)); }, "holds data that is not",
         kExitDegraded},
        {[](fake::Entry&) { fake::state().crng = fake::Crng::ready; }, "ready, before earlyseed gave anything",
         kExitDone},
    };
    for (const Case& c : cases) {
        for (bool json : {false, true}) {
            machine();
            c.scene(seeded_partition());
            run_load();
            CHECK(run_status(json) == c.exit);
            INFO(fake::state().out);
            if (json)
                CHECK(Json::parses(fake::state().out));
            else
                CHECK(prints(c.line));
            CHECK(leak({seed_bytes(0x31), seed_bytes(0x52)}) == "");
        }
    }
}

TEST_CASE("P8: status before any load, and of an empty store") {
    machine();
    empty_partition();
    CHECK(run_status() == kExitDegraded);
    CHECK(prints("NOT READY"));
    CHECK(prints("run 'earlyseed load'"));
    CHECK(prints("  empty"));
    fake::state().crng = fake::Crng::ready;
    CHECK(run_status() == kExitDone);
    CHECK(prints("earlyseed did not run in this boot"));
    CHECK(run_status(true) == kExitDone);
    CHECK(Json::parses(fake::state().out));
    CHECK_FALSE(prints("next.generation"));
}

TEST_CASE("P8: status never writes to the store, nor to its file system") {
    machine(kQuiet + "store = UUID=1234-ABCD:/earlyseed/seed\n");
    fake::put_device("/dev/vda2", 65536, 0xfe02);
    fake::put_link("/dev/disk/by-uuid/1234-ABCD", "/dev/vda2");
    fake::FileSystem& boot = fake::put_file_system("/dev/vda2", "ext4");
    boot.files["/earlyseed/seed"] = empty_file();
    put_seed(boot.files["/earlyseed/seed"], 0, {.generation = 3, .creditable = false, .bound = false});
    fake::state().crng = fake::Crng::ready;
    CHECK(run_status() == kExitDone);
    INFO(fake::state().out);
    CHECK(prints("generation 3, saved 2026-05-28 20:26:40Z, not creditable, not bound to this machine"));
    CHECK(fake::journal_of({"private_mounts", "mount", "unmount"}) ==
          std::vector<std::string>{"private_mounts", "mount /dev/vda2 ext4 ro", "unmount /run/earlyseed/mnt"});
    CHECK(fake::journal_of({"write", "flush", "create_zeros"}).empty());
    CHECK(fake::state().mistakes.empty());
}

TEST_CASE("P6: status as another user shows the report, and nothing of the store") {
    machine();
    seeded_partition();
    CHECK(run_load() == kExitDone);
    fake::state().root = false;
    fake::state().journal.clear();
    CHECK(run_status() == kExitDone);
    INFO(fake::state().out);
    CHECK(prints("seed: 256 bits credited"));
    CHECK(prints("run as root to see the store"));
    CHECK_FALSE(prints("next seed"));
    CHECK(fake::journal_of({"open_store", "mount", "private_mounts"}).empty());
    CHECK(run_status(true) == kExitDone);
    CHECK(Json::parses(fake::state().out));
    CHECK_FALSE(prints("next."));
}

TEST_CASE("P8: the next seed is called creditable only when the next boot would credit it") {
    machine(kQuiet + "store = " + kFile + "\n");
    fake::state().crng = fake::Crng::ready;
    fake::Entry& store = empty_file();
    put_seed(store, 0, {.generation = 1});
    put_seed(store, 1, {.generation = 2});
    CHECK(run_status() == kExitDone);
    CHECK(prints(", creditable"));
    SECTION("sibling damaged") {
        fake::set_content(store, 100, {1});
        CHECK(run_status() == kExitDone);
        CHECK(prints("not creditable"));
    }
    SECTION("exposed") {
        store.permissions = 0640;
        CHECK(run_status() == kExitDegraded);
        CHECK(prints("not creditable"));
        CHECK(prints("chmod 600"));
    }
}

TEST_CASE("P8: whatever the store is called, the JSON is whole") {
    for (const std::string& name :
         {std::string("/var/\"lib\"/se\\ed"), "/" + std::string(180, '"'), "/" + std::string(180, '\\')}) {
        machine(kQuiet + "store = " + name + "\n");
        fake::put_stream("/dev/hwrng", {}, EIO);
        run_load();
        CHECK(run_status(true) == kExitDegraded);
        INFO(fake::state().out);
        CHECK(Json::parses(fake::state().out));
    }
}
