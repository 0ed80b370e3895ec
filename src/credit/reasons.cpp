// SPDX-License-Identifier: MIT
#include "credit/reasons.hpp"

namespace earlyseed {

Explanation explain(Reason reason) {
    switch (reason) {
        case Reason::none:
            return {"", ""};
        case Reason::no_store:
            return {"no store to take a seed from", "run 'earlyseed setup'"};
        case Reason::refused:
            return {"the store cannot be used", "see the store's problem"};
        case Reason::no_seed:
            return {"no seed saved yet", "nothing to do: the next boot has one"};
        case Reason::damaged:
            return {"both slots are damaged", "a new seed was made; if this happens again, check the medium"};
        case Reason::read_only:
            return {"the store cannot be written, so the seed cannot be retired", "make it writable"};
        case Reason::write_failed:
            return {"the seed's successor could not be stored safely", "check the medium"};
        case Reason::not_creditable:
            return {"the seed was saved when the kernel's generator was not ready",
                    "nothing to do: the next save makes a better one"};
        case Reason::sibling_doubt:
            return {"the other slot is damaged or empty, so the seed may have been used before",
                    "nothing to do: the next boot credits again"};
        case Reason::other_machine:
            return {"the seed was saved on another machine, or where this one had no identity",
                    "nothing to do: the next boot has its own; run 'earlyseed forget' before making an image"};
        case Reason::exposed:
            return {"the store is readable by users other than root",
                    "chmod 600 the file, or mount its file system with umask=0077"};
        case Reason::forgetful:
            return {"the store is on an overlay or in memory, which may give the same seed at the next boot again",
                    "put the store on a disk"};
        case Reason::boot_unknown:
            return {"this boot cannot be distinguished from the one that saved the seed",
                    "mount /proc before earlyseed runs"};
        case Reason::saved_this_boot:
            return {"the seed was saved in this very boot", "nothing to do"};
        case Reason::seed_never:
            return {"credit-seed = never", ""};
        case Reason::virtual_machine:
            return {"virtual machine; a snapshot can be started twice",
                    "jitter must carry the credit, or set credit-seed = always"};
        case Reason::machine_unknown:
            return {"this machine has no identity that the seed could be bound to",
                    "set credit-seed = always if this store is never copied to another machine"};
        case Reason::jitter_never:
            return {"credit-jitter = never", ""};
        case Reason::timer_coarse:
            return {"timer test: the clock is too coarse for a sample", "rely on the seed or a hardware RNG"};
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
        case Reason::out_of_time:
            return {"no time left", "raise jitter-timeout-ms"};
        case Reason::quality_zero:
            return {"quality 0",
                    "if you trust the device, declare its quality: hwrng-quality, or after the path in source ="};
        case Reason::repeatable:
            return {"files, disks and the kernel's own devices may give the same bytes again",
                    "name a generator's device, a FIFO or a socket"};
        case Reason::never_credited:
            return {"its output cannot be audited, so it is never credited", ""};
        case Reason::stuck:
            return {"the device repeats its output", "do not trust it; check its driver"};
        case Reason::not_accepted:
            return {"the kernel did not accept it", "run as root with CAP_SYS_ADMIN"};
    }
    return {"", ""};
}

Line explained(Reason reason) {
    auto [what, advice] = explain(reason);
    return Line(what).add("; ", advice);
}

}  // namespace earlyseed
