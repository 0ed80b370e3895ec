// SPDX-License-Identifier: MIT
#include "system/block_io.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "system/linux/calls.hpp"

namespace earlyseed::kernel {

Result<File> open_exclusive(const char* path, Access access) {
    auto info = file_info(path, true);
    if (!info) return info.error();
    bool is_device = info->kind == FileKind::block_device;
    int flags = (access == Access::write ? O_RDWR : O_RDONLY) | O_NONBLOCK;
    if (is_device) {
        if (access == Access::write) flags |= O_EXCL;
    } else {
        flags |= O_NOFOLLOW;
    }
    auto file = open_file(path, flags | O_DIRECT);
    if (!file && file.error().code == EINVAL) file = open_file(path, flags);
    // Some drivers open a write-protected device for writing, and let the write fail (virtio_blk, Linux 6.1).
    int protection = 0;
    if (file && access == Access::write && is_device && ioctl(file->descriptor(), BLKROGET, &protection) == 0 &&
        protection != 0) {
        return Error{"open", EROFS};
    }
    return file;
}

bool is_in_use(const char* device) {
    auto file = open_file(device, O_RDONLY | O_EXCL | O_NONBLOCK);
    return !file && file.error().code == EBUSY;
}

namespace {

// O_DIRECT wants an aligned buffer. Holds a record, so it wipes itself.
struct alignas(kBlockBytes) AlignedBlock {
    Secret<kBlockBytes> bytes;
};

}  // namespace

Status read_block(const File& file, std::uint64_t offset, Block out) {
    AlignedBlock block;
    auto bytes = block.bytes.span();
    ssize_t got = pread(file.descriptor(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0) return failed("read");
    if (got != static_cast<ssize_t>(bytes.size())) return Error{"read", EIO};
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return {};
}

Status write_block(const File& file, std::uint64_t offset, std::span<const std::uint8_t, kBlockBytes> in) {
    AlignedBlock block;
    block.bytes.copy_from(in);
    auto bytes = block.bytes.span();
    ssize_t put = pwrite(file.descriptor(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0) return failed("write");
    return put == static_cast<ssize_t>(bytes.size()) ? Status{} : Status{Error{"write", EIO}};
}

Status flush(const File& file) {
    if (fdatasync(file.descriptor()) < 0) return failed("flush");
    posix_fadvise(file.descriptor(), 0, 0, POSIX_FADV_DONTNEED);
    return {};
}

Status create_zeros(const char* path, std::size_t bytes) {
    auto file = open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, "create");
    if (!file) return file.error();
    const std::array<char, 512> zeros{};
    Status result;
    for (std::size_t left = bytes; result && left > 0; left -= std::min(left, zeros.size())) {
        result = write_all(file->descriptor(), {zeros.data(), std::min(left, zeros.size())});
    }
    if (result) result = status(fsync(file->descriptor()), "flush");
    if (!result) {
        unlink(path);
        return result;
    }
    Path parent(first(path, std::string_view(path).rfind('/') + 1));
    auto directory = open_file(parent.c_str(), O_RDONLY | O_DIRECTORY, "open the directory of");
    if (!directory) return directory.error();
    return status(fsync(directory->descriptor()), "flush the directory of");
}

}  // namespace earlyseed::kernel
