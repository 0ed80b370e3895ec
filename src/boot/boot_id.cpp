// SPDX-License-Identifier: MIT
#include "boot/boot_id.hpp"

#include "base/text.hpp"
#include "system/files.hpp"

namespace earlyseed {

Boot read_boot() {
    Boot boot;
    char buffer[64];
    auto text = kernel::read_text("/proc/sys/kernel/random/boot_id", buffer);
    if (text && parse_hex(trim(*text), boot.id)) boot.text = trim(*text);
    return boot;
}

}  // namespace earlyseed
