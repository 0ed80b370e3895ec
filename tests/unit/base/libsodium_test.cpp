// SPDX-License-Identifier: MIT
// The part of libsodium that subprojects/packagefiles/libsodium builds, against published vectors: a wrong byte
// order or a wrong choice of files shows here.
#include <sodium/crypto_generichash.h>
#include <sodium/utils.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "catch.hpp"

namespace {

std::string blake2b_512(std::string_view text, std::string_view key) {
    std::array<unsigned char, 64> hash{};
    REQUIRE(crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(text.data()),
                               text.size(), reinterpret_cast<const unsigned char*>(key.data()), key.size()) == 0);
    std::string hex;
    for (unsigned byte : hash) {
        hex += "0123456789abcdef"[byte >> 4];
        hex += "0123456789abcdef"[byte & 15];
    }
    return hex;
}

}  // namespace

TEST_CASE("libsodium: BLAKE2b-512 of abc (RFC 7693, appendix A)") {
    CHECK(blake2b_512("abc", "") ==
          "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
          "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

TEST_CASE("libsodium: keyed BLAKE2b-512 of nothing (BLAKE2's own known answers, first line)") {
    std::array<char, 64> key{};
    for (std::size_t i = 0; i < key.size(); i++) key[i] = static_cast<char>(i);
    CHECK(blake2b_512("", {key.data(), key.size()}) ==
          "10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786"
          "b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aefcbc13fc51568");
}

TEST_CASE("libsodium: sodium_memcmp and sodium_memzero") {
    std::array<std::uint8_t, 4> a{1, 2, 3, 4};
    std::array<std::uint8_t, 4> b{1, 2, 3, 5};
    CHECK(sodium_memcmp(a.data(), b.data(), 3) == 0);
    CHECK(sodium_memcmp(a.data(), b.data(), 4) != 0);
    sodium_memzero(a.data(), a.size());
    CHECK(a == std::array<std::uint8_t, 4>{});
}
