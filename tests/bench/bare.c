// SPDX-License-Identifier: MIT
// The least that a tool can do: one RNDADDENTROPY of 256 bits, by a program without a C library. With an argument: a
// blocking getrandom(), which starts the kernel's own jitter loop.
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/random.h>

static long call(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

static struct {
    int bits, bytes;
    unsigned char seed[32];
} request = {256, 32, {1, 2, 3}};

__attribute__((used)) void run(const long* stack) {
    int failed;
    if (*stack > 1) {
        failed = call(__NR_getrandom, (long)request.seed, 1, 0) != 1;
    } else {
        long device = call(__NR_open, (long)"/dev/urandom", O_RDONLY, 0);
        failed = call(__NR_ioctl, device, RNDADDENTROPY, (long)&request) != 0;
    }
    call(__NR_exit, failed, 0, 0);
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\nand $-16, %rsp\ncall run");
