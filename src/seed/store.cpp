// SPDX-License-Identifier: MIT
#include "seed/store.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "seed/store_device.hpp"
#include "system/mounts.hpp"
#include "system/run_directory.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

namespace {

constexpr std::uint64_t kBlockBytes = kernel::kBlockBytes;

bool is_write_protection(int code) { return code == EROFS || code == EACCES || code == EPERM; }

}  // namespace

Line about_store(std::string_view name, std::string_view what) { return Line("store ").add(name, ": ", what); }

Store::~Store() {
    file_.close();
    // At the latest they end with the process, whose own mounts they are.
    if (mounted_) ignore(kernel::unmount(kMountPoint));
    if (!remounted_.empty()) ignore(kernel::remount(remounted_.c_str(), true));
}

Store::Outcome Store::open(const StoreSpec& spec, Mode mode, Stage stage, std::string_view root, Line& problem) {
    name_ = spec.text;
    mode_ = mode;
    read_only_ = mode == Mode::read;
    if (spec.kind == StoreSpec::Kind::file_in_root) {
        if (stage == Stage::root || stage == Stage::running) return open_in_root(root, spec.path.view(), problem);
        problem.add("store ", name_, " waits for the root file system");
        return Outcome::absent;
    }
    if (spec.kind == StoreSpec::Kind::file_on && stage == Stage::early) {
        problem.add("store ", name_, " waits until a file system may be mounted");
        return Outcome::absent;
    }
    Path device;
    if (Outcome found = find_device(spec, device, problem); found != Outcome::opened) return found;
    if (spec.kind == StoreSpec::Kind::file_on) return mount_and_open(device, spec.path.view(), problem);
    return open_file(device, problem);
}

Status Store::open_or_create(const Path& path) {
    if (mode_ == Mode::create && !kernel::file_info(path.c_str(), false)) {
        Path parent(first(path, path.view().rfind('/')));
        Status created = parent.empty() ? Status{} : kernel::make_directory(parent.c_str(), 0700);
        if (created) created = kernel::create_zeros(path.c_str(), kStoreBytes);
        if (!created) return created;
    }
    auto opened = kernel::open_exclusive(path.c_str(), read_only_ ? kernel::Access::read : kernel::Access::write);
    if (!opened && !read_only_ && is_write_protection(opened.error().code)) {
        read_only_ = true;
        opened = kernel::open_exclusive(path.c_str(), kernel::Access::read);
    }
    if (!opened) return opened.error();
    file_ = std::move(*opened);
    return {};
}

Store::Outcome Store::refuse(std::string_view what, Line& problem) const {
    problem = about_store(name_, what);
    return Outcome::refused;
}

Store::Outcome Store::open_file(const Path& path, Line& problem) {
    if (Status opened = open_or_create(path); !opened) {
        switch (opened.error().code) {
            case ENOENT:
                problem.add("store ", name_, " is not there");
                return Outcome::absent;
            case EBUSY:
                return refuse("is in use (mounted?); give earlyseed a partition of its own"sv, problem);
            case ELOOP:
                return refuse("is a symbolic link; name the file itself"sv, problem);
            default:
                return refuse(describe(opened.error(), "it"sv), problem);
        }
    }
    auto info = kernel::file_info(file_);
    if (!info) return refuse(describe(info.error(), "it"sv), problem);
    bool regular = info->kind == kernel::FileKind::regular;
    if (!regular && info->kind != kernel::FileKind::block_device) {
        return refuse("is neither a regular file nor a block device"sv, problem);
    }
    if (info->size_bytes < kStoreBytes) {
        Line what("has ");
        what.add(info->size_bytes, " bytes, ", kStoreBytes, " are needed; ",
                 regular ? "remove it and run 'earlyseed setup'" : "make the partition larger");
        return refuse(what, problem);
    }
    if (regular && info->owner != 0) return refuse("does not belong to root; chown it"sv, problem);
    if (regular && kernel::on_forgetful_file_system(file_)) flaw_ = StoreFlaw::forgetful;
    if (regular && (info->permissions & 077) != 0) flaw_ = StoreFlaw::exposed;
    size_bytes_ = info->size_bytes;
    return Outcome::opened;
}

// Mounts the file system at kMountPoint, read-only where it must be.
Status Store::mount_file_system(const Path& device, const char* type) {
    Status done = kernel::make_directory(kRunDirectory, 0755);
    if (done) done = kernel::make_directory(kMountPoint, 0700);
    if (done) done = kernel::private_mounts();
    if (!done) return done;
    // For reading: what is mounted already is mounted writable, most likely, and cannot be mounted in the other way.
    // For writing: whatever is wrong with the medium, the seed may still be readable.
    bool read_only = read_only_ && !kernel::is_in_use(device.c_str());
    done = kernel::mount(device.c_str(), kMountPoint, type, read_only);
    if (!done && (!read_only_ || done.error().code == EBUSY)) {
        done = kernel::mount(device.c_str(), kMountPoint, type, !read_only);
    }
    return done;
}

Store::Outcome Store::mount_and_open(const Path& device, std::string_view path, Line& problem) {
    Bytes<2048> start{};
    auto raw = kernel::open_read(device.c_str(), false);
    if (!raw) return refuse(describe(raw.error(), device), problem);
    auto got = kernel::read_some(*raw, start);
    if (!got) return refuse(describe(got.error(), device), problem);
    raw->close();
    std::string_view type = file_system_type(start);
    if (type.empty()) return refuse("its file system is neither ext2, 3 or 4 nor vfat; use a partition"sv, problem);

    Status done = mount_file_system(device, type.data());
    if (!done) {
        Line what = describe(done.error(), device);
        if (done.error().code == ENODEV) what.add("; the kernel module of its file system is missing");
        return refuse(what, problem);
    }
    mounted_ = true;
    read_only_ = read_only_ || kernel::on_read_only_file_system(kMountPoint);
    Path file(kMountPoint);
    file.add(path);
    return open_file(file, problem);
}

Store::Outcome Store::open_in_root(std::string_view root, std::string_view path, Line& problem) {
    Path file(root);
    file.add(path);
    if (!root.empty() && kernel::file_info(file.c_str(), false) && kernel::on_read_only_file_system(file.c_str())) {
        Path mount_point(root);
        if (kernel::private_mounts() && kernel::remount(mount_point.c_str(), false)) remounted_ = mount_point;
    }
    return open_file(file, problem);
}

// --- slots
// ------------------------------------------------------------------------------------------------------------

Path Store::doubt_note(int slot) const {
    Path note;
    note.add(static_cast<unsigned>(slot), " ", name_, "\n");
    return note;
}

void Store::read(std::array<Slot, 2>& slots) {
    // What an earlier process wrote and did not flush may look well here and be lost with the power: make it durable
    // before building on it.
    if (!read_only_ && !kernel::flush(file_)) read_only_ = true;

    char buffer[300];
    auto note = kernel::read_text(kDoubtNotePath, buffer);
    Secret<kBlockBytes> block;
    for (int slot = 0; slot < 2; slot++) {
        Slot& into = slots[static_cast<std::size_t>(slot)];
        if (!kernel::read_block(file_, static_cast<unsigned>(slot) * kBlockBytes, block.span())) {
            into.state = SlotState::unreadable;
            continue;
        }
        into.state = decode(block.span().first<kRecordBytes>(), into.record);
        // ext4 begins with 1 KiB of zeros.
        if (into.state == SlotState::pristine && !all_zero(block.span())) into.state = SlotState::foreign;
        if (into.state == SlotState::valid && note && *note == doubt_note(slot).view()) into.state = SlotState::damaged;
    }
    bool pristine = slots[0].state == SlotState::pristine && slots[1].state == SlotState::pristine;
    if (pristine && holds_other_data()) slots[0].state = SlotState::foreign;
}

Status Store::write(int slot, const Record& record) {
    Secret<kBlockBytes> block;
    encode(record, block.span().first<kRecordBytes>());
    return write_block(slot, block.span());
}

bool Store::holds_other_data() {
    constexpr std::uint64_t head_bytes = std::uint64_t{1} << 20;
    constexpr std::uint64_t tail_bytes = std::uint64_t{64} << 10;
    Secret<kBlockBytes> block;
    for (std::uint64_t at = kStoreBytes; at + kBlockBytes <= size_bytes_; at += kBlockBytes) {
        if (at >= head_bytes && at + tail_bytes < size_bytes_) {
            at = (size_bytes_ - tail_bytes) / kBlockBytes * kBlockBytes;
        }
        if (!kernel::read_block(file_, at, block.span()) || !all_zero(block.span())) return true;
    }
    return false;
}

Status Store::erase() {
    Secret<kBlockBytes> zeros;
    for (int slot = 0; slot < 2; slot++) {
        if (Status erased = write_block(slot, zeros.span()); !erased) return erased;
    }
    return {};
}

Status Store::write_block(int slot, kernel::Block block) {
    std::uint64_t offset = static_cast<unsigned>(slot) * kBlockBytes;
    // Without /run there is no note; the write is no worse without it.
    if (auto note = kernel::create(kDoubtNotePath)) {
        ignore(kernel::write_bytes(*note, bytes_of(doubt_note(slot).view())));
    }
    if (Status written = kernel::write_block(file_, offset, block); !written) return written;
    if (Status flushed = kernel::flush(file_); !flushed) return flushed;
    Secret<kBlockBytes> back;
    if (Status read = kernel::read_block(file_, offset, back.span()); !read) return read;
    if (!std::equal(block.begin(), block.end(), back.span().begin())) return Error{"read back", EIO};
    return kernel::remove_file(kDoubtNotePath);
}

}  // namespace earlyseed
