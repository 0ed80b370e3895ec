# SPDX-License-Identifier: MIT
"""When the seed carries the credit, and when it must not."""
from __future__ import annotations

import re

from lab import images
from lab.scenario import Lab, scenario
from scenarios import ALWAYS, DRACUT, DRACUT_PLAIN, INITRAMFS_TOOLS, PATIENCE, Boots, heir


@scenario(long=[INITRAMFS_TOOLS])
def vouched(lab: Lab, generator: str) -> Boots:
    """The administrator vouches for the virtual machine (credit-seed = always); between the boots, a power cut."""
    machine = heir(lab, generator, "vouched", append=ALWAYS)
    return {"vouched": machine.boot("vouched for", cut=True),
            "after_cut": machine.boot("after a power cut", cut=True)}


@scenario(long=[INITRAMFS_TOOLS], nightly=[DRACUT, DRACUT_PLAIN])
def seed_alone(lab: Lab, generator: str) -> Boots:
    """No credit for jitter: only the seed can make the generator ready."""
    image = images.image(generator, conf=PATIENCE + "credit-jitter = never\ncredit-seed = always\n")
    machine = heir(lab, generator, "seed-alone", image=image)
    return {"seed_alone": machine.boot("seed alone", cut=True)}


@scenario(long=[INITRAMFS_TOOLS])
def cloned(lab: Lab, generator: str) -> Boots:
    """The store's disk in another machine (another DMI product UUID), vouched for or not."""
    machine = heir(lab, generator, "cloned", append=ALWAYS, identity="00c10ed0-0000-4000-8000-00000000c10e")
    return {"cloned": machine.boot("the disk in another machine", cut=True)}


def test_p1_a_vouched_seed_is_credited_once(vouched):
    """P1: 256 bits for the seed of the last shutdown; the boot after the power cut credits a seed too, but
    another one: the one credited is on the disk no more."""
    first, after_cut = vouched["vouched"], vouched["after_cut"]
    for boot in (first, after_cut):
        assert boot.credited("seed") == 256 and boot.reason("seed") == ""
        assert int(boot.report["seed.generation"]) == boot.before.newest.generation
    assert int(after_cut.report["seed.generation"]) > int(first.report["seed.generation"])
    assert first.before.newest.seed not in first.after.raw


def test_p5_a_power_cut_costs_nothing(vouched):
    """P5: without any save, the next boot finds the seed that load left, and it is worth its credit."""
    first, after_cut = vouched["vouched"], vouched["after_cut"]
    assert not any("earlyseed: save" in line for line in first.all_lines)
    assert after_cut.before == first.after
    assert after_cut.before.states == ("valid", "valid")
    assert after_cut.before.newest.creditable
    assert after_cut.report["seed.saved_boot"].replace("-", "") == first.report["boot_id"].replace("-", "")


def test_p10_the_seed_is_mixed_and_rotated_when_jitter_was_first(vouched):
    """P10: ready already, by jitter; the seed is rotated and accounted for all the same."""
    for boot in vouched.values():
        assert boot.report["ready_by"] == "jitter"
        assert boot.report["store.state"] == "rotated"
        assert int(boot.report["seed.bytes"]) == 64


def test_p3_the_seed_alone_makes_it_ready_before_root_is_mounted(seed_alone):
    """P3: with no credit for jitter, the seed's 256 bits make the generator ready in the initrd."""
    boot = seed_alone["seed_alone"]
    assert boot.report["ready_by"] == "seed"
    assert boot.credited("seed") == 256
    assert boot.credited("jitter") == 0 and "credit-jitter = never" in boot.reason("jitter")
    assert boot.initrd_at < boot.ready_at < boot.root_mounted_at


def test_p1_the_seed_alone_is_on_the_disk_no_more(seed_alone):
    """P1: the boot was cut, and the disk holds two newer records, not the seed that was credited. (That they were there
    before the credit, tests/crash shows.)"""
    boot = seed_alone["seed_alone"]
    assert boot.after.states == ("valid", "valid")
    assert min(slot.generation for slot in boot.after.slots) > boot.before.newest.generation
    assert boot.before.newest.seed not in boot.after.raw


def test_p2_a_cloned_disk_earns_nothing(cloned):
    """P2: on another machine the seed is mixed with credit 0, whatever the administrator vouches for."""
    boot = cloned["cloned"]
    assert boot.credited("seed") == 0
    assert re.search(r"another machine|not saved on this machine", boot.reason("seed"))
    assert int(boot.report["seed.bytes"]) == 64
    assert boot.report["ready_by"] == "jitter" and boot.ready_at < boot.root_mounted_at


def test_p2_a_cloned_disk_becomes_the_new_machines(cloned):
    """P2: both records are replaced by ones that carry the new machine's tag."""
    boot = cloned["cloned"]
    old, new = boot.before.newest.machine_tag, {slot.machine_tag for slot in boot.after.slots}
    assert len(new) == 1 and old not in new and any(new.pop())
