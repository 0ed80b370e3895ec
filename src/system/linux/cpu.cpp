// SPDX-License-Identifier: MIT
#include "system/cpu.hpp"

#include <sched.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace earlyseed::kernel {

void pin_to_current_cpu() {
    int cpu = sched_getcpu();
    if (cpu < 0) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

#if defined(__x86_64__)
static bool cpu_random_word(std::uint64_t& word) {
    unsigned eax, ebx, ecx, edx;
    bool has_rdrand = __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & 1u << 30) != 0;
    bool has_rdseed = __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ebx & 1u << 18) != 0;
    bool given = false;
    if (has_rdseed) asm volatile("rdseed %0" : "=r"(word), "=@ccc"(given));
    if (!given && has_rdrand) asm volatile("rdrand %0" : "=r"(word), "=@ccc"(given));
    return given;
}
#elif defined(__aarch64__)
static bool cpu_random_word(std::uint64_t& word) {
    constexpr unsigned long hwcap2_rng = 1ul << 16;  // arch/arm64/include/uapi/asm/hwcap.h
    bool given = false;
    if ((getauxval(AT_HWCAP2) & hwcap2_rng) != 0) {
        asm volatile("mrs %0, s3_3_c2_c4_0" : "=r"(word), "=@ccne"(given));  // RNDR; sets Z when it has nothing
    }
    return given;
}
#else
static bool cpu_random_word(std::uint64_t&) { return false; }
#endif

std::size_t cpu_random(std::span<std::uint64_t> words) {
    std::size_t got = 0;
    // It may have nothing for a moment: twice the tries are more than enough.
    for (std::size_t tries = 0; got < words.size() && tries < 2 * words.size(); tries++) {
        if (cpu_random_word(words[got])) got++;
    }
    return got;
}

bool cpu_reports_hypervisor() {
#if defined(__x86_64__) || defined(__i386__)
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & 1u << 31) != 0;
#else
    return false;
#endif
}

}  // namespace earlyseed::kernel
