# SPDX-License-Identifier: MIT
"""Copies of a machine's disks: in other machines, in machines without an identity, rolled back, and made of a machine
that has forgotten its seed."""
from __future__ import annotations

import shutil

from lab import disks
from lab.machine import Machine
from lab.scenario import Lab, scenario
from scenarios import ALWAYS, INITRAMFS_TOOLS, Boots, heir

# What a physical machine shows: no hypervisor, and a manufacturer of its own.
PHYSICAL = ("-cpu", "qemu64,-svm,-hypervisor", "-smbios", "type=1,manufacturer=Lab,product=Board{}",
            "-smbios", "type=2,manufacturer=Lab")


def physical(serial: str = "") -> tuple[str, ...]:
    """QEMU's arguments for a physical machine, with a serial number or without."""
    return tuple(word.format(f",serial={serial}" if serial else "") for word in PHYSICAL)


@scenario(INITRAMFS_TOOLS, after=("carried",))
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


@scenario(INITRAMFS_TOOLS, after=("carried",))
def snapshots(lab: Lab, generator: str) -> Boots:
    """A snapshot of a virtual machine, started again and again: the same disks, identity and time of day."""
    boots = {}
    time_of_day = ("-rtc", "base=2026-01-01T12:00:00")
    for name, options in (("auto", []), ("auto_again", []), ("always", ALWAYS), ("always_again", ALWAYS)):
        machine = heir(lab, generator, f"snapshot-{name}", append=options, hardware=time_of_day)
        boots[name] = machine.boot(f"snapshot, {name}", cut=True)
    return boots


@scenario(INITRAMFS_TOOLS, in_turn=(INITRAMFS_TOOLS,), after=("carried",))
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
