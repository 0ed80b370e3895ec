// SPDX-License-Identifier: MIT
// A machine in memory, behind the functions of src/system/ and credit/pool.hpp: a scripted random number generator, a
// clock that the test advances, files, block devices with a volatile write cache, mounts, one lock, and a journal of
// every call in order. One global State; a test calls reset(), sets the scene, runs a command and looks at what is
// left. Free of any test framework: fuzz targets stand on it too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "system/block_io.hpp"

namespace earlyseed::fake {

using Buffer = std::vector<std::uint8_t>;

// When the generator is ready.
enum class Crng {
    never,
    by_credit,  // once 256 bits were credited in this boot
    by_time,    // at State::crng_ready_at_ns
    ready,
};

// A write that the medium's cache has and the medium may not.
struct PendingWrite {
    std::size_t offset;
    Buffer bytes;
};

// A file, folder, link or device.
struct Entry {
    kernel::FileKind kind = kernel::FileKind::regular;
    Buffer cached;                      // what reading gives
    Buffer durable;                     // what a power cut leaves, apart from `pending`
    std::vector<PendingWrite> pending;  // written, not flushed; lost ones (a failed flush) are not in here
    std::uint32_t owner = 0;
    std::uint16_t permissions = 0600;
    std::uint64_t number = 0;  // block_device: its device number
    std::string target;        // symbolic_link
    bool busy = false;         // block_device: cannot be opened exclusively
    bool read_only = false;    // block_device: write protected; regular: immutable
    bool stream = false;       // reading takes the bytes away
    int end_code = 0;          // stream: the error at its end, 0 = end of file
    bool lines = false;        // stream: a line a read
};

using Files = std::map<std::string, Entry>;

// What mount() makes of a block device.
struct FileSystem {
    Files files;  // paths from its own root, "/earlyseed/seed"
    int mount_code = 0;
    bool read_only = false;        // can only be mounted read-only: EROFS otherwise
    bool in_use_writable = false;  // mounted elsewhere, writable: EBUSY for a read-only mount
};

struct Mount {
    std::string device;
    bool read_only;
};

// The `nth` call (1 = the next; 0 = every one) of `call`, the first word of its line in the journal, fails with `code`.
struct Failure {
    std::string call;
    unsigned nth = 1;
    int code = 5;                // EIO
    std::size_t torn_bytes = 0;  // write: so much of the block reached the cache all the same
    std::string only{};          // when set, lines of the journal that contain this alone are counted
    unsigned seen = 0;
};

// One RNDADDENTROPY.
struct Feed {
    Buffer bytes;
    unsigned bits;
};

struct LogLine {
    int level;
    std::string text;
};

struct State {
    // Time. Each look at the clock moves it by `tick_ns`; with 0 it stands still, sleep or not.
    std::uint64_t now_ns = 1'000'000'000;
    std::uint64_t tick_ns = 1'000;
    std::uint64_t epoch_s = 1'790'000'000;  // 0 = never set
    std::uint64_t flush_ns = 0;             // how long a flush takes
    unsigned sleeps = 0;

    // The generator.
    Crng crng = Crng::by_credit;
    std::uint64_t crng_ready_at_ns = 0;
    bool has_insecure = true;         // GRND_INSECURE, Linux 5.6
    bool may_add_entropy = true;      // CAP_SYS_ADMIN
    std::uint64_t credited_bits = 0;  // in this boot
    std::uint64_t random_calls = 0;   // what the generator gave so far; each output is another
    std::vector<Feed> feeds;          // in this boot
    std::vector<Buffer> outputs;      // every output, ever

    // The process and the machine.
    bool root = true;
    bool initramfs = false;
    bool terminal = false;
    bool hypervisor = false;
    std::vector<std::uint64_t> cpu_words;  // what the CPU's generator gives; empty: it has none
    unsigned boots = 0;

    // Files. `/` is one file system; a mount covers what is below its target.
    Files files;
    std::map<std::string, FileSystem> file_systems;             // by device path
    std::map<std::string, Mount> mounts;                        // by target
    std::map<std::string, std::uint64_t> devices{{"", 0x801}};  // device number of the file system at and below a path
    std::set<std::string> read_only_trees;                      // file systems at and below a path that are read-only
    std::set<std::string> forgetful_trees;                      // likewise: in memory, or an overlay
    std::set<std::string> stores;                               // paths that were opened as a store
    bool mounts_private = false;
    bool lock_busy = false;
    bool lock_held = false;

    // Script and record.
    std::vector<Failure> failures;
    bool flush_failure_reaches_medium = false;  // a failed flush: what was pending is lost (and looks well), or is not
    bool read_back_differs = false;             // the next read after a write has one bit flipped
    bool hangs = false;                         // run_bounded never gets to its work
    std::vector<std::string> journal;
    std::vector<LogLine> kernel_log;
    std::string out, err;
    std::vector<std::string> mistakes;  // what a careful program would never do
    std::function<void()> before_call;  // called before each call that the journal shows

    struct Handle {
        std::string file_system;  // device path, empty = the root
        std::string path;
        std::size_t offset = 0;
        bool writable = false;
        bool is_lock = false;
    };
    std::map<int, Handle> handles;
    int next_descriptor = 1000;
    bool written = false;  // a slot, and nothing was read since
};

State& state();

// A running machine with /proc, /sys, /run and nothing else: no store, no configuration.
void reset();

// A text file, 0644; and a folder.
void put_text(const std::string& path, std::string_view text);
void put_folder(const std::string& path);
// A block device of zeros, and the same as a partition that /sys and (when `by_label`) udev's links know.
Entry& put_device(const std::string& path, std::size_t bytes, std::uint64_t number);
Entry& put_partition(const std::string& name, std::size_t bytes, std::uint64_t number, const std::string& part_name,
                     const std::string& part_uuid = "");
void put_link(const std::string& path, const std::string& target);
// A file that gives `bytes` and then `end_code` (0 = its end).
void put_stream(const std::string& path, const Buffer& bytes, int end_code);
// A file system "ext4" or "vfat" (or another name: unknown marks) on a device that is there.
FileSystem& put_file_system(const std::string& device, std::string_view type);

// The file as it is, or null. Paths below a mount too.
Entry* find(const std::string& path);
std::string text_of(const std::string& path);

// Writes the medium itself: cache and durable content.
void set_content(Entry& entry, std::size_t offset, const Buffer& bytes);
// So many bytes of a pending write, from its start (or from its end), are on the medium.
void reach_medium(Entry& entry, std::size_t pending, std::size_t bytes, bool from_end = false);

// The power goes and comes back: caches, /run, mounts, handles and logs are gone, the boot ID is another, the generator
// starts anew. What is pending is lost unless reach_medium() was called before.
void power_cut();
// A clean reboot: everything written is on the medium.
void reboot();

// The lines of the journal that begin with one of these words.
std::vector<std::string> journal_of(std::initializer_list<std::string_view> first_words);

// Everything that the program said or wrote anywhere but into stores: logs, prints, files, journal.
std::string everything_public();

}  // namespace earlyseed::fake
