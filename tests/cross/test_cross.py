# SPDX-License-Identifier: MIT
"""The program and its unit tests for other architectures, made by musl/cross and run by qemu-user."""
from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from conftest import BUILD, QEMU, REPOSITORY, build
from lab.machine import parse_report
from lab.record import Store

pytestmark = pytest.mark.long

RECORDINGS = sorted((REPOSITORY / "tests/entropy/recordings").glob("*.txt"))
# Unit tests that are left out: one takes minutes under emulation; in two the emulator would be what is measured.
NOT_EMULATED = [
    "power cuts at every call",
    "this machine's own counter earns",
    "jitter that is collected in time earns",
]
# A store's life, in a /run of its own, and without a word in this machine's kernel log.
LIFE = """set -e
cd "$1"
shift
mount -t tmpfs tmpfs /run
mount --bind /dev/null /dev/kmsg
earlyseed() { command="$1"; shift; "$qemu" "$program" "$command" --config "$PWD/conf" "$@"; }
qemu=$1 program=$2
earlyseed setup --store "$PWD/seed"
cp seed made
earlyseed save
cp seed saved
earlyseed load || [ $? = 1 ]
cat /run/earlyseed/report
"""


def output(*command) -> tuple[int, str]:
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


@pytest.mark.nightly
@pytest.mark.parametrize("arch", QEMU)
def test_unit_tests(cross_build, arch, record_property):
    """The unit tests, with the undefined-behaviour sanitizer. They take a minute and a half to compile."""
    cross = cross_build(arch)
    build(cross.arch, "enabled")
    status, text = output(cross.qemu, cross.build / "tests/unit/unit",
                          " ".join(f'~"*{name}*"' for name in NOT_EMULATED))
    assert status == 0, text
    passed, = re.findall(r"All tests passed \(\d+ assertions in (\d+) test cases\)", text)
    record_property(f"unit tests on {arch}", passed)


def test_product_checks(cross, record_property):
    """The checks of tests/product, but for the limit, which is for x86-64: static, no heap, no C++ runtime, no way to a
    blocking random source."""
    checks = [f"{REPOSITORY}/tests/product/test_product.py::{name}" for name in ("test_own_objects", "test_linked")]
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *checks],
                          env={**os.environ, "EARLYSEED_BUILD": str(cross.build)}, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout
    record_property(f"bytes on {cross.arch}", cross.program.stat().st_size)


def test_it_starts(cross):
    native = output(BUILD / "earlyseed", "--version")
    assert native[0] == 0 and output(cross.qemu, cross.program, "--version") == native


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_p3_it_judges_as_the_native_program(cross, recording):
    """P3: the same recording, the same judgement, word for word."""
    judgement = output(BUILD / "earlyseed", "record", "--judge", recording)
    assert "credit: " in judgement[1]
    assert output(cross.qemu, cross.program, "record", "--judge", recording) == judgement


def test_it_samples_its_own_counter(cross, tmp_path):
    """Time stamps of this architecture's counter, as the emulator has it: they go on, and never backwards."""
    recording = tmp_path / "recording"
    assert output(cross.qemu, cross.program, "record", "--samples", "3072", recording) == (0, "")
    head, *lines = recording.read_text().splitlines()
    clock = {"arm64": "aarch64, CNTVCT_EL0", "riscv64": "riscv64, time"}.get(cross.arch, "CLOCK_MONOTONIC, ns")
    assert clock in head
    stamps = [int(line) for line in lines if not line.startswith("#")]
    assert len(stamps) == 3073 and stamps == sorted(stamps) and len(set(stamps)) > 1536


def test_p5_it_rotates_a_store(cross, tmp_path):
    """P5: a file is made, saved to, and rotated. qemu-user knows no RNDADDENTROPY: this says nothing of credit."""
    done = output("unshare", "--mount", "sh", "-c", LIFE, "sh", tmp_path, cross.qemu, cross.program)
    assert done[0] == 0, done[1]
    report = parse_report(done[1])
    made, saved, loaded = (Store((tmp_path / name).read_bytes()) for name in ("made", "saved", "seed"))
    assert made.states == saved.states == loaded.states == ("valid", "valid")
    assert made.newest.generation < saved.newest.generation < loaded.newest.generation
    assert report["store.state"] == "rotated" and int(report["seed.generation"]) == saved.newest.generation
    assert saved.newest.seed not in loaded.raw
