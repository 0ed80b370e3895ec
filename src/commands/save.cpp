// SPDX-License-Identifier: MIT
// earlyseed save: writes the seed for the next boot. Run once the boot has finished, daily, and at shutdown.
#include "commands/commands.hpp"
#include "system/log.hpp"
#include "seed/rotate.hpp"

namespace earlyseed {

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
    OpenStore opened;
    if (!lock_store(lock) || !open_store(config.store, Store::Mode::write, opened)) return kExitDegraded;

    SaveResult saved = save_seed(opened.store, opened.slots, opened.choice,
                                 {.boot_id = read_boot().id, .machine_tag = identify_machine().tag});
    Line line("store ");
    line.add(config.store.text, ": ");
    if (!saved.written) {
        log::warn(line.add(describe(saved.written.error(), "the seed"), "; check the medium"));
        return kExitDegraded;
    }
    Reason flaw = opened.store.flaw();
    if (flaw != Reason::none) log::warn(line.add(explained(flaw)));
    log::info(Line("seed saved, generation ").add(saved.generation, saved.creditable ? "" : "; not creditable"));
    return flaw == Reason::none ? kExitDone : kExitDegraded;
}

}  // namespace earlyseed
