// SPDX-License-Identifier: MIT
#include "credit/policy.hpp"

#include <algorithm>

#include "base/bytes.hpp"

namespace earlyseed {

namespace {

// In the order of Reason.
constexpr Explanation kExplanations[] = {
    /* none */ {"", ""},
    /* no_store */ {"no store to take a seed from", "run 'earlyseed setup'"},
    /* refused */ {"the store cannot be used", "see what is said of it"},
    /* no_seed */ {"no seed saved yet", "nothing to do: the next boot has one"},
    /* damaged */ {"both slots are damaged", "a new seed was made; if this happens again, check the medium"},
    /* read_only */ {"the store cannot be written, so the seed cannot be retired", "make it writable"},
    /* write_failed */ {"the seed's successor could not be stored safely", "check the medium"},
    /* not_creditable */ {"the seed was saved when the kernel's generator was not ready",
                   "nothing to do: the next save makes a better one"},
    /* sibling_doubt */ {"the other slot is damaged or empty, so the seed may have been used before",
                   "nothing to do: the next boot credits again"},
    /* other_machine */ {"the seed was saved on another machine, or where this one had no identity",
                   "nothing to do: the next boot has its own; run 'earlyseed forget' before making an image"},
    /* exposed */ {"others than root may read the store",
                   "chmod 600 the file, or mount its file system with umask=0077"},
    /* forgetful */ {"the store is on an overlay or in memory, which may give the same seed at the next boot again",
                   "put the store on a disk"},
    /* boot_unknown */ {"this boot cannot be told from the one that saved the seed",
                   "mount /proc before earlyseed runs"},
    /* saved_this_boot */ {"the seed was saved in this very boot", "nothing to do"},
    /* seed_never */ {"credit-seed = never", ""},
    /* virtual_machine */ {"virtual machine; a snapshot can be started twice",
                   "jitter must carry the credit, or set credit-seed = always"},
    /* machine_unknown */ {"this machine has no identity that the seed could be bound to",
                   "set credit-seed = always if this store is never copied to another machine"},
    /* jitter_never */ {"credit-jitter = never", ""},
    /* timer_coarse */ {"timer test: the clock is too coarse for a sample", "rely on the seed or a hardware RNG"},
    /* timer_backwards */ {"timer test: the clock ran backwards", "rely on the seed or a hardware RNG"},
    /* repetition_count */ {"repetition count test: the timings repeat", "rely on the seed or a hardware RNG"},
    /* adaptive_proportion */ {"adaptive proportion test: one timing prevails", "rely on the seed or a hardware RNG"},
    /* lag_prediction */ {"lag prediction test: the timings are periodic", "rely on the seed or a hardware RNG"},
    /* low_estimate */ {"the timings are too regular: assessed below 1 bit a sample",
                   "rely on the seed or a hardware RNG"},
    /* out_of_time */ {"no time left", "raise jitter-timeout-ms"},
    /* quality_zero */ {"quality 0", "if you trust the device, say what it is worth: hwrng-quality, or behind source ="},
    /* repeatable */ {"files, disks and the kernel's own devices may repeat themselves",
                     "name a generator's device, a FIFO or a socket"},
    /* never_credited */ {"nobody can look into it, so it is never credited", ""},
    /* stuck */ {"the device repeats itself", "do not trust it; look at its driver"},
    /* not_accepted */ {"the kernel did not accept it", "run as root with CAP_SYS_ADMIN"},
};
static_assert(std::size(kExplanations) == static_cast<std::size_t>(Reason::not_accepted) + 1);

}  // namespace

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

bool is_stuck(std::span<const std::uint8_t> bytes) {
    for (std::size_t i = 8; i < bytes.size(); i++) {
        if (bytes[i] != bytes[i - 8]) return false;
    }
    return bytes.size() > 8;
}

Credit credit_for_device(std::span<const std::uint8_t> data, unsigned quality, bool repeatable) {
    std::size_t bytes = data.size();
    if (is_stuck(data)) return {0, Reason::stuck};
    if (repeatable) return {0, Reason::repeatable};
    auto bits = std::min<std::uint64_t>(std::uint64_t{bytes} * 8 * quality / 1024, kFullCreditBits);
    if (bits == 0) return {0, Reason::quality_zero};
    return {static_cast<unsigned>(bits), Reason::none};
}

Explanation explain(Reason reason) { return kExplanations[static_cast<std::size_t>(reason)]; }

}  // namespace earlyseed
