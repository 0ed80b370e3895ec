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
        if (take("[")) {
            if (take("]")) return true;
            do {
                if (!value()) return false;
            } while (take(","));
            return take("]");
        }
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
    StatusOptions options;
    options.json = json;
    return show_status(options);
}

// A machine whose store is an empty file on a file system of its own.
fake::FileSystem& machine_with_store_on_boot() {
    machine(kQuiet + "store = UUID=1234-ABCD:/earlyseed/seed\n");
    fake::put_device("/dev/vda2", 65536, 0xfe02);
    fake::put_link("/dev/disk/by-uuid/1234-ABCD", "/dev/vda2");
    fake::FileSystem& boot = fake::put_file_system("/dev/vda2", "ext4");
    boot.files["/earlyseed/seed"] = empty_file();
    return boot;
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
    CHECK(prints("next seed: generation 4, saved 0 min ago in this boot, "));
    CHECK(prints(", creditable, bound to this machine"));
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

TEST_CASE(
    "P8: status gives the reason for each zero, with advice, with exit 3 when not ready and 1 when something needs "
    "attention") {
    struct Case {
        void (*scene)(fake::Entry& store);
        const char* line;
        int exit;
    };
    const Case cases[] = {
        {[](fake::Entry&) { fake::state().hypervisor = true; }, "set credit-seed = always", kExitNotReady},
        {[](fake::Entry& s) { s.read_only = true; }, "in this boot: store PARTLABEL=earlyseed: cannot be written",
         kExitNotReady},
        {[](fake::Entry& s) {
             s.read_only = true;
             fake::state().crng = fake::Crng::ready;
         },
         "in this boot: store PARTLABEL=earlyseed: cannot be written", kExitDegraded},
        {[](fake::Entry& s) { s.busy = true; }, "is in use", kExitNotReady},
        {[](fake::Entry& s) { fake::set_content(s, 0, fake::Buffer(8192, 1)); }, "holds data that is not",
         kExitNotReady},
        {[](fake::Entry&) { fake::state().crng = fake::Crng::ready; }, ", before earlyseed gave anything", kExitDone},
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
    CHECK(run_status() == kExitNotReady);
    CHECK(prints("NOT READY after "));
    CHECK(prints("load has not run in this boot: rebuild the initrd with earlyseed"));
    CHECK(prints("  empty"));
    fake::state().crng = fake::Crng::ready;
    CHECK(run_status() == kExitDegraded);
    CHECK(prints("ready, not thanks to earlyseed"));
    CHECK(prints("load has not run in this boot"));
    CHECK(run_status(true) == kExitDegraded);
    CHECK(Json::parses(fake::state().out));
    CHECK_FALSE(prints("next.generation"));
}

TEST_CASE("P8: status reads in the kernel's log since when the generator is ready, and whom the kernel trusted") {
    const std::string linux = "5,0,0,-;Linux version 6.1.0\n",
                      init = "6,400,900000,-;Run /init as init process\n ARGS=1\n",
                      ready = "5,9,1234567,-;random: crng init done\n",
                      old_ready = "5,9,7000,-;random: crng done (trusting CPU's manufacturer)\n",
                      later = "5,999,9900000,-;random: crng init done\n";
    struct Case {
        std::string log;
        bool loaded;
        const char* line;
    };
    const Case cases[] = {
        {linux + ready + init + later, true, "ready 1.2 s after boot, thanks to what the kernel trusts"},
        {linux + old_ready + init, false, "ready 0.0 s after boot, thanks to what the kernel trusts"},
        {ready, true, "ready 1.2 s after boot, before earlyseed gave anything"},  // the log has lost its start
        {linux + init + ready, true, "ready 1.2 s after boot, before earlyseed gave anything"},
        {linux + init + ready, false, "ready 1.2 s after boot, not thanks to earlyseed"},
        {linux + init + "4,12,1,-;somebody: random: crng init done\n", false, "ready, not thanks to earlyseed"},
        {"rubbish\n;;\n,,,;random: crng init done\n", false,
         "generator: ready 0.0 s after boot, not thanks to earlyseed"},
    };
    for (const Case& c : cases) {
        INFO(c.log);
        machine();
        seeded_partition();
        fake::state().crng = fake::Crng::ready;
        if (c.loaded) run_load();
        for (bool json : {false, true}) {
            // One record a read, as the kernel gives them.
            fake::put_stream("/dev/kmsg", fake::Buffer(c.log.begin(), c.log.end()), EAGAIN);
            fake::find("/dev/kmsg")->lines = true;
            run_status(json);
            INFO(fake::state().out);
            if (json)
                CHECK(Json::parses(fake::state().out));
            else
                CHECK(prints(c.line));
        }
    }
}

TEST_CASE("P8: status does not look into the log when it was earlyseed that made the generator ready") {
    machine();
    seeded_partition();
    run_load();
    fake::state().journal.clear();
    CHECK(run_status() == kExitDone);
    CHECK(fake::journal_of({"open_read"}).empty());
}

TEST_CASE("P8: status names the sources that this machine has and nobody uses, each with an advice") {
    struct Case {
        void (*scene)();
        const char* line;
    };
    const Case cases[] = {
        {[] { fake::put_folder("/sys/firmware/devicetree/base/chosen"); }, "not used: rng-seed: "},
        {[] {
             fake::put_folder("/sys/bus/virtio/devices/virtio0");
             fake::put_text("/sys/bus/virtio/devices/virtio0/device", "0x0002\n");
         },
         "not used: virtio-rng: this virtual machine has none"},
        {[] {
             fake::put_folder("/sys/bus/virtio/devices/virtio0");
             fake::put_text("/sys/bus/virtio/devices/virtio0/device", "0x0004\n");
         },
         "not used: virtio-rng: its driver is missing"},
        {[] { fake::put_text("/sys/firmware/acpi/tables/TPM2", ""); }, "not used: TPM: its driver is missing"},
        {[] { fake::put_text("/sys/class/misc/hw_random/rng_current", "tpm-rng-0\n"); },
         "not used: hwrng: it gave nothing"},
    };
    for (const Case& c : cases) {
        machine();
        empty_partition();
        fake::state().hypervisor = true;  // of no matter but to virtio
        run_load();
        run_status();
        CHECK_FALSE(prints("not used"));
        c.scene();
        for (bool root : {true, false}) {
            fake::state().root = root;
            CHECK(run_status() == kExitNotReady);
            INFO(fake::state().out);
            CHECK(prints(c.line));
            CHECK(prints("    -> "));
        }
        run_status(true);
        INFO(fake::state().out);
        CHECK(Json::parses(fake::state().out));
        CHECK(prints("\"unused\": [{\"source\": \""));
    }
}

TEST_CASE("P8: a CPU's generator that the kernel does not trust is not used; one that repeats itself is no advice") {
    for (bool stuck : {false, true}) {
        machine();
        for (std::uint64_t i = 0; i < 8; i++)
            fake::state().cpu_words.push_back(stuck ? 7 : 0x123456789abcdef * (i + 1));
        run_load();
        run_status();
        CHECK(prints("not used: cpu: it has a generator that the kernel does not trust") == !stuck);
    }
}

TEST_CASE("P8: a configured source that gave nothing is named with its path") {
    machine(kQuiet + "source = /dev/ttyACM0 512\nsource = /run/fifo\nsource = /dev/\"odd\\\n");
    fake::put_stream("/run/fifo", fake::Buffer{1, 2, 3, 4, 5, 6, 7, 8, 9}, EAGAIN);
    run_load();
    run_status();
    CHECK(prints("not used: /dev/ttyACM0: it gave nothing"));
    CHECK_FALSE(prints("not used: /run/fifo"));
    run_status(true);
    CHECK(Json::parses(fake::state().out));
}

TEST_CASE("P8: virtio devices on a board are no virtual machine, and a switched-off load is told as such") {
    machine();
    empty_partition();
    fake::put_folder("/sys/bus/virtio/devices/virtio0");
    fake::put_text("/sys/bus/virtio/devices/virtio0/device", "0x0007\n");  // remoteproc's
    run_status();
    CHECK_FALSE(prints("virtio-rng"));
    fake::put_text("/proc/cmdline", "earlyseed=off\n");
    run_status();
    CHECK(prints("-> load is switched off on the kernel command line"));
}

TEST_CASE("P8: what is used, or can no longer help, is not called unused") {
    machine();
    empty_partition();
    fake::state().cpu_words = std::vector<std::uint64_t>(100, 7);
    fake::put_folder("/sys/firmware/devicetree/base/chosen");
    fake::put_folder("/sys/bus/virtio/devices/virtio0");
    fake::put_text("/sys/bus/virtio/devices/virtio0/device", "0x0004\n");
    fake::put_text("/sys/class/misc/hw_random/rng_available", "virtio_rng.0\n");
    fake::put_text("/sys/class/misc/hw_random/rng_current", "virtio_rng.0\n");
    fake::state().hypervisor = true;
    fake::put_stream("/dev/hwrng", fake::Buffer{1, 2, 3, 4, 5, 6, 7, 8, 9}, EAGAIN);
    fake::put_text("/sys/firmware/acpi/tables/TPM2", "");
    fake::put_folder("/sys/class/tpm/tpm0");
    fake::state().crng = fake::Crng::ready;  // the kernel trusts its CPU
    run_load();
    run_status();
    CHECK_FALSE(prints("not used"));
    run_status(true);
    CHECK(prints("\"unused\": []"));
}

TEST_CASE("P8: systemd-boot without a token passes no seed; other boot loaders have none to pass") {
    const std::string variable = "/sys/firmware/efi/efivars/Loader", guid = "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
    auto utf16 = [](const std::string& text) {
        std::string wide("\6\0\0\0", 4);
        for (char c : text) wide += std::string{c, '\0'};
        return wide;
    };
    machine();
    empty_partition();
    fake::put_text(variable + "Info" + guid, utf16("GRUB 2.12"));
    run_status();
    CHECK_FALSE(prints("systemd-boot"));
    fake::put_text(variable + "Info" + guid, utf16("systemd-boot 257"));
    run_status();
    CHECK(prints("run 'bootctl random-seed'"));
    fake::state().hypervisor = true;  // where bootctl makes no token
    run_status();
    CHECK_FALSE(prints("systemd-boot"));
    fake::state().hypervisor = false;
    fake::put_text(variable + "SystemToken" + guid, utf16("x"));
    run_status();
    CHECK_FALSE(prints("systemd-boot"));
}

TEST_CASE("P8: colours are for terminals") {
    machine();
    seeded_partition();
    run_load();
    run_status();
    CHECK(fake::state().out.find('\33') == std::string::npos);
    fake::state().terminal = true;
    run_status();
    CHECK(prints("kernel generator: \33[32mready\33[m "));
    run_status(true);
    CHECK(fake::state().out.find('\33') == std::string::npos);
}

TEST_CASE("P8: status never writes to the store, nor to its file system") {
    fake::FileSystem& boot = machine_with_store_on_boot();
    put_seed(boot.files["/earlyseed/seed"], 0, {.generation = 3, .creditable = false, .bound = false});
    fake::state().crng = fake::Crng::ready;
    CHECK(run_status() == kExitDegraded);  // nothing was loaded
    INFO(fake::state().out);
    CHECK(prints("generation 3, saved 115 days ago in boot 01020304, not creditable, not bound to this machine"));
    CHECK(fake::journal_of({"private_mounts", "mount", "unmount"}) ==
          std::vector<std::string>{"private_mounts", "mount /dev/vda2 ext4 ro", "unmount /run/earlyseed/mnt"});
    CHECK(fake::journal_of({"write", "flush", "create_zeros"}).empty());
    CHECK(fake::state().mistakes.empty());
}

TEST_CASE("P8: status of a store on a file system in use leaves no complaint in the kernel's log") {
    fake::FileSystem& boot = machine_with_store_on_boot();
    boot.in_use_writable = true;
    fake::state().crng = fake::Crng::ready;
    CHECK(run_status() == kExitDegraded);
    INFO(fake::state().out);
    CHECK(prints("  empty"));
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
    CHECK(fake::journal_of({"open_exclusive", "mount", "private_mounts"}).empty());
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
    CHECK(run_status() == kExitDegraded);
    CHECK(prints(", creditable"));
    SECTION("sibling damaged") {
        fake::set_content(store, 100, {1});
        CHECK(run_status() == kExitDegraded);
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
        CHECK(run_status(true) == kExitNotReady);
        INFO(fake::state().out);
        CHECK(Json::parses(fake::state().out));
    }
}
