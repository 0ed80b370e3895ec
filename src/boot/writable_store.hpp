// SPDX-License-Identifier: MIT
// Opening the store for a command, and what is said when it cannot be used.
#pragma once

#include "seed/store.hpp"
#include "system/log.hpp"

namespace earlyseed {

// A store that may be written, and what it holds.
struct OpenStore {
    Store store;
    std::array<Slot, 2> slots;
    Choice choice{};
};
// False after one warning that says what is wrong, where, and what to do.
bool open_for_writing(const StoreSpec& spec, Store::Mode mode, OpenStore& opened, const Log& log);

// Why a store with this content is never written, with what to do; empty when it may be.
std::string_view refusal_of(StoreContent content);

// "store NAME: cannot write OBJECT: …; check the medium"
Line failed_write(std::string_view store, const Error& error, std::string_view object);

// What is wrong with a store that can only be read.
inline constexpr std::string_view kNotWritable = "cannot be written; make it writable, or check the medium";

// initrd or running system, as far as the process can see.
Stage current_stage();

}  // namespace earlyseed
