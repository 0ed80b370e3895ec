// SPDX-License-Identifier: MIT
// earlyseed save: writes the seed for the next boot. Run once the boot has finished, daily, and at shutdown.
#include "commands.hpp"
#include "log.hpp"
#include "rotate.hpp"

namespace earlyseed {

namespace {

constexpr unsigned kLockTimeoutMs = 2000;

}  // namespace

Line refusal_of(StoreContent content) {
    switch (content) {
    case StoreContent::seed:
    case StoreContent::empty: return {};
    case StoreContent::other_version:
        return "is of another version of earlyseed; use that version, or run 'earlyseed forget'";
    case StoreContent::foreign: return "holds data that is not earlyseed's; nothing was written; choose another store";
    case StoreContent::unreadable: return "cannot be read; check the medium";
    }
    return {};
}

int save(const Options& options) {
    log::begin("save", true);
    Config config = read_config(options.config_path);
    if (config.off) return kExitDone;
    if (!require_root()) return kExitDegraded;

    if (kernel::file_info(kForgottenPath, false)) {
        log::info(Line("the store was wiped by 'earlyseed forget'; nothing is saved until the next boot"));
        return kExitDone;
    }
    kernel::File lock;
    if (take_lock(kLockTimeoutMs, lock) == Lock::busy) {
        log::warn(Line("another earlyseed is at work and does not end; nothing was saved"));
        return kExitDegraded;
    }
    Line problem;
    Store store;
    if (store.open(config.store, Store::Mode::write, current_stage(), {}, problem) != Store::Outcome::opened) {
        log::warn(problem.add("; no seed was saved"));
        return kExitDegraded;
    }
    problem.add("store ", config.store.text, ": ");
    std::array<Slot, 2> slots;
    store.read(slots);
    Choice choice = choose(slots);
    Line refusal = refusal_of(choice.content);
    if (refusal.empty() && store.read_only()) refusal.add("cannot be written; make it writable");
    if (!refusal.empty()) {
        log::warn(problem.add(refusal));
        return kExitDegraded;
    }
    SaveResult saved = save_seed(store, slots, choice, {.boot_id = read_boot().id, .machine_tag = identify_machine().tag});
    if (!saved.written) {
        log::warn(problem.add(describe(saved.written.error(), "the seed"), "; check the medium"));
        return kExitDegraded;
    }
    if (store.exposed()) {
        auto [what, advice] = explain(Reason::exposed);
        log::warn(problem.add(what, "; ", advice));
    }
    log::info(Line("seed saved, generation ")
                  .add(saved.generation, saved.creditable ? "" : "; not creditable: the kernel's generator is not ready"));
    return store.exposed() ? kExitDegraded : kExitDone;
}

}  // namespace earlyseed
