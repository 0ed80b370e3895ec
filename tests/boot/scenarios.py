# SPDX-License-Identifier: MIT
"""What the machines of these tests live through. Each scenario returns its boots by name; the tests only look.

Most machines have the default configuration but for two time limits: an emulated machine on a busy host takes
ten times as long for everything, and a limit that the host's load exceeds would say nothing about the program.
`defaults` boots with the limits as shipped.
"""
from __future__ import annotations

from lab import disks, images
from lab.machine import Boot, Machine
from lab.scenario import Lab, scenario

INITRAMFS_TOOLS = "initramfs-tools"
DRACUT = "dracut"
DRACUT_PLAIN = "dracut-without-systemd"

PATIENCE = "jitter-timeout-ms = 5000\nload-timeout-ms = 7000\n"  # units end load after 10 s
ALWAYS = ["earlyseed.credit_seed=always"]

Boots = dict[str, Boot]


def _partition_machine(name: str, image: images.Image, content: bytes = disks.PRISTINE, **fields) -> Machine:
    machine = Machine(name, image, **fields)
    machine.store = disks.PartitionDisk(machine.folder / "store.img", content)
    return machine


@scenario(INITRAMFS_TOOLS, DRACUT, quick=(INITRAMFS_TOOLS,))
def bare(_lab: Lab, generator: str) -> Boots:
    """The same machine without earlyseed."""
    machine = Machine(f"bare-{generator}", images.image(generator, installed=False))
    return {"bare": machine.boot("without earlyseed", cut=True)}


@scenario(INITRAMFS_TOOLS, DRACUT, DRACUT_PLAIN, quick=(INITRAMFS_TOOLS,))
def carried(_lab: Lab, generator: str) -> Boots:
    """A new machine with an empty store partition, booted twice in an orderly way."""
    machine = _partition_machine(f"carried-{generator}", images.image(generator, conf=PATIENCE))
    return {"first": machine.boot("first boot, empty store"), "second": machine.boot("second boot, same disk")}


def _heir(lab: Lab, generator: str, name: str, **fields) -> Machine:
    """The machine of `carried` after its two boots: its identity and its store's bytes."""
    parent = lab.result("carried", generator)["second"]
    image = fields.pop("image", None) or images.image(generator, conf=PATIENCE)
    return _partition_machine(f"{name}-{generator}", image, parent.after.raw,
                              identity=fields.pop("identity", parent.identity), **fields)


@scenario(INITRAMFS_TOOLS, after=("carried",))
def defaults(lab: Lab, generator: str) -> Boots:
    """The configuration as shipped: no configuration file at all."""
    machine = _heir(lab, generator, "defaults", image=images.image(generator))
    return {"defaults": machine.boot("as shipped", cut=True)}


@scenario(INITRAMFS_TOOLS, DRACUT, after=("carried",))
def vouched(lab: Lab, generator: str) -> Boots:
    """The administrator vouches for the virtual machine (credit-seed = always); between the boots, a power cut."""
    machine = _heir(lab, generator, "vouched", append=ALWAYS)
    return {"vouched": machine.boot("vouched for", cut=True),
            "after_cut": machine.boot("after a power cut", cut=True)}


@scenario(INITRAMFS_TOOLS, DRACUT, DRACUT_PLAIN, after=("carried",))
def seed_alone(lab: Lab, generator: str) -> Boots:
    """No credit for jitter: only the seed can make the generator ready."""
    image = images.image(generator, conf=PATIENCE + "credit-jitter = never\ncredit-seed = always\n")
    machine = _heir(lab, generator, "seed-alone", image=image)
    return {"seed_alone": machine.boot("seed alone", cut=True)}


@scenario(INITRAMFS_TOOLS, DRACUT, after=("carried",))
def cloned(lab: Lab, generator: str) -> Boots:
    """The store's disk in another machine (another DMI product UUID), vouched for or not."""
    machine = _heir(lab, generator, "cloned", append=ALWAYS, identity="00c10ed0-0000-4000-8000-00000000c10e")
    return {"cloned": machine.boot("the disk in another machine", cut=True)}


@scenario(INITRAMFS_TOOLS, DRACUT, after=("carried",))
def switched_off(lab: Lab, generator: str) -> Boots:
    """The two off switches on the kernel command line."""
    machine = _heir(lab, generator, "switched-off")
    return {"off": machine.boot("earlyseed=off", append=["earlyseed=off"]),
            "initrd_off": machine.boot("rd.earlyseed=0", append=["rd.earlyseed=0"], cut=True)}


def _file_boots(generator: str, disk: type, kind: str) -> Boots:
    image = images.image(generator, conf=PATIENCE + f"store = {disk.setting}\n")
    machine = Machine(f"{kind}-{generator}", image, append=ALWAYS)
    machine.store = disk(machine.folder / "store.img")
    machine.swap = disks.SwapDisk(machine.folder / "swap.img")
    return {"first": machine.boot("first boot, empty file"), "second": machine.boot("second boot", cut=True)}


@scenario(INITRAMFS_TOOLS, DRACUT, DRACUT_PLAIN)
def ext4_file(_lab: Lab, generator: str) -> Boots:
    """The store is a file on an ext4 file system of its own; there is a device to resume from."""
    return _file_boots(generator, disks.Ext4Disk, "ext4")


@scenario(INITRAMFS_TOOLS, DRACUT)
def vfat_file(_lab: Lab, generator: str) -> Boots:
    """The same on vfat, as on an EFI system partition."""
    return _file_boots(generator, disks.VfatDisk, "vfat")


ROOT_STORE = "/var/lib/earlyseed/seed"


@scenario(INITRAMFS_TOOLS, DRACUT)
def root_file(_lab: Lab, generator: str) -> Boots:
    """The store is a file on the root file system, made by `earlyseed setup` on the running machine."""
    machine = Machine(f"root-{generator}", images.image(generator, conf=PATIENCE + f"store = {ROOT_STORE}\n"),
                      append=ALWAYS)
    look = {"store": f"stat -c '%a %u %s' {ROOT_STORE}", "mounts": "grep ' / ' /proc/mounts"}
    return {"first": machine.boot("setup", ask={"setup": "earlyseed setup", **look}),
            "second": machine.boot("second boot", ask=look, cut=True)}


@scenario(INITRAMFS_TOOLS, DRACUT, after=("carried",))
def obstacles(lab: Lab, generator: str) -> Boots:
    """No disk with a store at all, and a disk that cannot be written."""
    without = Machine(f"missing-{generator}", images.image(generator, conf=PATIENCE), append=ALWAYS)
    read_only = _heir(lab, generator, "read-only", append=ALWAYS)
    return {"missing": without.boot("no store", cut=True),
            "read_only": read_only.boot("read-only disk", store_read_only=True, cut=True)}


@scenario(INITRAMFS_TOOLS, after=("carried",))
def damaged(lab: Lab, generator: str) -> Boots:
    """Stores with one bit wrong in a slot, in both, and with somebody else's data."""
    machine = _heir(lab, generator, "damaged", append=ALWAYS)
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
