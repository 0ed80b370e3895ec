// SPDX-License-Identifier: MIT
// Catch2 2 compiles its library and main() from its header, here; version 3 brings both as a library.
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
