// SPDX-License-Identifier: MIT
// From a network source or a USB dongle, say; credited with what the caller declares.
#include "commands/add.hpp"

#include "base/hash.hpp"
#include "commands/input.hpp"
#include "credit/feed.hpp"
#include "system/process.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

const Command kAddCommand{"add", "[--credit BITS] [FILE|-]", "mix bytes from elsewhere", [](std::span<char*> words) {
                              AddOptions options;
                              const Option table[] = {{"--credit"sv, options.credit_bits}, {"FILE"sv, options.file}};
                              return parse_options(words, table) ? add(options) : kExitUsage;
                          }};

int add(const AddOptions& options) {
    const Log log("add", Log::Audience::person);
    if (!require_root(log)) return kExitDegraded;
    kernel::lock_memory();
    std::string_view path = options.file.view() == "-"sv ? "/dev/stdin"sv : options.file.view();
    auto file = open_input(options.file);
    if (!file) {
        log.warn(describe(file.error(), path));
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
            log.warn(describe(got.error(), path));
            return kExitDegraded;
        }
        if (*got == 0) break;
        hash.add(buffer.span().first(*got));
        bytes += *got;
    }
    if (bytes == 0) {
        log.warn(Line(path).add(" is empty; nothing was added"));
        return kExitDegraded;
    }

    Secret<64> pool_input;
    hash.finish(pool_input.span());
    auto [credit, made_ready] = feed(pool_input.span(), credit_for_declared(options.credit_bits, bytes));
    if (credit.reason != Reason::none) {
        log.warn(explained(credit.reason));
        return kExitDegraded;
    }
    log.info(Line()
                 .add(bytes, " bytes mixed, ", credit.bits, " bits credited")
                 .add(credit.bits < options.credit_bits ? " (no more than the input can hold)" : "")
                 .add(made_ready ? "; the kernel's generator is now ready" : ""));
    return kExitDone;
}

}  // namespace earlyseed
