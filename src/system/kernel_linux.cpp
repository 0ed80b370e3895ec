// SPDX-License-Identifier: MIT
// The Linux backend of kernel.hpp.
#include "system/kernel.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/random.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

#include <algorithm>

#include "base/bytes.hpp"
#include "base/text.hpp"

#ifndef GRND_INSECURE
#define GRND_INSECURE 4  // include/uapi/linux/random.h, Linux 5.6
#endif
#ifndef RNDRESEEDCRNG
#define RNDRESEEDCRNG _IO('R', 0x07)  // include/uapi/linux/random.h, Linux 4.14
#endif

namespace earlyseed::kernel {

namespace {

Error failed(const char* operation) { return {operation, errno}; }

Status status(ssize_t result, const char* operation) { return result < 0 ? Status{failed(operation)} : Status{}; }

std::uint64_t clock_ns(clockid_t clock) {
    timespec now{};
#ifdef SYS_clock_gettime64
    clock_gettime(clock, &now);  // of 32 bits: this call is new in Linux 5.1, and the C library knows the old one
#else
    // Not clock_gettime(): a few calls a boot are not worth the vDSO's look-up, a sixtieth of the program.
    syscall(SYS_clock_gettime, clock, &now);
#endif
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

// The codes that a store meets; a table of them all, as strerror() has it, would be a thirtieth of the program.
struct ErrorText {
    std::uint8_t code;
    char text[27];
};
constexpr ErrorText kErrorTexts[] = {
    {EPERM, "operation not permitted"},   {ENOENT, "no such file or folder"}, {EIO, "input/output error"},
    {ENXIO, "no such device or address"}, {EACCES, "permission denied"},      {EBUSY, "device or resource busy"},
    {EEXIST, "it exists already"},        {ENODEV, "no such device"},         {ENOTDIR, "not a folder"},
    {EISDIR, "is a folder"},              {EINVAL, "invalid argument"},       {ENOSPC, "no space left"},
    {EROFS, "read-only file system"},     {ELOOP, "a symbolic link"},
};

const char* error_text(int code) {
    for (const ErrorText& known : kErrorTexts) {
        if (known.code == code) return known.text;
    }
    return "error";
}

// --- time -----------------------------------------------------------------------------------------------------------

std::uint64_t monotonic_ns() { return clock_ns(CLOCK_MONOTONIC); }

std::uint64_t realtime_s() {
    constexpr std::uint64_t start_of_2020 = 1577836800;
    std::uint64_t now = clock_ns(CLOCK_REALTIME) / 1'000'000'000;
    return now < start_of_2020 ? 0 : now;
}

void sleep_ms(unsigned ms) {
    poll(nullptr, 0, static_cast<int>(ms));
}

// --- the kernel's random number generator -----------------------------------------------------------------------------

static Status get_random(std::span<std::uint8_t> out, unsigned flags) {
    ssize_t got = getrandom(out.data(), out.size(), flags);
    if (got < 0) return failed("getrandom");
    return static_cast<std::size_t>(got) == out.size() ? Status{} : Status{Error{"getrandom", EIO}};
}

bool crng_ready() {
    Secret<1> byte;
    return static_cast<bool>(get_random(byte.span(), GRND_NONBLOCK));
}

Status random_bytes(std::span<std::uint8_t> out) { return get_random(out, GRND_NONBLOCK); }

Status insecure_random_bytes(std::span<std::uint8_t> out) { return get_random(out, GRND_INSECURE); }

Status add_entropy(std::span<const std::uint8_t> bytes, unsigned credit_bits) {
    struct {
        int entropy_count;
        int buf_size;
        Bytes<64> buf;
    } request{};  // struct rand_pool_info, whose last member has no size
    if (bytes.size() > request.buf.size()) return Error{"RNDADDENTROPY", E2BIG};
    request.entropy_count = static_cast<int>(credit_bits);
    request.buf_size = static_cast<int>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), request.buf.begin());

    Result<File> device = open_read("/dev/urandom", false);
    Status result = device ? status(ioctl(device->descriptor(), RNDADDENTROPY, &request), "RNDADDENTROPY")
                           : Status{device.error()};
    wipe(&request, sizeof request);
    return result;
}

Status reseed() {
    Result<File> device = open_read("/dev/urandom", false);
    if (!device) return device.error();
    return status(ioctl(device->descriptor(), RNDRESEEDCRNG), "RNDRESEEDCRNG");
}

void wait_until_ready(unsigned ms) {
    // Since 5.6 /dev/random is readable once the generator is ready; the short slices serve older kernels, and
    // those that do not wake a poller.
    Result<File> device = open_read("/dev/random", false);
    std::uint64_t end = monotonic_ns() + std::uint64_t{ms} * 1'000'000;
    while (!crng_ready()) {
        std::uint64_t now = monotonic_ns();
        if (now >= end) return;
        int slice = static_cast<int>(std::min<std::uint64_t>((end - now) / 1'000'000 + 1, 100));
        pollfd wait{device ? device->descriptor() : -1, POLLIN, 0};
        // A pool that is readable but not ready (before 5.6) would make this loop spin.
        if (poll(&wait, 1, slice) > 0 && !crng_ready()) sleep_ms(10);
    }
}

// --- files ------------------------------------------------------------------------------------------------------------

File& File::operator=(File&& other) noexcept {
    if (this != &other) {
        close();
        descriptor_ = other.descriptor_;
        other.descriptor_ = -1;
    }
    return *this;
}

void File::close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
}

// Everything is opened here. Not open(): what is closed at exec, and no terminal of ours, is said once; and the C library
// makes a point of cancellation of it.
static Result<File> open_file(const char* path, int flags, const char* operation = "open") {
    constexpr unsigned permissions = 0600;  // of a new file
    auto descriptor = static_cast<int>(
        syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC | O_NOCTTY | O_LARGEFILE, permissions));
    if (descriptor < 0) return failed(operation);
    return File(descriptor);
}

// statx(2) as Linux has it since 4.11 (include/uapi/linux/stat.h; not every C library declares it): alike on every
// architecture, where each stat() has its own structure, and a conversion half a KiB large.
struct Statx {
    std::uint32_t mask, block_bytes;
    std::uint64_t attributes;
    std::uint32_t links, owner, group;
    std::uint16_t mode, spare;
    std::uint64_t inode, size_bytes, blocks, attributes_mask;
    std::uint64_t times[8];
    std::uint32_t device_major, device_minor;  // its own
    std::uint32_t on_major, on_minor;          // of the file system it is on
    std::uint64_t more[14];
};
static_assert(sizeof(Statx) == 256);

static Result<FileInfo> file_info(int folder, const char* path, int flags) {
    constexpr unsigned basic_stats = 0x7ff;
    Statx s;
    if (syscall(SYS_statx, folder, path, flags, basic_stats, &s) < 0) return failed("find");
    FileInfo info;
    info.kind = S_ISREG(s.mode)   ? FileKind::regular
                : S_ISBLK(s.mode) ? FileKind::block_device
                : S_ISCHR(s.mode) ? FileKind::character_device
                : S_ISDIR(s.mode) ? FileKind::directory
                : S_ISLNK(s.mode) ? FileKind::symbolic_link
                                  : FileKind::other;
    info.size_bytes = s.size_bytes;
    bool is_device = S_ISBLK(s.mode) || S_ISCHR(s.mode);
    info.device = is_device ? DeviceNumber{s.device_major, s.device_minor} : DeviceNumber{s.on_major, s.on_minor};
    info.owner = s.owner;
    info.permissions = s.mode & 0777;
    return info;
}

Result<FileInfo> file_info(const char* path, bool follow_links) {
    return file_info(AT_FDCWD, path, follow_links ? 0 : AT_SYMLINK_NOFOLLOW);
}

Result<FileInfo> file_info(const File& file) {
    auto info = file_info(file.descriptor(), "", AT_EMPTY_PATH);
    if (info && info->kind == FileKind::block_device &&
        ioctl(file.descriptor(), BLKGETSIZE64, &info->size_bytes) < 0) {
        return failed("measure");
    }
    return info;
}

Result<File> open_store(const char* path, Access access) {
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

// O_DIRECT wants an aligned buffer. Holds a record, so it is wiped after each use.
alignas(kBlockBytes) static std::uint8_t aligned_block[kBlockBytes];

Status read_block(const File& file, std::uint64_t offset, Block out) {
    ssize_t got = pread(file.descriptor(), aligned_block, kBlockBytes, static_cast<off_t>(offset));
    Status result = status(got, "read");
    if (got >= 0 && got != static_cast<ssize_t>(kBlockBytes)) result = Error{"read", EIO};
    if (result) std::copy_n(aligned_block, kBlockBytes, out.begin());
    wipe(aligned_block, sizeof aligned_block);
    return result;
}

Status write_block(const File& file, std::uint64_t offset, std::span<const std::uint8_t, kBlockBytes> in) {
    std::copy(in.begin(), in.end(), aligned_block);
    ssize_t put = pwrite(file.descriptor(), aligned_block, kBlockBytes, static_cast<off_t>(offset));
    Status result = status(put, "write");
    if (put >= 0 && put != static_cast<ssize_t>(kBlockBytes)) result = Error{"write", EIO};
    wipe(aligned_block, sizeof aligned_block);
    return result;
}

Status flush(const File& file) {
    if (fdatasync(file.descriptor()) < 0) return failed("flush");
    posix_fadvise(file.descriptor(), 0, 0, POSIX_FADV_DONTNEED);
    return {};
}

Result<File> open_read(const char* path, bool wait) {
    int mode = wait ? 0 : O_NONBLOCK;
    auto file = open_file(path, O_RDONLY | mode);
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    if (file || file.error().code != ENXIO || strlen(path) >= sizeof address.sun_path) return file;
    // ENXIO: a socket, or nobody has the other end.
    memcpy(address.sun_path, path, strlen(path) + 1);
    File connection(static_cast<int>(syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | mode, 0)));
    if (connect(connection.descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) return file;
    return connection;
}

Result<File> open_source(const char* path) {
    auto file = open_read(path, false);
    termios line;
    if (file && tcgetattr(file->descriptor(), &line) == 0) {
        cfmakeraw(&line);
        tcsetattr(file->descriptor(), TCSANOW, &line);
    }
    return file;
}

File standard_input() { return File(dup(STDIN_FILENO)); }
File standard_output() { return File(dup(STDOUT_FILENO)); }

Result<File> create(const char* path) {
    return open_file(path, O_WRONLY | O_CREAT | O_TRUNC, "create");
}

Result<std::size_t> read_some(const File& file, std::span<std::uint8_t> buffer) {
    ssize_t got;
    do got = read(file.descriptor(), buffer.data(), buffer.size());
    while (got < 0 && errno == EINTR);
    if (got < 0) return failed("read");
    return static_cast<std::size_t>(got);
}

Result<std::string_view> read_text(const char* path, std::span<char> buffer) {
    Result<File> file = open_read(path, false);
    if (!file) return file.error();
    std::size_t size = 0;
    while (size < buffer.size()) {
        auto got = read_some(*file, {reinterpret_cast<std::uint8_t*>(buffer.data()) + size, buffer.size() - size});
        if (!got) return got.error();
        if (*got == 0) break;
        size += *got;
    }
    return std::string_view{buffer.data(), size};
}

static Status write_all(int descriptor, const char* data, std::size_t size) {
    while (size > 0) {
        ssize_t put = write(descriptor, data, size);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return put < 0 ? failed("write") : Error{"write", EIO};
        data += put;
        size -= static_cast<std::size_t>(put);
    }
    return {};
}

Status write_bytes(const File& file, std::span<const std::uint8_t> bytes) {
    return write_all(file.descriptor(), reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Status write_text(const char* path, std::string_view text, unsigned permissions) {
    Path temporary(path);
    temporary.add(".new");
    if (temporary.full()) return Error{"write", ENAMETOOLONG};
    unlink(temporary.c_str());
    auto file = open_file(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, "create");
    if (!file) return file.error();
    Status result = write_all(file->descriptor(), text.data(), text.size());
    if (result) result = status(chmod(temporary.c_str(), permissions), "set the mode");
    if (result) result = status(fsync(file->descriptor()), "flush");
    if (result) result = status(rename(temporary.c_str(), path), "rename");
    if (!result) unlink(temporary.c_str());
    return result;
}

Status create_zeros(const char* path, std::size_t bytes) {
    auto file = open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, "create");
    if (!file) return file.error();
    static char zeros[kBlockBytes];
    Status result;
    for (std::size_t left = bytes; result && left > 0; left -= std::min(left, sizeof zeros)) {
        result = write_all(file->descriptor(), zeros, std::min(left, sizeof zeros));
    }
    if (result) result = status(fsync(file->descriptor()), "flush");
    if (!result) {
        unlink(path);
        return result;
    }
    Path folder(first(path, std::string_view(path).rfind('/') + 1));
    auto directory = open_file(folder.c_str(), O_RDONLY | O_DIRECTORY, "open the folder");
    if (!directory) return directory.error();
    return status(fsync(directory->descriptor()), "flush the folder");
}

Status remove_file(const char* path) {
    if (unlink(path) == 0 || errno == ENOENT) return {};
    return failed("remove");
}

Status make_directory(const char* path, unsigned permissions) {
    if (mkdir(path, permissions) == 0) return status(chmod(path, permissions), "set the mode");  // umask is 077
    return errno == EEXIST ? Status{} : failed("create");
}

Status for_each_name(const char* directory, void* context, bool (*visit)(void* context, std::string_view name)) {
    auto folder = open_file(directory, O_RDONLY | O_DIRECTORY);
    if (!folder) return folder.error();
    // getdents and not readdir: opendir needs a heap.
    alignas(struct dirent) char entries[2048];
    auto entry_at = [&](int at) { return static_cast<struct dirent*>(static_cast<void*>(entries + at)); };
    for (;;) {
        int got = getdents(folder->descriptor(), entry_at(0), sizeof entries);
        if (got < 0) return failed("list");
        if (got == 0) return {};
        for (int at = 0; at < got;) {
            auto* entry = entry_at(at);
            at += entry->d_reclen;
            std::string_view name = entry->d_name;
            if (name == "." || name == "..") continue;
            if (!visit(context, name)) return {};
        }
    }
}

Result<File> try_lock(const char* path) {
    auto file = open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW);
    if (file && flock(file->descriptor(), LOCK_EX | LOCK_NB) < 0) return failed("lock");
    return file;
}

// --- mounts -----------------------------------------------------------------------------------------------------------

Status private_mounts() {
    if (unshare(CLONE_NEWNS) < 0) return failed("make mounts private");
    return status(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make mounts private");
}

Status mount(const char* device, const char* target, const char* type, bool read_only) {
    unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | (read_only ? MS_RDONLY : 0);
    const char* options = std::string_view(type) == "vfat" ? "umask=0077" : read_only ? "noload" : nullptr;
    return status(::mount(device, target, type, flags, options), "mount");
}

Status unmount(const char* target) { return status(umount2(target, 0), "unmount"); }

Status remount(const char* target, bool read_only) {
    struct statfs now;
    if (statfs(target, &now) < 0) return failed("examine the mount");
    // ST_* and MS_* are the same bits up to here; relatime is not (include/linux/statfs.h, include/uapi/linux/mount.h).
    unsigned long flags = now.f_flags & (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME);
    if ((now.f_flags & 0x1000) != 0) flags |= MS_RELATIME;
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

// --- the process and the machine ----------------------------------------------------------------------------------------

void harden() {
    rlimit none{0, 0};
    prlimit(0, RLIMIT_CORE, &none, nullptr);  // setrlimit would bring musl's thread machinery along
    syscall(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    umask(077);
}

void lock_memory() { mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT); }

bool is_root() { return geteuid() == 0; }

bool in_initramfs() {
    struct statfs root;
    return statfs("/", &root) == 0 && in_memory(root);
}

bool is_terminal(int descriptor) {
    termios line;
    return tcgetattr(descriptor, &line) == 0;
}

void pin_to_current_cpu() {
    unsigned cpu = 0;
    if (syscall(SYS_getcpu, &cpu, nullptr, nullptr) < 0) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

#if defined(__x86_64__)
static bool cpu_random_word(std::uint64_t& word) {
    unsigned eax, ebx, ecx, edx;
    bool has_rdrand = __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & 1u << 30) != 0;
    bool has_rdseed = __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ebx & 1u << 18) != 0;
    bool given = false;
    if (has_rdseed) asm volatile("rdseed %0" : "=r"(word), "=@ccc"(given));
    if (!given && has_rdrand) asm volatile("rdrand %0" : "=r"(word), "=@ccc"(given));
    return given;
}
#elif defined(__aarch64__)
static bool cpu_random_word(std::uint64_t& word) {
    constexpr unsigned long hwcap2_rng = 1ul << 16;  // arch/arm64/include/uapi/asm/hwcap.h
    bool given = false;
    if ((getauxval(AT_HWCAP2) & hwcap2_rng) != 0) {
        asm volatile("mrs %0, s3_3_c2_c4_0" : "=r"(word), "=@ccne"(given));  // RNDR; sets Z when it has nothing
    }
    return given;
}
#else
static bool cpu_random_word(std::uint64_t&) { return false; }
#endif

std::size_t cpu_random(std::span<std::uint64_t> words) {
    std::size_t got = 0;
    // It may have nothing for a moment: twice the tries are more than enough.
    for (std::size_t tries = 0; got < words.size() && tries < 2 * words.size(); tries++) {
        if (cpu_random_word(words[got])) got++;
    }
    return got;
}

bool cpu_reports_hypervisor() {
#if defined(__x86_64__) || defined(__i386__)
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & 1u << 31) != 0;
#else
    return false;
#endif
}

int run_bounded(unsigned ms, int (*work)(void* context), void* context) {
    // The child says its result through a pipe, whose other end closes when it ends, however it ends. (Not by its exit
    // status, which is lost where a caller has SIGCHLD ignored.)
    int ends[2];
    if (syscall(SYS_pipe2, ends, O_CLOEXEC) < 0) return work(context);  // unbounded is better than not at all
    File here(ends[0]), there(ends[1]);
    // The system call alone: all that fork() does beyond it is for threads, and there are none.
#ifdef __s390__
    long child = syscall(SYS_clone, nullptr, SIGCHLD, nullptr, nullptr, nullptr);  // the first two in the other order
#else
    long child = syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
#endif
    if (child < 0) return work(context);
    if (child == 0) {
        auto result = static_cast<char>(work(context));
        _exit(write_all(there.descriptor(), &result, 1) ? 0 : 1);
    }
    there.close();
    pollfd ended{here.descriptor(), POLLIN, 0};
    if (poll(&ended, 1, static_cast<int>(ms)) == 0) return kTimedOut;
    char result = 1;
    [[maybe_unused]] ssize_t got = read(here.descriptor(), &result, 1);
    syscall(SYS_wait4, child, nullptr, 0, nullptr);
    return result;
}

Status log_to_kernel(int level, std::string_view line) {
    auto log = open_file("/dev/kmsg", O_WRONLY);
    if (!log) return log.error();
    Text<1024> entry("<");
    entry.add(static_cast<unsigned>(level), ">", line, "\n");  // one write is one entry
    return write_all(log->descriptor(), entry.c_str(), entry.view().size());
}

void print(int descriptor, std::string_view text) {
    [[maybe_unused]] Status result = write_all(descriptor, text.data(), text.size());
}

}  // namespace earlyseed::kernel
