// SPDX-License-Identifier: MIT
#include "base/result.hpp"

#include <cstring>

namespace earlyseed {

Line describe(const Error& error, std::string_view object) {
    return Line("cannot ").add(error.operation, " ", object, ": ", std::strerror(error.code));
}

}  // namespace earlyseed
