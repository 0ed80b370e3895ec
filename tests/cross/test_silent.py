# SPDX-License-Identifier: MIT
"""The silent aarch64 machine (silent.py): when does it answer a real ssh client? Without earlyseed, with it, and with
the armhf program under the same kernel, as on boards with a 32-bit system."""
from __future__ import annotations

import pytest

import silent
from silent import START

pytestmark = pytest.mark.long

READY = "random: crng init done"
WAITS = "Waiting for kernel randomness"
ANSWER = "Pubkey auth succeeded"


@pytest.fixture(scope="module")
def without(tmp_path_factory):
    return silent.boot(tmp_path_factory.mktemp("without"), None)


@pytest.fixture(scope="module", params=["arm64", "armhf"])
def seeded(request, cross_build, tmp_path_factory):
    return silent.boot(tmp_path_factory.mktemp(request.param), cross_build(request.param).program)


def test_without_it_ssh_hangs_until_the_kernel_helps_itself(without, record_property):
    """The problem: dropbear says that it waits, and answers only when the generator is ready."""
    assert without.at(START) < without.at(WAITS) < without.at(READY) < without.at(ANSWER)
    record_property("s from dropbear to a session without earlyseed", without.seconds_to_answer())


def test_p4_with_it_ssh_answers_at_once(seeded, record_property):
    """P4: the generator is ready before dropbear starts, thanks to earlyseed, and nobody waits."""
    assert seeded.at(READY) < seeded.at(START) < seeded.at(ANSWER)
    assert seeded.at(WAITS) is None
    assert seeded.report["ready_by"] == "jitter"
    record_property("s with it", seeded.seconds_to_answer())


def test_p1_the_seed_is_credited_and_rotated(seeded):
    """P1, P3: both sources earn their 256 bits; the store has the successor."""
    assert seeded.report["jitter.credited_bits"] == seeded.report["seed.credited_bits"] == "256"
    assert seeded.report["store.state"] == "rotated" and seeded.report["seed.generation"] == "2"
    assert seeded.store.states == ("valid", "valid") and seeded.store.newest.generation > 2
    assert b"2" * 64 not in seeded.store.raw
