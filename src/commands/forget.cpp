// SPDX-License-Identifier: MIT
// So that an image made of this machine carries no seed into its copies.
#include "commands/forget.hpp"

#include "boot/run_lock.hpp"
#include "boot/writable_store.hpp"
#include "system/process.hpp"
#include "system/run_directory.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

const Command kForgetCommand{"forget", "", "wipe the store, before an image of this machine is made",
                             [](std::span<char*> words) {
                                 ForgetOptions options;
                                 const Option table[] = {{"--config"sv, options.config_path}};
                                 return parse_options(words, table) ? forget(options) : kExitUsage;
                             }};

int forget(const ForgetOptions& options) {
    const Log log("forget", Log::Audience::person);
    if (!require_root(log)) return kExitDegraded;
    kernel::lock_memory();
    Config config = read_config(options.config_path, log);
    kernel::File lock;
    if (!lock_for_writing(lock, log)) return kExitDegraded;
    Line problem;
    Store store;
    auto outcome = store.open(config.store, Store::Mode::write, current_stage(), {}, problem);
    if (outcome == Store::Outcome::absent) {
        log.info(problem.add("; nothing to forget"));
        return kExitDone;
    }
    if (outcome == Store::Outcome::opened) {
        std::array<Slot, 2> slots;
        store.read(slots);
        StoreContent content = choose(slots).content;
        if (content == StoreContent::foreign || content == StoreContent::unreadable) {
            problem = about_store(config.store.text, refusal_of(content));
        } else if (store.read_only()) {
            problem = about_store(config.store.text, kNotWritable);
        } else if (Status erased = store.erase(); !erased) {
            problem = failed_write(config.store.text, erased.error(), "zeros"sv);
        } else {
            Status noted = kernel::write_text(kForgottenPath, "", 0600);
            log.info(about_store(config.store.text,
                                 noted ? "wiped; nothing is saved until the next boot"sv
                                       : "wiped; the shutdown will save a seed again: /run cannot be written"sv));
            return noted ? kExitDone : kExitDegraded;
        }
    }
    log.warn(problem);
    return kExitDegraded;
}

}  // namespace earlyseed
