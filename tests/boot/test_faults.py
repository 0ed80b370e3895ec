# SPDX-License-Identifier: MIT
"""Stores that are missing, read-only, damaged or not ours: the boot goes on, credit is lost, the log says why."""
from __future__ import annotations

import re

import pytest

from lab import images
from lab.machine import Machine
from lab.scenario import Lab, scenario
from scenarios import ALWAYS, DRACUT, INITRAMFS_TOOLS, PATIENCE, Boots, heir


@scenario(long=[INITRAMFS_TOOLS], nightly=[DRACUT])
def obstacles(lab: Lab, generator: str) -> Boots:
    """No disk with a store at all, and a disk that cannot be written, in two boots."""
    without = Machine(f"missing-{generator}", images.image(generator, conf=PATIENCE), append=ALWAYS)
    read_only = heir(lab, generator, "read-only", append=ALWAYS)
    return {"missing": without.boot("no store", cut=True),
            "read_only": read_only.boot("read-only disk", store={"read_only": True}, cut=True),
            "read_only_again": read_only.boot("read-only disk, again", store={"read_only": True}, cut=True)}


@scenario(long=[INITRAMFS_TOOLS])
def damaged(lab: Lab, generator: str) -> Boots:
    """Stores with one bit wrong in a slot, in both, and with somebody else's data."""
    machine = heir(lab, generator, "damaged", append=ALWAYS)
    store = machine.store.read()
    newest = store.slots.index(store.newest)
    boots = {}
    machine.store.write(store.with_flipped_bit(newest))
    boots["one_slot"] = machine.boot("one slot damaged", cut=True)
    boots["next"] = machine.boot("the boot after that", cut=True)
    machine.store.write(store.with_flipped_bit(0, 1))
    boots["both_slots"] = machine.boot("both slots damaged", cut=True)
    machine.store.write(b"The quick brown fox.\n" + bytes(range(256)) * 31 + bytes(235))
    boots["foreign"] = machine.boot("somebody else's data", cut=True)
    return boots


def boot_went_on(boot):
    """Jitter made the generator ready before root was mounted, and login was reached."""
    return (boot.report["ready_by"] == "jitter" and boot.ready_at < boot.root_mounted_at < boot.login_at)


def warnings(boot):
    return [line for line in boot.lines if not line.startswith("earlyseed: load: crng")]


def test_p4_missing_store(obstacles):
    """P4, P8: no store anywhere: nobody waits for it, one line of warning says so."""
    boot = obstacles["missing"]
    assert boot_went_on(boot)
    assert boot.credited("seed") == 0 and boot.reason("seed")
    assert boot.report["store.state"] == "missing"
    assert len([line for line in boot.lines if "PARTLABEL=earlyseed" in line and "setup" in line]) == 1, boot.lines


def waited_for(boot):
    """What systemd, in the initrd or later, and initramfs-tools said that they wait for."""
    console = boot.console_file.read_text(errors="replace")
    return set(re.findall(r"\b(?:Expecting device|Waiting for|Timed out waiting for) [^\r\n]*", console))


def test_p4_nothing_waits_for_a_missing_store(obstacles, carried):
    """P4: what the boot without a store waits for, one with it waits for too; and from the generator's readiness
    to root's mount it takes no longer, but for what a busy host adds: initramfs-tools would wait for a device for
    30 s, systemd 90."""
    missing, usual = obstacles["missing"], carried.values()
    assert any("ttyS0" in what for what in waited_for(missing)), \
        "it is not said what is waited for: the test tests nothing"
    assert waited_for(missing) <= set.union(*map(waited_for, usual))

    def stretch(boot):
        return boot.root_mounted_at - boot.ready_at
    assert stretch(missing) < 2 * max(map(stretch, usual)) + 15


@pytest.mark.parametrize("name", ["read_only", "read_only_again"])
def test_p1_read_only_disk(obstacles, name):
    """P1: a seed that cannot be retired is mixed and not credited, every time; the disk is as it was."""
    boot = obstacles[name]
    assert boot_went_on(boot)
    assert boot.credited("seed") == 0
    assert "cannot be written" in boot.reason("seed")
    assert boot.report["store.state"] == "read-only"
    assert int(boot.report["seed.bytes"]) == 64
    assert boot.after == boot.before
    assert len(warnings(boot)) == 1, boot.lines


def test_p3_one_damaged_slot(damaged):
    """P3: the other slot's seed is mixed, and not credited: what the damaged slot said is lost."""
    boot = damaged["one_slot"]
    assert sorted(boot.before.states) == ["damaged", "valid"]
    assert boot_went_on(boot)
    assert int(boot.report["seed.generation"]) == boot.before.newest.generation
    assert boot.credited("seed") == 0 and "other slot is damaged" in boot.reason("seed")
    assert boot.after.states == ("valid", "valid")


def test_p5_a_damaged_slot_costs_one_boots_credit(damaged):
    """P5: the very next boot credits again."""
    boot = damaged["next"]
    assert boot_went_on(boot)
    assert boot.credited("seed") == 256


def test_p5_both_slots_damaged(damaged):
    """P5: no seed for this boot, and a new pair of records for the next one."""
    boot = damaged["both_slots"]
    assert boot.before.states == ("damaged", "damaged")
    assert boot_went_on(boot)
    assert boot.credited("seed") == 0 and boot.reason("seed")
    assert boot.after.states == ("valid", "valid")


def test_p8_somebody_elses_data_is_left_alone(damaged):
    """P8: what is not ours is never written to, and one line says what to do."""
    boot = damaged["foreign"]
    assert boot_went_on(boot)
    assert boot.after == boot.before
    assert boot.credited("seed") == 0
    assert boot.report["store.state"] == "refused"
    assert len(warnings(boot)) == 1, boot.lines


@pytest.mark.parametrize("name", ["one_slot", "both_slots", "foreign"])
def test_p8_every_zero_has_its_reason_in_the_log(damaged, name):
    """P8: the reason for the seed's zero credit stands in the line of the load that looked at the store."""
    boot = damaged[name]
    assert any("seed 0 bits: " + boot.reason("seed") in line for line in boot.lines)
