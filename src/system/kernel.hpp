// SPDX-License-Identifier: MIT
// The facade to the operating system: every system call of the program is behind one of these functions. The product
// links kernel_linux.cpp; the unit tests link a fake with a scripted kernel, stores in memory and a journal of calls.
// Nothing here decides or logs anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.hpp"

namespace earlyseed::kernel {

// What an errno value means, "error" for the rarer ones.
const char* error_text(int code);

// --- time ---------------------------------------------------------------------------------------------------------

// Nanoseconds since boot, as the kernel log counts them (CLOCK_MONOTONIC).
std::uint64_t monotonic_ns();
// Seconds since the epoch; not before 2020 = a clock that was never set: 0.
std::uint64_t realtime_s();
void sleep_ms(unsigned ms);

// --- the kernel's random number generator ---------------------------------------------------------------------------

// Ready = getrandom() would not block. Asked with GRND_NONBLOCK, which never starts the kernel's own jitter loop.
bool crng_ready();
// Fills `out` (at most 256 bytes) if the generator is ready; EAGAIN otherwise. Never blocks.
Status random_bytes(std::span<std::uint8_t> out);
// The same without asking for readiness (GRND_INSECURE, Linux 5.6; EINVAL before). Never blocks.
Status insecure_random_bytes(std::span<std::uint8_t> out);
// Mixes `bytes` and credits `credit_bits` (RNDADDENTROPY). At most 64 bytes. EPERM without CAP_SYS_ADMIN.
Status add_entropy(std::span<const std::uint8_t> bytes, unsigned credit_bits);
// Makes what was mixed reach the output now (RNDRESEEDCRNG). ENODATA when not ready.
Status reseed();
// Sleeps until the generator is ready, but `ms` at most.
void wait_until_ready(unsigned ms);

// --- files ----------------------------------------------------------------------------------------------------------

enum class FileKind { regular, block_device, character_device, directory, symbolic_link, other };

struct DeviceNumber {
    std::uint32_t major = 0;  // 0: of a file system without a block device of its own (btrfs, ZFS, overlay, NFS)
    std::uint32_t minor = 0;
    bool operator==(const DeviceNumber&) const = default;
};

struct FileInfo {
    FileKind kind = FileKind::other;
    std::uint64_t size_bytes = 0;     // of a block device too when it was opened
    DeviceNumber device{};            // a device's own number; others: of the file system they are on
    std::uint32_t owner = 0;
    std::uint16_t permissions = 0;    // the low 9 bits
};

// An open file; closed when it goes.
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

enum class Access { read, write };

// Opens a store: a block device exclusively (EBUSY when it is mounted or part of something; EROFS when it is
// write-protected), a regular file without
// following a link (ELOOP); uncached where the file system can (O_DIRECT); never waits for a FIFO's other end.
Result<File> open_store(const char* path, Access access);
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

// The whole of a small file, or what of it fits. For /proc, /sys, the configuration and the report.
Result<std::string_view> read_text(const char* path, std::span<char> buffer);
// Reads what is there now from a device, a pipe or a file, up to the size of `buffer`; 0 at its end. Never waits when
// `wait` is false (EAGAIN).
Result<std::size_t> read_some(const File& file, std::span<std::uint8_t> buffer);
// A unix socket is connected to.
Result<File> open_read(const char* path, bool wait);
// A device, FIFO, unix socket or file to take random bytes from, without waiting; a terminal line gives them as they come.
Result<File> open_source(const char* path);
File standard_input();
File standard_output();
// Creates a file, 0600, or empties the one that is there.
Result<File> create(const char* path);
Status write_bytes(const File& file, std::span<const std::uint8_t> bytes);
// Replaces the file at once or not at all (temporary file, fsync, rename).
Status write_text(const char* path, std::string_view text, unsigned permissions);
// Creates a new file of `bytes` zeros, mode 0600, flushed with its folder. EEXIST when there is one.
Status create_zeros(const char* path, std::size_t bytes);
// ENOENT is no error.
Status remove_file(const char* path);
// EEXIST is no error.
Status make_directory(const char* path, unsigned permissions);
// Calls visit(context, name) for each entry of a folder until it returns false.
Status for_each_name(const char* directory, void* context, bool (*visit)(void* context, std::string_view name));

// Takes the lock file exclusively, creating it; EWOULDBLOCK when another process has it. Held until closed.
Result<File> try_lock(const char* path);

// --- mounts ---------------------------------------------------------------------------------------------------------

// From here on this process's mounts are its own: seen by nobody else, gone when it ends.
Status private_mounts();
// ext4 read-only: without replaying its journal, which would write.
Status mount(const char* device, const char* target, const char* type, bool read_only);
Status unmount(const char* target);
// Keeps the other mount options.
Status remount(const char* target, bool read_only);
// EROFS of the file system that holds `path`.
bool on_read_only_file_system(const char* path);
// The file system is known to lose, or to be able to lose, at the next boot what was flushed in this one: memory (tmpfs,
// ramfs), or an overlay, whose upper layer may be memory.
bool on_forgetful_file_system(const File& file);

// --- the process and the machine --------------------------------------------------------------------------------------

// No core dump, no ptrace by others, umask 077; for children too. What fails is left as it is.
void harden();
// Nothing of this process is swapped out; not inherited by a child. Before the first secret.
void lock_memory();
bool is_root();
// True before switch_root: / is the initramfs.
bool in_initramfs();
bool is_terminal(int descriptor);
// The counter is per CPU on some machines: stay on one. Failure does no harm.
void pin_to_current_cpu();
// Fills `words` from the CPU's own random number generator (RDSEED, else RDRAND; RNDR), and says how many it gave: 0 where
// there is none that a program may use.
std::size_t cpu_random(std::span<std::uint64_t> words);
// CPUID's hypervisor bit; false where there is no such instruction.
bool cpu_reports_hypervisor();

// Runs work(context) in a child process and gives its exit status back; kTimedOut after `ms`, while the child goes on.
inline constexpr int kTimedOut = -1;
int run_bounded(unsigned ms, int (*work)(void* context), void* context);

// One line (without line end) to the kernel log at a syslog level (4 = warning, 6 = information).
Status log_to_kernel(int level, std::string_view line);
// Descriptor 1 or 2. What cannot be printed is dropped.
void print(int descriptor, std::string_view text);

}  // namespace earlyseed::kernel
