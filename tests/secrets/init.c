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

enum { SECRET = 64, PIECE = 8, BLOCK = 4096, SEED_AT = 80, MOST_SECRETS = 64, MOST_BYTES = 8 << 20 };

static void fail(const char *what) {
    printf("\nsecrets: failed %s: %s\n", what, strerror(errno));
    fflush(stdout);
    reboot(RB_POWER_OFF);
}

static void must(long result, const char *what) {
    if (result < 0) fail(what);
}

static void put_text(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(file, path);
    if (write(file, text, strlen(text)) != (ssize_t)strlen(text)) fail(path);
    close(file);
}

// --- secrets ----------------------------------------------------------------------------------------------------------

// How a secret came to be known: a record that was read or written, what was fed, what the generator gave.
enum Kind { READ, WRITTEN, FED, RANDOM, KINDS };
static const char *const kind_names[KINDS] = {"read", "written", "fed", "random"};

static struct {
    enum Kind kind;
    unsigned char bytes[SECRET];
} secrets[MOST_SECRETS];
static int count;

static void learn(enum Kind kind, const unsigned char *bytes) {
    for (int i = 0; i < count; i++) {
        if (memcmp(secrets[i].bytes, bytes, SECRET) == 0) return;
    }
    if (count == MOST_SECRETS) fail("too many secrets");
    secrets[count].kind = kind;
    memcpy(secrets[count++].bytes, bytes, SECRET);
}

static void hex_of(const unsigned char *bytes, char *hex) {
    for (int i = 0; i < PIECE; i++) sprintf(hex + 2 * i, "%02x", bytes[i]);
}

// How many of the secrets' aligned pieces of 8 bytes are in `data`; by kind too. Whatever 16 bytes in a row of a secret
// are there, one of these pieces is among them.
static int look(const unsigned char *data, size_t size, int as_text, int by_kind[KINDS]) {
    static unsigned char lower[MOST_BYTES];
    if (as_text) {
        if (size > sizeof lower) size = sizeof lower;
        for (size_t i = 0; i < size; i++) lower[i] = data[i] >= 'A' && data[i] <= 'F' ? data[i] | 0x20 : data[i];
    }
    int found = 0;
    for (int i = 0; i < count; i++) {
        for (int at = 0; at < SECRET; at += PIECE) {
            char hex[2 * PIECE + 1];
            hex_of(secrets[i].bytes + at, hex);
            int here = memmem(data, size, secrets[i].bytes + at, PIECE) != NULL ||
                       (as_text && memmem(lower, size, hex, 2 * PIECE) != NULL);
            found += here;
            by_kind[secrets[i].kind] += here;
        }
    }
    return found;
}

static void tell(const char *scene, const char *where, size_t bytes, const int by_kind[KINDS]) {
    printf("secrets: %s: %s: %zu bytes, %d secrets:", scene, where, bytes, count);
    for (int kind = 0; kind < KINDS; kind++) printf(" %s %d", kind_names[kind], by_kind[kind]);
    printf("\n");
}

// --- a stopped process ------------------------------------------------------------------------------------------------

static size_t read_memory(pid_t pid, unsigned long address, void *into, size_t size) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    int file = open(path, O_RDONLY);
    must(file, path);
    ssize_t got = pread(file, into, size, (off_t)address);
    close(file);
    return got < 0 ? 0 : (size_t)got;
}

// Every readable mapping, and the registers, those of the floating point and vector unit (SSE) included.
static void scan_process(const char *scene, const char *when, pid_t pid) {
    static unsigned char memory[MOST_BYTES];
    char path[32], line[512], where[128];
    int by_kind[KINDS] = {0};
    size_t bytes = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *maps = fopen(path, "r");
    if (!maps) fail(path);
    while (fgets(line, sizeof line, maps)) {
        unsigned long begin, end;
        char access[8], name[64] = "";
        if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %63s", &begin, &end, access, name) < 3) fail("maps");
        if (access[0] != 'r' || strcmp(name, "[vvar]") == 0) continue;  // the kernel's page of clocks
        if (end - begin > sizeof memory) fail("a mapping is too large");
        size_t got = read_memory(pid, begin, memory, end - begin);
        if (got == 0) fail("a mapping cannot be read");
        bytes += got;
        for (int i = 0; i < count; i++) {
            for (int at = 0; at < SECRET; at += PIECE) {
                unsigned char *here = memmem(memory, got, secrets[i].bytes + at, PIECE);
                if (!here) continue;
                by_kind[secrets[i].kind]++;
                if (strcmp(when, "control") != 0)
                    printf("secrets: %s: %s: piece %d of secret %d (%s) at %lx, %s+%lx\n", scene, when, at / PIECE, i,
                           kind_names[secrets[i].kind], begin + (unsigned long)(here - memory), name,
                           (unsigned long)(here - memory));
            }
        }
    }
    fclose(maps);
    for (int set = 0; set < 2; set++) {
        struct iovec into = {memory, sizeof memory};
        must(ptrace(PTRACE_GETREGSET, pid, set == 0 ? NT_PRSTATUS : NT_PRFPREG, &into), "PTRACE_GETREGSET");
        bytes += into.iov_len;
        if (look(memory, into.iov_len, 0, by_kind) != 0 && strcmp(when, "control") != 0)
            printf("secrets: %s: %s: in register set %d\n", scene, when, set);
    }
    snprintf(where, sizeof where, "memory at %s", when);
    tell(scene, where, bytes, by_kind);
}

// --- what others can see ----------------------------------------------------------------------------------------------

static size_t scan_file(const char *path, int by_kind[KINDS]) {
    static unsigned char content[MOST_BYTES];
    struct stat info;
    int file = lstat(path, &info) == 0 && S_ISREG(info.st_mode) ? open(path, O_RDONLY | O_NONBLOCK) : -1;
    if (file < 0) return 0;
    size_t size = 0;
    for (ssize_t got; size < sizeof content && (got = read(file, content + size, sizeof content - size)) > 0;)
        size += (size_t)got;
    close(file);
    if (look(content, size, 1, by_kind) != 0) printf("secrets: found in %s\n", path);
    return size;
}

static int is_left_out(const char *name) {
    // The process's memory itself, what has no end, and the kernel's symbols (5 MB without data).
    for (const char *const *out = (const char *const[]){"mem", "pagemap", "kmsg", "kcore", "kallsyms", "kpagecount", "kpageflags",
                                                        "kpagecgroup", "task", "map_files", "fd", "fdinfo", "cwd",
                                                        "root", NULL};
         *out; out++) {
        if (strcmp(name, *out) == 0) return 1;
    }
    return 0;
}

static size_t scan_folder(const char *folder, int by_kind[KINDS]) {
    DIR *entries = opendir(folder);
    if (!entries) return 0;
    size_t bytes = 0;
    for (struct dirent *entry; (entry = readdir(entries));) {
        char path[600];
        struct stat info;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] == '.' || is_left_out(entry->d_name) || lstat(path, &info) != 0) continue;
        bytes += S_ISDIR(info.st_mode) ? scan_folder(path, by_kind) : scan_file(path, by_kind);
    }
    closedir(entries);
    return bytes;
}

static void scan_process_files(const char *scene, pid_t pid) {
    char folder[32];
    int by_kind[KINDS] = {0};
    snprintf(folder, sizeof folder, "/proc/%d", pid);
    size_t bytes = scan_folder(folder, by_kind);
    tell(scene, "its files in /proc", bytes, by_kind);
}

static void scan_public(const char *scene) {
    static char log[4 << 20];
    int by_kind[KINDS] = {0};
    tell(scene, "/run", scan_folder("/run", by_kind), by_kind);
    memset(by_kind, 0, sizeof by_kind);
    int size = klogctl(3, log, sizeof log);  // SYSLOG_ACTION_READ_ALL
    must(size, "the kernel log");
    look((unsigned char *)log, (size_t)size, 1, by_kind);
    tell(scene, "the kernel log", (size_t)size, by_kind);
    memset(by_kind, 0, sizeof by_kind);
    tell(scene, "/proc", scan_folder("/proc", by_kind), by_kind);
    memset(by_kind, 0, sizeof by_kind);
    tell(scene, "core files", scan_folder("/cores", by_kind), by_kind);
}

static int core_files(void) {
    DIR *entries = opendir("/cores");
    int found = 0;
    for (struct dirent *entry; (entry = readdir(entries));) found += entry->d_name[0] != '.';
    closedir(entries);
    return found;
}

// --- a traced command -------------------------------------------------------------------------------------------------

// What is done to it when it feeds the seed, which is the second feed: nothing, or a signal.
enum Fate { LET_BE, CRASH };

static int feeds;

static void at_entry(const char *scene, enum Fate fate, int signal, pid_t pid, const struct user_regs_struct *call) {
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
        if (++feeds == 2) scan_process(scene, "control", pid);
        if (feeds == 2 && fate == CRASH) must(kill(pid, signal), "kill");
    }
}

static void at_return(pid_t pid, const struct user_regs_struct *call) {
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

static void print_limit(const char *scene, pid_t pid) {
    struct rlimit limit;
    must(prlimit(pid, RLIMIT_CORE, NULL, &limit), "prlimit");
    printf("secrets: %s: core limit %llu\n", scene, (unsigned long long)limit.rlim_cur);
}

static void run(const char *scene, const char *program, const char *command, const char *config, enum Fate fate, int signal) {
    printf("secrets: begin %s\n", scene);
    count = feeds = 0;
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
                PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT),
         "PTRACE_SETOPTIONS");
    ptrace(PTRACE_SYSCALL, first, 0, 0);
    for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0;) {
        if (!WIFSTOPPED(status)) {
            if (pid == first) result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            if (WIFSIGNALED(status))
                printf("secrets: %s: ended by signal %d%s\n", scene, WTERMSIG(status), WCOREDUMP(status) ? ", core dumped" : "");
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
            scan_process(scene, "exit", pid);
            scan_process_files(scene, pid);
        } else if (stop != SIGTRAP && stop != SIGSTOP) {
            deliver = stop;
        }
        ptrace(PTRACE_SYSCALL, pid, 0, deliver);
    }
    int by_kind[KINDS] = {0};
    for (int i = 0; i < count; i++) by_kind[secrets[i].kind]++;
    tell(scene, "learnt", 0, by_kind);
    scan_public(scene);
    printf("secrets: end %s: status %d, %d core files\n", scene, result, core_files());
}

// --- the guest --------------------------------------------------------------------------------------------------------

static void load_modules(void) {
    for (int number = 0;; number++) {
        char path[32];
        snprintf(path, sizeof path, "/modules/%02d.ko", number);
        int file = open(path, O_RDONLY);
        if (file < 0) return;
        must(syscall(SYS_finit_module, file, "", 0), path);
        close(file);
    }
}

// The disk as it was, and another /run: as a new boot finds them.
static void again(void) {
    static char store[2 * BLOCK] __attribute__((aligned(BLOCK)));
    static int kept;
    int disk = open("/dev/vda", O_RDWR | O_DIRECT);
    must(disk, "/dev/vda");
    if ((kept ? pwrite(disk, store, sizeof store, 0) : pread(disk, store, sizeof store, 0)) != sizeof store) fail("the store");
    must(fsync(disk), "flush");
    close(disk);
    kept = 1;
    umount2("/run", MNT_DETACH);
    must(mount("run", "/run", "tmpfs", 0, NULL), "/run");
}

static void system_call_trace(void) {
    pid_t child = fork();
    if (child == 0) {
        execl("/usr/bin/strace", "strace", "-f", "-s", "0", "-o", "/trace", "/earlyseed", "load", "--config", "/never.conf", NULL);
        _exit(127);
    }
    int status;
    waitpid(child, &status, 0);
    printf("secrets: strace: status %d\n", WEXITSTATUS(status));
    FILE *trace = fopen("/trace", "r");
    if (!trace) fail("/trace");
    char line[1024];
    while (fgets(line, sizeof line, trace)) printf("strace: %s", line);
    fclose(trace);
}

static void crash_of_our_own(const char *scene) {
    pid_t child = fork();
    if (child == 0) {
        struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
        must(setrlimit(RLIMIT_CORE, &unlimited), "setrlimit");
        abort();
    }
    int status;
    waitpid(child, &status, 0);
    printf("secrets: end %s: status %d, %d core files\n", scene, 128 + WTERMSIG(status), core_files());
    for (DIR *entries = opendir("/cores"); entries;) {
        struct dirent *entry = readdir(entries);
        if (!entry) break;
        char path[300];
        snprintf(path, sizeof path, "/cores/%s", entry->d_name);
        if (entry->d_name[0] != '.') unlink(path);
    }
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "core") == 0) {  // the kernel's pipe for core dumps
        put_text("/cores/piped", "a core\n");
        return 0;
    }
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    mount("dev", "/dev", "devtmpfs", 0, NULL);
    load_modules();
    mkdir("/cores", 0700);

    again();
    system_call_trace();

    // Not ready until a seed is credited.
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
