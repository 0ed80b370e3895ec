// SPDX-License-Identifier: MIT
// earlyseed forget: wipes the store, so that an image made of this machine carries no seed into its copies.
#include "commands/commands.hpp"
#include "system/log.hpp"

namespace earlyseed {

int forget(const Options& options) {
    log::begin("forget", false);
    if (!require_root()) return kExitDegraded;
    Config config = read_config(options.config_path);
    kernel::File lock;
    if (!lock_store(lock)) return kExitDegraded;
    Line problem;
    Store store;
    auto outcome = store.open(config.store, Store::Mode::write, current_stage(), {}, problem);
    if (outcome == Store::Outcome::absent) {
        log::info(problem.add("; nothing to forget"));
        return kExitDone;
    }
    if (outcome == Store::Outcome::opened) {
        std::array<Slot, 2> slots;
        store.read(slots);
        StoreContent content = choose(slots).content;
        problem.add("store ", config.store.text, ": ");
        if (content == StoreContent::foreign || content == StoreContent::unreadable) {
            problem.add(refusal_of(content));
        } else if (store.read_only()) {
            problem.add(kNotWritable);
        } else if (Status erased = store.erase(); !erased) {
            problem.add(describe(erased.error(), "zeros"), "; check the medium");
        } else {
            Status noted = kernel::write_text(kForgottenPath, "", 0600);
            log::info(problem.add("wiped; ", noted ? "nothing is saved until the next boot"
                                                   : "the shutdown will save a seed again: /run cannot be written"));
            return noted ? kExitDone : kExitDegraded;
        }
    }
    log::warn(problem);
    return kExitDegraded;
}

}  // namespace earlyseed
