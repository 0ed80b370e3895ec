// SPDX-License-Identifier: MIT
// Mounting a store's file system for the moment, and what is known about the file system that something is on.
#pragma once

#include "system/files.hpp"

namespace earlyseed::kernel {

// From here on this process's mounts are its own: seen by nobody else, gone when it ends.
Status private_mounts();
// `type`: "ext4" or "vfat". ext4 read-only: without replaying its journal, which would write.
Status mount(const char* device, const char* target, const char* type, bool read_only);
Status unmount(const char* target);
// Keeps the other mount options.
Status remount(const char* target, bool read_only);
// The file system that holds `path` is mounted read-only.
bool on_read_only_file_system(const char* path);
// The file system is known to lose, or to be able to lose, at the next boot what was flushed in this one: memory
// (tmpfs, ramfs), or an overlay, whose upper layer may be memory.
bool on_forgetful_file_system(const File& file);
// True before switch_root: / is the initramfs.
bool in_initramfs();

}  // namespace earlyseed::kernel
