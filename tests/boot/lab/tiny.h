// SPDX-License-Identifier: MIT
// What the inits of tiny guests share (tiny.py).
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

// Says what failed and switches the machine off.
static void fail(const char* what) {
    printf("\ninit-failed %s: %s\n", what, strerror(errno));
    fflush(stdout);
    sync();
    reboot(RB_POWER_OFF);
}

static void must(long result, const char* what) {
    if (result < 0) fail(what);
}

static inline void put_text(const char* path, const char* text) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(file, path);
    if (write(file, text, strlen(text)) != (ssize_t)strlen(text)) fail(path);
    close(file);
}

// The file systems of the kernel, and the modules of the initrd, in their order; /dev/vda is there then.
static void begin(void) {
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    mount("dev", "/dev", "devtmpfs", 0, NULL);
    for (int number = 0;; number++) {
        char path[32];
        snprintf(path, sizeof path, "/modules/%02d.ko", number);
        int file = open(path, O_RDONLY);
        if (file < 0) break;
        must(syscall(SYS_finit_module, file, "", 0), path);
        close(file);
    }
    for (int tries = 0; access("/dev/vda", F_OK) != 0; tries++) {
        if (tries == 5000) fail("/dev/vda");
        usleep(1000);
    }
}
