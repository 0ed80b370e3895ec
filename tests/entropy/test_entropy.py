# SPDX-License-Identifier: MIT
"""The judgement of the real program on recordings of good and bad clocks, and on generators of failures;
the cutoffs."""
import importlib.machinery
import importlib.util
import os
import random
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
PROGRAM = Path(os.environ.get("EARLYSEED_BUILD", REPOSITORY / "build")) / "earlyseed"
RECORDINGS = HERE / "recordings"
SAMPLES = 3072


def script(name):
    """A script without an extension as a module."""
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(HERE / name))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def judge(text: str) -> tuple[int, str]:
    done = subprocess.run([PROGRAM, "record", "--judge"], input=text.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode()


def stamps(deltas) -> str:
    now, lines = 1_000_000, ["1000000"]
    for delta in deltas:
        now += delta
        lines.append(str(now))
    return "\n".join(lines) + "\n"


def tick(step_ns, sample_ns=617):
    """A clock that moves only every step_ns, in ns."""
    readings = [at * sample_ns // step_ns * step_ns for at in range(SAMPLES + 1)]
    return [after - before for before, after in zip(readings, readings[1:])]


def periodic(period):
    values = random.Random(period).sample(range(1000, 1_000_000), period)
    return [values[at % period] for at in range(SAMPLES)]


def noisy(chance):
    source = random.Random(7)
    return [1500 + 26 * (source.random() < chance) for _ in range(SAMPLES)]


def test_the_cutoffs_are_those_of_the_standard():
    """P3: src/jitter/health.hpp has what tests/entropy/cutoffs computes for one bit a sample."""
    cutoffs, header = script("cutoffs"), (REPOSITORY / "src/jitter/health.hpp").read_text()
    constant = {name: int(value) for name, value in re.findall(r"constexpr unsigned (k\w+) = (\d+);", header)}
    assert constant["kRepetitionCutoff"] == cutoffs.repetition(1)
    assert constant["kProportionCutoff"] == cutoffs.proportion(1)
    assert constant["kLagCutoff"] == cutoffs.lag(1)
    assert (constant["kWindow"], constant["kLags"]) == (cutoffs.WINDOW, cutoffs.LAGS)
    # SP 800-90B, 4.4.1: alpha = 2^-20, H = 1.
    assert cutoffs.repetition(1, -20) == 21


@pytest.mark.parametrize("name", ["x86-64-host", "x86-64-guest", "aarch64-guest"])
def test_p3_a_recording_of_a_clock_with_noise_passes(name):
    """P3: samples of a virtual machine under KVM ("host") and of two emulated guests in it earn 256 bits. None is of a
    machine without a hypervisor (README.md)."""
    status, text = judge((RECORDINGS / f"{name}.txt").read_text())
    assert status == 0 and "credit: 256 bits" in text, text


@pytest.mark.parametrize("name", ["x86-64-icount", "aarch64-icount"])
def test_p3_a_clock_that_counts_instructions_is_refused(name):
    """P3: QEMU's -icount makes time a function of the instructions run; its kernel credits itself 256 bits for that."""
    status, text = judge((RECORDINGS / f"{name}.txt").read_text())
    assert status == 1 and "credit: 0 bits: repetition count test" in text, text


FAILURES = {
    "constant": ([1500] * SAMPLES, "repetition count test"),
    "standing still": ([0] * SAMPLES, "timer test: the clock is too coarse"),
    "linear": ([7 * at for at in range(SAMPLES)], "repetition count test"),
    "quadratic": ([3 * at * at for at in range(SAMPLES)], "repetition count test"),
    "tick of 4 ms": (tick(4_000_000), "timer test: the clock is too coarse"),
    "tick of 1 ms": (tick(1_000_000), "timer test: the clock is too coarse"),
    "clock of 1 us": (tick(1000), "timer test: the clock is too coarse"),
    "clock of 1 us, slow samples": (tick(1000, 5300), "lag prediction test"),
    "one noisy bit in a thousand": (noisy(0.001), "repetition count test"),
    "a low bit that is set in 70 of 100": (noisy(0.7), "adaptive proportion test"),
    "runs of 40": ([random.Random(at // 40).randrange(10_000) for at in range(SAMPLES)], "repetition count test"),
    "backwards once": (noisy(0.5)[:3000] + [-5] + noisy(0.5)[3001:], "the clock ran backwards"),
    **{f"period of {period}": (periodic(period), "lag prediction test") for period in range(2, 65)},
    **{f"period of {period}": (periodic(period), "assessed below 1 bit a sample") for period in (65, 100, 200, 400)},
}


@pytest.mark.parametrize("name", FAILURES)
def test_p3_a_failure_is_refused_by_its_test(name):
    """P3: each failure earns nothing, and the test that is there for it says so."""
    deltas, words = FAILURES[name]
    status, text = judge(stamps(deltas))
    assert status == 1 and re.search(rf"^credit: 0 bits: .*{re.escape(words)}", text, re.M), text


def test_p3_a_good_generator_cannot_be_told_from_noise():
    """The documented limit: deltas of a pseudo-random generator earn credit, and nothing could see it."""
    source = random.Random(1)
    assert judge(stamps(source.randrange(1000, 1256) for _ in range(SAMPLES)))[0] == 0


def test_p3_no_false_alarm_in_start_ups_of_this_machine(record_property):
    """P3: this machine's own counter earns its credit at every start; tests/entropy/false-alarms runs more of them."""
    verdicts = script("false-alarms").start_ups(str(PROGRAM), 200)
    record_property("start-ups without a false alarm", verdicts["credit: 256 bits"])
    assert verdicts == Counter({"credit: 256 bits": 200})
