// SPDX-License-Identifier: MIT
// Reading and writing a store: whole blocks of a block device or a regular file, past the page cache where that can be
// had.
#pragma once

#include "system/files.hpp"

namespace earlyseed::kernel {

enum class Access { read, write };

// Opens a block device exclusively (EBUSY when it is mounted or part of something; EROFS when it is write-protected), a
// regular file without following a link (ELOOP); with O_DIRECT where the file system can; never waits for a FIFO's
// other end.
Result<File> open_exclusive(const char* path, Access access);
// A block device that is mounted, or held by something else.
bool is_in_use(const char* device);

// Whole blocks of kBlockBytes at a multiple of kBlockBytes. A short read or write is an error (EIO).
inline constexpr std::size_t kBlockBytes = 4096;
using Block = std::span<std::uint8_t, kBlockBytes>;
Status read_block(const File& file, std::uint64_t offset, Block out);
Status write_block(const File& file, std::uint64_t offset, std::span<const std::uint8_t, kBlockBytes> in);
// What was written is on the medium when this returns, and the next read comes from there (fdatasync; cached pages are
// dropped).
Status flush(const File& file);

// Creates a new file of `bytes` zeros, mode 0600, flushed with its directory. EEXIST when there is one.
Status create_zeros(const char* path, std::size_t bytes);

}  // namespace earlyseed::kernel
