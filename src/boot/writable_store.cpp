// SPDX-License-Identifier: MIT
#include "boot/writable_store.hpp"

#include "system/mounts.hpp"

namespace earlyseed {

using namespace std::string_view_literals;

std::string_view refusal_of(StoreContent content) {
    switch (content) {
        case StoreContent::seed:
        case StoreContent::empty:
            return {};
        case StoreContent::other_version:
            return "is of another version of earlyseed; use that version, or run 'earlyseed forget'"sv;
        case StoreContent::foreign:
            return "holds data that is not earlyseed's; nothing was written; wipe it yourself, or choose another store"sv;
        case StoreContent::unreadable:
            return "cannot be read; check the medium"sv;
    }
    return {};
}

Line failed_write(std::string_view store, const Error& error, std::string_view object) {
    return about_store(store, describe(error, object).add("; check the medium"));
}

bool open_for_writing(const StoreSpec& spec, Store::Mode mode, OpenStore& opened, const Log& log) {
    Line problem;
    if (opened.store.open(spec, mode, current_stage(), {}, problem) == Store::Outcome::opened) {
        opened.store.read(opened.slots);
        opened.choice = choose(opened.slots);
        std::string_view refusal = refusal_of(opened.choice.content);
        if (refusal.empty() && opened.store.read_only()) refusal = kNotWritable;
        if (refusal.empty()) return true;
        problem = about_store(spec.text, refusal);
    }
    log.warn(problem);
    return false;
}

Stage current_stage() { return kernel::in_initramfs() ? Stage::initrd : Stage::running; }

}  // namespace earlyseed
