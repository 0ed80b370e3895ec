// SPDX-License-Identifier: MIT
// Fixed-size byte arrays, little-endian fields and memory that wipes itself.
// Knows no system call.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace earlyseed {

template <std::size_t N>
using Bytes = std::array<std::uint8_t, N>;

// Overwrites `size` bytes with zeros in a way that the compiler keeps (libsodium's sodium_memzero).
void wipe(void* data, std::size_t size);

// Secret bytes or words: zero at the start, wiped when the object goes. Not copyable by accident.
template <typename T, std::size_t N>
class SecretArray {
public:
    SecretArray() = default;
    ~SecretArray() { wipe(values_.data(), sizeof values_); }
    SecretArray(const SecretArray&) = delete;
    SecretArray& operator=(const SecretArray&) = delete;

    std::span<T, N> span() { return values_; }
    std::span<const T, N> span() const { return values_; }
    void copy_from(std::span<const T, N> other) {
        for (std::size_t i = 0; i < N; i++) values_[i] = other[i];
    }

private:
    std::array<T, N> values_{};
};

template <std::size_t N>
using Secret = SecretArray<std::uint8_t, N>;

// Unsigned integers to and from little-endian bytes, as the record on disk has them.
template <typename U>
U load_le(std::span<const std::uint8_t> from) {
    static_assert(std::is_unsigned_v<U>);
    std::uint64_t value = 0;
    for (std::size_t i = sizeof(U); i-- > 0;) value = value << 8 | from[i];
    return static_cast<U>(value);
}

template <typename U>
void store_le(std::span<std::uint8_t> to, U value) {
    static_assert(std::is_unsigned_v<U>);
    for (std::size_t i = 0; i < sizeof(U); i++) to[i] = static_cast<std::uint8_t>(std::uint64_t{value} >> 8 * i);
}

// A view of an object's memory, for hashing.
inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

template <typename T>
std::span<const std::uint8_t> bytes_of(const T& value) {
    static_assert(std::is_arithmetic_v<T>);
    return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

inline bool all_zero(std::span<const std::uint8_t> bytes) {
    std::uint8_t any = 0;
    for (std::uint8_t b : bytes) any |= b;
    return any == 0;
}

}  // namespace earlyseed
