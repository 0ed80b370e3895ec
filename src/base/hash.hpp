// SPDX-License-Identifier: MIT
// The conditioner: BLAKE2b (RFC 7693, libsodium's crypto_generichash), keyed with a label that says what the
// output is for, so that no output can stand in for another. Every input is preceded by its length (64 bits,
// little-endian), so that no two lists of inputs give the same stream of bytes.
// libsodium is never initialised: sodium_init() and randombytes_* wait for the very pool that we fill.
#pragma once

#include <sodium/crypto_generichash.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.hpp"

namespace earlyseed {

// The labels, one for each use. At least 16 bytes, at most 64 (crypto_generichash_KEYBYTES_MIN and _MAX).
namespace label {
inline constexpr std::string_view kMachineTag = "earlyseed 1: machine tag";
inline constexpr std::string_view kJitter = "earlyseed 1: jitter samples";
inline constexpr std::string_view kSources = "earlyseed 1: sources to pool";
inline constexpr std::string_view kSuccessor = "earlyseed 1: seed to successor";
inline constexpr std::string_view kPool = "earlyseed 1: seed to pool";
inline constexpr std::string_view kRenew = "earlyseed 1: successor to renewed";
inline constexpr std::string_view kSave = "earlyseed 1: saved seed";
inline constexpr std::string_view kAdd = "earlyseed 1: added bytes to pool";
}  // namespace label

// Hash(label, size), then any number of add(), then one finish() with a span of that size (1 to 64 bytes).
class Hash {
public:
    Hash(std::string_view label, std::size_t output_bytes);
    ~Hash();
    Hash(const Hash&) = delete;
    Hash& operator=(const Hash&) = delete;

    Hash& add(std::span<const std::uint8_t> input);
    Hash& add(std::span<const std::uint64_t> words);
    void finish(std::span<std::uint8_t> output);

private:
    crypto_generichash_state state_;
};

}  // namespace earlyseed
