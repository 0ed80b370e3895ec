// SPDX-License-Identifier: MIT
#include <linux/random.h>
#include <sys/ioctl.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "credit/pool.hpp"
#include "system/linux/calls.hpp"

namespace earlyseed::kernel {

Status add_entropy(std::span<const std::uint8_t, 64> bytes, unsigned credit_bits) {
    // struct rand_pool_info, whose last member has no size (include/uapi/linux/random.h).
    struct {
        int entropy_count;
        int buf_size;
        Bytes<64> buf;
    } request{static_cast<int>(credit_bits), static_cast<int>(bytes.size()), {}};
    Result<File> device = open_read("/dev/urandom", false);
    if (!device) return device.error();
    std::copy(bytes.begin(), bytes.end(), request.buf.begin());
    Status result = status(ioctl(device->descriptor(), RNDADDENTROPY, &request), "RNDADDENTROPY");
    wipe(request);
    return result;
}

}  // namespace earlyseed::kernel
