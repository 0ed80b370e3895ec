// SPDX-License-Identifier: MIT
// Taking text apart: what the configuration, the kernel command line, the report and files below /sys share. Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

namespace earlyseed {

// The first `size` characters, or all of them. (string_view::substr may throw, and nothing here may.)
inline std::string_view first(std::string_view text, std::size_t size) {
    return {text.data(), size < text.size() ? size : text.size()};
}

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

inline bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
    for (std::string_view candidate : words) {
        if (word == candidate) return true;
    }
    return false;
}

// 'A' to 'Z' in lower case; other characters as they are.
char lower(char c);

// Without leading and trailing blanks, tabs and line ends.
std::string_view trim(std::string_view text);

// The part of `rest` before the first `separator`; `rest` becomes what follows it. All of it when there is none.
std::string_view take_until(std::string_view& rest, char separator);

// Removes `prefix` from the front of `text` and returns true, or leaves it and returns false.
bool take_prefix(std::string_view& text, std::string_view prefix);

// A decimal number without sign, blank or overflow; anything else is none.
std::optional<std::uint64_t> parse_number(std::string_view text);

// Exactly out.size() bytes of hexadecimal digits, with '-' between them allowed (as in a UUID); false otherwise.
bool parse_hex(std::string_view text, std::span<std::uint8_t> out);

}  // namespace earlyseed
