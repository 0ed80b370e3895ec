// SPDX-License-Identifier: MIT
// Precompiled for the unit tests: Catch2 is most of what each of them compiles.
#include "../catch.hpp"
