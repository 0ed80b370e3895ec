# SPDX-License-Identifier: MIT
"""Building and running the fuzz targets. README.md says what they are."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]


@dataclass(frozen=True)
class Target:
    runs: int  # of the sweep in ./check: some ten seconds
    max_len: int
    dictionary: str = ""


TARGETS = {
    "record": Target(300_000, 520),
    "slots": Target(500_000, 48),
    "config": Target(100_000, 256, "config.dict"),
    "command_line": Target(100_000, 256, "command_line.dict"),
    "add": Target(100_000, 256),
    "store": Target(10_000, 32),
}


def build(folder, plain=False, source=REPOSITORY, only=None):
    """All targets, or one. Raises CalledProcessError with what the build printed."""
    environment = {**os.environ, "CC": "clang", "CXX": "clang++"}
    option = "-Dfuzz=" + ("plain" if plain else "sanitized")
    again = ["--reconfigure"] if (folder / "build.ninja").exists() else []
    for command in (["meson", "setup", *again, "--werror", "-Dtests=disabled", option, folder, source],
                    ["ninja", "-C", folder, f"tests/fuzz/fuzz_{only}" if only else "fuzz"]):
        subprocess.run(command, check=True, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True)


def command(folder, name, *options):
    target = TARGETS[name]
    dictionary = [f"-dict={HERE / target.dictionary}"] if target.dictionary else []
    return [folder / f"tests/fuzz/fuzz_{name}", f"-max_len={target.max_len}", *dictionary, "-entropic=0",
            "-detect_leaks=0", "-rss_limit_mb=0", f"-artifact_prefix={folder}/{name}-", *options]


def sweep(folder, name, runs=None, seed=1, keep=False):
    """Runs a target. Gives how many inputs were run, and what is wrong ("" if nothing)."""
    found = folder / "corpus" / name  # libFuzzer writes to the first folder
    if not keep:
        shutil.rmtree(found, ignore_errors=True)
    found.mkdir(parents=True, exist_ok=True)
    corpus = [found, HERE / "corpus" / name]
    # The program has no heap: what the sanitizer keeps of the fake kernel's strings is of no use.
    environment = {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1:malloc_context_size=0"}
    done = subprocess.run([str(word) for word in command(folder, name, f"-runs={runs or TARGETS[name].runs}",
                                                         f"-seed={seed}", "-print_final_stats=1", *corpus)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", env=environment)
    executed = re.search(r"^stat::number_of_executed_units: (\d+)$", done.stdout, re.MULTILINE)
    count = int(executed.group(1)) if executed else 0
    if done.returncode == 0 and count >= (runs or TARGETS[name].runs):
        return count, ""
    broken = re.search(r"^broken: .*\n", done.stdout, re.MULTILINE)
    return count, (f"{broken.group() if broken else ''}exit status {done.returncode} after {count} runs\n"
                   f"{done.stdout[-6000:]}")


# What a target must find: each is a line of src/ broken in one place.
@dataclass(frozen=True)
class Mutant:
    target: str
    file: str
    old: str
    new: str


MUTANTS = [
    Mutant("record", "seed/record.cpp", "std::equal(sum.begin(), sum.end(),", "std::equal(sum.begin(), sum.end() - 1,"),
    Mutant("record", "seed/record.cpp", "generation == 0 || generation > kMaxGeneration", "generation == 0"),
    Mutant("slots", "seed/slots.cpp", "generation[0] >= generation[1]", "generation[0] <= generation[1]"),
    Mutant("slots", "credit/policy.cpp", "if (!facts.sibling_valid) return Reason::sibling_doubt;", ""),
    Mutant("config", "boot/config.cpp", "*number > most", "*number > most + 1"),
    Mutant("config", "boot/config.cpp", "line = trim(take_until(line, '#'));",
           "line = trim(take_until(line, '#')); number += line.empty();"),
    Mutant("command_line", "boot/config.cpp", "if (word == \"--\"sv) return;", ""),
    Mutant("command_line", "boot/config.cpp", "{\"0\", true}", "{\"0\", false}"),
    Mutant("add", "credit/policy.cpp", "std::min<std::uint64_t>(bytes * 8, kFullCreditBits)", "kFullCreditBits"),
    Mutant("add", "commands/add.cpp", "hash.add(buffer.span().first(*got));",
           "hash.add(buffer.span().first(*got / 2 * 2));"),
    # P1: credited although the successor's write failed; unflushed; twice in one boot.
    Mutant("store", "credit/use_seed.cpp", "bool retired = static_cast<bool>(use.retired);", "bool retired = true;"),
    Mutant("store", "seed/store.cpp", "if (Status flushed = kernel::flush(file_); !flushed) return flushed;", ""),
    Mutant("store", "credit/policy.cpp",
           "if (reason == Reason::none && facts.record_boot == facts.boot) return Reason::saved_this_boot;",
           ""),
    # P2: not bound to the machine.
    Mutant("store", "credit/policy.cpp", "if (facts.record_tag != facts.machine_tag) return Reason::other_machine;",
           ""),
    # P5: the newest record is overwritten.
    Mutant("store", "seed/rotate.cpp", "result.written = write_next(choice.other_slot());",
           "result.written = write_next(choice.seed_slot);"),
    # P7: the used seed stays.
    Mutant("store", "credit/use_seed.cpp",
           "if (retired) use.renewed = rotation.renew(creditable(store.flaw(), fresh));",
           ""),
    # Data of others.
    Mutant("store", "seed/store.cpp", "if (pristine && holds_other_data())", "if (pristine && size_bytes_ == 0)"),
]
