// SPDX-License-Identifier: MIT
// earlyseed wait: returns when the generator is ready, or when the time is over.
#include "catch.hpp"
#include "scene.hpp"

using namespace earlyseed;
using namespace earlyseed::scene;

namespace {

int run_wait(std::uint64_t timeout_s) {
    WaitOptions options;
    options.timeout_s = timeout_s;
    return wait(options);
}

std::uint64_t elapsed_ms() { return (fake::state().now_ns - 1'000'000'000) / 1'000'000; }

}  // namespace

TEST_CASE("P4: wait returns at once when the generator is ready, for anybody") {
    machine();
    fake::state().root = false;
    fake::state().crng = fake::Crng::ready;
    CHECK(run_wait(kForever) == kExitDone);
    CHECK(run_wait(0) == kExitDone);
    CHECK(fake::journal_of({"wait_until_ready"}).empty());
    CHECK(said().empty());
}

TEST_CASE("P4: wait returns when the generator becomes ready") {
    for (std::uint64_t ms : {1u, 900u, 59'999u, 60'001u, 250'000u}) {
        machine();
        fake::state().crng = fake::Crng::by_time;
        fake::state().crng_ready_at_ns = 1'000'000'000 + ms * 1'000'000;
        CHECK(run_wait(kForever) == kExitDone);
        CHECK(elapsed_ms() >= ms);
        CHECK(elapsed_ms() <= ms + 1);
        CHECK(said().empty());
    }
}

TEST_CASE("P4: wait gives up after its time, with exit 1 and a line") {
    for (std::uint64_t s : {0u, 1u, 59u, 60u, 61u, 200u}) {
        machine();
        fake::state().crng = fake::Crng::never;
        CHECK(run_wait(s) == kExitDegraded);
        CHECK(elapsed_ms() >= s * 1000);
        CHECK(elapsed_ms() <= s * 1000 + 5);
        CHECK(said().find("not ready after " + std::to_string(s) + " s; see 'earlyseed status'") != std::string::npos);
    }
}

TEST_CASE("P4: a time of centuries does not wrap") {
    for (std::uint64_t s : {~std::uint64_t{0} - 1, std::uint64_t{1} << 62, std::uint64_t{1} << 55}) {
        machine();
        fake::state().crng = fake::Crng::by_time;
        fake::state().crng_ready_at_ns = 10'000'000'000'000;
        CHECK(run_wait(s) == kExitDone);
    }
}

TEST_CASE("P4: on a terminal wait counts the seconds, in one line") {
    machine();
    fake::state().terminal = true;
    fake::state().crng = fake::Crng::by_time;
    fake::state().crng_ready_at_ns = 3'500'000'000;
    CHECK(run_wait(kForever) == kExitDone);
    CHECK(fake::state().err == "\rnot ready, 0 s\rnot ready, 1 s\rnot ready, 2 s; ready now\n");
    fake::state().err.clear();
    CHECK(run_wait(kForever) == kExitDone);
    CHECK(fake::state().err.empty());
}

TEST_CASE("P3: wait only watches: it credits nothing and reads nothing") {
    machine();
    fake::state().crng = fake::Crng::never;
    CHECK(run_wait(1) == kExitDegraded);
    CHECK(fake::journal_of({"add_entropy", "random", "insecure_random", "write", "open_exclusive"}).empty());
}
