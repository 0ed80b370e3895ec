// SPDX-License-Identifier: MIT
// What the Linux sources of the facade share: turning a failed call into an Error, and opening and writing whole files.
#pragma once

#include <sys/types.h>

#include "system/files.hpp"

namespace earlyseed::kernel {

// errno of the call that has just failed.
inline Error failed(const char* operation) { return {operation, errno}; }

inline Status status(ssize_t result, const char* operation) {
    return result < 0 ? Status{failed(operation)} : Status{};
}

// open(2), closed at exec and never a controlling terminal; a new file has mode 0600.
Result<File> open_file(const char* path, int flags, const char* operation = "open");

// All of `text`, in as many calls as it takes.
Status write_all(int descriptor, std::string_view text);

}  // namespace earlyseed::kernel
