// SPDX-License-Identifier: MIT
#include "system/process.hpp"

#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fixed_string.hpp"
#include "system/linux/calls.hpp"

// The linker's name for the start of the program in memory. A PIE is linked for address 0.
extern "C" [[gnu::visibility("hidden")]] const ElfW(Ehdr) __ehdr_start;

namespace earlyseed::kernel {

// musl (1.2.6) leaves RELRO to the dynamic linker, and a static program has none: makes the tables of addresses, which
// were relocated at the start, read-only.
static void protect_relocated_data() {
    auto start = reinterpret_cast<std::uintptr_t>(&__ehdr_start);
    std::span headers(reinterpret_cast<const ElfW(Phdr)*>(start + __ehdr_start.e_phoff), __ehdr_start.e_phnum);
    std::uintptr_t pages = ~(static_cast<std::uintptr_t>(getpagesize()) - 1);
    for (const auto& header : headers) {
        if (header.p_type != PT_GNU_RELRO) continue;
        std::uintptr_t from = (start + header.p_vaddr) & pages, to = (start + header.p_vaddr + header.p_memsz) & pages;
        mprotect(reinterpret_cast<void*>(from), to - from, PROT_READ);
    }
}

void harden() {
    protect_relocated_data();
    rlimit none{0, 0};
    prlimit(0, RLIMIT_CORE, &none, nullptr);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    umask(077);
}

void lock_memory() { mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT); }

bool is_root() { return geteuid() == 0; }

bool is_terminal(int descriptor) { return isatty(descriptor) != 0; }

int run_bounded(unsigned ms, FunctionRef<int()> work) {
    // The child reports its result through a pipe, whose other end closes when it ends, however it ends. (Not by its
    // exit status, which is lost where a caller has SIGCHLD ignored.)
    int ends[2];
    if (pipe(ends) < 0) return work();  // without a bound rather than not at all
    File here(ends[0]), there(ends[1]);
    pid_t child = _Fork();
    if (child < 0) return work();
    if (child == 0) {
        auto result = static_cast<char>(work());
        _exit(write_all(there.descriptor(), {&result, 1}) ? 0 : 1);
    }
    there.close();
    pollfd ended{here.descriptor(), POLLIN, 0};
    if (poll(&ended, 1, static_cast<int>(ms)) == 0) return kTimedOut;
    char result = 1;
    if (read(here.descriptor(), &result, 1) != 1) result = 1;
    waitpid(child, nullptr, 0);
    return result;
}

Status log_to_kernel(int level, std::string_view line) {
    auto log = open_file("/dev/kmsg", O_WRONLY);
    if (!log) return log.error();
    FixedString<1024> entry("<");
    entry.add(static_cast<unsigned>(level), ">", line, "\n");  // one write is one entry
    return write_all(log->descriptor(), entry);
}

void print(int descriptor, std::string_view text) { ignore(write_all(descriptor, text)); }

}  // namespace earlyseed::kernel
