// SPDX-License-Identifier: MIT
// /init of the benchmark's initrd: starts one tool and measures, on the guest's clock, the time from its start until
// getrandom() works without blocking, and until the tool has ended. The kernel command line says which: bench=NAME.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/random.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tiny.h"

static long long now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static int ready(void) {
    char byte;
    return getrandom(&byte, 1, GRND_NONBLOCK) == 1;
}

// The least that a tool can do: one RNDADDENTROPY of 256 bits.
static int bare(void) {
    struct {
        int bits, bytes;
        unsigned char seed[32];
    } request = {256, 32, {1, 2, 3}};
    int device = open("/dev/urandom", O_RDONLY);
    return ioctl(device, RNDADDENTROPY, &request) != 0;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "bare") == 0) return bare();
    if (argc > 1 && strcmp(argv[1], "kernel") == 0) {
        char byte;
        return getrandom(&byte, 1, 0) != 1;
    }
    begin();
    mount("run", "/run", "tmpfs", 0, NULL);

    char line[4096] = "";
    FILE *file = fopen("/proc/cmdline", "r");
    if (file && !fgets(line, sizeof line, file)) line[0] = '\0';
    char *name = strstr(line, "bench=");
    name = name ? strtok(name + 6, " \n") : "bare";

    int before = ready();
    long long start = now_us(), ready_us = -1;
    pid_t tool = fork();
    if (tool == 0) {
        if (strcmp(name, "jitter") == 0) execl("/earlyseed", "earlyseed", "load", "--early", NULL);
        if (strcmp(name, "seed") == 0)
            execl("/earlyseed", "earlyseed", "load", "--early", "--config", "/seed.conf", NULL);
        execl("/init", "init", name, NULL);
        _exit(127);
    }
    long long end = -1;
    int status = 0;
    while (end < 0 || (ready_us < 0 && now_us() - start < 20000000)) {
        if (ready_us < 0 && ready()) ready_us = now_us() - start;
        if (end < 0 && waitpid(tool, &status, WNOHANG) == tool) end = now_us() - start;
        if (ready_us < 0 || end < 0) usleep(100);
    }
    printf("\nbench-result %s before=%d ready_us=%lld end_us=%lld status=%d\n", name, before, ready_us, end,
           WEXITSTATUS(status));
    fflush(stdout);
    reboot(RB_POWER_OFF);
}
