// SPDX-License-Identifier: MIT
// Run once the boot has finished, daily, and at shutdown.
#include "commands/save.hpp"

#include "boot/boot_id.hpp"
#include "boot/run_lock.hpp"
#include "boot/writable_store.hpp"
#include "credit/use_seed.hpp"
#include "machine/identity.hpp"
#include "system/process.hpp"
#include "system/run_directory.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

const Command kSaveCommand{"save", "", "write the seed for the next boot", [](std::span<char*> words) {
                               SaveOptions options;
                               const Option table[] = {{"--config"sv, options.config_path}};
                               return parse_options(words, table) ? save(options) : kExitUsage;
                           }};

int save(const SaveOptions& options) {
    const Log log("save", Log::Audience::boot);
    kernel::lock_memory();
    Config config = read_config(options.config_path, log);
    if (config.off) return kExitDone;
    if (!require_root(log)) return kExitDegraded;
    if (kernel::file_info(kForgottenPath, false)) {
        log.info("the store was wiped by 'earlyseed forget'; nothing is saved until the next boot"sv);
        return kExitDone;
    }
    kernel::File lock;
    OpenStore opened;
    if (!lock_for_writing(lock, log) || !open_for_writing(config.store, Store::Mode::write, opened, log))
        return kExitDegraded;

    SaveResult saved = save_next_seed(opened.store, opened.slots, opened.choice,
                                      {.boot_id = read_boot().id, .machine_tag = identify_machine().tag});
    if (!saved.written) {
        log.warn(failed_write(config.store.text, saved.written.error(), "the seed"sv));
        return kExitDegraded;
    }
    StoreFlaw flaw = opened.store.flaw();
    if (flaw != StoreFlaw::none) log.warn(about_store(config.store.text, explained(reason_of(flaw))));
    log.info(Line("seed saved, generation ").add(saved.generation, saved.creditable ? "" : "; not creditable"));
    return flaw == StoreFlaw::none ? kExitDone : kExitDegraded;
}

}  // namespace earlyseed
