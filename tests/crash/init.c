// SPDX-License-Identifier: MIT
// /init of the guests that record and replay crashes (see crash.py). Several boots are simulated in one guest: each has
// a fresh /run, another boot ID and no cached block of the store's disk, /dev/vda.
//
//   crash=record kind=K steps=…   does the steps (see record()), with marks of what is done among the disk's writes
//   crash=replay                  puts one crash state after the other from /dev/vdb onto the disk, boots twice from
//   each,
//                                 and writes what came of it to /dev/vdc
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/random.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tiny.h"

enum { SECTOR = 512, BLOCK = 4096, BOOTS = 2, KINDS = 8 };

static int replaying;  // no boot of it is one that was recorded

static int get_text(const char* path, char* text, size_t size) {
    int file = open(path, O_RDONLY);
    ssize_t got = file < 0 ? 0 : read(file, text, size - 1);
    if (file >= 0) close(file);
    text[got < 0 ? 0 : got] = '\0';
    return file >= 0;
}

// Opened and closed around every use: a disk that stays open keeps its cache when it is unmounted.
static int open_disk(const char* path, int flags) {
    int disk = open(path, flags | O_DIRECT | O_CLOEXEC);
    must(disk, path);
    return disk;
}

static void new_boot(void) {
    static unsigned boots;
    char id[64];
    snprintf(id, sizeof id, "%08x-0000-4000-%s-000000000000\n", ++boots, replaying ? "9000" : "8000");
    put_text("/boot_id", id);
    umount2("/run", MNT_DETACH);
    must(mount("run", "/run", "tmpfs", 0, NULL), "/run");
    int disk = open_disk("/dev/vda", O_RDONLY);
    must(ioctl(disk, BLKFLSBUF), "BLKFLSBUF");
    close(disk);
}

static pid_t start(const char* command, const char* config, int traced) {
    pid_t child = fork();
    if (child != 0) return child;
    if (traced) must(ptrace(PTRACE_TRACEME, 0, 0, 0), "PTRACE_TRACEME");
    execl("/earlyseed", "earlyseed", command, "--config", config, NULL);
    _exit(127);
}

static int wait_for(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) != child) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

// --- record
// -----------------------------------------------------------------------------------------------------------

static char mark_text[BLOCK] __attribute__((aligned(BLOCK)));

// A mark is a write to the disk's last block, which is no part of the store or of its file system.
static void mark(const char* what) {
    memset(mark_text, 0, sizeof mark_text);
    size_t used = (size_t)snprintf(mark_text, sizeof mark_text, "%s\n", what);
    get_text("/run/earlyseed/report", mark_text + used, sizeof mark_text - used);
    int disk = open_disk("/dev/vda", O_WRONLY);
    uint64_t bytes = 0;
    must(ioctl(disk, BLKGETSIZE64, &bytes), "BLKGETSIZE64");
    if (pwrite(disk, mark_text, BLOCK, (off_t)(bytes - BLOCK)) != BLOCK) fail("mark");
    close(disk);
}

// Runs load, and marks the instant at which it (or a child of its) asks the kernel to credit.
static int traced_load(const char* config) {
    pid_t first = start("load", config, 1);
    int status, result = -1;
    waitpid(first, &status, 0);
    ptrace(PTRACE_SETOPTIONS, first, 0,
           PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE);
    ptrace(PTRACE_SYSCALL, first, 0, 0);
    for (pid_t who; (who = waitpid(-1, &status, __WALL)) > 0;) {
        if (!WIFSTOPPED(status)) {
            if (who == first) result = WEXITSTATUS(status);
            continue;
        }
        int signal = WSTOPSIG(status);
        if (signal == (SIGTRAP | 0x80)) {
            struct user_regs_struct regs;
            ptrace(PTRACE_GETREGS, who, 0, &regs);
            int entry = (long)regs.rax == -ENOSYS;  // set by the kernel before the call is made
            if (entry && regs.orig_rax == SYS_ioctl && (unsigned)regs.rsi == RNDADDENTROPY) {
                long bits = ptrace(PTRACE_PEEKDATA, who, regs.rdx, 0);
                if ((int)bits > 0) mark("credit");
            }
            signal = 0;
        } else if (signal == SIGTRAP || signal == SIGSTOP) {
            signal = 0;  // the trace's own
        }
        ptrace(PTRACE_SYSCALL, who, 0, signal);
    }
    return result;
}

static void damage(off_t slot_at) {
    static char block[BLOCK] __attribute__((aligned(BLOCK)));
    int disk = open_disk("/dev/vda", O_RDWR);
    if (pread(disk, block, BLOCK, slot_at) != BLOCK) fail("read");
    memset(block + SECTOR / 2, 0xee, SECTOR / 2);
    if (pwrite(disk, block, BLOCK, slot_at) != BLOCK) fail("write");
    must(fsync(disk), "flush");
    close(disk);
}

static void make_ready(void) {
    struct {
        int bits, bytes;
        char seed[32];
    } request = {256, 32, "the kernel's own"};
    int device = open("/dev/urandom", O_RDONLY);
    must(ioctl(device, RNDADDENTROPY, &request), "RNDADDENTROPY");
    close(device);
}

// Something else writes to the file system that the store is on.
static void neighbour(int number) {
    char path[32];
    snprintf(path, sizeof path, "/mnt/other-%d", number);
    put_text(path, "another file\n");
}

// b: a new boot; l: load; s: save; k: the kernel makes itself ready; 0, 1: a slot is damaged;
// m, u: the running system mounts the file system of the store, and unmounts it; n: it writes there, too.
static void record(const char* steps, const char* config, const char* type, const off_t slot_at[2]) {
    char what[64];
    for (int at = 0; steps[at] != '\0'; at++) {
        char step = steps[at];
        int status = 0;
        snprintf(what, sizeof what, "begin %c", step);
        mark(what);
        if (step == 'b') {
            new_boot();
        } else if (step == 'l') {
            status = traced_load(config);
        } else if (step == 's') {
            status = wait_for(start("save", config, 0));
        } else if (step == 'k') {
            make_ready();
        } else if (step == '0' || step == '1') {
            damage(slot_at[step - '0']);
        } else if (step == 'm') {
            must(mount("/dev/vda", "/mnt", type, 0, strcmp(type, "vfat") == 0 ? "umask=0077" : NULL), "mount");
        } else if (step == 'u') {
            must(umount("/mnt"), "unmount");
        } else if (step == 'n') {
            neighbour(at);
        } else {
            errno = EINVAL;
            fail(what);
        }
        snprintf(what, sizeof what, "end %c %d", step, status);
        mark(what);
    }
}

// --- replay
// -----------------------------------------------------------------------------------------------------------

// The beginning of /dev/vdb, written by crash.py. All offsets are in bytes, from the start of /dev/vdb or of the disk.
struct Jobs {
    uint64_t states, states_at, pool_at;
    struct {
        uint64_t base_at, bytes, slot_at[2], is_file;
    } kind[KINDS];
};

// A state: its kind, how many sectors differ from the base image, and for each its number and its place in the pool.
struct State {
    uint32_t kind, count;
    struct {
        uint32_t sector, pool;
    } sectors[];
};

static struct {
    char report[BLOCK - 2 * SECTOR];
    char slots[2][SECTOR];
} result __attribute__((aligned(BLOCK)));

static void boot_from(const char* config, const uint64_t slot_at[2], int results) {
    static char block[SECTOR] __attribute__((aligned(BLOCK)));
    new_boot();
    int status = wait_for(start("load", config, 0));
    memset(&result, 0, sizeof result);
    int used = snprintf(result.report, sizeof result.report, "exit = %d\n", status);
    get_text("/run/earlyseed/report", result.report + used, sizeof result.report - (size_t)used);
    int disk = open_disk("/dev/vda", O_RDONLY);
    for (int slot = 0; slot < 2; slot++) {
        if (pread(disk, block, SECTOR, (off_t)slot_at[slot]) != SECTOR) fail("read slot");
        memcpy(result.slots[slot], block, SECTOR);
    }
    close(disk);
    if (write(results, &result, sizeof result) != (ssize_t)sizeof result) fail("write result");
}

static void replay(void) {
    int device = open("/dev/vdb", O_RDONLY);
    must(device, "/dev/vdb");
    uint64_t size = 0;
    must(ioctl(device, BLKGETSIZE64, &size), "BLKGETSIZE64");
    const char* input = mmap(NULL, size, PROT_READ, MAP_SHARED, device, 0);
    if (input == MAP_FAILED) fail("map /dev/vdb");
    const struct Jobs* jobs = (const void*)input;
    char* image[KINDS];
    for (int kind = 0; kind < KINDS; kind++) {
        uint64_t bytes = jobs->kind[kind].bytes;
        if (bytes == 0) continue;
        image[kind] = aligned_alloc(BLOCK, bytes);
        memcpy(image[kind], input + jobs->kind[kind].base_at, bytes);
    }
    int results = open_disk("/dev/vdc", O_WRONLY);
    make_ready();  // it cannot become unready again
    const char* at = input + jobs->states_at;
    uint32_t last_kind = KINDS;
    for (uint64_t number = 0; number < jobs->states; number++) {
        const struct State* state = (const void*)at;
        at += sizeof *state + state->count * sizeof state->sectors[0];
        char* whole = image[state->kind];
        uint64_t bytes = jobs->kind[state->kind].bytes;
        for (uint32_t i = 0; i < state->count; i++) {
            memcpy(whole + (uint64_t)state->sectors[i].sector * SECTOR,
                   input + jobs->pool_at + (uint64_t)state->sectors[i].pool * SECTOR, SECTOR);
        }
        int disk = open_disk("/dev/vda", O_WRONLY);
        for (uint64_t done = 0; done < bytes;) {
            ssize_t put = pwrite(disk, whole + done, bytes - done, (off_t)done);
            if (put <= 0) fail("write state");
            done += (uint64_t)put;
        }
        if (state->kind != last_kind) must(ioctl(disk, BLKRRPART), "BLKRRPART");
        last_kind = state->kind;
        close(disk);
        for (uint32_t i = 0; i < state->count; i++) {
            uint64_t offset = (uint64_t)state->sectors[i].sector * SECTOR;
            memcpy(whole + offset, input + jobs->kind[state->kind].base_at + offset, SECTOR);
        }
        const char* config = jobs->kind[state->kind].is_file ? "/file.conf" : "/raw.conf";
        for (int boot = 0; boot < BOOTS; boot++) boot_from(config, jobs->kind[state->kind].slot_at, results);
        if (number % 100 == 99) {
            printf("crash-replayed %llu\n", (unsigned long long)number + 1);
            fflush(stdout);
        }
    }
}

static const char* option(const char* line, const char* name, char* value, size_t size) {
    const char* found = strstr(line, name);
    value[0] = '\0';
    if (found) snprintf(value, size, "%.*s", (int)strcspn(found + strlen(name), " \n"), found + strlen(name));
    return value;
}

int main(void) {
    begin();
    put_text("/boot_id", "");
    must(mount("/boot_id", "/proc/sys/kernel/random/boot_id", NULL, MS_BIND, NULL), "boot_id");
    mount("run", "/run", "tmpfs", 0, NULL);

    char line[4096], mode[16], steps[256], type[16], slots[2][24];
    get_text("/proc/cmdline", line, sizeof line);
    if (strcmp(option(line, "crash=", mode, sizeof mode), "record") == 0) {
        option(line, "steps=", steps, sizeof steps);
        option(line, "type=", type, sizeof type);
        off_t slot_at[2] = {atoll(option(line, "slot0=", slots[0], sizeof slots[0])),
                            atoll(option(line, "slot1=", slots[1], sizeof slots[1]))};
        record(steps, strcmp(type, "raw") == 0 ? "/raw.conf" : "/file.conf", type, slot_at);
    } else {
        replaying = 1;
        replay();
    }
    printf("\ncrash-done\n");
    fflush(stdout);
    reboot(RB_POWER_OFF);
}
