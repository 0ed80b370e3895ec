// SPDX-License-Identifier: MIT
#include "base/fixed_string.hpp"

#include <algorithm>

namespace earlyseed {

void TextBuffer::append(std::string_view text) {
    std::size_t fits = std::min(text.size(), buffer_.size() - 1 - size_);
    std::copy_n(text.begin(), fits, buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += fits;
    buffer_[size_] = '\0';
}

void TextBuffer::append(const char* text) { append(std::string_view(text)); }

void TextBuffer::append(char character) { append(std::string_view(&character, 1)); }

void TextBuffer::append_number(std::uint64_t number) {
    std::array<char, 20> digits;  // of 2^64 - 1
    std::size_t at = digits.size();
    do {
        digits[--at] = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number != 0);
    append(std::string_view{digits.data() + at, digits.size() - at});
}

void TextBuffer::append(Tenths number) {
    std::uint64_t tenths = (number.thousandths + 50) / 100;
    append(tenths / 10);
    append('.');
    append(tenths % 10);
}

void TextBuffer::append(Thousandths number) {
    append(number.thousandths / 1000);
    append('.');
    for (unsigned unit : {100u, 10u, 1u}) append(number.thousandths / unit % 10);
}

void TextBuffer::append(Hex hex) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (std::uint8_t byte : hex.bytes) {
        append(digits[byte >> 4]);
        append(digits[byte & 15]);
    }
}

void TextBuffer::assign(std::string_view text) {
    size_ = 0;
    buffer_[0] = '\0';
    append(text);
}

}  // namespace earlyseed
