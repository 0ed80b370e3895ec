// SPDX-License-Identifier: MIT
// The store on its medium: finding and opening it, reading both slots, and the one way in which a slot is written. What
// is written when is rotate.hpp's; what the records mean is slots.hpp's.
#pragma once

#include <array>

#include "seed/slots.hpp"
#include "seed/store_spec.hpp"
#include "system/block_io.hpp"

namespace earlyseed {

inline constexpr std::uint64_t kStoreBytes = 2 * kernel::kBlockBytes;

// How much of the machine may be used, and is there.
enum class Stage {
    early,    // nothing may be mounted: the machine may be about to resume from hibernation
    initrd,   // file systems may be mounted, the root is not there yet
    root,     // the root is mounted below a directory
    running,  // the root is /
};

// Why no seed in a store can be credited, whatever its record says.
enum class StoreFlaw {
    none,
    exposed,    // others than root may read it
    forgetful,  // its file system may give the same seed at the next boot again
};

// "store NAME: what"
Line about_store(std::string_view name, std::string_view what);

class Store {
public:
    enum class Outcome {
        opened,
        absent,   // not there (yet), or not to be touched at this stage
        refused,  // there, and not usable
    };

    enum class Mode {
        read,    // nothing is written, not even a file system's journal where that can be helped
        write,   // for reading only where writing is impossible
        create,  // write; a file that is missing is created, and the last directory of its path
    };

    Store() = default;
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    // A `file_on` store's file system is mounted in a mount namespace of this process's own, and unmounted at the end.
    // `root` is where the root file system is mounted at Stage::root, empty otherwise. Unless opened, `problem` says
    // what, where and what to do.
    Outcome open(const StoreSpec& spec, Mode mode, Stage stage, std::string_view root, Line& problem);

    bool read_only() const { return read_only_; }
    StoreFlaw flaw() const { return flaw_; }

    // A slot that cannot be read, or that a failed write of this boot left in doubt, is not valid. Two empty slots on a
    // device that holds something elsewhere are foreign: nothing was ours here.
    void read(std::array<Slot, 2>& slots);

    // Writes a slot whole, flushes it, reads it back and compares: when this succeeds, the record is on the medium.
    // While that is unsure, a note in /run/earlyseed says so: a slot whose flush failed may look well in the cache.
    Status write(int slot, const Record& record);

    // Zeros in both slots, written and read back in the same way.
    Status erase();

private:
    Status open_or_create(const Path& path);
    Outcome refuse(std::string_view what, Line& problem) const;
    Outcome open_file(const Path& path, Line& problem);
    Status mount_file_system(const Path& device, const char* type);
    Outcome mount_and_open(const Path& device, std::string_view path, Line& problem);
    Outcome open_in_root(std::string_view root, std::string_view path, Line& problem);
    // True when there is something outside the slots, in the first MiB or the last 64 KiB, where file systems,
    // partition tables, RAID and LVM have their marks; or when that cannot be read.
    bool holds_other_data();
    Status write_block(int slot, kernel::Block block);
    Path doubt_note(int slot) const;

    kernel::File file_;
    Mode mode_ = Mode::read;
    std::uint64_t size_bytes_ = 0;
    Path name_;
    bool read_only_ = false;
    StoreFlaw flaw_ = StoreFlaw::none;
    bool mounted_ = false;
    Path remounted_;  // the root that was made writable, to be made read-only again
};

}  // namespace earlyseed
