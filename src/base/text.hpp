// SPDX-License-Identifier: MIT
// Text in fixed buffers: building lines without a heap, and the few parsing helpers that the configuration,
// the kernel command line and the report share. Knows no system call.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace earlyseed {

// Thousandths, printed as "7.3": `thousandths` = 7312.
struct Tenths {
    std::uint64_t thousandths;
};

// Printed with all three digits: "0.961".
struct Thousandths {
    std::uint64_t thousandths;
};

struct Hex {
    std::span<const std::uint8_t> bytes;
};

// The part of a Text that does not depend on its capacity, so that appending is one small call each: the characters
// follow it in memory (Text's layout), NUL-terminated; what does not fit is cut. append() returns its object: a chain of
// calls is smaller than several that each begin with its address.
class TextBuffer {
public:
    TextBuffer& append(std::string_view text);
    TextBuffer& append(const char* text);
    TextBuffer& append(const TextBuffer& text);
    TextBuffer& append(std::uint64_t number);
    TextBuffer& append(Tenths number);
    TextBuffer& append(Thousandths number);
    TextBuffer& append(Hex hex);

    void clear() {
        size_ = 0;
        *begin() = '\0';
    }
    void assign(std::string_view text);
    std::string_view view() const { return {c_str(), size_}; }
    const char* c_str() const { return reinterpret_cast<const char*>(this + 1); }
    bool empty() const { return size_ == 0; }
    // True when something may have been cut.
    bool full() const { return size_ + 1 >= capacity_; }

protected:
    explicit TextBuffer(std::uint16_t capacity) : capacity_(capacity) { *begin() = '\0'; }
    TextBuffer(std::uint16_t capacity, std::string_view text);
    TextBuffer(std::uint16_t capacity, const char* text);
    TextBuffer(const TextBuffer&) = default;
    TextBuffer& operator=(const TextBuffer&) = default;

private:
    char* begin() { return reinterpret_cast<char*>(this + 1); }

    // 16 bits each: an empty text is made with one store.
    std::uint16_t size_ = 0;
    std::uint16_t capacity_;
};

// A line of at most Capacity - 1 bytes. Copyable; not for secrets.
template <std::uint16_t Capacity>
class Text : public TextBuffer {
public:
    Text() : TextBuffer(Capacity) {}
    Text(std::string_view text) : TextBuffer(Capacity, text) {}
    Text(const char* text) : TextBuffer(Capacity, text) {}
    Text& operator=(std::string_view text) {
        assign(text);
        return *this;
    }
    Text& operator=(const char* text) {
        assign(text);
        return *this;
    }

    template <typename... Parts>
    Text& add(const Parts&... parts) {
        TextBuffer* self = this;
        ((self = &self->append(widened(parts))), ...);
        return static_cast<Text&>(*self);
    }

private:
    template <typename Part>
    static decltype(auto) widened(const Part& part) {
        if constexpr (std::unsigned_integral<Part>) {
            return std::uint64_t{part};
        } else if constexpr (std::is_array_v<Part>) {
            return static_cast<const char*>(part);
        } else {
            return (part);
        }
    }

    char characters_[Capacity];
};

using Line = Text<512>;
using Path = Text<288>;

// The first `size` characters, or all. (string_view::substr can throw, and there is nothing here to throw with.)
inline std::string_view first(std::string_view text, std::size_t size) {
    return {text.data(), size < text.size() ? size : text.size()};
}

bool starts_with(std::string_view text, std::string_view prefix);

// Where `part` begins in `text` for the first time; text.size() when it does not, as no part is empty.
std::size_t find(std::string_view text, std::string_view part);
inline bool contains(std::string_view text, std::string_view part) { return find(text, part) < text.size(); }

// The comparison with a literal as one small call, where std's would make a string_view of it at each place: 30 bytes.
bool operator==(std::string_view text, const char* literal);

// Without leading and trailing blanks, tabs and line ends.
std::string_view trim(std::string_view text);

// The part of `rest` before the first `separator`; `rest` becomes what follows it. All of it when there is none.
std::string_view take_until(std::string_view& rest, char separator);

// True if `word` is one of the words of `list`, which '|' separates.
bool in_list(std::string_view list, std::string_view word);

// Removes `prefix` from the front of `text` and returns true, or leaves it and returns false.
bool take_prefix(std::string_view& text, std::string_view prefix);

// A decimal number without sign, blank or overflow; anything else is none.
std::optional<std::uint64_t> parse_number(std::string_view text);

// Exactly out.size() bytes of hexadecimal digits, with '-' between them allowed (as in a UUID); false otherwise.
bool parse_hex(std::string_view text, std::span<std::uint8_t> out);

// True if `a` and `b` are equal but for the case of ASCII letters.
bool same_ignoring_case(std::string_view a, std::string_view b);

}  // namespace earlyseed
