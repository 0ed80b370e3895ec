// SPDX-License-Identifier: MIT
#include "base/text.hpp"

#include <algorithm>

namespace earlyseed {

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

std::string_view take_until(std::string_view& rest, char separator) {
    std::string_view head = first(rest, rest.find(separator));
    rest.remove_prefix(std::min(head.size() + 1, rest.size()));
    return head;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    if (text.empty()) return {};
    std::uint64_t value = 0;
    for (char c : text) {
        if (c < '0' || c > '9') return {};
        if (__builtin_mul_overflow(value, 10u, &value)) return {};
        if (__builtin_add_overflow(value, static_cast<unsigned>(c - '0'), &value)) return {};
    }
    return value;
}

static int hex_value(char c) {
    c = lower(c);
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

bool parse_hex(std::string_view text, std::span<std::uint8_t> out) {
    std::size_t digits = 0;
    for (char c : text) {
        if (c == '-') continue;
        int value = hex_value(c);
        if (value < 0 || digits >= 2 * out.size()) return false;
        std::uint8_t& byte = out[digits / 2];
        byte = static_cast<std::uint8_t>(digits % 2 == 0 ? value << 4 : byte | value);
        digits++;
    }
    return digits == 2 * out.size();
}

}  // namespace earlyseed
