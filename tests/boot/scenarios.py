# SPDX-License-Identifier: MIT
"""What the scenarios have in common: how long a machine is patient, what it looks like, and whose heir it is.

Most machines have the default configuration but for two time limits: an emulated machine on a busy host takes
ten times as long for everything, and a limit that the host's load exceeds would say nothing about the program.
`defaults` (test_carried.py) boots with the limits as shipped.
"""
from __future__ import annotations

from lab import disks, images
from lab.machine import Boot, Machine
from lab.scenario import Lab

INITRAMFS_TOOLS = "initramfs-tools"
DRACUT = "dracut"
DRACUT_PLAIN = "dracut-without-systemd"

PATIENCE = "jitter-timeout-ms = 5000\nload-timeout-ms = 7000\n"  # units end load after 10 s
ALWAYS = ["earlyseed.credit_seed=always"]
ROOT_STORE = "/var/lib/earlyseed/seed"

# What a physical machine shows: no hypervisor, and a manufacturer of its own.
PHYSICAL = ("-cpu", "qemu64,-svm,-hypervisor", "-smbios", "type=1,manufacturer=Lab,product=Board{}",
            "-smbios", "type=2,manufacturer=Lab")

Boots = dict[str, Boot]


def physical(serial: str = "") -> tuple[str, ...]:
    """QEMU's arguments for a physical machine, with a serial number or without."""
    return tuple(word.format(f",serial={serial}" if serial else "") for word in PHYSICAL)


def partition_machine(name: str, image: images.Image, content: bytes = disks.PRISTINE, **fields) -> Machine:
    """A machine with a store partition."""
    machine = Machine(name, image, **fields)
    machine.store = disks.PartitionDisk(machine.folder / "store.img", content)
    return machine


def heir(lab: Lab, generator: str, name: str, **fields) -> Machine:
    """The machine of the scenario `carried` (conftest.py) after its two boots: its identity and its store's bytes."""
    parent = lab.result("carried", generator)["second"]
    image = fields.pop("image", None) or images.image(generator, conf=PATIENCE)
    return partition_machine(f"{name}-{generator}", image, parent.after.raw,
                             identity=fields.pop("identity", parent.identity), **fields)
