// SPDX-License-Identifier: MIT
// /init of the benchmark's initrd: starts one tool and measures, on the guest's clock, the time from its start until
// getrandom() works without blocking, and until the tool has ended; and the most memory that a process of it had. The
// kernel command line says which: bench=FILE, with a line "raw" or "mounted" (/dev/vda at /var/lib), one for an
// environment variable, and one for each word of the tool's command.
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tiny.h"

enum { MOST_LINES = 16, READY_TIMEOUT_MS = 10000, SETTLE_MS = 500 };

static long long now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static int ready(void) {
    char byte;
    return getrandom(&byte, 1, GRND_NONBLOCK) == 1;
}

static size_t read_file(const char* path, char* text, size_t size) {
    int file = open(path, O_RDONLY);
    ssize_t got = file < 0 ? 0 : read(file, text, size - 1);
    if (file >= 0) close(file);
    text[got < 0 ? 0 : got] = '\0';
    return strlen(text);
}

// The largest resident set that any process but this one has had so far.
static long peak_kib_of_the_living(void) {
    long peak = 0;
    DIR* processes = opendir("/proc");
    for (struct dirent* entry; (entry = readdir(processes));) {
        char path[300], text[4096];
        if (!isdigit(entry->d_name[0]) || strcmp(entry->d_name, "1") == 0) continue;
        snprintf(path, sizeof path, "/proc/%s/status", entry->d_name);
        read_file(path, text, sizeof text);
        char* line = strstr(text, "VmHWM:");  // a thread of the kernel's has none
        long kib = line ? atol(line + 6) : 0;
        if (kib > peak) peak = kib;
    }
    closedir(processes);
    return peak;
}

int main(void) {
    begin();
    mount("run", "/run", "tmpfs", 0, NULL);

    char text[4096], *lines[MOST_LINES] = {NULL};
    read_file("/proc/cmdline", text, sizeof text);
    char* path = strstr(text, "bench=");
    if (!path) fail("no bench=");
    must((long)read_file(strtok(path + 6, " \n"), text, sizeof text) - 1, "bench=");
    int count = 0;
    for (char *line = text, *end; count < MOST_LINES - 1 && (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        lines[count++] = line;
    }
    if (strcmp(lines[0], "mounted") == 0) must(mount("/dev/vda", "/var/lib", "ext4", 0, NULL), "/var/lib");
    char* environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", lines[1], NULL};

    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int child_ended = signalfd(-1, &signals, SFD_CLOEXEC);

    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);  // a serial line would be slower than the tool
    struct utsname kernel;
    uname(&kernel);

    int before = ready(), status = -1;
    long long start = now_us(), ready_us = -1, end_us = -1;
    pid_t tool = fork();
    if (tool == 0) {
        sigprocmask(SIG_UNBLOCK, &signals, NULL);
        dup2(nowhere, 1);
        dup2(nowhere, 2);
        execve(lines[2], lines + 2, environment);
        _exit(127);
    }
    // Asleep meanwhile, so that the tool has the processor: the kernel wakes who polls /dev/random once it is ready.
    struct rusage usage = {0};
    struct pollfd events[] = {{open("/dev/random", O_RDONLY), POLLIN, 0}, {child_ended, POLLIN, 0}};
    for (int left_ms = READY_TIMEOUT_MS; left_ms > 0 && poll(events, 2, left_ms) > 0;) {
        long long at = now_us() - start;
        if (events[0].revents && ready()) {
            ready_us = at;
            events[0].fd = -1;
        }
        if (events[1].revents && wait4(tool, &status, WNOHANG, &usage) == tool) {
            end_us = at;
            events[1].fd = -1;
        }
        if (ready_us >= 0 && end_us >= 0) break;
        // A daemon goes on; and what has ended has done what it could.
        left_ms = ready_us >= 0 || end_us >= 0 ? SETTLE_MS : READY_TIMEOUT_MS;
    }
    long peak_kib = peak_kib_of_the_living();
    if (usage.ru_maxrss > peak_kib) peak_kib = usage.ru_maxrss;
    printf("\nbench-result before=%d ready_us=%lld end_us=%lld status=%d peak_kib=%ld kernel=%s\n", before, ready_us,
           end_us, status < 0 ? -1 : WEXITSTATUS(status), peak_kib, kernel.release);
    fflush(stdout);
    reboot(RB_POWER_OFF);
}
