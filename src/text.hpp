// SPDX-License-Identifier: MIT
// Text in fixed buffers: building lines without a heap, and the few parsing helpers that the configuration,
// the kernel command line and the report share. Knows no system call.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace earlyseed {

// Thousandths, printed as "7.3": `thousandths` = 7312.
struct Tenths {
    std::uint64_t thousandths;
};

struct Hex {
    std::span<const std::uint8_t> bytes;
};

// Appending to a buffer of `capacity` bytes that holds `size` and stays NUL-terminated; what does not fit is cut.
void append(char* buffer, std::size_t capacity, std::size_t& size, std::string_view text);
void append(char* buffer, std::size_t capacity, std::size_t& size, std::uint64_t number);
void append(char* buffer, std::size_t capacity, std::size_t& size, Tenths number);
void append(char* buffer, std::size_t capacity, std::size_t& size, Hex hex);

// A line of at most Capacity - 1 bytes, NUL-terminated. Copyable; not for secrets.
template <std::size_t Capacity>
class Text {
public:
    Text() = default;
    Text(std::string_view text) { add(text); }
    Text(const char* text) { add(text); }

    template <typename... Parts>
    Text& add(const Parts&... parts) {
        (add_one(parts), ...);
        return *this;
    }
    void clear() {
        size_ = 0;
        buffer_[0] = '\0';
    }

    std::string_view view() const { return {buffer_.data(), size_}; }
    const char* c_str() const { return buffer_.data(); }
    bool empty() const { return size_ == 0; }
    // True when something may have been cut.
    bool full() const { return size_ + 1 >= Capacity; }

private:
    template <typename Part>
    void add_one(const Part& part) {
        if constexpr (std::unsigned_integral<Part>) {
            append(buffer_.data(), Capacity, size_, std::uint64_t{part});
        } else if constexpr (std::same_as<Part, Tenths> || std::same_as<Part, Hex>) {
            append(buffer_.data(), Capacity, size_, part);
        } else if constexpr (requires { part.view(); }) {
            append(buffer_.data(), Capacity, size_, part.view());
        } else {
            append(buffer_.data(), Capacity, size_, std::string_view{part});
        }
    }

    std::array<char, Capacity> buffer_{};
    std::size_t size_ = 0;
};

using Line = Text<512>;
using Path = Text<288>;

// The first `size` characters, or all. (string_view::substr can throw, and there is nothing here to throw with.)
inline std::string_view first(std::string_view text, std::size_t size) {
    return {text.data(), size < text.size() ? size : text.size()};
}

bool starts_with(std::string_view text, std::string_view prefix);

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

// True if `a` and `b` are equal but for the case of ASCII letters.
bool same_ignoring_case(std::string_view a, std::string_view b);

}  // namespace earlyseed
