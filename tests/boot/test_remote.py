# SPDX-License-Identifier: MIT
"""LUKS root unlocked over ssh (dropbear-initramfs): when does the machine answer?"""
from remote import START

WAITS = "Waiting for kernel randomness"
ANSWER = "Pubkey auth succeeded"


def seconds_to_answer(boot):
    return round(boot.at(ANSWER) - boot.at(START), 2)


def test_without_it_ssh_hangs_until_the_kernel_helps_itself(remote, record_property):
    """The problem: dropbear waits for the generator, and nobody is answered before."""
    boot = remote["without"]
    assert boot.at(START) < boot.at(WAITS) < boot.ready_at < boot.at(ANSWER) < boot.root_mounted_at
    record_property("s from dropbear to a session without earlyseed", seconds_to_answer(boot))


def test_p4_with_it_ssh_answers_at_once(remote, record_property):
    """P4: the generator is ready before dropbear starts, thanks to earlyseed, and nobody waits."""
    boot = remote["with"]
    assert boot.ready_at < boot.at(START) < boot.at(ANSWER) < boot.root_mounted_at
    assert boot.at(WAITS) is None
    assert boot.report["ready_by"] == "jitter"
    record_property("s with it", seconds_to_answer(boot))


def test_p1_the_seed_is_credited_before_dropbear_starts(remote):
    """P1: the partition is there for init-top, so the seed does its part too before anybody asks."""
    boot = remote["with"]
    assert boot.credited("seed") == 256 and boot.report["store.state"] == "rotated"
    seed = next(line for line in boot.load_lines if "; seed 256 bits" in line.text)
    assert seed.at < boot.at(START)
    assert boot.after.states == ("valid", "valid") and b"2" * 64 not in boot.after.raw
