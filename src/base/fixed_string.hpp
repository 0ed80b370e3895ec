// SPDX-License-Identifier: MIT
// Text in a buffer of fixed capacity, so that lines and paths are built without a heap. Knows no system call.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace earlyseed {

// Thousandths, printed with one digit: 7312 is "7.3".
struct Tenths {
    std::uint64_t thousandths;
};

// Thousandths, printed with all three digits: 961 is "0.961".
struct Thousandths {
    std::uint64_t thousandths;
};

// Bytes, printed as two hexadecimal digits each.
struct Hex {
    std::span<const std::uint8_t> bytes;
};

// What a FixedString is without its capacity: text, NUL-terminated, in a buffer that somebody else owns. What does not
// fit is cut.
class TextBuffer {
public:
    TextBuffer(const TextBuffer&) = delete;
    TextBuffer& operator=(const TextBuffer&) = delete;

    void append(std::string_view text);
    void append(const char* text);
    void append(char character);
    void append(std::unsigned_integral auto number) { append_number(number); }  // in decimal
    void append(Tenths number);
    void append(Thousandths number);
    void append(Hex hex);
    void append(const TextBuffer& text) { append(text.view()); }
    void assign(std::string_view text);
    void clear() { assign({}); }

    std::string_view view() const { return {buffer_.data(), size_}; }
    operator std::string_view() const { return view(); }
    const char* c_str() const { return buffer_.data(); }
    bool empty() const { return size_ == 0; }
    // True when something may have been cut.
    bool full() const { return size_ + 1 == buffer_.size(); }

protected:
    // Empty.
    explicit TextBuffer(std::span<char> buffer) : buffer_(buffer) { buffer_[0] = '\0'; }

private:
    void append_number(std::uint64_t number);

    std::span<char> buffer_;
    std::size_t size_ = 0;
};

// At most Capacity - 1 bytes. Not for secrets.
template <std::size_t Capacity>
class FixedString : public TextBuffer {
public:
    FixedString() : TextBuffer(characters_) {}
    FixedString(std::string_view text) : FixedString() { append(text); }
    FixedString(const char* text) : FixedString() { append(text); }
    FixedString(const FixedString& other) : FixedString(other.view()) {}
    FixedString& operator=(const FixedString& other) { return *this = other.view(); }
    FixedString& operator=(std::string_view text) {
        assign(text);
        return *this;
    }
    FixedString& operator=(const char* text) { return *this = std::string_view(text); }

    // Appends each part.
    template <typename... Parts>
    FixedString& add(const Parts&... parts) {
        (append(parts), ...);
        return *this;
    }

private:
    std::array<char, Capacity> characters_;
};

// The sizes in use.
using Word = FixedString<64>;   // a name, an ID, a number with its unit
using Path = FixedString<288>;  // a file name with its directories; also the value of an option
using Line = FixedString<512>;  // one message

}  // namespace earlyseed
