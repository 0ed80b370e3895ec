// SPDX-License-Identifier: MIT
// The store as a whole: the input is the life of a machine, boot by boot, on the fake kernel. Commands run, calls fail,
// the process is killed or the power cut at any call, with what was not flushed lost, torn or out of order; slots rot,
// the machine changes, the store is copied back to an earlier state. A ledger that knows the records by its own reading
// (fuzz.hpp) holds the program to its promises after every call. What is injected, and what no file can tell, is in
// README.md.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <vector>

#include "commands/commands.hpp"
#include "fake_kernel.hpp"
#include "fuzz.hpp"
#include "machine/identity.hpp"
#include "no_jitter.hpp"
#include "seed/store.hpp"

using namespace earlyseed;
using namespace earlyseed::fuzz;

namespace {

using Seed = std::array<std::uint8_t, kSeedBytes>;
using Tag = std::array<std::uint8_t, 32>;

constexpr std::size_t kSlot = kernel::kBlockBytes;
constexpr std::size_t kDeviceBytes = 3 * kSlot;  // the store, and what is behind it
constexpr const char* kFileDevice = "/dev/vdb1";
constexpr const char* kInRoot = "/var/lib/earlyseed/seed";
constexpr const char* kOnDevice = "/earlyseed/seed";

enum class Kind : unsigned { partition, file_in_root, file_on_device, kinds };
enum class Call : unsigned { load, early_load, save, status, setup, forget };

// --- the machine -----------------------------------------------------------------------------------------------------

struct World {
    Kind kind;
    SeedPolicy policy = SeedPolicy::automatic;
    bool jitter_credited = false;
    unsigned identity = 1;  // 0 = none
    bool boot_id_known = true;
    bool forgotten = false;  // in this boot
    bool erasing = false;    // forget was tried in this boot: its zeros may be on the medium, or reach it later
    std::set<Seed> credited;
    std::optional<fake::Buffer> copy;  // of the store, taken earlier

    const char* spec() const {
        return kind == Kind::partition      ? "PARTLABEL=earlyseed"
               : kind == Kind::file_in_root ? kInRoot
                                            : "/dev/vdb1:/earlyseed/seed";
    }
};

fake::State& machine() { return fake::state(); }

fake::Entry* find_store(const World& world) {
    if (world.kind == Kind::partition) return fake::find("/dev/vda1");
    if (world.kind == Kind::file_in_root) return fake::find(kInRoot);
    auto& files = machine().file_systems[kFileDevice].files;
    auto at = files.find(kOnDevice);
    return at == files.end() ? nullptr : &at->second;
}

void write_config(const World& world) {
    std::string text = std::string("store = ") + world.spec() + "\n";
    if (world.policy != SeedPolicy::automatic)
        text += world.policy == SeedPolicy::always ? "credit-seed = always\n" : "credit-seed = never\n";
    if (!world.jitter_credited) text += "credit-jitter = never\n";
    fake::put_text("/etc/earlyseed.conf", text);
}

void set_identity(World& world, unsigned identity) {
    world.identity = identity;
    std::string digits(1, static_cast<char>('0' + identity));
    fake::put_text("/sys/class/dmi/id/product_uuid",
                   identity == 0 ? "Not Specified\n" : "4c4c4544-0042-3510-8057-b3c04f56443" + digits + "\n");
}

// Zeros, or what identify_machine() makes of it: that it is another for another machine is identity_test's.
const Tag& tag_of(unsigned identity) {
    static const std::array<Tag, 3> tags = [] {
        std::array<Tag, 3> made{};
        World unused{};
        for (unsigned i = 0; i < 3; i++) {
            set_identity(unused, i);
            made[i] = identify_machine().tag;
        }
        return made;
    }();
    return tags[identity];
}

void put_slot(fake::Entry& store, unsigned slot, const fake::Buffer& bytes) {
    if (store.cached.size() >= kStoreBytes) fake::set_content(store, slot * kSlot, bytes);
}

fake::Buffer record(std::uint64_t generation, bool creditable, const Tag& tag, std::uint8_t seed,
                    std::uint8_t version) {
    fake::Buffer bytes(kSlot);
    std::copy_n("earlySD\n", 8, bytes.begin());
    bytes[8] = version;
    bytes[10] = creditable;
    for (unsigned i = 0; i < 8; i++) bytes[16 + i] = static_cast<std::uint8_t>(generation >> 8 * i);
    std::fill_n(bytes.begin() + 32, 16, std::uint8_t{0x77});
    std::copy(tag.begin(), tag.end(), bytes.begin() + 48);
    for (unsigned i = 0; i < 64; i++) bytes[80 + i] = static_cast<std::uint8_t>(seed + 5 * i + 1);
    auto sum = checksum_of(bytes);
    std::copy(sum.begin(), sum.end(), bytes.begin() + 480);
    return bytes;
}

void build(World& world, Input& input) {
    fake::reset();
    world.kind = static_cast<Kind>(input.below(static_cast<unsigned>(Kind::kinds)));
    unsigned start = input.byte();
    tag_of(0);  // makes all of them, once
    set_identity(world, 1);
    if (world.kind == Kind::partition) {
        fake::put_partition("vda1", kDeviceBytes, 0xfe01, "earlyseed");
        fake::Buffer behind(kSlot, 0x42);
        if ((start & 8) != 0) fake::set_content(*fake::find("/dev/vda1"), 2 * kSlot, behind);
    } else {
        bool exists = (start & 8) == 0;
        fake::put_device(kFileDevice, kSlot, 0xfe11);
        fake::FileSystem& device = fake::put_file_system(kFileDevice, "ext4");
        fake::Entry file;
        file.cached.assign(kStoreBytes, 0);
        file.durable = file.cached;
        if (exists && world.kind == Kind::file_in_root) fake::put_folder("/var/lib/earlyseed");
        if (exists && world.kind == Kind::file_in_root) machine().files[kInRoot] = file;
        if (exists && world.kind == Kind::file_on_device) device.files[kOnDevice] = file;
    }
    if (fake::Entry* store = find_store(world); store && (start & 3) != 3) {
        // As a shutdown or an earlier load leaves it; or as it is after a torn write.
        put_slot(*store, (start >> 2) & 1, record(1, true, tag_of(1), 9, 1));
        if ((start & 3) != 2) put_slot(*store, 1 ^ ((start >> 2) & 1), record(2, (start & 16) == 0, tag_of(1), 90, 1));
    }
    write_config(world);
}

// --- the story, for a person: STORY=1 in the environment -------------------------------------------------------------

std::string sketch(const fake::Buffer& content) {
    std::string text;
    for (std::size_t at = 0; at + kSlot <= std::min<std::size_t>(content.size(), kStoreBytes); at += kSlot) {
        Reading reading = read_record(std::span(content).subspan(at, kRecordBytes));
        text += " " + std::string("pvdofu").substr(static_cast<unsigned>(reading.state), 1);
        if (reading.valid()) text += std::to_string(reading.generation) + (reading.creditable ? "c" : "");
    }
    return text;
}

const bool story = std::getenv("STORY") != nullptr;

void tell(const World& world, const std::string& step) {
    if (!story) return;
    const fake::Entry* store = find_store(world);
    for (const fake::LogLine& line : machine().kernel_log) std::fprintf(stderr, "    log: %s\n", line.text.c_str());
    std::fprintf(stderr, "%s%s: cache%s, medium%s\n", machine().err.c_str(), step.c_str(),
                 store ? sketch(store->cached).c_str() : "", store ? sketch(store->durable).c_str() : "");
}

// --- what must hold --------------------------------------------------------------------------------------------------

struct Contents {
    fake::Buffer bytes;
    Reading slots[2];

    explicit Contents(const fake::Buffer& from) : bytes(from) {
        if (bytes.size() < kStoreBytes) return;
        for (unsigned i : {0u, 1u}) {
            slots[i] = read_record(std::span(bytes).subspan(i * kSlot, kRecordBytes));
            if (slots[i].state == SlotState::pristine && !is_zero(i * kSlot, (i + 1) * kSlot))
                slots[i].state = SlotState::foreign;
        }
        if (is_zero(0, kStoreBytes) && !is_zero(kStoreBytes, bytes.size())) slots[0].state = SlotState::foreign;
    }
    bool is_zero(std::size_t begin, std::size_t end) const {
        return begin == end || (bytes[begin] == 0 && memcmp(&bytes[begin], &bytes[begin + 1], end - begin - 1) == 0);
    }
    bool has_seed() const { return slots[0].valid() || slots[1].valid(); }
    int newest() const {
        if (!has_seed()) return -1;
        return slots[0].generation >= slots[1].generation ? 0 : 1;  // generation 0: not valid
    }
    std::uint64_t generation() const { return std::max(slots[0].generation, slots[1].generation); }
    bool both_valid() const {
        return slots[0].valid() && slots[1].valid() && slots[0].generation != slots[1].generation;
    }
    bool contains(std::span<const std::uint8_t> what) const {
        return !bytes.empty() && memmem(bytes.data(), bytes.size(), what.data(), what.size()) != nullptr;
    }
    // Data of somebody else, of another version of the program, or unknown: not to be written.
    bool hands_off() const {
        auto any = [&](SlotState state) { return slots[0].state == state || slots[1].state == state; };
        if (any(SlotState::other_version)) return true;
        return any(SlotState::foreign) && !any(SlotState::valid) && !any(SlotState::damaged);
    }
};

// The store as it is now.
struct Medium {
    explicit Medium(const World& world) : Medium(world, find_store(world)) {}

    bool there;
    Contents cached, durable;
    bool flawed;  // others than root may read it, or it is forgotten at the next boot

private:
    Medium(const World& world, const fake::Entry* store)
        : there(store != nullptr),
          cached(store ? store->cached : fake::Buffer()),
          durable(store ? store->durable : fake::Buffer()),
          flawed(store && world.kind != Kind::partition &&
                 ((store->permissions & 077) != 0 ||
                  (world.kind == Kind::file_in_root && !machine().forgetful_trees.empty()))) {}
};

// A whole command, watched at every call.
class Watch {
public:
    Watch(World& world, Call call) : world_(world), call_(call), before_(world), erasing_(world.erasing) {
        boot_ = read_boot_id();
        std::string note = fake::text_of("/run/earlyseed/in-doubt");
        for (unsigned slot : {0u, 1u}) in_doubt_[slot] = note == std::to_string(slot) + " " + world.spec() + "\n";
        writes_before_ = count_writes();
        feeds_ = machine().feeds.size();
    }

    // At every call, and at the end.
    void look() {
        while (feeds_ < machine().feeds.size()) check_feed(machine().feeds[feeds_++]);
    }

    // After a command that was not interrupted.
    void at_end(int status) {
        look();
        require(machine().handles.empty() && !machine().lock_held, "everything is closed, and the lock given back");
        require(machine().mounts.empty(), "P9: nothing stays mounted");
        require(machine().mistakes.empty(), "no call that a careful program would not make");
        require(status == kExitDone || status == kExitDegraded || (call_ == Call::status && status == kExitNotReady),
                "exit status 0 or 1, and 3 of status");
        if (call_ == Call::early_load) {
            require(fake::journal_of({"mount"}).empty(), "P9: nothing is mounted before a resume");
        }
        Medium after(world_);
        bool done = status == kExitDone && !failed();
        if (seed_feed_ && done) {
            require(!after.cached.contains(*seed_feed_) && !after.durable.contains(*seed_feed_),
                    "P7: the used seed is nowhere on the medium");
            require(after.durable.both_valid() && after.durable.generation() == before_.cached.generation() + 2,
                    "P5: successor and renewed seed are on the medium");
            check_next_is_creditable(after);
        }
        if (call_ == Call::save && done && after.there && count_writes() > writes_before_) {
            require(after.durable.generation() == before_.cached.generation() + (newest_before() >= 0 ? 1 : 2),
                    "save makes a newer seed");
            require(after.cached.bytes == after.durable.bytes, "and it is on the medium");
            if (before_.cached.newest() >= 0)
                require(after.durable.newest() != newest_before(), "P5: it does not replace the newest");
            require(after.durable.both_valid(), "both slots are filled");
            check_next_is_creditable(after);
        }
        if (call_ == Call::forget && status == kExitDone && opened_for_writing()) {
            require(std::count(after.durable.bytes.begin(), after.durable.bytes.begin() + kStoreBytes, 0) ==
                        static_cast<std::ptrdiff_t>(kStoreBytes),
                    "forget leaves no seed");
            if (!failed()) world_.forgotten = true;
        }
        if (call_ == Call::setup && status == kExitDone) {
            require(after.there && after.cached.has_seed(), "setup leaves a store with a seed");
        }
        check_any_end();
    }

    // After a command, or what a kill or a power cut made of it.
    void check_any_end() {
        if (call_ == Call::setup) world_.forgotten = false;
        if (call_ == Call::forget) world_.erasing = true;
        Medium after(world_);
        std::size_t writes = count_writes() - writes_before_;
        if (call_ == Call::status) require(writes == 0, "status writes nothing");
        if (world_.forgotten && call_ != Call::setup && call_ != Call::forget)
            require(writes == 0, "after forget, nothing is saved until the next boot");
        if (before_.there && before_.cached.hands_off() && !failed_to("read")) {
            bool may_erase = call_ == Call::forget && other_version();
            if (!may_erase) require(writes == 0, "nothing is written to data of others");
        }
        if (before_.there && world_.kind == Kind::partition) {
            require(std::equal(after.cached.bytes.begin() + kStoreBytes, after.cached.bytes.end(),
                               before_.cached.bytes.begin() + kStoreBytes),
                    "nothing is written behind the store");
        }
        if (call_ == Call::setup && newest_before() >= 0 && !failed())
            require(writes == 0, "setup leaves a seed as it is");
        for (const fake::Feed& feed : machine().feeds)
            require(!after.durable.contains(feed.bytes) && !after.cached.contains(feed.bytes),
                    "P7: what was fed is not on the medium");
        if (call_ != Call::forget && before_.durable.has_seed() && newest_before() >= 0)
            require(after.durable.has_seed(), "P5: a store with a seed keeps one");
        if (call_ != Call::forget && !erasing_ && !failed_to("read"))
            require(after.durable.generation() >= std::min(before_.durable.generation(), believed_generation()),
                    "P1: generations do not go back");
    }

    // A call failed (one of that name) in this boot.
    static bool failed_to(std::string_view call) {
        const auto& failures = machine().failures;
        return std::any_of(failures.begin(), failures.end(), [&](const fake::Failure& failure) {
            bool happened = failure.nth == 0 ? failure.seen > 0 : failure.seen >= failure.nth;
            return happened && (call.empty() || failure.call == call);
        });
    }
    bool failed() const { return failed_to("") || read_back_was_to_differ_; }

    void read_back_differs() { read_back_was_to_differ_ = true; }

private:
    static std::array<std::uint8_t, 16> read_boot_id() {
        std::array<std::uint8_t, 16> id{};
        std::string text = fake::text_of("/proc/sys/kernel/random/boot_id");
        text.erase(std::remove(text.begin(), text.end(), '-'), text.end());
        if (text.size() < 32) return id;
        for (std::size_t i = 0; i < 16; i++)
            id[i] = static_cast<std::uint8_t>(std::stoul(text.substr(2 * i, 2), nullptr, 16));
        return id;
    }

    static std::size_t count_writes() {
        const auto& journal = machine().journal;
        return static_cast<std::size_t>(std::count_if(
            journal.begin(), journal.end(), [](const std::string& line) { return line.compare(0, 6, "write ") == 0; }));
    }

    bool other_version() const {
        return before_.cached.slots[0].state == SlotState::other_version ||
               before_.cached.slots[1].state == SlotState::other_version;
    }

    // Of the slots as load may believe them.
    bool valid_before(unsigned slot) const { return before_.cached.slots[slot].valid() && !in_doubt_[slot]; }
    int newest_before() const {
        if (!valid_before(0) && !valid_before(1)) return -1;
        if (!valid_before(1)) return 0;
        if (!valid_before(0)) return 1;
        return before_.cached.newest();
    }

    // A slot in doubt is the first to be overwritten, however new it is.
    std::uint64_t believed_generation() const {
        return newest_before() < 0 ? 0 : before_.cached.slots[newest_before()].generation;
    }

    bool opened_for_writing() const {
        const auto& journal = machine().journal;
        return std::any_of(journal.begin(), journal.end(),
                           [](const std::string& line) {
                               return line.compare(0, 10, "open_exclusive") == 0 &&
                                      line.find(" write") != std::string::npos;
                           }) &&
               !fake::journal_of({"write"}).empty();
    }

    void check_feed(const fake::Feed& feed) {
        require(call_ == Call::load || call_ == Call::early_load, "P1: load alone feeds the kernel");
        require(feed.bytes.size() == 64, "64 bytes");
        for (unsigned slot : {0u, 1u}) {
            const Reading& seed = before_.cached.slots[slot];
            if (seed.valid() && feed.bytes == pool_input_of(seed.seed)) return check_seed(feed, slot, seed);
        }
        require(!sources_fed_, "P3: the other sources are fed once");
        sources_fed_ = true;
        require(feed.bits == (world_.jitter_credited && jitter_earns ? 256u : 0u),
                "P3: and earn what the jitter earned");
    }

    // The pool input, by the library's own streaming interface.
    static fake::Buffer pool_input_of(const Seed& seed) {
        constexpr std::string_view key = "earlyseed 1: seed to pool";
        std::array<std::uint8_t, 144> stream{};
        stream[0] = 64;
        std::copy(seed.begin(), seed.end(), stream.begin() + 8);
        stream[72] = 64;
        std::copy(jitter_digest.begin(), jitter_digest.end(), stream.begin() + 80);
        fake::Buffer out(64);
        crypto_generichash(out.data(), out.size(), stream.data(), stream.size(),
                           reinterpret_cast<const unsigned char*>(key.data()), key.size());
        return out;
    }

    void check_seed(const fake::Feed& feed, unsigned slot, const Reading& seed) {
        require(!seed_feed_, "P1: the seed is fed once");
        seed_feed_ = seed.seed;
        require(feed.bits == 0 || feed.bits == 256, "P3: 0 or 256");
        if (!failed_to("read")) require(static_cast<int>(slot) == newest_before(), "the seed is the newest record");

        // Retired: at this instant the medium has the successor in the other slot.
        Medium now(world_);
        const Reading& successor = now.durable.slots[1 - slot];
        bool retired = count_writes() == writes_before_ + 1 && find_store(world_)->pending.empty() &&
                       successor.valid() && successor.generation == before_.cached.generation() + 1 &&
                       successor.boot_id == boot_ && successor.tag == tag_of(world_.identity) &&
                       now.cached.slots[1 - slot].seed == successor.seed &&
                       before_.durable.slots[1 - slot].seed != successor.seed &&
                       before_.cached.slots[1 - slot].seed != successor.seed;
        // Every row of the policy's table.
        BootId unknown{};
        Tag no_tag{};
        bool sibling = valid_before(1 - slot) && before_.cached.slots[1 - slot].generation != seed.generation;
        bool here = seed.tag == tag_of(world_.identity);
        bool boots = boot_ != unknown && seed.boot_id != unknown && boot_ != seed.boot_id;
        bool fresh = seed.creditable && sibling && here && boots && !before_.flawed;
        bool vouched = world_.policy == SeedPolicy::always ||
                       (world_.policy == SeedPolicy::automatic && !machine().hypervisor && seed.tag != no_tag);
        bool earned = retired && fresh && vouched;
        require(feed.bits == 0 || retired, "P1: credited only when its successor is on the medium");
        require(feed.bits == 0 || sibling, "P1: credited only beside a valid, older sibling");
        require(feed.bits == 0 || here, "P2: credited only on the machine that saved it");
        require(feed.bits == 0 || earned, "P3: credited by the table");
        if (!failed())
            require(feed.bits == (earned ? 256u : 0u), "at most one boot without credit: what is earned is given");
        if (!failed() && writable()) require(retired, "a seed is retired when nothing fails");
        require(successor.creditable <= (seed.creditable && fresh) || !retired,
                "P3: a successor inherits from a fresh seed");
        if (feed.bits == 0) return;
        require(world_.credited.insert(seed.seed).second, "P1: a seed is credited once");
    }

    bool writable() const {
        const fake::Entry* store = find_store(world_);
        return store && !store->read_only && machine().read_only_trees.empty();
    }

    // What the next boot on this machine needs, once the generator is ready.
    void check_next_is_creditable(const Medium& after) {
        bool ready = machine().crng == fake::Crng::ready ||
                     (machine().crng == fake::Crng::by_credit && machine().credited_bits >= 256);
        const Reading& next = after.durable.slots[after.durable.newest()];
        require(next.tag == tag_of(world_.identity) && next.boot_id == boot_, "P2: stamped with machine and boot");
        if (ready && !before_.flawed) require(next.creditable, "a seed made when the generator is ready is creditable");
        if (before_.flawed) require(!next.creditable, "P3: a flawed store makes no creditable seed");
    }

    World& world_;
    Call call_;
    Medium before_;
    bool erasing_;
    std::array<std::uint8_t, 16> boot_;
    bool in_doubt_[2];
    std::size_t writes_before_, feeds_;
    bool sources_fed_ = false;
    bool read_back_was_to_differ_ = false;
    std::optional<Seed> seed_feed_;
};

// --- what happens ----------------------------------------------------------------------------------------------------

int run(Call call, const World& world) {
    switch (call) {
        case Call::load:
            return load({});
        case Call::early_load:
            return load({.early = true});
        case Call::save:
            return save({});
        case Call::status:
            return show_status({});
        case Call::setup:
            return setup({.store = world.spec()});
        case Call::forget:
            return forget({});
    }
    return -1;
}

// What was written and not flushed: each write lost, there, or torn at either end, whatever its order.
void lose_power(World& world, Input& input) {
    if (fake::Entry* store = find_store(world)) {
        for (std::size_t i = 0; i < store->pending.size(); i++) {
            unsigned how = input.byte();
            std::size_t torn = (how >> 2) * 8u;
            std::size_t bytes = (how & 3) == 0 ? 0 : (how & 3) == 1 ? kSlot : torn;
            fake::reach_medium(*store, i, bytes, (how & 3) == 3);
        }
    }
    fake::power_cut();
    world.forgotten = world.erasing = false;
}

void run_watched(World& world, Call call, Input& input) {
    unsigned stop = input.byte();  // 0: not at all; otherwise at one of the next calls
    bool kill = (stop & 1) != 0;
    unsigned stop_at = stop / 2;
    machine().journal.clear();
    machine().written = false;  // so that read_back_differs means what it says
    jitter_earns = (stop & 64) != 0;

    std::optional<fake::State> stopped;
    std::set<Seed> credited;
    Watch watch(world, call);
    if (machine().read_back_differs) watch.read_back_differs();
    unsigned calls = 0;
    machine().before_call = [&] {
        if (story && !machine().journal.empty()) std::fprintf(stderr, "    %s\n", machine().journal.back().c_str());
        if (stopped) return;
        watch.look();
        if (++calls != stop_at) return;
        if (story) std::fprintf(stderr, "    --- stops here\n");
        stopped.emplace(machine());
    };
    int status = run(call, world);
    machine().before_call = {};
    if (!stopped) {
        tell(world, "command " + std::to_string(static_cast<unsigned>(call)) + " = " + std::to_string(status));
        watch.at_end(status);
        return;
    }
    // The process ended at that call: what came after it never was.
    machine() = *std::move(stopped);
    machine().before_call = {};
    machine().handles.clear();
    machine().lock_held = false;
    machine().mounts.clear();
    machine().mounts_private = false;
    if (kill) {
        tell(world, "command " + std::to_string(static_cast<unsigned>(call)) + " was killed");
        watch.check_any_end();
    } else {
        // Judged by what the medium has afterwards; what happened in the boot is needed for that.
        auto journal = machine().journal;
        auto feeds = machine().feeds;
        auto failures = machine().failures;
        lose_power(world, input);
        machine().journal = journal;
        machine().feeds = feeds;
        machine().failures = failures;
        tell(world, "power lost in command " + std::to_string(static_cast<unsigned>(call)));
        watch.check_any_end();
        machine().journal.clear();
        machine().feeds.clear();
        machine().failures.clear();
    }
}

void script_failure(const World& world, Input& input) {
    constexpr const char* calls[] = {"read",        "write",     "flush",  "write_text",      "open_exclusive",
                                     "remove_file", "read_text", "random", "insecure_random", "add_entropy",
                                     "reseed",      "mount",     "lock",   "private_mounts",  "make_directory",
                                     "create_zeros"};
    constexpr int codes[] = {EIO, EROFS, ENOSPC, EPERM, EACCES, EBUSY, ENOENT};
    fake::Failure failure;
    failure.call = calls[input.below(std::size(calls))];
    if (failure.call == "read_text") failure.only = "/run/earlyseed/report";
    unsigned how = input.byte();
    failure.nth = how % 8;
    failure.code = codes[(how >> 3) % std::size(codes)];
    failure.torn_bytes = failure.call == "write" && (how & 128) != 0 ? input.byte() * 16u : 0;
    machine().failures.push_back(failure);
    std::string torn = failure.torn_bytes == 0 ? "" : ", torn " + std::to_string(failure.torn_bytes);
    tell(world, "call " + std::to_string(failure.nth) + " of " + failure.call +
                    " fails: " + std::strerror(failure.code) + torn);
}

void damage(World& world, Input& input) {
    fake::Entry* store = find_store(world);
    unsigned how = input.byte();
    unsigned slot = how & 1;
    if (!store || store->cached.size() < kStoreBytes) return;
    // A state of the store that was before, or elsewhere: its seeds may have been credited, and no file can tell.
    auto copy_back = [&](const fake::Buffer& content) {
        store->cached = store->durable = content;
        store->pending.clear();
        for (const Reading& reading : Contents(content).slots) world.credited.erase(reading.seed);
    };
    switch (how >> 1 & 7) {
        case 0: {  // a bit flips
            std::size_t at = slot * kSlot + input.byte() * 2u;
            store->cached[at] = store->durable[at] ^= static_cast<std::uint8_t>(1 << (how >> 4 & 7));
            break;
        }
        case 1:
            put_slot(*store, slot, fake::Buffer(kSlot));
            break;
        case 2:
            put_slot(*store, slot, fake::Buffer(kSlot, 0x58));
            if ((how & 16) != 0) put_slot(*store, slot, fake::Buffer(1024));  // ext4 begins with zeros
            break;
        case 3:
            put_slot(*store, slot, record(40, true, tag_of(1), 70, 2));
            break;
        case 4: {  // the store of another machine
            fake::Buffer copy = store->durable;
            for (unsigned i : {0u, 1u}) {
                fake::Buffer other = record(20 + i, true, tag_of(2), static_cast<std::uint8_t>(200 + i), 1);
                std::copy(other.begin(), other.end(), copy.begin() + static_cast<std::ptrdiff_t>(i * kSlot));
            }
            copy_back(copy);
            break;
        }
        case 5:
            world.copy = store->durable;
            break;
        case 6:
        case 7:
            if (world.copy && world.copy->size() == store->durable.size()) copy_back(*world.copy);
            break;
    }
}

void change(World& world, Input& input) {
    unsigned how = input.byte();
    fake::Entry* store = find_store(world);
    switch (how & 15) {
        case 0:
            set_identity(world, (how >> 4) % 3);
            break;
        case 1:
            machine().hypervisor = !machine().hypervisor;
            break;
        case 2:
            world.policy = std::array{SeedPolicy::automatic, SeedPolicy::always, SeedPolicy::never}[(how >> 4) % 3];
            write_config(world);
            break;
        case 3:
            world.jitter_credited = !world.jitter_credited;
            write_config(world);
            break;
        case 4:
        case 5:
            machine().crng = std::array{fake::Crng::never, fake::Crng::by_credit, fake::Crng::ready}[(how >> 4) % 3];
            break;
        case 6:
            machine().has_insecure = !machine().has_insecure;
            break;
        case 7:
            machine().epoch_s = (how & 16) != 0 ? 0 : 1'790'000'000;
            break;
        case 8:
            if (store) store->permissions = (how & 16) != 0 ? 0644 : 0600;
            break;
        case 9:
            if (store) store->read_only = (how & 16) != 0;
            break;
        case 10:
            if ((how & 16) != 0)
                machine().forgetful_trees.insert("/var");
            else
                machine().forgetful_trees.clear();
            break;
        case 11:  // no /proc in this boot
            fake::put_text("/proc/sys/kernel/random/boot_id", "");
            break;
        case 12:
            machine().flush_failure_reaches_medium = (how & 16) != 0;
            break;
        case 13:
            machine().read_back_differs = (how & 16) != 0;
            break;
        case 14:
            machine().initramfs = (how & 16) != 0;
            break;
        case 15:
            if ((how & 16) != 0)
                machine().read_only_trees.insert("/var");
            else
                machine().read_only_trees.clear();
            break;
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    World world{};
    build(world, input);
    for (unsigned steps = 0; steps < 12 && !input.at_end(); steps++) {
        switch (unsigned step = input.below(16)) {
            case 0:
            case 1:
            case 2:
                run_watched(world, Call::load, input);
                break;
            case 3:
                run_watched(world, Call::early_load, input);
                break;
            case 4:
            case 5:
                run_watched(world, Call::save, input);
                break;
            case 6:
                run_watched(world, Call::setup, input);
                break;
            case 7:
                run_watched(world, Call::forget, input);
                break;
            case 8:
                run_watched(world, Call::status, input);
                break;
            case 9:
            case 10:
                script_failure(world, input);
                break;
            case 11:
                damage(world, input);
                tell(world, "damage");
                break;
            case 12:
            case 13:
                change(world, input);
                tell(world, "change");
                break;
            default:
                if (step == 14) lose_power(world, input);
                if (step == 15) fake::reboot(), world.forgotten = world.erasing = false;
                tell(world, "boot");
                break;
        }
    }
    return 0;
}
