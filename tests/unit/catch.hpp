// SPDX-License-Identifier: MIT
// Catch2 3 or Catch2 2, whichever the distribution has. Include this one in every test.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
