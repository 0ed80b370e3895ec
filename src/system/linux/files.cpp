// SPDX-License-Identifier: MIT
#include "system/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "base/fixed_string.hpp"
#include "system/linux/calls.hpp"

namespace earlyseed::kernel {

using namespace std::string_view_literals;

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

Result<File> open_file(const char* path, int flags, const char* operation) {
    int descriptor = open(path, flags | O_CLOEXEC | O_NOCTTY, 0600);
    if (descriptor < 0) return failed(operation);
    return File(descriptor);
}

Status write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        ssize_t put = write(descriptor, text.data(), text.size());
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return put < 0 ? failed("write") : Error{"write", EIO};
        text.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
}

static FileInfo info_of(const struct stat& s) {
    FileInfo info;
    info.kind = S_ISREG(s.st_mode)   ? FileKind::regular
                : S_ISBLK(s.st_mode) ? FileKind::block_device
                : S_ISCHR(s.st_mode) ? FileKind::character_device
                : S_ISDIR(s.st_mode) ? FileKind::directory
                : S_ISLNK(s.st_mode) ? FileKind::symbolic_link
                                     : FileKind::other;
    info.size_bytes = static_cast<std::uint64_t>(s.st_size);
    dev_t device = S_ISBLK(s.st_mode) || S_ISCHR(s.st_mode) ? s.st_rdev : s.st_dev;
    info.device = {major(device), minor(device)};
    info.owner = s.st_uid;
    info.permissions = s.st_mode & 0777;
    return info;
}

Result<FileInfo> file_info(const char* path, bool follow_links) {
    struct stat s;
    if (fstatat(AT_FDCWD, path, &s, follow_links ? 0 : AT_SYMLINK_NOFOLLOW) < 0) return failed("find");
    return info_of(s);
}

Result<FileInfo> file_info(const File& file) {
    struct stat s;
    if (fstat(file.descriptor(), &s) < 0) return failed("examine");
    FileInfo info = info_of(s);
    if (info.kind == FileKind::block_device) {
        off_t end = lseek(file.descriptor(), 0, SEEK_END);
        if (end < 0) return failed("measure");
        info.size_bytes = static_cast<std::uint64_t>(end);
    }
    return info;
}

Result<File> open_read(const char* path, bool wait) {
    auto file = open_file(path, O_RDONLY | (wait ? 0 : O_NONBLOCK));
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    if (file || file.error().code != ENXIO || strlen(path) >= sizeof address.sun_path) return file;
    // ENXIO: a socket, or nobody has the other end.
    memcpy(address.sun_path, path, strlen(path) + 1);
    File connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (wait ? 0 : SOCK_NONBLOCK), 0));
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

Result<File> create(const char* path) { return open_file(path, O_WRONLY | O_CREAT | O_TRUNC, "create"); }

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

Status write_bytes(const File& file, std::span<const std::uint8_t> bytes) {
    return write_all(file.descriptor(), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Status write_text(const char* path, std::string_view text, unsigned permissions) {
    Path temporary(path);
    temporary.add(".new");
    if (temporary.full()) return Error{"write", ENAMETOOLONG};
    unlink(temporary.c_str());
    auto file = open_file(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, "create");
    if (!file) return file.error();
    Status result = write_all(file->descriptor(), text);
    if (result) result = status(chmod(temporary.c_str(), permissions), "set the mode of");
    if (result) result = status(fsync(file->descriptor()), "flush");
    if (result) result = status(rename(temporary.c_str(), path), "rename");
    if (!result) unlink(temporary.c_str());
    return result;
}

Status remove_file(const char* path) {
    if (unlink(path) == 0 || errno == ENOENT) return {};
    return failed("remove");
}

Status make_directory(const char* path, unsigned permissions) {
    if (mkdir(path, permissions) == 0) return status(chmod(path, permissions), "set the mode of");  // umask is 077
    return errno == EEXIST ? Status{} : failed("create");
}

Status for_each_name(const char* directory, FunctionRef<bool(std::string_view name)> visit) {
    auto opened = open_file(directory, O_RDONLY | O_DIRECTORY);
    if (!opened) return opened.error();
    // getdents and not readdir: opendir needs a heap.
    alignas(struct dirent) char entries[2048];
    auto entry_at = [&](int at) { return static_cast<struct dirent*>(static_cast<void*>(entries + at)); };
    for (;;) {
        int got = getdents(opened->descriptor(), entry_at(0), sizeof entries);
        if (got < 0) return failed("list");
        if (got == 0) return {};
        for (int at = 0; at < got; at += entry_at(at)->d_reclen) {
            std::string_view name = entry_at(at)->d_name;
            if (name != "."sv && name != ".."sv && !visit(name)) return {};
        }
    }
}

Result<File> try_lock(const char* path) {
    auto file = open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW);
    if (file && flock(file->descriptor(), LOCK_EX | LOCK_NB) < 0) return failed("lock");
    return file;
}

}  // namespace earlyseed::kernel
