// SPDX-License-Identifier: MIT
// What a system call gives back: a value, or the operation that failed and its errno.
#pragma once

#include <cerrno>
#include <string_view>
#include <utility>

#include "base/fixed_string.hpp"

namespace earlyseed {

// `operation` is a string literal that completes "cannot …", for instance "write".
struct Error {
    const char* operation = nullptr;
    int code = 0;
};

// "cannot write PARTLABEL=earlyseed: No space left on device"; the reason is strerror()'s.
Line describe(const Error& error, std::string_view object);

template <typename T>
class [[nodiscard]] Result {
public:
    Result(T value) : value_(std::move(value)) {}
    Result(Error error) : error_(error) {}

    explicit operator bool() const { return error_.operation == nullptr; }
    T& operator*() { return value_; }
    const T& operator*() const { return value_; }
    T* operator->() { return &value_; }
    const T* operator->() const { return &value_; }
    const Error& error() const { return error_; }

private:
    T value_{};
    Error error_{};
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(error) {}

    explicit operator bool() const { return error_.operation == nullptr; }
    const Error& error() const { return error_; }

private:
    Error error_{};
};

using Status = Result<void>;

// For a failure that changes nothing for the caller, where the comment beside the call says why.
inline void ignore(const Status&) {}

}  // namespace earlyseed
