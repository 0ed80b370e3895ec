// SPDX-License-Identifier: MIT
// The life of a seed, as the medium and the kernel see it: order, failures, and power cuts at every instant.
#include <algorithm>
#include <cerrno>
#include <deque>

#include "catch.hpp"
#include "scene.hpp"

using namespace earlyseed;
using namespace earlyseed::scene;

namespace {

std::string what(Reason reason) { return std::string(explain(reason).what); }

std::size_t writes() { return fake::journal_of({"write"}).size(); }

}  // namespace

TEST_CASE("P1: the successor is durable and read back before the seed is credited") {
    machine();
    fake::Entry& store = seeded_partition();
    bool checked = false;
    fake::state().before_call = [&] {
        // Everything that was called so far; add_entropy 256 comes next to last.
        std::vector<std::string>& journal = fake::state().journal;
        if (journal.empty() || journal.back() != "add_entropy 256" || checked) return;
        checked = true;
        CHECK(slot(store.durable, 0).generation == 3);
        CHECK(store.pending.empty());
    };
    CHECK(run_load() == kExitDone);
    CHECK(checked);
    CHECK(ritual() == std::vector<std::string>{"add_entropy 0", "flush", "read slot 0", "read slot 1", "write slot 0",
                                               "flush", "read slot 0", "add_entropy 256", "write slot 1", "flush",
                                               "read slot 1"});
    CHECK(report("seed.credited_bits") == "256");
    CHECK(report("seed.reason").empty());
    CHECK(report("store.state") == "rotated");
    CHECK(report("ready") == "yes");
    CHECK(report("ready_by") == "seed");
    CHECK(fake::state().mistakes.empty());
    CHECK(fake::state().handles.empty());
}

TEST_CASE("P1: the seed in slot 0 is retired into slot 1") {
    machine();
    fake::Entry& store = empty_partition();
    put_seed(store, 0, {.generation = 8, .fill = 1});
    put_seed(store, 1, {.generation = 7, .fill = 2});
    CHECK(run_load() == kExitDone);
    CHECK(fake::journal_of({"write"}) == std::vector<std::string>{"write slot 1", "write slot 0"});
    CHECK(slot(store.durable, 1).generation == 9);
    CHECK(slot(store.durable, 0).generation == 10);
    CHECK(credits() == std::vector<unsigned>{0, 256});
}

TEST_CASE("P7: what was fed and the old seed are nowhere on the medium after load, ready or not") {
    for (fake::Crng crng : {fake::Crng::never, fake::Crng::by_credit, fake::Crng::ready}) {
        for (bool has_insecure : {true, false}) {
            machine();
            fake::state().crng = crng;
            fake::state().has_insecure = has_insecure;
            fake::Entry& store = seeded_partition();
            CHECK(run_load() == kExitDone);
            REQUIRE(fake::state().feeds.size() == 2);
            for (const fake::Buffer* content : {&store.durable, &store.cached}) {
                CHECK_FALSE(contains(*content, seed_bytes(0x31)));
                CHECK_FALSE(contains(*content, seed_bytes(0x52)));
                for (const fake::Feed& feed : fake::state().feeds) {
                    CHECK(feed.bytes.size() == 64);
                    CHECK_FALSE(contains(*content, feed.bytes));
                }
            }
            CHECK(slot_state(store.durable, 0) == SlotState::valid);
            CHECK(slot_state(store.durable, 1) == SlotState::valid);
            CHECK(slot(store.durable, 0).seed != slot(store.durable, 1).seed);
            CHECK(report("ready") == (crng == fake::Crng::never ? "no" : "yes"));
        }
    }
}

TEST_CASE("P10: when the generator is ready already, the seed is mixed, rotated and the kernel told to reseed") {
    machine();
    fake::state().crng = fake::Crng::ready;
    fake::Entry& store = seeded_partition();
    CHECK(run_load() == kExitDone);
    CHECK(ritual() == std::vector<std::string>{"add_entropy 0", "reseed", "flush", "read slot 0", "read slot 1",
                                               "write slot 0", "flush", "read slot 0", "add_entropy 256", "reseed",
                                               "write slot 1", "flush", "read slot 1"});
    CHECK(slot(store.durable, 0).generation == 3);
    CHECK(slot(store.durable, 1).generation == 4);
    CHECK(report("ready_by") == "kernel");
}

TEST_CASE("P10: a kernel without RNDRESEEDCRNG does no harm") {
    machine();
    fake::state().crng = fake::Crng::ready;
    fake::state().failures.push_back({.call = "reseed", .nth = 0, .code = ENOTTY});
    seeded_partition();
    CHECK(run_load() == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0, 256});
}

// --- P3: what the successor inherits
// ----------------------------------------------------------------------------------

TEST_CASE("P3: a successor is creditable when the seed was fresh, the renewed seed when the kernel was ready too") {
    struct Case {
        fake::Crng crng;
        Seed seed;
        bool successor, renewed;
    };
    const Case cases[] = {
        {fake::Crng::never, {.generation = 2}, true, true},
        {fake::Crng::never, {.generation = 2, .creditable = false}, false, false},
        {fake::Crng::ready, {.generation = 2, .creditable = false}, false, true},
        {fake::Crng::ready, {.generation = 2}, true, true},
        {fake::Crng::by_credit, {.generation = 2}, true, true},
        {fake::Crng::by_credit, {.generation = 2, .creditable = false}, false, false},
    };
    for (const Case& c : cases) {
        machine();
        fake::Entry& store = empty_partition();
        put_seed(store, 0, {.generation = 1});
        put_seed(store, 1, c.seed);
        fake::state().crng = c.crng;
        CHECK(run_load() == kExitDone);
        CHECK(slot(store.durable, 0).creditable == c.successor);
        CHECK(slot(store.durable, 1).creditable == c.renewed);
        CHECK(slot(store.durable, 1).tag == identify_machine().tag);
        CHECK(slot(store.durable, 1).boot_id == read_boot().id);
    }
}

TEST_CASE("P3: a seed that was only mixed because of credit-seed = never or a virtual machine stays creditable") {
    for (bool virtual_machine : {false, true}) {
        machine(virtual_machine ? kQuiet : kQuiet + "credit-seed = never\n");
        fake::state().hypervisor = virtual_machine;
        fake::state().crng = fake::Crng::never;
        fake::Entry& store = seeded_partition();
        CHECK(run_load() == kExitDone);
        CHECK(credits() == std::vector<unsigned>{0, 0});
        CHECK(report("seed.reason") == what(virtual_machine ? Reason::virtual_machine : Reason::seed_never));
        CHECK(slot(store.durable, 1).creditable);
    }
}

TEST_CASE("P2: a seed without a tag does not become one of this machine by being rotated on it") {
    // Saved where there was no identity (in a container, say), then copied to many machines: the first boot of each may
    // not turn it into a seed that the second boot credits.
    machine();
    fake::Entry& store = empty_partition();
    put_seed(store, 0, {.generation = 1, .bound = false});
    put_seed(store, 1, {.generation = 2, .bound = false});
    fake::state().crng = fake::Crng::never;
    CHECK(run_load() == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0, 0});
    CHECK(report("seed.reason") == what(Reason::other_machine));
    fake::reboot();
    fake::state().crng = fake::Crng::by_credit;
    CHECK(run_load() == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0, 0});
    CHECK(newest(store.durable).generation == 6);
}

TEST_CASE("P2: save does not turn a seed without a tag into a creditable one of this machine") {
    machine();
    fake::Entry& store = empty_partition();
    put_seed(store, 0, {.generation = 1, .bound = false});
    put_seed(store, 1, {.generation = 2, .bound = false});
    fake::state().crng = fake::Crng::never;
    CHECK(run_save() == kExitDone);
    CHECK(newest(store.durable).generation == 3);
    CHECK_FALSE(newest(store.durable).creditable);
}

// --- P1: failures
// -----------------------------------------------------------------------------------------------------

TEST_CASE("P1: no credit when the successor cannot be written, flushed or read back; the seed is mixed all the same") {
    struct Case {
        const char* call;
        unsigned nth;
        int code;
        std::size_t torn_bytes;
    };
    // The first flush and the first two reads belong to reading the store.
    const Case cases[] = {{"write", 1, EIO, 0},    {"write", 1, EIO, 512}, {"write", 1, EIO, 100},
                          {"write", 1, ENOSPC, 0}, {"write", 1, EROFS, 0}, {"flush", 2, EIO, 0},
                          {"read", 3, EIO, 0}};
    for (const Case& c : cases) {
        INFO(c.call << " " << c.nth << " errno " << c.code << " torn " << c.torn_bytes);
        machine();
        fake::Entry& store = seeded_partition();
        fake::state().failures.push_back({.call = c.call, .nth = c.nth, .code = c.code, .torn_bytes = c.torn_bytes});
        CHECK(run_load() == kExitDegraded);
        CHECK(credits() == std::vector<unsigned>{0, 0});
        CHECK(writes() == 1);
        CHECK(report("seed.reason") == what(Reason::write_failed));
        CHECK(report("seed.credited_bits") == "0");
        CHECK(report("store.state") == "failed");
        CHECK(report("store.problem").find("check the medium") != std::string::npos);
        CHECK(said().find("check the medium") != std::string::npos);
        CHECK(slot(store.durable, 1).seed == seed_bytes(0x52));
        CHECK(leak() == "");
    }
}

TEST_CASE("P1: no credit when what is read back is not what was written") {
    machine();
    fake::Entry& store = seeded_partition();
    fake::state().read_back_differs = true;
    CHECK(run_load() == kExitDegraded);
    CHECK(credits() == std::vector<unsigned>{0, 0});
    CHECK(writes() == 1);
    CHECK(report("seed.reason") == what(Reason::write_failed));
    CHECK(report("store.problem").find("cannot read back the next seed") != std::string::npos);
    CHECK(slot(store.durable, 1).seed == seed_bytes(0x52));
}

TEST_CASE("P1: no credit, and no write, when the store is read-only") {
    machine();
    fake::Entry& store = seeded_partition();
    store.read_only = true;
    CHECK(run_load() == kExitDegraded);
    CHECK(credits() == std::vector<unsigned>{0, 0});
    CHECK(writes() == 0);
    CHECK(report("seed.reason") == what(Reason::read_only));
    CHECK(report("store.state") == "read-only");
    CHECK(said().find("make it writable") != std::string::npos);
}

TEST_CASE("P1: no credit and no write when what an earlier process left in the cache cannot be flushed") {
    machine();
    seeded_partition();
    fake::state().failures.push_back({.call = "flush", .nth = 1});
    CHECK(run_load() == kExitDegraded);
    CHECK(credits() == std::vector<unsigned>{0, 0});
    CHECK(writes() == 0);
}

TEST_CASE("P5: when the renewed seed cannot be written, the credit stands, the failure is said, the successor waits") {
    machine();
    fake::Entry& store = seeded_partition();
    fake::state().failures.push_back({.call = "write", .nth = 2});
    CHECK(run_load() == kExitDegraded);
    CHECK(credits() == std::vector<unsigned>{0, 256});
    CHECK(report("store.state") == "failed");
    CHECK(report("store.problem").find("over the used seed") != std::string::npos);
    CHECK(newest(store.durable).generation == 3);
    // The old seed may not be credited again.
    fake::Buffer successor = newest(store.durable).seed;
    fake::power_cut();
    CHECK(run_load() == kExitDone);
    CHECK(credits() == std::vector<unsigned>{0, 256});
    CHECK(newest(store.durable).generation == 5);
    CHECK_FALSE(contains(store.durable, successor));
    CHECK_FALSE(contains(store.durable, seed_bytes(0x52)));
}

TEST_CASE("P1: a store that is filled anew begins above what is in doubt") {
    machine();
    fake::Entry& store = seeded_partition();
    fake::state().failures.push_back({.call = "flush", .nth = 3});  // of the renewed seed, generation 4, in slot 1
    CHECK(run_load() == kExitDegraded);
    fake::state().failures.clear();
    fake::set_content(store, 500, {0x11});  // and slot 0 rots
    CHECK(run_save() == kExitDone);
    CHECK(slot(store.durable, 0).generation == 5);
    CHECK(slot(store.durable, 1).generation == 6);
}

TEST_CASE("P1: a slot whose flush failed is in doubt for the next command of the same boot") {
    machine();
    fake::Entry& store = seeded_partition();
    fake::state().failures.push_back({.call = "flush", .nth = 2});
    CHECK(run_load() == kExitDegraded);
    // It looks well, and is not on the medium.
    REQUIRE(slot(store.cached, 0).generation == 3);
    REQUIRE(slot(store.durable, 0).generation == 1);
    fake::state().failures.clear();
    fake::state().journal.clear();

    SECTION("save overwrites that slot, not the seed's") {
        CHECK(run_save() == kExitDone);
        CHECK(fake::journal_of({"write"}) == std::vector<std::string>{"write slot 0"});
        // One more than what is in doubt: whatever of it is on the medium, this is newer.
        CHECK(newest(store.durable).generation == 4);
        CHECK(slot(store.durable, 1).seed == seed_bytes(0x52));
        // Nothing is in doubt any more: the next save goes to the other slot.
        CHECK(run_save() == kExitDone);
        CHECK(slot(store.durable, 0).generation == 4);
        CHECK(slot(store.durable, 1).generation == 5);
    }
    SECTION("save without a ready generator makes no creditable seed of it") {
        fake::state().crng = fake::Crng::never;
        CHECK(run_save() == kExitDone);
        CHECK_FALSE(newest(store.durable).creditable);
    }
    SECTION("the same slot number of another store is not in doubt") {
        fake::Entry& other = fake::put_device("/dev/vdb", 8192, 0xfe10);
        put_seed(other, 0, {.generation = 6});
        put_seed(other, 1, {.generation = 5});
        fake::put_text("/etc/earlyseed.conf", kQuiet + "store = /dev/vdb\n");
        CHECK(run_save() == kExitDone);
        CHECK(slot(other.durable, 0).generation == 6);
        CHECK(slot(other.durable, 1).generation == 7);
    }
    SECTION("after a reboot the medium alone counts") {
        fake::power_cut();
        CHECK(run_load() == kExitDone);
        CHECK(credits() == std::vector<unsigned>{0, 256});
    }
}

// --- P1 and P5: power cuts
// ---------------------------------------------------------------------------------------------

namespace {

// What a power cut leaves: the store, and which of the seeds in it were credited already.
struct Medium {
    fake::Buffer content;
    std::set<fake::Buffer> credited;
    bool spoiled = false;  // a write tore, or a call failed, since the last load that credited
};

std::string key_of(const Medium& medium) {
    std::string key = medium.spoiled ? "spoiled" : "";
    std::uint64_t least = ~std::uint64_t{0};
    for (int i : {0, 1}) {
        if (Found f = slot(medium.content, i); f.state == SlotState::valid) least = std::min(least, f.generation);
    }
    for (int i : {0, 1}) {
        Found f = slot(medium.content, i);
        key += " " + std::to_string(static_cast<int>(f.state));
        if (f.state != SlotState::valid) continue;
        key += "+" + std::to_string(std::min<std::uint64_t>(f.generation - least, 3)) + (f.creditable ? "c" : "") +
               (medium.credited.count(f.seed) != 0 ? "used" : "");
    }
    return key;
}

// Every medium that loads, saves, failures and power cuts can lead to, by breadth; media that differ in nothing but
// their random bytes are visited once.
class Search {
public:
    void add(Medium medium) {
        if (keys_.insert(key_of(medium)).second) queue_.push_back(std::move(medium));
    }

    std::size_t run() {
        while (!queue_.empty()) {
            Medium start = std::move(queue_.front());
            queue_.pop_front();
            for (fake::Crng crng : {fake::Crng::never, fake::Crng::by_credit, fake::Crng::ready}) {
                boot(start, crng, {});
                for (unsigned nth : {1u, 2u}) boot(start, crng, {.call = "write", .nth = nth, .torn_bytes = 300});
                for (unsigned nth : {2u, 3u}) boot(start, crng, {.call = "flush", .nth = nth});
                for (unsigned nth : {3u, 4u}) boot(start, crng, {.call = "read", .nth = nth});
            }
        }
        return keys_.size();
    }

private:
    // One boot: load, then two saves, each of which the power may cut at any call.
    void boot(const Medium& start, fake::Crng crng, const fake::Failure& failure) {
        machine();
        fake::state().boots = boots_++;
        fake::power_cut();  // for a boot ID of its own
        fake::Entry& store = empty_partition(kStoreBytes);
        fake::set_content(store, 0, start.content);
        fake::state().crng = crng;
        if (!failure.call.empty()) fake::state().failures.push_back(failure);

        Medium now = start;
        now.spoiled = now.spoiled || !failure.call.empty();
        Found seed = newest(start.content);
        std::size_t feeds = 0;
        auto watch = [&] {
            for (; feeds < fake::state().feeds.size(); feeds++) {
                if (fake::state().feeds[feeds].bits == 0) continue;
                // The one source of credit is the seed.
                INFO("seed of generation " << seed.generation << " credited, from" << key_of(start));
                REQUIRE(now.credited.insert(seed.seed).second);
                REQUIRE(newest(store.durable).generation > seed.generation);
                if (failure.call.empty()) now.spoiled = false;
            }
            leave(store, now, newest(start.content).generation != 0);
        };
        fake::state().before_call = watch;
        run_load();
        watch();
        bool spoiled = start.spoiled || !failure.call.empty();
        if (!spoiled) {
            INFO("nothing tore and nothing failed, so this boot has its credit:" << key_of(start));
            REQUIRE(credits() == std::vector<unsigned>{0, 256});
        }
        // The one loss allowed is one boot's: a whole one with a ready generator mends it.
        if (spoiled) now.spoiled = !failure.call.empty() || crng != fake::Crng::ready;
        fake::state().failures.clear();
        for (int i = 0; i < 2; i++) {
            run_save();
            watch();
        }
        fake::state().before_call = {};
        // A boot that went well to its end leaves a seed that the next may credit, if the generator was ready.
        if (failure.call.empty() && crng == fake::Crng::ready) {
            REQUIRE(newest(store.durable).creditable);
            REQUIRE(slot_state(store.durable, 0) == SlotState::valid);
            REQUIRE(slot_state(store.durable, 1) == SlotState::valid);
        }
        REQUIRE(fake::state().mistakes.empty());
    }

    // The power goes now, with what is in the cache written in no part, in all, or torn.
    void leave(const fake::Entry& store, const Medium& now, bool had_seed) {
        REQUIRE(store.pending.size() <= 1);  // so that "each of them" is all or none
        for (std::size_t bytes : {0, 4096, 16, 300, 511}) {
            for (bool from_end : {false, true}) {
                if (store.pending.empty() && (bytes != 0 || from_end)) continue;
                fake::Entry medium = store;
                // From the end, all but the record's first bytes.
                std::size_t reach = from_end && bytes != 0 && bytes != 4096 ? 4096 - bytes : bytes;
                if (!store.pending.empty()) fake::reach_medium(medium, 0, reach, from_end);
                Medium next{medium.durable, now.credited, now.spoiled || (bytes != 0 && bytes != 4096)};
                INFO("at '" << (fake::state().journal.empty() ? "" : fake::state().journal.back()) << "', " << reach
                            << " bytes reached");
                if (had_seed) REQUIRE(newest(next.content).generation != 0);
                add(std::move(next));
            }
        }
    }

    std::deque<Medium> queue_;
    std::set<std::string> keys_;
    unsigned boots_ = 0;
};

}  // namespace

TEST_CASE("P1, P5: power cuts at every call, torn writes and failures: no seed credited twice, none lost") {
    machine();
    fake::Entry& store = seeded_partition();
    Search search;
    search.add({fake::Buffer(store.durable.begin(), store.durable.begin() + kStoreBytes), {}});
    std::size_t visited = search.run();
    INFO("media visited: " << visited);
    CHECK(visited == 28);  // another number: the protocol, or the search, has changed
}
