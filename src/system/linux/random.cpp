// SPDX-License-Identifier: MIT
#include "system/random.hpp"

#include <linux/random.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/random.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "system/clock.hpp"
#include "system/linux/calls.hpp"

#ifndef GRND_INSECURE
#define GRND_INSECURE 4  // include/uapi/linux/random.h, Linux 5.6
#endif
#ifndef RNDRESEEDCRNG
#define RNDRESEEDCRNG _IO('R', 0x07)  // include/uapi/linux/random.h, Linux 4.14
#endif

namespace earlyseed::kernel {

static Status get_random(std::span<std::uint8_t> out, unsigned flags) {
    ssize_t got = getrandom(out.data(), out.size(), flags);
    if (got < 0) return failed("getrandom");
    return static_cast<std::size_t>(got) == out.size() ? Status{} : Status{Error{"getrandom", EIO}};
}

bool crng_ready() {
    Secret<1> byte;
    return static_cast<bool>(get_random(byte.span(), GRND_NONBLOCK));
}

Status random_bytes(std::span<std::uint8_t> out) { return get_random(out, GRND_NONBLOCK); }

Status insecure_random_bytes(std::span<std::uint8_t> out) { return get_random(out, GRND_INSECURE); }

Status reseed() {
    Result<File> device = open_read("/dev/urandom", false);
    if (!device) return device.error();
    return status(ioctl(device->descriptor(), RNDRESEEDCRNG), "RNDRESEEDCRNG");
}

void wait_until_ready(unsigned ms) {
    // Since 5.6 /dev/random is readable once the generator is ready; the short slices serve older kernels, and those
    // that do not wake a poller.
    Result<File> device = open_read("/dev/random", false);
    std::uint64_t end = monotonic_ns() + std::uint64_t{ms} * 1'000'000;
    while (!crng_ready()) {
        std::uint64_t now = monotonic_ns();
        if (now >= end) return;
        int slice = static_cast<int>(std::min<std::uint64_t>((end - now) / 1'000'000 + 1, 100));
        pollfd wait{device ? device->descriptor() : -1, POLLIN, 0};
        // A pool that is readable but not ready (before 5.6) would make this loop spin.
        if (poll(&wait, 1, slice) > 0 && !crng_ready()) sleep_ms(10);
    }
}

}  // namespace earlyseed::kernel
