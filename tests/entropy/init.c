// SPDX-License-Identifier: MIT
// /init of the guest that tests/entropy/record-guest boots: records jitter and sends it through the console, in base64
// between two marks. The kernel command line says what: record.samples=N for one sequence, record.restarts=N for N
// processes of 1000 samples each, one after the other.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void record(const char* samples, int output) {
    pid_t child = fork();
    if (child == 0) {
        dup2(output, STDOUT_FILENO);
        execl("/earlyseed", "earlyseed", "record", "--samples", samples, "--format", "words", NULL);
        _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0) printf("record-guest: earlyseed failed: %d\n", status);
}

static void send_base64(int input) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char in[57];
    ssize_t size;
    lseek(input, 0, SEEK_SET);
    printf("\nrecord-guest: begin\n");
    while ((size = read(input, in, sizeof in)) > 0) {
        char line[80];
        int at = 0;
        for (ssize_t i = 0; i < size; i += 3) {
            unsigned group = in[i] << 16 | (i + 1 < size ? in[i + 1] << 8 : 0) | (i + 2 < size ? in[i + 2] : 0);
            for (int k = 0; k < 4; k++) line[at++] = i + k > size ? '=' : digits[group >> (18 - 6 * k) & 63];
        }
        line[at] = '\0';
        puts(line);
    }
    printf("record-guest: end\n");
    fflush(stdout);
}

static const char* option(const char* line, const char* name, char* value) {
    const char* at = strstr(line, name);
    return at && sscanf(at + strlen(name), "%31[0-9]", value) == 1 ? value : NULL;
}

int main(void) {
    mount("proc", "/proc", "proc", 0, NULL);
    char line[4096] = "", value[32];
    FILE* file = fopen("/proc/cmdline", "r");
    if (file && !fgets(line, sizeof line, file)) line[0] = '\0';
    int data = open("/data", O_RDWR | O_CREAT | O_APPEND, 0600);
    if (option(line, "record.restarts=", value)) {
        for (int left = atoi(value); left > 0; left--) record("1000", data);
    } else if (option(line, "record.samples=", value)) {
        record(value, data);
    }
    send_base64(data);
    sleep(1);
    reboot(RB_POWER_OFF);
}
