// SPDX-License-Identifier: MIT
// Lines in fixed buffers never grow past their end, and the parsing helpers take nothing that is not exactly right.
#include "base/text.hpp"

#include "base/fixed_string.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "catch.hpp"

using namespace earlyseed;

TEST_CASE("text: parts are appended in order, each in its own way") {
    Bytes<3> bytes{0x00, 0xa5, 0xff};
    Line line("crng ");
    line.add("ready", "; ", 256u, " bits, ", Tenths{7312}, " ms, ", Hex{bytes}, ' ' == 0x20 ? "." : "?");
    CHECK(line.view() == "crng ready; 256 bits, 7.3 ms, 00a5ff.");
    CHECK(std::string(line.c_str()) == line.view());
    CHECK(Line().add(line, FixedString<8>("!")).view() == "crng ready; 256 bits, 7.3 ms, 00a5ff.!");
    CHECK_FALSE(line.full());
}

TEST_CASE("text: numbers up to the largest") {
    CHECK(Line().add(0u).view() == "0");
    CHECK(Line().add(9u, " ", 10u).view() == "9 10");
    CHECK(Line().add(std::numeric_limits<std::uint64_t>::max()).view() == "18446744073709551615");
    CHECK(Line().add(std::uint8_t{200}, ",", std::uint16_t{65535}).view() == "200,65535");
}

TEST_CASE("text: tenths are rounded to the nearest") {
    auto tenths = [](std::uint64_t thousandths) { return std::string(Line().add(Tenths{thousandths}).view()); };
    CHECK(tenths(0) == "0.0");
    CHECK(tenths(49) == "0.0");
    CHECK(tenths(50) == "0.1");
    CHECK(tenths(949) == "0.9");
    CHECK(tenths(950) == "1.0");
    CHECK(tenths(7312) == "7.3");
    CHECK(tenths(9999) == "10.0");
    CHECK(tenths(1'000'000) == "1000.0");
}

TEST_CASE("text: what does not fit is cut, NUL-terminated, and nothing is written past the end") {
    // Of its own size on the heap, so that the address sanitizer sees one byte too much.
    auto text = std::make_unique<FixedString<8>>();
    CHECK(text->empty());
    text->add("123456");
    CHECK_FALSE(text->full());
    text->add("7");
    CHECK(text->view() == "1234567");
    CHECK(text->full());
    text->add("8", 9u, Hex{Bytes<1>{0xaa}}, Tenths{1000});
    CHECK(text->view() == "1234567");
    CHECK(std::string(text->c_str()) == "1234567");

    *text = "a longer one";
    CHECK(text->view() == "a longe");
    *text = std::string_view("short");
    CHECK(text->view() == "short");
    text->clear();
    CHECK(text->empty());
    CHECK(std::string(text->c_str()).empty());

    CHECK(FixedString<4>("abcdef").view() == "abc");
    CHECK(FixedString<4>(std::string_view("ab")).view() == "ab");
    CHECK(FixedString<4>().add(12345u).view() == "123");
    CHECK(FixedString<4>().add(Hex{Bytes<2>{0xab, 0xcd}}).view() == "abc");
}

TEST_CASE("text: a copy is independent") {
    FixedString<16> a("one");
    FixedString<16> b = a;
    b.add(" two");
    CHECK(a.view() == "one");
    CHECK(b.view() == "one two");
    a = b;
    CHECK(a.view() == "one two");
}

TEST_CASE("text: first, take_prefix") {
    CHECK(first("abc", 2) == "ab");
    CHECK(first("abc", 3) == "abc");
    CHECK(first("abc", std::string_view::npos) == "abc");
    CHECK(first("", 1).empty());

    std::string_view text = "key=value";
    CHECK_FALSE(take_prefix(text, "Key="));
    CHECK(text == "key=value");
    CHECK(take_prefix(text, "key="));
    CHECK(text == "value");
    CHECK_FALSE(take_prefix(text, "value and more"));
    CHECK(take_prefix(text, "value"));
    CHECK(text.empty());
}

TEST_CASE("text: trim takes blanks, tabs and line ends off both ends only") {
    CHECK(trim(" \t\r\n a b \t\r\n") == "a b");
    CHECK(trim("a") == "a");
    CHECK(trim(" \n ").empty());
    CHECK(trim("").empty());
}

TEST_CASE("text: take_until") {
    std::string_view rest = "a,,b";
    CHECK(take_until(rest, ',') == "a");
    CHECK(rest == ",b");
    CHECK(take_until(rest, ',').empty());
    CHECK(rest == "b");
    CHECK(take_until(rest, ',') == "b");
    CHECK(rest.empty());
    CHECK(take_until(rest, ',').empty());
    rest = "end,";
    CHECK(take_until(rest, ',') == "end");
    CHECK(rest.empty());
}

TEST_CASE("text: is_one_of knows whole words only") {
    CHECK(is_one_of("PARTUUID", {"PARTLABEL", "PARTUUID", "UUID"}));
    CHECK(is_one_of("", {""}));
    for (const char* word : {"PART", "LABEL", "uuid", "", "PARTLABEL "}) {
        CHECK_FALSE(is_one_of(word, {"PARTLABEL", "PARTUUID", "UUID"}));
    }
    CHECK_FALSE(is_one_of("a", {}));
}

TEST_CASE("text: parse_number takes digits and nothing else") {
    CHECK(parse_number("0") == 0u);
    CHECK(parse_number("007") == 7u);
    CHECK(parse_number("1024") == 1024u);
    CHECK(parse_number("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
    for (const char* bad : {"", " ", "18446744073709551616", "18446744073709551620", "99999999999999999999", "-1", "+1",
                            " 1", "1 ", "1.0", "0x10", "1k", "ten", "1\n", "1,000", "/", ":"}) {
        INFO("'" << bad << "'");
        CHECK_FALSE(parse_number(bad).has_value());
    }
}

TEST_CASE("text: parse_hex takes exactly as many digits as there is room for") {
    Bytes<4> out{};
    CHECK(parse_hex("0123abCD", out));
    CHECK(out == Bytes<4>{0x01, 0x23, 0xab, 0xcd});
    CHECK(parse_hex("01-23-ab-cd", out));
    CHECK(parse_hex("f-E-dcba98", out));
    CHECK(out == Bytes<4>{0xfe, 0xdc, 0xba, 0x98});
    for (const char* bad : {"", "0123abc", "0123abcde", "0123abcdef", "0123abcg", "0123 abcd", "0x23abcd", "--------",
                            "0123ab/d", "0123ab:d", "0123ab@d", "0123ab`d"}) {
        INFO("'" << bad << "'");
        CHECK_FALSE(parse_hex(bad, out));
    }
    CHECK(parse_hex("", {}));
    Bytes<16> uuid{};
    CHECK(parse_hex("3b2f8a90-5d0c-4e1b-9a77-0123456789ab", uuid));
    CHECK(uuid[0] == 0x3b);
    CHECK(uuid[15] == 0xab);
}
