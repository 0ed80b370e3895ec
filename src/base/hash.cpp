// SPDX-License-Identifier: MIT
#include "base/hash.hpp"

#include <sodium/utils.h>

namespace earlyseed {

void wipe(void* data, std::size_t size) { sodium_memzero(data, size); }

Hash::Hash(std::string_view label, std::size_t output_bytes) {
    auto key = bytes_of(label);
    if (crypto_generichash_init(&state_, key.data(), key.size(), output_bytes) != 0) __builtin_trap();
}

Hash::~Hash() { wipe(&state_, sizeof state_); }

Hash& Hash::add(std::span<const std::uint8_t> input) {
    Bytes<8> length;
    store_le<std::uint64_t>(length, input.size());
    crypto_generichash_update(&state_, length.data(), length.size());
    crypto_generichash_update(&state_, input.data(), input.size());
    return *this;
}

Hash& Hash::add(std::span<const std::uint64_t> words) {
    return add({reinterpret_cast<const std::uint8_t*>(words.data()), words.size_bytes()});
}

void Hash::finish(std::span<std::uint8_t> output) {
    if (crypto_generichash_final(&state_, output.data(), output.size()) != 0) __builtin_trap();
}

}  // namespace earlyseed
