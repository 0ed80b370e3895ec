// SPDX-License-Identifier: MIT
// Files, directories, devices read as streams, and the lock file. Stores are read and written through block_io.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/function_ref.hpp"
#include "base/result.hpp"

namespace earlyseed::kernel {

enum class FileKind { regular, block_device, character_device, directory, symbolic_link, other };

struct DeviceNumber {
    std::uint32_t major = 0;  // 0: of a file system without a block device of its own (btrfs, ZFS, overlay, NFS)
    std::uint32_t minor = 0;
    bool operator==(const DeviceNumber&) const = default;
};

struct FileInfo {
    FileKind kind = FileKind::other;
    std::uint64_t size_bytes = 0;  // of a block device too when it was opened
    DeviceNumber device{};         // a device's own number; others: of the file system they are on
    std::uint32_t owner = 0;
    std::uint16_t permissions = 0;  // the low 9 bits
};

// An open file; closed when it goes out of scope.
class File {
public:
    File() = default;
    explicit File(int descriptor) : descriptor_(descriptor) {}
    File(File&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
    File& operator=(File&& other) noexcept;
    ~File() { close(); }
    void close();
    int descriptor() const { return descriptor_; }

private:
    int descriptor_ = -1;
};

// The file's own properties; symbolic links are followed or not.
Result<FileInfo> file_info(const char* path, bool follow_links);
Result<FileInfo> file_info(const File& file);

// The whole of a small file, or what of it fits. For /proc, /sys, the configuration and the report.
Result<std::string_view> read_text(const char* path, std::span<char> buffer);
// Reads what is there now from a device, a pipe or a file, up to the size of `buffer`; 0 at its end. EAGAIN when
// nothing is there and the file was opened not to wait.
Result<std::size_t> read_some(const File& file, std::span<std::uint8_t> buffer);
// A unix socket is connected to.
Result<File> open_read(const char* path, bool wait);
// A device, FIFO, unix socket or file to take random bytes from, without waiting; a terminal line gives them as they
// come.
Result<File> open_source(const char* path);
File standard_input();
File standard_output();
// Creates a file, mode 0600, or empties the one that is there.
Result<File> create(const char* path);
Status write_bytes(const File& file, std::span<const std::uint8_t> bytes);
// Replaces the file at once or not at all (temporary file, fsync, rename).
Status write_text(const char* path, std::string_view text, unsigned permissions);
// ENOENT is no error.
Status remove_file(const char* path);
// EEXIST is no error.
Status make_directory(const char* path, unsigned permissions);
// Calls visit(name) for each entry of a directory but "." and "..", until it returns false.
Status for_each_name(const char* directory, FunctionRef<bool(std::string_view name)> visit);

// Takes the lock file exclusively, creating it; EWOULDBLOCK when another process has it. Held until closed.
Result<File> try_lock(const char* path);

}  // namespace earlyseed::kernel
