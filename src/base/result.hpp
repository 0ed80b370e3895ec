// SPDX-License-Identifier: MIT
// What a system call gives back: a value, or the operation that failed and its errno.
#pragma once

#include <cerrno>
#include <utility>

namespace earlyseed {

// `operation` is a string literal that completes "cannot …", for instance "write".
struct Error {
    const char* operation = nullptr;
    int code = 0;
};

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

}  // namespace earlyseed
