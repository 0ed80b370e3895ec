# SPDX-License-Identifier: MIT
"""The store's protocol, searched whole by Spin: every property holds under every fault that README.md names (P1, P5,
P7), and with any one step or check taken out the checker finds the history in which that step was needed."""
import concurrent.futures
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

MODEL = Path(__file__).with_name("rotation.pml")

# A disk that fails, goes read-only or ignores writes; killed processes; warm resets; a machine that policy does not
# trust. Power cuts are always there.
FAULTS = ("F_IO", "F_KILL", "F_WARM", "F_SILENT", "F_POLICY")
# A slot that was durable is damaged, or reads as zeros, after a cut. No two slots can keep a seed against that, but
# nothing may be credited twice.
ROT = ("F_DECAY", "F_TRIM")


@dataclass(frozen=True)
class Run:
    name: str
    macros: tuple
    fails: bool = False  # a counterexample is what is wanted

    def __str__(self):
        return self.name


def holds(name, *macros):
    return Run(name, macros)


def breaks(name, *macros):
    return Run(name, macros, fails=True)


PROPERTIES = [
    holds("P1-no-seed-is-credited-twice", "PROP_ONCE", *FAULTS, *ROT),
    holds("P1-one-seed-credit-a-boot-and-none-for-a-seed-of-this-boot", "PROP_BOOT", "PROP_OTHER_BOOT", *FAULTS,
          *ROT),
    holds("P1-successor-is-durable-before-the-credit", "PROP_DURABLE", *FAULTS, *ROT),
    holds("P5-never-without-a-valid-record", "PROP_VALID", *FAULTS),
    holds("P5-newest-record-is-never-lost", "PROP_NEWEST", *FAULTS),
    holds("P5-every-crash-state-recovers", "PROP_RECOVER", *FAULTS, *ROT),
    holds("P5-one-cut-costs-one-credit-and-only-when-a-write-tore", "PROP_ONEBOOT", "F_POLICY", "F_WARM"),
    holds("P7-no-trace-of-the-seed-after-load", "PROP_FORWARD", *FAULTS),
]

MUTANTS = [
    breaks("no-flush-before-credit", "M_NO_FLUSH", "PROP_ONCE"),
    breaks("credit-before-successor", "M_CREDIT_FIRST", "PROP_ONCE"),
    breaks("successor-over-its-own-seed", "M_OWN_SLOT", "PROP_NEWEST"),
    breaks("renew-before-successor-is-flushed", "M_RENEW_BEFORE_FLUSH", "PROP_VALID"),
    breaks("renew-after-the-successor-failed", "M_CONTINUE_AFTER_FAILURE", "PROP_VALID", "F_IO"),
    breaks("renew-not-flushed", "M_RENEW_UNFLUSHED", "PROP_FORWARD"),
    breaks("renew-only-when-ready", "M_RENEW_IF_READY", "PROP_FORWARD"),
    breaks("save-into-the-newest-slot", "M_SAVE_NEWEST", "PROP_NEWEST"),
    breaks("save-downgrades-when-not-ready", "M_SAVE_DOWNGRADES", "PROP_ONEBOOT", "F_POLICY"),
    breaks("damaged-sibling-not-minded", "M_NO_DAMAGED_CHECK", "PROP_ONCE", "F_DECAY"),
    breaks("pristine-sibling-not-minded", "M_NO_PRISTINE_CHECK", "PROP_ONCE", "F_TRIM"),
    breaks("boot-id-not-minded-by-a-second-load", "M_NO_BOOTID", "PROP_BOOT", "F_KILL"),
    breaks("boot-id-not-minded-by-load-after-save", "M_NO_BOOTID", "PROP_OTHER_BOOT"),
    breaks("no-read-back", "M_NO_READBACK", "PROP_ONCE", "F_SILENT"),
    breaks("flush-failure-ignored", "M_IGNORE_FLUSH_ERROR", "PROP_ONCE", "F_IO"),
    breaks("slot-in-doubt-not-noted", "M_NO_DOUBT", "PROP_VALID", "F_IO"),
    breaks("no-flush-before-reading", "M_NO_BARRIER", "PROP_VALID", "F_WARM"),
    breaks("no-lock", "M_NO_LOCK", "PROP_VALID", "AFTER_SETUP"),
]

# What the protocol could do without, under the faults given here.
REDUNDANT = [
    holds("credit-before-renew-P1", "M_RENEW_BEFORE_CREDIT", "PROP_ONCE", "PROP_BOOT", "PROP_DURABLE", *FAULTS,
          *ROT),
    holds("credit-before-renew-P5-P7", "M_RENEW_BEFORE_CREDIT", "PROP_NEWEST", "PROP_FORWARD", *FAULTS),
    holds("damaged-sibling-unless-media-rot", "M_NO_DAMAGED_CHECK", "PROP_ONCE", *FAULTS),
    holds("pristine-sibling-unless-media-are-trimmed", "M_NO_PRISTINE_CHECK", "PROP_ONCE", *FAULTS, "F_DECAY"),
]

# What no protocol of this kind gives: the assumptions are needed.
LIMITS = [
    breaks("P1-needs-an-honest-flush", "F_LIE", "PROP_ONCE"),
    breaks("P5-needs-slots-that-do-not-rot", "F_DECAY", "PROP_VALID"),
    breaks("P5-second-credit-needs-a-ready-generator", "NEVER_READY", "PROP_ONEBOOT"),
]


@dataclass
class Result:
    violated: str  # the assertion, empty when none was
    states: int
    text: str      # the counterexample as a story, or what the checker said


def command(folder, *words, limit_s=600):
    return subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=limit_s).stdout


def check(run, folder):
    """Depth first and with partial order reduction where the whole space is searched; breadth first where a
    counterexample is wanted, since the first one found is then a shortest one."""
    macros = [f"-D{macro}" for macro in run.macros]
    said = command(folder, "spin", "-a", *macros, str(MODEL))
    # Unoptimised: compiling costs more than searching.
    said += command(folder, "gcc", "-O0", "-w", "-DSAFETY", "-DMEMLIM=1500", *(["-DBFS"] if run.fails else []),
                    "-o", "pan", "pan.c")
    said += command(folder, "./pan", "-m100000", "-w20")
    stored = re.search(r"^\s*(\d+) states, stored", said, re.MULTILINE)
    errors = re.search(r"errors: (\d+)", said)
    assert stored and errors, said
    violated = re.search(r"^pan:\d+: (.*?)(?: \(at depth \d+\))?$", said, re.MULTILINE)
    assert bool(violated) == (errors[1] != "0"), said
    assert violated or not re.search("not completed|too small|out of memory", said), said
    if violated:
        said = command(folder, "spin", "-k", "rotation.pml.trail", "-B", "-T", *macros, str(MODEL))
    return Result(violated[1] if violated else "", int(stored[1]), said)


@pytest.fixture(scope="session")
def results(request, tmp_path_factory):
    """All selected runs, started at once, on two processors."""
    runs = {item.callspec.params["run"] for item in request.session.items
            if "run" in getattr(getattr(item, "callspec", None), "params", {})}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        order = sorted(runs, key=lambda run: run.fails)
        yield {run: pool.submit(check, run, tmp_path_factory.mktemp("spin")) for run in order}


def expect(results, run):
    result = results[run].result()
    if run.fails:
        assert result.violated, f"no counterexample in {result.states} states: is the step needed?"
        assert "i<8" not in result.violated, f"the model ran out of records:\n{result.text}"
    else:
        assert not result.violated, f"{result.violated}\n{result.text}"
    print(f"{run}: {result.states} states\n{result.text if run.fails else ''}")
    return result


@pytest.mark.parametrize("run", PROPERTIES, ids=str)
def test_property(results, run, record_property):
    result = expect(results, run)
    record_property(f"states ({run.macros[0]})", result.states)


@pytest.mark.parametrize("run", MUTANTS, ids=str)
def test_mutant_is_caught(results, run):
    expect(results, run)


@pytest.mark.parametrize("run", REDUNDANT, ids=str)
def test_redundant(results, run):
    expect(results, run)


@pytest.mark.parametrize("run", LIMITS, ids=str)
def test_limit(results, run):
    expect(results, run)


def test_every_macro_is_used():
    """A mutant, fault or property of the model without a run would say nothing."""
    known = set(re.findall(r"#.*\b((?:M|F|PROP)_[A-Z_]+)\b", MODEL.read_text(encoding="utf-8")))
    used = {macro for run in PROPERTIES + MUTANTS + REDUNDANT + LIMITS for macro in run.macros}
    assert known == used - {"AFTER_SETUP", "NEVER_READY"}
