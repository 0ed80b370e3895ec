// SPDX-License-Identifier: MIT
// A command's input.
#pragma once

#include "system/files.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

// A file, which may be a FIFO and is waited for, or "-", the standard input.
inline Result<kernel::File> open_input(const Path& path) {
    return path.view() == "-"sv ? Result<kernel::File>(kernel::standard_input())
                                : kernel::open_read(path.c_str(), true);
}

}  // namespace earlyseed
