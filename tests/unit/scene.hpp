// SPDX-License-Identifier: MIT
// What the tests of the commands share: a real machine with a store in the fake kernel, records to put into it, and
// what to look at afterwards. Free of any test framework, as fake_kernel.hpp is.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "commands/commands.hpp"
#include "fake_kernel.hpp"
#include "seed/record.hpp"

namespace earlyseed::scene {

inline constexpr const char* kDisk = "/dev/vda1";
inline constexpr const char* kFile = "/var/lib/earlyseed/seed";
inline const std::string kQuiet = "credit-jitter = never\n";  // whether there is credit depends on the store alone

// A physical machine with an identity, /sys and a configuration; no store.
void machine(std::string_view config = kQuiet);
// What identify_machine() reads.
void give_identity(std::string_view uuid);

// An empty partition named earlyseed at kDisk, and the same with the seeds of generations 1 (slot 0) and 2 (slot 1).
fake::Entry& empty_partition(std::size_t bytes = 16384);
fake::Entry& seeded_partition();
// An empty store at kFile, in its folder.
fake::Entry& empty_file(const std::string& path = kFile);

struct Seed {
    std::uint64_t generation = 1;
    std::uint8_t fill = 0x51;  // the seed's first byte; each of the 64 is another
    bool creditable = true;
    bool bound = true;  // to the machine as it is now; otherwise without a tag
    BootId boot_id{1, 2, 3, 4};
};
fake::Buffer record_of(const Seed& seed);  // one slot
void put_seed(fake::Entry& store, int slot, const Seed& seed);
fake::Buffer seed_bytes(std::uint8_t fill);

// A slot on the medium, or in the cache.
SlotState slot_state(const fake::Buffer& content, int slot);
struct Found {
    SlotState state;
    std::uint64_t generation;
    bool creditable;
    fake::Buffer seed;
    MachineTag tag;
    BootId boot_id;
};
Found slot(const fake::Buffer& content, int slot);
// The valid record of the highest generation; generation 0 when there is none.
Found newest(const fake::Buffer& content);

int run_load(bool early = false, std::string_view root = "");
int run_save();

// "seed.reason" of /run/earlyseed/report; empty when it is not there.
std::string report(std::string_view key);
// Every line of the kernel log, and what was printed.
std::string said();
// The calls that matter for the order of a rotation.
std::vector<std::string> ritual();
// The credits that the kernel was given in this boot, in order.
std::vector<unsigned> credits();

bool contains(const fake::Buffer& content, const fake::Buffer& part);
// A secret (any 8 bytes of a seed, of what was fed or of the kernel's output, raw or as hexadecimal digits) that can be
// seen outside of the stores; empty when there is none.
std::string leak(const std::vector<fake::Buffer>& more_secrets = {});

}  // namespace earlyseed::scene
