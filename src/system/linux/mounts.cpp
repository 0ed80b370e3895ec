// SPDX-License-Identifier: MIT
#include "system/mounts.hpp"

#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>

#include "system/linux/calls.hpp"

namespace earlyseed::kernel {

using namespace std::string_view_literals;

Status private_mounts() {
    if (unshare(CLONE_NEWNS) < 0) return failed("make mounts private in");
    return status(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make mounts private in");
}

Status mount(const char* device, const char* target, const char* type, bool read_only) {
    unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | (read_only ? MS_RDONLY : 0);
    const char* options = std::string_view(type) == "vfat"sv ? "umask=0077" : read_only ? "noload" : nullptr;
    return status(::mount(device, target, type, flags, options), "mount");
}

Status unmount(const char* target) { return status(umount2(target, 0), "unmount"); }

Status remount(const char* target, bool read_only) {
    struct statfs now;
    if (statfs(target, &now) < 0) return failed("examine the mount of");
    // ST_* and MS_* are the same bits up to here; relatime is not (include/linux/statfs.h, include/uapi/linux/mount.h).
    constexpr unsigned long st_relatime = 0x1000;
    bool relatime = (now.f_flags & st_relatime) != 0;
    unsigned long flags = now.f_flags & (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME);
    if (relatime) flags |= MS_RELATIME;
    if (read_only) flags |= MS_RDONLY;
    return status(::mount(nullptr, target, nullptr, MS_REMOUNT | flags, nullptr), "remount");
}

bool on_read_only_file_system(const char* path) {
    struct statfs now;
    return statfs(path, &now) == 0 && (now.f_flags & MS_RDONLY) != 0;
}

static bool in_memory(const struct statfs& of) { return of.f_type == RAMFS_MAGIC || of.f_type == TMPFS_MAGIC; }

bool on_forgetful_file_system(const File& file) {
    struct statfs now;
    if (fstatfs(file.descriptor(), &now) < 0) return true;
    return in_memory(now) || now.f_type == OVERLAYFS_SUPER_MAGIC;
}

bool in_initramfs() {
    struct statfs root;
    return statfs("/", &root) == 0 && in_memory(root);
}

}  // namespace earlyseed::kernel
