// SPDX-License-Identifier: MIT
// The finest counter of this processor, read directly: a system call or the vDSO between two readings would add its
// own pattern to what is measured.
#pragma once

#include <concepts>
#include <cstdint>

#include "system/kernel.hpp"

namespace earlyseed {

// What the sampler is timed by: an unsigned counter that never runs backwards. A template parameter, as an indirect
// call would change what is measured.
template <typename T>
concept Counter = requires {
    { T::now() } -> std::same_as<std::uint64_t>;
};

struct CpuCounter {
#if defined(__x86_64__)
    static constexpr const char* kName = "x86-64, TSC";
#elif defined(__aarch64__)
    static constexpr const char* kName = "aarch64, CNTVCT_EL0";
#elif defined(__riscv) && __riscv_xlen == 64
    static constexpr const char* kName = "riscv64, time";
#else
    static constexpr const char* kName = "CLOCK_MONOTONIC, ns";
#endif

    [[gnu::always_inline]] static std::uint64_t now() {
#if defined(__x86_64__)
        std::uint32_t low, high;
        asm volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high)::"memory");
        return std::uint64_t{high} << 32 | low;
#elif defined(__aarch64__)
        std::uint64_t value;
        asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(value)::"memory");
        return value;
#elif defined(__riscv) && __riscv_xlen == 64
        std::uint64_t value;
        asm volatile("rdtime %0" : "=r"(value)::"memory");
        return value;
#else
        return kernel::monotonic_ns();
#endif
    }
};

}  // namespace earlyseed
