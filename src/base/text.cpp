// SPDX-License-Identifier: MIT
#include "base/text.hpp"

namespace earlyseed {

TextBuffer::TextBuffer(std::uint16_t capacity, std::string_view text) : TextBuffer(capacity) { append(text); }

TextBuffer::TextBuffer(std::uint16_t capacity, const char* text) : TextBuffer(capacity) { append(text); }

void TextBuffer::assign(std::string_view text) {
    clear();
    append(text);
}

TextBuffer& TextBuffer::append(std::string_view text) {
    char* buffer = begin();
    for (char c : text) {
        if (full()) break;
        buffer[size_++] = c;
    }
    buffer[size_] = '\0';
    return *this;
}

TextBuffer& TextBuffer::append(const char* text) { return append(std::string_view(text)); }

TextBuffer& TextBuffer::append(const TextBuffer& text) { return append(text.view()); }

TextBuffer& TextBuffer::append(std::uint64_t number) {
    char digits[20];
    std::size_t at = sizeof digits;
    do {
        digits[--at] = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number != 0);
    return append(std::string_view{digits + at, sizeof digits - at});
}

TextBuffer& TextBuffer::append(Tenths number) {
    std::uint64_t tenths = (number.thousandths + 50) / 100;
    return append(tenths / 10).append(".").append(tenths % 10);
}

TextBuffer& TextBuffer::append(Thousandths number) {
    append(number.thousandths / 1000).append(".");
    for (unsigned unit = 100; unit != 0; unit /= 10) append(number.thousandths / unit % 10);
    return *this;
}

TextBuffer& TextBuffer::append(Hex hex) {
    constexpr char digits[] = "0123456789abcdef";
    for (std::uint8_t byte : hex.bytes) {
        char pair[] = {digits[byte >> 4], digits[byte & 15], '\0'};
        append(pair);
    }
    return *this;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

std::string_view take_until(std::string_view& rest, char separator) {
    std::size_t end = find(rest, {&separator, 1});
    std::string_view head = first(rest, end);
    rest.remove_prefix(end < rest.size() ? end + 1 : end);
    return head;
}

bool starts_with(std::string_view text, std::string_view prefix) { return first(text, prefix.size()) == prefix; }

std::size_t find(std::string_view text, std::string_view part) {
    std::size_t at = 0;
    while (at < text.size() && !starts_with({text.data() + at, text.size() - at}, part)) at++;
    return at;
}

bool operator==(std::string_view text, const char* literal) { return text == std::string_view(literal); }

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (!starts_with(text, prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

bool in_list(std::string_view list, std::string_view word) {
    while (!list.empty()) {
        if (take_until(list, '|') == word) return true;
    }
    return false;
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

bool same_ignoring_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); i++) {
        if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
}

}  // namespace earlyseed
