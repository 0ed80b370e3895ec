// SPDX-License-Identifier: MIT
#include "machine/kernel_messages.hpp"

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "system/files.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

namespace {

// One record of /dev/kmsg: "6,339,5140900,-;message" and lines of its attributes (Documentation/ABI/testing/dev-kmsg).
struct KernelMessage {
    std::string_view sequence;
    std::uint64_t time_us;
    std::string_view text;
};

KernelMessage parse_message(std::string_view record) {
    std::string_view text = take_until(record, '\n');
    std::string_view head = take_until(text, ';');
    take_until(head, ',');  // the level
    std::string_view sequence = take_until(head, ',');
    return {sequence, parse_number(take_until(head, ',')).value_or(0), text};
}

}  // namespace

ReadyMessage find_ready_message() {
    ReadyMessage ready;
    auto log = kernel::open_read("/dev/kmsg", false);
    if (!log) return ready;
    bool init_runs = true;  // as far as can be told without the log's start
    Bytes<2048> record;
    constexpr unsigned most_records = 100'000;  // it may grow while it is read
    for (unsigned i = 0; i < most_records && !ready.found; i++) {
        auto got = kernel::read_some(*log, record);
        if (!got && got.error().code != EAGAIN)
            continue;  // overwritten before it was read (EPIPE), or too long (EINVAL)
        if (!got || *got == 0) break;
        KernelMessage message = parse_message({reinterpret_cast<const char*>(record.data()), *got});
        if (message.sequence == "0"sv) init_runs = false;
        init_runs = init_runs || message.text.starts_with("Run /"sv);
        if (!message.text.starts_with("random: crng "sv) || !contains(message.text, "done"sv)) continue;
        ready = {.found = true, .ready_at_ms = message.time_us / 1000, .before_init = !init_runs};
    }
    return ready;
}

}  // namespace earlyseed
