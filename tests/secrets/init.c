// SPDX-License-Identifier: MIT
// /init of the guest that looks for secrets (see secrets.py): runs the program under ptrace, learns every secret at the
// system call that moves it, and looks for it in the process's memory and registers when the process ends, and in what
// others can see. Nothing here is taken for granted: what must be found is looked for, too.
//
// Prints "secrets: …" lines; a secret's own bytes are never printed.
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/random.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tiny.h"

enum { SECRET = 64, PIECE = 8, BLOCK = 4096, SEED_AT = 80, MOST_SECRETS = 64, MOST_BYTES = 8 << 20 };

// --- secrets
// ----------------------------------------------------------------------------------------------------------

// How a secret came to be known: a record that was read or written, what was fed, what the generator gave.
enum Kind { READ, WRITTEN, FED, RANDOM, KINDS };
static const char* const kind_names[KINDS] = {"read", "written", "fed", "random"};

static struct {
    enum Kind kind;
    unsigned char bytes[SECRET];
} secrets[MOST_SECRETS];
static int count;

static unsigned char begins[1 << 16];  // 1: these two bytes are the beginning of a piece

static unsigned beginning(const unsigned char* bytes) { return bytes[0] | (unsigned)bytes[1] << 8; }

static void learn(enum Kind kind, const unsigned char* bytes) {
    for (int i = 0; i < count; i++) {
        if (memcmp(secrets[i].bytes, bytes, SECRET) == 0) return;
    }
    if (count == MOST_SECRETS) fail("too many secrets");
    secrets[count].kind = kind;
    memcpy(secrets[count++].bytes, bytes, SECRET);
    for (int at = 0; at < SECRET; at += PIECE) begins[beginning(bytes + at)] = 1;
}

// What was looked at, and which pieces were found, by the kind of their secret.
struct Found {
    size_t bytes;
    int pieces[KINDS];
};

// `bytes` are at `place`. A piece is counted once for each time that it is there.
static int is_piece(const unsigned char* bytes, struct Found* found, const char* where, unsigned long place) {
    if (!begins[beginning(bytes)]) return 0;
    for (int i = 0; i < count; i++) {
        for (int at = 0; at < SECRET; at += PIECE) {
            if (memcmp(bytes, secrets[i].bytes + at, PIECE) != 0) continue;
            found->pieces[secrets[i].kind]++;
            if (where)
                printf("secrets: piece %d of a secret (%s) in %s+%lx\n", at / PIECE, kind_names[secrets[i].kind], where,
                       place);
            return 1;
        }
    }
    return 0;
}

static int digit(unsigned char c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

// Looks for the secrets' aligned pieces of 8 bytes, in text also for their hexadecimal digits. Whatever 16 bytes in a
// row of a secret are there, one of these pieces is among them. `where` is printed with each; NULL: not.
static void look(const unsigned char* data, size_t size, int is_text, struct Found* found, const char* where) {
    found->bytes += size;
    for (size_t i = 0; i + PIECE <= size; i++) is_piece(data + i, found, where, i);
    for (size_t i = 0; is_text && i + 2 * PIECE <= size; i++) {
        unsigned char bytes[PIECE];
        int at = 0;
        for (; at < PIECE; at++) {
            int high = digit(data[i + 2 * (size_t)at]), low = digit(data[i + 2 * (size_t)at + 1]);
            if (high < 0 || low < 0) break;
            bytes[at] = (unsigned char)(high << 4 | low);
            if (at == 1 && !begins[beginning(bytes)]) break;
        }
        if (at == PIECE) is_piece(bytes, found, where, i);
    }
}

static void tell(const char* scene, const char* where, const struct Found* found) {
    printf("secrets: %s: %s: %zu bytes, %d secrets:", scene, where, found->bytes, count);
    for (int kind = 0; kind < KINDS; kind++) printf(" %s %d", kind_names[kind], found->pieces[kind]);
    printf("\n");
}

// --- a stopped process
// ------------------------------------------------------------------------------------------------

static size_t read_memory(pid_t pid, unsigned long address, void* into, size_t size) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    int file = open(path, O_RDONLY);
    must(file, path);
    ssize_t got = pread(file, into, size, (off_t)address);
    close(file);
    return got < 0 ? 0 : (size_t)got;
}

// Every readable mapping, and the registers, those of the floating point and vector unit (SSE) included.
static void scan_process(const char* scene, const char* when, int expected, pid_t pid) {
    static unsigned char memory[MOST_BYTES];
    char path[32], line[512], where[64];
    struct Found found = {0};
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE* maps = fopen(path, "r");
    if (!maps) fail(path);
    while (fgets(line, sizeof line, maps)) {
        unsigned long begin, end;
        char access[8], name[64] = "?";
        if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %63s", &begin, &end, access, name) < 3) fail("maps");
        if (access[0] != 'r' || strcmp(name, "[vvar]") == 0) continue;  // the kernel's page of clocks
        if (end - begin > sizeof memory) fail("a mapping is too large");
        size_t got = read_memory(pid, begin, memory, end - begin);
        if (got != end - begin) fail("a mapping cannot be read");
        look(memory, got, 0, &found, expected ? NULL : name);
    }
    fclose(maps);
    const int sets[] = {NT_PRSTATUS, NT_PRFPREG};
    for (int i = 0; i < 2; i++) {
        struct iovec into = {memory, sizeof memory};
        must(ptrace(PTRACE_GETREGSET, pid, sets[i], &into), "PTRACE_GETREGSET");
        look(memory, into.iov_len, 0, &found, expected ? NULL : "the registers");
    }
    snprintf(where, sizeof where, "memory at %s", when);
    tell(scene, where, &found);
}

// --- what others can see
// ----------------------------------------------------------------------------------------------

static void scan_file(const char* path, struct Found* found) {
    static unsigned char content[MOST_BYTES];
    struct stat info;
    int file = lstat(path, &info) == 0 && S_ISREG(info.st_mode) ? open(path, O_RDONLY | O_NONBLOCK) : -1;
    if (file < 0) return;
    size_t size = 0;
    for (ssize_t got; size < sizeof content && (got = read(file, content + size, sizeof content - size)) > 0;)
        size += (size_t)got;
    close(file);
    look(content, size, 1, found, path);
}

static int is_left_out(const char* name) {
    // The process's memory itself, what has no end, and the kernel's symbols (5 MB without data).
    for (const char* const* out =
             (const char* const[]){"mem", "pagemap", "kmsg", "kcore", "kallsyms", "kpagecount", "kpageflags",
                                   "kpagecgroup", "task", "map_files", "fd", "fdinfo", "cwd", "root", NULL};
         *out; out++) {
        if (strcmp(name, *out) == 0) return 1;
    }
    return 0;
}

static void scan_folder(const char* folder, struct Found* found) {
    DIR* entries = opendir(folder);
    if (!entries) return;
    for (struct dirent* entry; (entry = readdir(entries));) {
        char path[600];
        struct stat info;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] == '.' || is_left_out(entry->d_name) || lstat(path, &info) != 0) continue;
        if (S_ISDIR(info.st_mode)) {
            scan_folder(path, found);
        } else {
            scan_file(path, found);
        }
    }
    closedir(entries);
}

static void scan_process_files(const char* scene, pid_t pid) {
    char folder[32];
    struct Found found = {0};
    snprintf(folder, sizeof folder, "/proc/%d", pid);
    scan_folder(folder, &found);
    tell(scene, "its files in /proc", &found);
}

static void scan_public(const char* scene) {
    for (const char* const* folder = (const char* const[]){"/run", "/proc", "/cores", NULL}; *folder; folder++) {
        struct Found found = {0};
        scan_folder(*folder, &found);
        tell(scene, *folder, &found);
    }
    static unsigned char log[4 << 20];
    struct Found found = {0};
    int size = klogctl(3, (char*)log, sizeof log);  // SYSLOG_ACTION_READ_ALL
    must(size, "the kernel log");
    look(log, (size_t)size, 1, &found, "the kernel log");
    tell(scene, "the kernel log", &found);
}

static int core_files(void) {
    DIR* entries = opendir("/cores");
    int found = 0;
    for (struct dirent* entry; (entry = readdir(entries));) found += entry->d_name[0] != '.';
    closedir(entries);
    return found;
}

// --- a traced command
// -------------------------------------------------------------------------------------------------

// What is done to it when it feeds the seed, which is the second feed: nothing, or a signal.
enum Fate { LET_BE, CRASH };

static int feeds;

static void at_entry(const char* scene, enum Fate fate, int signal, pid_t pid, const struct user_regs_struct* call) {
    unsigned char block[BLOCK];
    if (call->orig_rax == SYS_pwrite64 && call->rdx == BLOCK) {
        if (read_memory(pid, call->rsi, block, BLOCK) != BLOCK) fail("the written block");
        learn(WRITTEN, block + SEED_AT);
    }
    if (call->orig_rax == SYS_ioctl && (unsigned)call->rsi == RNDADDENTROPY) {
        struct {
            int bits, bytes;
            unsigned char data[SECRET];
        } request;
        if (read_memory(pid, call->rdx, &request, sizeof request) != sizeof request) fail("what is fed");
        if (request.bytes != SECRET) fail("another size than 64 bytes is fed");
        learn(FED, request.data);
        printf("secrets: %s: fed %d bytes, %d bits\n", scene, request.bytes, request.bits);
        if (++feeds == 2) scan_process(scene, "control", 1, pid);
        if (feeds == 2 && fate == CRASH) must(kill(pid, signal), "kill");
    }
}

static void at_return(pid_t pid, const struct user_regs_struct* call) {
    unsigned char bytes[BLOCK];
    if (call->orig_rax == SYS_pread64 && call->rax == BLOCK) {
        if (read_memory(pid, call->rsi, bytes, BLOCK) != BLOCK) fail("the block read");
        if (memcmp(bytes, "earlySD\n", 8) == 0) learn(READ, bytes + SEED_AT);
    }
    if (call->orig_rax == SYS_getrandom && call->rax == SECRET) {
        if (read_memory(pid, call->rdi, bytes, SECRET) != SECRET) fail("the generator's bytes");
        learn(RANDOM, bytes);
    }
}

static void print_limit(const char* scene, pid_t pid) {
    struct rlimit limit;
    must(prlimit(pid, RLIMIT_CORE, NULL, &limit), "prlimit");
    printf("secrets: %s: core limit %llu\n", scene, (unsigned long long)limit.rlim_cur);
}

static void run(const char* scene, const char* program, const char* command, const char* config, enum Fate fate,
                int signal) {
    printf("secrets: begin %s\n", scene);
    count = feeds = 0;
    memset(begins, 0, sizeof begins);
    pid_t first = fork();
    if (first == 0) {
        struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
        must(setrlimit(RLIMIT_CORE, &unlimited), "setrlimit");
        must(ptrace(PTRACE_TRACEME, 0, 0, 0), "PTRACE_TRACEME");
        execl(program, program, command, "--config", config, NULL);
        _exit(127);
    }
    int status = 0, result = -1;
    waitpid(first, &status, 0);
    must(ptrace(PTRACE_SETOPTIONS, first, 0,
                PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                    PTRACE_O_TRACEEXIT),
         "PTRACE_SETOPTIONS");
    ptrace(PTRACE_SYSCALL, first, 0, 0);
    for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0;) {
        if (!WIFSTOPPED(status)) {
            if (pid == first) result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            if (WIFSIGNALED(status))
                printf("secrets: %s: ended by signal %d%s\n", scene, WTERMSIG(status),
                       WCOREDUMP(status) ? ", core dumped" : "");
            continue;
        }
        int deliver = 0, stop = WSTOPSIG(status);
        if (stop == (SIGTRAP | 0x80)) {
            struct user_regs_struct call;
            must(ptrace(PTRACE_GETREGS, pid, 0, &call), "PTRACE_GETREGS");
            if ((long)call.rax == -ENOSYS) {  // set by the kernel before the call is made
                at_entry(scene, fate, signal, pid, &call);
            } else {
                at_return(pid, &call);
            }
        } else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
            print_limit(scene, pid);
            scan_process(scene, "exit", fate == CRASH, pid);
            scan_process_files(scene, pid);
        } else if (stop != SIGTRAP && stop != SIGSTOP) {
            deliver = stop;
        }
        ptrace(PTRACE_SYSCALL, pid, 0, deliver);
    }
    struct Found learnt = {0};
    for (int i = 0; i < count; i++) learnt.pieces[secrets[i].kind]++;
    tell(scene, "learnt", &learnt);
    scan_public(scene);
    printf("secrets: end %s: status %d, %d core files\n", scene, result, core_files());
}

// --- the guest
// --------------------------------------------------------------------------------------------------------

// The disk as it was, and another /run: as a new boot finds them.
static void again(void) {
    static char store[2 * BLOCK] __attribute__((aligned(BLOCK)));
    static int kept;
    int disk = open("/dev/vda", O_RDWR | O_DIRECT);
    must(disk, "/dev/vda");
    if ((kept ? pwrite(disk, store, sizeof store, 0) : pread(disk, store, sizeof store, 0)) != sizeof store)
        fail("the store");
    must(fsync(disk), "flush");
    close(disk);
    kept = 1;
    umount2("/run", MNT_DETACH);
    must(mount("run", "/run", "tmpfs", 0, NULL), "/run");
}

static void system_call_trace(const char* command) {
    pid_t child = fork();
    if (child == 0) {
        execl("/usr/bin/strace", "strace", "-f", "-s", "0", "-o", "/trace", "/earlyseed", command, "--config",
              "/never.conf", NULL);
        _exit(127);
    }
    int status;
    waitpid(child, &status, 0);
    printf("secrets: strace: status %d\n", WEXITSTATUS(status));
    FILE* trace = fopen("/trace", "r");
    if (!trace) fail("/trace");
    char line[1024];
    while (fgets(line, sizeof line, trace)) printf("strace of %s: %s", command, line);
    fclose(trace);
}

static void crash_of_our_own(const char* scene) {
    pid_t child = fork();
    if (child == 0) {
        struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
        must(setrlimit(RLIMIT_CORE, &unlimited), "setrlimit");
        abort();
    }
    int status;
    waitpid(child, &status, 0);
    printf("secrets: end %s: status %d, %d core files\n", scene, 128 + WTERMSIG(status), core_files());
    for (DIR* entries = opendir("/cores"); entries;) {
        struct dirent* entry = readdir(entries);
        if (!entry) break;
        char path[300];
        snprintf(path, sizeof path, "/cores/%s", entry->d_name);
        if (entry->d_name[0] != '.') unlink(path);
    }
}

int main(int argc, char** argv) {
    if (argc > 1 && strcmp(argv[1], "core") == 0) {  // the kernel's pipe for core dumps
        put_text("/cores/piped", "a core\n");
        return 0;
    }
    begin();
    mkdir("/cores", 0700);

    // Not ready until a seed is credited.
    again();
    system_call_trace("load");
    again();
    system_call_trace("save");
    again();
    run("load", "/earlyseed", "load", "/never.conf", LET_BE, 0);
    again();
    run("save", "/earlyseed", "save", "/never.conf", LET_BE, 0);
    run("load, a file on ext4", "/earlyseed", "load", "/ext4.conf", LET_BE, 0);
    const int signals[] = {SIGSEGV, SIGABRT};
    for (int how = 0; how < 2; how++) {
        put_text("/proc/sys/kernel/core_pattern", how == 0 ? "/cores/core.%p" : "|/init core");
        again();
        run(how == 0 ? "crash" : "crash, cores to a pipe", "/earlyseed", "load", "/never.conf", CRASH, signals[how]);
        crash_of_our_own(how == 0 ? "crash of ours" : "crash of ours, cores to a pipe");
    }
    char byte;
    printf("secrets: ready %d\n", getrandom(&byte, 1, GRND_NONBLOCK) == 1);
    again();
    run("load, credited", "/earlyseed", "load", "/always.conf", LET_BE, 0);
    printf("secrets: ready %d\n", getrandom(&byte, 1, GRND_NONBLOCK) == 1);
    again();
    run("save, ready", "/earlyseed", "save", "/always.conf", LET_BE, 0);
    again();
    run("load, ready", "/earlyseed", "load", "/always.conf", LET_BE, 0);
    printf("secrets: done\n");
    fflush(stdout);
    reboot(RB_POWER_OFF);
}
