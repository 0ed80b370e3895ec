// SPDX-License-Identifier: MIT
// The conditioner: known vectors, and that neither labels nor boundaries between inputs can be confused.
// The vectors are Python's: hashlib.blake2b(key=label, digest_size=n) over each input after its length as '<Q'.
#include "base/hash.hpp"

#include <bit>
#include <new>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/fixed_string.hpp"
#include "base/text.hpp"
#include "catch.hpp"

using namespace earlyseed;

namespace {

constexpr std::string_view kLabels[] = {label::kMachineTag, label::kJitter, label::kSources, label::kSuccessor,
                                        label::kPool,       label::kRenew,  label::kSave,    label::kAdd};

std::string hex(std::span<const std::uint8_t> bytes) { return std::string(Line().add(Hex{bytes}).view()); }

std::string hash_of(std::string_view label, std::size_t size, const std::vector<std::string_view>& inputs) {
    Hash hash(label, size);
    for (std::string_view input : inputs) hash.add(bytes_of(input));
    Bytes<64> out{};
    hash.finish(std::span(out).first(size));
    return hex(std::span(out).first(size));
}

}  // namespace

TEST_CASE("hash: known vectors of keyed BLAKE2b with lengths before the inputs") {
    Bytes<200> counting;
    std::iota(counting.begin(), counting.end(), std::uint8_t{0});
    Bytes<64> out;
    Hash(label::kPool, out.size())
        .add(bytes_of(std::string_view("abc")))
        .add(std::span<const std::uint8_t>{})
        .add(std::span<const std::uint8_t>(counting))
        .finish(out);
    CHECK(hex(out) ==
          "b5506f0cf93f5798d20571ad227bedfedb7bdbceee30d51078c405ab4075f548"
          "63d5d8f7d12def0f77ae5d7442b618261e58d57ae32390614d2eb90ca62fd317");
    CHECK(hash_of(label::kMachineTag, 32, {"abc"}) ==
          "f87fbe45d6c5086494631d6ce553516b25f3971fb511dd681f7d8ac00e690ab0");
    CHECK(hash_of(label::kMachineTag, 32, {}) == "dd106e481adfcda033a4647ec3a88a31bd1fdb5c34342dc23dcdda56c30729d8");
}

TEST_CASE("hash: words are their bytes in memory, with their length in bytes") {
    if constexpr (std::endian::native != std::endian::little) return;  // the vector is of little-endian words
    const std::uint64_t words[] = {1, std::uint64_t{1} << 63, 0x0102030405060708};
    Bytes<64> out;
    Hash(label::kJitter, out.size()).add(std::span<const std::uint64_t>(words)).finish(out);
    CHECK(hex(out) ==
          "d98d4ac1a2c1295e26e3f45f26e6e137704f2cfec1e8ca9a8e39d77c6405494b"
          "aa8ad60b0aa604b8702dc5d4db4821d07670c3d86c2e02b091d1a1bbc7d3e16d");
}

TEST_CASE("hash: no two lists of inputs give the same output") {
    std::set<std::string> seen;
    const std::vector<std::vector<std::string_view>> lists = {
        {},          {""},        {"", ""},        {"abc"},      {"ab", "c"}, {"a", "bc"},
        {"abc", ""}, {"", "abc"}, {"a", "b", "c"}, {"ab", "cd"}, {"abcd"},    {"c", "ab"}};
    for (const auto& list : lists) seen.insert(hash_of(label::kPool, 64, list));
    CHECK(seen.size() == lists.size());
}

TEST_CASE("P7: an output for one purpose says nothing about another: all labels differ") {
    std::set<std::string_view> labels(std::begin(kLabels), std::end(kLabels));
    CHECK(labels.size() == std::size(kLabels));
    std::set<std::string> outputs;
    for (std::string_view label : kLabels) {
        INFO(label);
        CHECK(label.size() >= 16);  // crypto_generichash_KEYBYTES_MIN
        CHECK(label.size() <= 64);  // crypto_generichash_KEYBYTES_MAX
        outputs.insert(hash_of(label, 64, {"one seed"}));
    }
    CHECK(outputs.size() == std::size(kLabels));
}

TEST_CASE("hash: outputs of two sizes are unrelated") {
    CHECK(hash_of(label::kPool, 64, {"x"}).substr(0, 64) != hash_of(label::kPool, 32, {"x"}));
}

TEST_CASE("P6: secrets and the state of a hash are wiped when they go") {
    using TestedSecret = Secret<64>;
    alignas(TestedSecret) std::uint8_t place[sizeof(TestedSecret)];
    auto* secret = new (place) TestedSecret;
    CHECK(all_zero(secret->span()));
    Bytes<64> value;
    value.fill(0xa5);
    secret->copy_from(value);
    CHECK(std::equal(value.begin(), value.end(), secret->span().begin()));
    secret->~TestedSecret();
    CHECK(all_zero(place));

    alignas(Hash) std::uint8_t hash_place[sizeof(Hash)];
    auto* hash = new (hash_place) Hash(label::kPool, 64);
    hash->add(std::span<const std::uint8_t>(value));
    CHECK_FALSE(all_zero(hash_place));
    hash->~Hash();
    CHECK(all_zero(hash_place));
}

TEST_CASE("bytes: little-endian fields") {
    Bytes<8> bytes{};
    write_le<std::uint64_t>(bytes, 0x0102030405060708);
    CHECK(bytes == Bytes<8>{8, 7, 6, 5, 4, 3, 2, 1});
    CHECK(read_le<std::uint64_t>(bytes) == 0x0102030405060708);
    CHECK(read_le<std::uint16_t>(bytes) == 0x0708);
    write_le<std::uint16_t>(bytes, 0xfffe);
    CHECK(bytes == Bytes<8>{0xfe, 0xff, 6, 5, 4, 3, 2, 1});
    CHECK_FALSE(all_zero(bytes));
    CHECK(all_zero(Bytes<3>{}));
    CHECK_FALSE(all_zero(Bytes<3>{0, 0, 1}));
    CHECK(all_zero({}));
}
