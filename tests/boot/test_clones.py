# SPDX-License-Identifier: MIT
"""What a seed is worth on a copy of the disk: in another machine or one without identity, in a snapshot,
in an image."""
from __future__ import annotations

import itertools
import shutil

from lab import disks
from lab.machine import Machine
from lab.scenario import Lab, scenario
from scenarios import ALWAYS, INITRAMFS_TOOLS, Boots, heir, physical


@scenario(long=[INITRAMFS_TOOLS])
def physical_machines(lab: Lab, generator: str) -> Boots:
    """Under credit-seed = auto, in what looks like physical machines: the disk in the machine that saved the seed; then
    in one without any identity, twice; then that one has a serial number, twice; then another serial number."""
    machine = heir(lab, generator, "physical")
    boots = {}

    def boot(name: str, label: str, serial: str, identity: str) -> None:
        machine.hardware, machine.identity = physical(serial), identity
        boots[name] = machine.boot(label, cut=True)

    boot("own", "the machine that saved the seed", "", machine.identity)
    boot("nobody", "in a machine without identity", "To Be Filled By O.E.M.", "")
    boot("nobody_again", "there once more", "To Be Filled By O.E.M.", "")
    boot("serial", "it has a serial number", "LAB-0001", "")
    boot("serial_again", "the same serial number", "LAB-0001", "")
    boot("other_serial", "another serial number", "LAB-0002", "")
    return boots


@scenario(long=[INITRAMFS_TOOLS])
def snapshots(lab: Lab, generator: str) -> Boots:
    """A snapshot of a virtual machine, started again and again: the same disks, identity and time of day."""
    boots = {}
    time_of_day = ("-rtc", "base=2026-01-01T12:00:00")
    for name, options in (("auto", []), ("auto_again", []), ("always", ALWAYS), ("always_again", ALWAYS)):
        machine = heir(lab, generator, f"snapshot-{name}", append=options, hardware=time_of_day)
        boots[name] = machine.boot(f"snapshot, {name}", cut=True)
    return boots


@scenario(long=[INITRAMFS_TOOLS])
def forgotten(lab: Lab, generator: str) -> Boots:
    """An image is made of a machine that ran `earlyseed forget`, and two machines of the image."""
    golden = heir(lab, generator, "golden", append=ALWAYS)
    boots = {"golden": golden.boot("forget", ask={"forget": "earlyseed forget; echo $?"})}
    for name in ("one", "two"):
        copy = Machine(f"copy-{name}-{generator}", golden.image, append=ALWAYS)
        copy.store = disks.PartitionDisk(copy.folder / "store.img", golden.store.read().raw)
        shutil.copy(golden.root, copy.root)
        boots[name] = copy.boot(f"copy {name} of the image", cut=True)
    return boots


def all_differ(values):
    values = list(values)
    return len(set(values)) == len(values)


def new_seeds(boot):
    """Those in the records that the boot left, made in the initrd: of the seed, jitter and the kernel's output."""
    return [slot.seed for slot in boot.after.slots]


def test_p3_a_bound_seed_earns_256_bits_on_a_physical_machine(physical_machines):
    """P3, P2: under credit-seed = auto, on the machine that saved it."""
    boot = physical_machines["own"]
    assert boot.credited("seed") == 256 and boot.reason("seed") == ""


def test_p2_no_credit_in_a_machine_without_identity(physical_machines):
    """P2: a disk from elsewhere, in a machine whose serial number is a placeholder and that has no UUID."""
    boot = physical_machines["nobody"]
    assert any(boot.before.newest.machine_tag)
    assert boot.credited("seed") == 0 and "another machine" in boot.reason("seed")
    assert {slot.machine_tag for slot in boot.after.slots} == {bytes(32)}


def test_p2_a_machine_without_identity_never_earns_credit(physical_machines):
    """P2: not with the seed that it saved itself either: any other machine without identity would look the same."""
    boot = physical_machines["nobody_again"]
    assert boot.before.newest.machine_tag == bytes(32)
    assert boot.credited("seed") == 0 and "no identity" in boot.reason("seed")
    assert "credit-seed = always" in boot.report["seed.advice"]


def test_p2_a_serial_number_is_an_identity(physical_machines):
    """P2: a seed from before it earns nothing, the next one does, and not with another serial number."""
    first, again, other = (physical_machines[name] for name in ("serial", "serial_again", "other_serial"))
    assert first.credited("seed") == 0 and "had no identity" in first.reason("seed")
    assert again.credited("seed") == 256 and again.reason("seed") == ""
    assert other.credited("seed") == 0 and "another machine" in other.reason("seed")
    tags = [boot.after.newest.machine_tag for boot in (first, again, other)]
    assert tags[0] == tags[1] != tags[2]


def test_p4_jitter_makes_them_ready_all_the_same(physical_machines, snapshots, forgotten):
    """P4, P10: whatever the seed is worth, it is mixed, and the generator is ready before root is mounted."""
    for boot in (*physical_machines.values(), *snapshots.values(), forgotten["one"], forgotten["two"]):
        assert boot.report["ready_by"] == "jitter" and boot.ready_at < boot.root_mounted_at
    for boot in (*physical_machines.values(), *snapshots.values()):
        assert int(boot.report["seed.bytes"]) == 64


def test_p1_a_snapshot_of_a_virtual_machine_earns_nothing(snapshots):
    """P1: started twice from the same store, it would be credited twice."""
    first, again = snapshots["auto"], snapshots["auto_again"]
    assert first.before == again.before
    for boot in (first, again):
        assert boot.credited("seed") == 0 and "snapshot can be started twice" in boot.reason("seed")


def test_a_vouched_snapshot_is_credited_each_time(snapshots):
    """The documented limit: who says `always` says that this does not happen. No file can tell."""
    first, again = snapshots["always"], snapshots["always_again"]
    assert first.before == again.before
    assert [boot.credited("seed") for boot in (first, again)] == [256, 256]
    assert first.report["seed.generation"] == again.report["seed.generation"]


def test_p1_two_boots_from_one_snapshot_have_different_output(snapshots):
    """P1: same seed, identity and time of day: jitter tells them apart, in the initrd and at the login prompt."""
    boots = list(snapshots.values())
    assert len({boot.before.raw for boot in boots}) == 1
    assert all_differ(boot.random for boot in boots)
    assert all_differ(itertools.chain.from_iterable(new_seeds(boot) for boot in boots))


def test_p2_forget_leaves_no_seed_for_the_image(forgotten):
    """P2: nothing but zeros in the store, and the shutdown saves none."""
    golden = forgotten["golden"]
    assert golden.before.states == ("valid", "valid")
    assert golden.answers["forget"].endswith("0\n"), golden.answers["forget"]
    assert not any(golden.after.raw)
    assert any("nothing is saved until the next boot" in line for line in golden.all_lines)


def test_p2_machines_of_an_image_start_afresh(forgotten):
    """P2, P5: each makes its own first seed, bound to it, and their outputs differ."""
    one, two = forgotten["one"], forgotten["two"]
    for boot in (one, two):
        assert boot.report["store.state"] == "created"
        assert boot.credited("seed") == 0 and "no seed" in boot.reason("seed")
        assert boot.after.states == ("valid", "valid") and boot.after.newest.creditable
    assert all_differ(boot.after.newest.machine_tag for boot in (one, two))
    assert all_differ([*new_seeds(one), *new_seeds(two)])
    assert all_differ(boot.random for boot in (forgotten["golden"], one, two))
