// SPDX-License-Identifier: MIT
// earlyseed add: mixes bytes from elsewhere, a network source or a USB dongle, and credits what the caller declares.
#include <algorithm>

#include "commands/commands.hpp"
#include "base/hash.hpp"
#include "system/log.hpp"
#include "seed/rotate.hpp"

namespace earlyseed {

int add(const Options& options) {
    log::begin("add", false);
    if (!require_root()) return kExitDegraded;
    const char* path = options.file.view() == "-" ? "/dev/stdin" : options.file.c_str();
    auto file = open_input(options.file);
    if (!file) {
        log::warn(describe(file.error(), path));
        return kExitDegraded;
    }

    // However long the input, 64 bytes of it are all that the kernel's pool of 256 bits can hold.
    constexpr std::uint64_t most_bytes = 1 << 20;
    Hash hash(label::kAdd, 64);
    Secret<4096> buffer;
    std::uint64_t bytes = 0;
    while (bytes < most_bytes) {
        auto got = kernel::read_some(*file, buffer.span());
        if (!got) {
            log::warn(describe(got.error(), path));
            return kExitDegraded;
        }
        if (*got == 0) break;
        hash.add(buffer.span().first(*got));
        bytes += *got;
    }
    if (bytes == 0) {
        log::warn(Line(path).add(" is empty; nothing was added"));
        return kExitDegraded;
    }

    std::uint64_t most_bits = std::min<std::uint64_t>(bytes * 8, kFullCreditBits);
    unsigned bits = static_cast<unsigned>(std::min<std::uint64_t>(options.credit_bits, most_bits));
    Secret<64> pool_input;
    hash.finish(pool_input.span());
    bool made_ready = false;
    Credit credit = feed(pool_input.span(), {bits, Reason::none}, made_ready);
    if (credit.reason != Reason::none) {
        log::warn(explained(credit.reason));
        return kExitDegraded;
    }
    log::info(Line().add(bytes, " bytes mixed, ", bits, " bits credited")
                  .add(bits < options.credit_bits ? " (no more than the input can hold)" : "")
                  .add(made_ready ? "; the kernel's generator is now ready" : ""));
    return kExitDone;
}

}  // namespace earlyseed
