// SPDX-License-Identifier: MIT
#include "policy.hpp"

#include <algorithm>

#include "bytes.hpp"

namespace earlyseed {

Reason doubt(const SeedFacts& facts) {
    if (!facts.creditable) return Reason::not_creditable;
    if (!facts.sibling_valid) return Reason::sibling_doubt;
    // A seed without a tag on a machine that has one counts too: its successor would carry this machine's tag.
    if (facts.record_tag != facts.machine_tag) return Reason::other_machine;
    if (facts.store_flaw != Reason::none) return facts.store_flaw;
    if (all_zero(facts.boot) || all_zero(facts.record_boot)) return Reason::boot_unknown;
    if (facts.record_boot == facts.boot) return Reason::saved_this_boot;
    return Reason::none;
}

Credit credit_for_seed(const SeedFacts& facts, SeedPolicy policy) {
    if (facts.read_only) return {0, Reason::read_only};
    if (!facts.retired) return {0, Reason::write_failed};
    if (Reason reason = doubt(facts); reason != Reason::none) return {0, reason};
    if (policy == SeedPolicy::never) return {0, Reason::seed_never};
    if (policy == SeedPolicy::automatic) {
        if (facts.virtual_machine) return {0, Reason::virtual_machine};
        if (all_zero(facts.record_tag)) return {0, Reason::machine_unknown};
    }
    return {kFullCreditBits, Reason::none};
}

Credit credit_for_hwrng(std::size_t bytes, unsigned quality) {
    if (bytes == 0) return {0, Reason::no_data};
    std::size_t bits = std::min<std::size_t>(bytes * 8 * quality / 1024, kFullCreditBits);
    if (bits == 0) return {0, Reason::quality_zero};
    return {static_cast<unsigned>(bits), Reason::none};
}

Explanation explain(Reason reason) {
    switch (reason) {
    case Reason::none: return {"", ""};
    case Reason::no_store: return {"no store to take a seed from", "run 'earlyseed setup'"};
    case Reason::refused: return {"the store cannot be used", "see what is said of it"};
    case Reason::no_seed: return {"no seed saved yet", "the next clean shutdown saves one"};
    case Reason::damaged: return {"both slots are damaged", "a new seed was made; if this happens again, check the medium"};
    case Reason::read_only: return {"the store cannot be written, so the seed cannot be retired", "make it writable"};
    case Reason::write_failed: return {"the seed's successor could not be stored safely", "check the medium"};
    case Reason::not_creditable:
        return {"the seed was saved when the kernel's generator was not ready",
                "nothing to do: the next save makes a better one"};
    case Reason::sibling_doubt:
        return {"the other slot is damaged or empty, so the seed may have been used before",
                "nothing to do: the next boot credits again"};
    case Reason::boot_unknown:
        return {"this boot cannot be told from the one that saved the seed", "mount /proc before earlyseed runs"};
    case Reason::saved_this_boot: return {"the seed was saved in this very boot", "nothing to do"};
    case Reason::other_machine:
        return {"the seed was saved on another machine, or where this one had no identity",
                "nothing to do: the next boot has its own; run 'earlyseed forget' before making an image"};
    case Reason::exposed:
        return {"others than root may read the store", "chmod 600 the file, or mount its file system with umask=0077"};
    case Reason::forgetful:
        return {"the store is on an overlay or in memory, which may give the same seed at the next boot again",
                "put the store on a disk"};
    case Reason::seed_never: return {"credit-seed = never", ""};
    case Reason::machine_unknown:
        return {"this machine has no identity that the seed could be bound to",
                "set credit-seed = always if this store is never copied to another machine"};
    case Reason::virtual_machine:
        return {"virtual machine; a snapshot can be started twice",
                "jitter must carry the credit, or set credit-seed = always"};
    case Reason::jitter_never: return {"credit-jitter = never", ""};
    case Reason::timer_backwards:
        return {"timer test: the clock ran backwards", "rely on the seed or a hardware RNG"};
    case Reason::repetition_count:
        return {"repetition count test: the timings repeat", "rely on the seed or a hardware RNG"};
    case Reason::adaptive_proportion:
        return {"adaptive proportion test: one timing prevails", "rely on the seed or a hardware RNG"};
    case Reason::lag_prediction:
        return {"lag prediction test: the timings are periodic", "rely on the seed or a hardware RNG"};
    case Reason::low_estimate:
        return {"the timings are too regular: assessed below 1 bit a sample", "rely on the seed or a hardware RNG"};
    case Reason::out_of_time: return {"no time left", "raise jitter-timeout-ms"};
    case Reason::quality_zero: return {"hwrng-quality = 0", "set hwrng-quality if you trust the device"};
    case Reason::no_data: return {"the device gave no data", ""};
    case Reason::not_accepted: return {"the kernel did not accept it", "run as root with CAP_SYS_ADMIN"};
    }
    return {"", ""};
}

}  // namespace earlyseed
