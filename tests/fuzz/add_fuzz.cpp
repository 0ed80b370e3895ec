// SPDX-License-Identifier: MIT
// earlyseed add, with any input in any pieces, any --credit and a failing call: one credit at most, never more than was
// asked for, than the input can hold or than the pool takes (P3), and no byte of the input is left out.
#include <cerrno>

#include "base/hash.hpp"
#include "commands/commands.hpp"
#include "fake_kernel.hpp"
#include "fuzz.hpp"

using namespace earlyseed;
using namespace earlyseed::fuzz;

namespace {

constexpr const char* kPath = "/root/bytes";

// What the input becomes when it is read in pieces of 4096 bytes, by the one-shot function of the library.
fake::Buffer conditioned(const fake::Buffer& bytes) {
    fake::Buffer stream;
    for (std::size_t at = 0; at < bytes.size(); at += 4096) {
        std::size_t size = std::min<std::size_t>(4096, bytes.size() - at);
        for (unsigned i = 0; i < 8; i++) stream.push_back(static_cast<std::uint8_t>(size >> 8 * i));
        auto piece = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        stream.insert(stream.end(), piece, piece + static_cast<std::ptrdiff_t>(size));
    }
    fake::Buffer out(64);
    auto key = bytes_of(label::kAdd);
    crypto_generichash(out.data(), out.size(), stream.data(), stream.size(), key.data(), key.size());
    return out;
}

int run(const AddOptions& options, const fake::Buffer& bytes, int end_code) {
    fake::State& state = fake::state();
    state.credited_bits = 0;
    state.feeds.clear();
    state.journal.clear();
    state.err.clear();
    fake::put_stream(kPath, bytes, end_code);
    return add(options);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    fake::State& state = fake::state();  // what add changes in it is cleared by run()
    AddOptions options;
    options.file = kPath;
    unsigned how = input.byte();
    options.credit_bits = (how & 1) != 0 ? input.number() : input.below(256) * 2u;
    state.root = (how & 2) == 0 || (how & 4) == 0;
    state.may_add_entropy = (how & 8) == 0 || (how & 16) == 0;
    state.crng = (how & 32) != 0 ? fake::Crng::ready : fake::Crng::by_credit;
    int end_code = (how & 0xc0) == 0xc0 ? EIO : 0;
    unsigned times = 1 + (input.below(16) == 0 ? input.below(64) : 0);
    fake::Buffer bytes;
    for (unsigned i = 0; i < times; i++) bytes.insert(bytes.end(), input.rest().begin(), input.rest().end());

    int result = run(options, bytes, end_code);
    bool possible = state.root && state.may_add_entropy && end_code == 0 && !bytes.empty();
    require(result == (possible ? kExitDone : kExitDegraded), "exit status 0 when it was mixed, 1 otherwise");
    require(state.handles.empty() && state.mistakes.empty(), "nothing is left open");
    require(state.feeds.size() == (possible ? 1u : 0u), "P3: once, or not at all");
    require(!state.err.empty(), "P8: what was done, or why not");
    if (!possible) return 0;

    const fake::Feed feed = state.feeds[0];
    require(feed.bits <= options.credit_bits, "P3: no more than was asked for");
    require(feed.bits <= bytes.size() * 8 && feed.bits <= 256, "P3: no more than the input, or the pool, can hold");
    require(feed.bits == std::min<std::uint64_t>({options.credit_bits, bytes.size() * 8, 256}), "nor less");
    require(feed.bytes == conditioned(bytes), "every byte of the input counts, in its place");
    // And so another input is another.
    fake::Buffer other = bytes;
    other[bytes.size() / 2] ^= static_cast<std::uint8_t>(how | 1);
    run(options, other, 0);
    require(state.feeds.size() == 1 && state.feeds[0].bytes != feed.bytes, "another input, another contribution");
    return 0;
}
