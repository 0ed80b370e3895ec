# SPDX-License-Identifier: MIT
"""What the machines of these tests live through. Each scenario returns its boots by name; the tests only look.

Most machines have the default configuration but for two time limits: an emulated machine on a busy host takes
ten times as long for everything, and a limit that the host's load exceeds would say nothing about the program.
`defaults` boots with the limits as shipped.
"""
from __future__ import annotations

from lab import blocklog, disks, images
from lab.machine import Boot, Machine
from lab.qemu import Qemu
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


@scenario(INITRAMFS_TOOLS, DRACUT, DRACUT_PLAIN, quick=(INITRAMFS_TOOLS,), in_turn=(DRACUT_PLAIN,))
def carried(_lab: Lab, generator: str) -> Boots:
    """A new machine with an empty store partition, booted twice in an orderly way."""
    machine = _partition_machine(f"carried-{generator}", images.image(generator, conf=PATIENCE))
    return {"first": machine.boot("first boot, empty store"), "second": machine.boot("second boot, same disk")}


def heir(lab: Lab, generator: str, name: str, **fields) -> Machine:
    """The machine of `carried` after its two boots: its identity and its store's bytes."""
    parent = lab.result("carried", generator)["second"]
    image = fields.pop("image", None) or images.image(generator, conf=PATIENCE)
    return _partition_machine(f"{name}-{generator}", image, parent.after.raw,
                              identity=fields.pop("identity", parent.identity), **fields)


@scenario(INITRAMFS_TOOLS, after=("carried",))
def defaults(lab: Lab, generator: str) -> Boots:
    """The configuration as shipped: no configuration file at all."""
    machine = heir(lab, generator, "defaults", image=images.image(generator))
    return {"defaults": machine.boot("as shipped", cut=True)}


@scenario(INITRAMFS_TOOLS, in_turn=(INITRAMFS_TOOLS,), after=("carried",))
def vouched(lab: Lab, generator: str) -> Boots:
    """The administrator vouches for the virtual machine (credit-seed = always); between the boots, a power cut."""
    machine = heir(lab, generator, "vouched", append=ALWAYS)
    return {"vouched": machine.boot("vouched for", cut=True),
            "after_cut": machine.boot("after a power cut", cut=True)}


@scenario(INITRAMFS_TOOLS, DRACUT, DRACUT_PLAIN, in_turn=(INITRAMFS_TOOLS, DRACUT, DRACUT_PLAIN), after=("carried",))
def seed_alone(lab: Lab, generator: str) -> Boots:
    """No credit for jitter: only the seed can make the generator ready."""
    image = images.image(generator, conf=PATIENCE + "credit-jitter = never\ncredit-seed = always\n")
    machine = heir(lab, generator, "seed-alone", image=image)
    return {"seed_alone": machine.boot("seed alone", cut=True)}


@scenario(INITRAMFS_TOOLS, in_turn=(INITRAMFS_TOOLS,), after=("carried",))
def cloned(lab: Lab, generator: str) -> Boots:
    """The store's disk in another machine (another DMI product UUID), vouched for or not."""
    machine = heir(lab, generator, "cloned", append=ALWAYS, identity="00c10ed0-0000-4000-8000-00000000c10e")
    return {"cloned": machine.boot("the disk in another machine", cut=True)}


@scenario(INITRAMFS_TOOLS, DRACUT, in_turn=(INITRAMFS_TOOLS, DRACUT), after=("carried",))
def switched_off(lab: Lab, generator: str) -> Boots:
    """The two off switches on the kernel command line."""
    machine = heir(lab, generator, "switched-off")
    return {"off": machine.boot("earlyseed=off", append=["earlyseed=off"]),
            "initrd_off": machine.boot("rd.earlyseed=0", append=["rd.earlyseed=0"], cut=True)}


def _file_boots(generator: str, disk: type, kind: str) -> Boots:
    image = images.image(generator, conf=PATIENCE + f"store = {disk.setting}\n")
    machine = Machine(f"{kind}-{generator}", image, append=ALWAYS)
    machine.store = disk(machine.folder / "store.img")
    machine.swap = disks.SwapDisk(machine.folder / "swap.img")
    return {"first": machine.boot("first boot, empty file"), "second": machine.boot("second boot", cut=True)}


@scenario(INITRAMFS_TOOLS, DRACUT, DRACUT_PLAIN, in_turn=(DRACUT_PLAIN,))
def ext4_file(_lab: Lab, generator: str) -> Boots:
    """The store is a file on an ext4 file system of its own; there is a device to resume from."""
    return _file_boots(generator, disks.Ext4Disk, "ext4")


@scenario(INITRAMFS_TOOLS, DRACUT, in_turn=(INITRAMFS_TOOLS, DRACUT))
def vfat_file(_lab: Lab, generator: str) -> Boots:
    """The same on vfat, as on an EFI system partition."""
    return _file_boots(generator, disks.VfatDisk, "vfat")


ROOT_STORE = "/var/lib/earlyseed/seed"


@scenario(INITRAMFS_TOOLS, DRACUT, in_turn=(INITRAMFS_TOOLS, DRACUT))
def root_file(_lab: Lab, generator: str) -> Boots:
    """The store is a file on the root file system, made by `earlyseed setup` on the running machine."""
    machine = Machine(f"root-{generator}", images.image(generator, conf=PATIENCE + f"store = {ROOT_STORE}\n"),
                      append=ALWAYS)
    look = {"store": f"stat -c '%a %u %s' {ROOT_STORE}", "mounts": "grep ' / ' /proc/mounts"}
    return {"first": machine.boot("setup", ask={"setup": "earlyseed setup", **look}),
            "second": machine.boot("second boot", ask=look, cut=True)}


@scenario(INITRAMFS_TOOLS, DRACUT, in_turn=(INITRAMFS_TOOLS, DRACUT), after=("carried",))
def obstacles(lab: Lab, generator: str) -> Boots:
    """No disk with a store at all, and a disk that cannot be written, in two boots."""
    without = Machine(f"missing-{generator}", images.image(generator, conf=PATIENCE), append=ALWAYS)
    read_only = heir(lab, generator, "read-only", append=ALWAYS)
    return {"missing": without.boot("no store", cut=True),
            "read_only": read_only.boot("read-only disk", store={"read_only": True}, cut=True),
            "read_only_again": read_only.boot("read-only disk, again", store={"read_only": True}, cut=True)}


@scenario(INITRAMFS_TOOLS, after=("carried",))
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


# A hibernated machine remembers a file in memory and a process. Nothing that is not asked to writes to a disk after the
# resume: so what is written by then, the initrd or the resuming kernel has written.
REMEMBER = """
echo 'what memory held' >/run/lab-memory
sleep infinity >/dev/null 2>&1 & echo $! >/run/lab-process
swapon --all
echo 0 >/sys/power/image_size
echo 0 >/proc/sys/vm/dirty_writeback_centisecs
for mounted in / $(findmnt --noheadings --output TARGET /keep); do
    mount -o remount,commit=300,noinit_itable "$mounted"
done"""
REMEMBERED = "cat /run/lab-memory /proc/$(cat /run/lab-process)/comm"
USE_AFTER_RESUME = {"save": "earlyseed save; echo $?", "status": "earlyseed status; echo $?"}

# The swap device appears when the initrd waits for nothing else: whoever does not wait for it too mounts a file system.
# In every boot, since the firmware's map of the memory, which must be the same for a resume, depends on the disks that
# it finds.
LATE_SWAP = {"late": True}
NOTHING_ELSE = {INITRAMFS_TOOLS: "Begin: Waiting for suspend/resume device", DRACUT: r"Found device .*0001\."}


def _plug_swap(guest: Qemu, generator: str) -> None:
    guest.wait_for(NOTHING_ELSE[generator], 300)
    guest.plug("swap")


def _boot_and_hibernate(machine: Machine, label: str, ask: dict[str, str]) -> Boot:
    def until(guest: Qemu) -> None:
        _plug_swap(guest, machine.image.generator)
        guest.wait_for_login()

    return machine.boot(label, until=until, swap=LATE_SWAP, ask={**ask, "remember": REMEMBER},
                        end=lambda guest: guest.hibernate(REMEMBERED))


def _resume(machine: Machine) -> dict:
    """Resumes, with every write of the resuming boot recorded."""
    found = {}

    def until(guest: Qemu) -> None:
        _plug_swap(guest, machine.image.generator)
        found["remembered"] = guest.resumed().splitlines()
        found["written"] = {name: blocklog.written(blocklog.read(disk.log)) for name, disk in guest.disks.items()}

    found["resumed"] = machine.boot("resumed", until=until, swap=LATE_SWAP, record=True, ask=USE_AFTER_RESUME)
    return found


@scenario(INITRAMFS_TOOLS, DRACUT, in_turn=(DRACUT,))
def hibernated(_lab: Lab, generator: str) -> dict:
    """A file system with the store in it is mounted while the machine hibernates. It resumes; boots as usual;
    hibernates again, and is told not to resume."""
    image = images.image(generator, conf=PATIENCE + f"store = {disks.Ext4Disk.setting}\n")
    machine = Machine(f"hibernated-{generator}", image, append=ALWAYS)
    machine.store = disks.Ext4Disk(machine.folder / "store.img")
    machine.swap = disks.SwapDisk(machine.folder / "swap.img")
    mounts = (f"mkdir /keep; echo 'UUID={disks.Ext4Disk.IDENTIFIER} /keep ext4 defaults 0 2' >>/etc/fstab; "
              f"echo 'UUID={disks.SwapDisk.IDENTIFIER} none swap defaults 0 0' >>/etc/fstab; mount /keep")
    return {"hibernated": _boot_and_hibernate(machine, "hibernated", {"mounts": mounts}),
            **_resume(machine),
            "next": _boot_and_hibernate(machine, "after the resumed one", {}),
            "noresume": machine.boot("hibernated, not resumed", append=["noresume"], ask=USE_AFTER_RESUME, cut=True)}


@scenario(INITRAMFS_TOOLS, DRACUT, in_turn=(INITRAMFS_TOOLS, DRACUT), after=("carried",))
def hibernated_partition(lab: Lab, generator: str) -> dict:
    """The store is a partition: load uses it before the attempt to resume, while the memory to be resumed to knows of
    its former content."""
    machine = heir(lab, generator, "hibernated-partition", append=ALWAYS)
    machine.swap = disks.SwapDisk(machine.folder / "swap.img")
    swap = {"swap": f"swapon UUID={disks.SwapDisk.IDENTIFIER}"}
    return {"hibernated": _boot_and_hibernate(machine, "hibernated", swap),
            **_resume(machine),
            "next": machine.boot("after the resumed one", cut=True)}


@scenario(INITRAMFS_TOOLS, in_turn=(INITRAMFS_TOOLS,), after=("carried",))
def icount(lab: Lab, generator: str) -> Boots:
    """Time is a function of the instructions run: a clock that counts, and no jitter. One processor: with -icount the second
    one never comes up."""
    machine = heir(lab, generator, "icount", append=ALWAYS, hardware=("-smp", "1", "-icount", "shift=1,sleep=off"))
    return {"icount": machine.boot("time counts instructions", cut=True)}


@scenario(INITRAMFS_TOOLS, DRACUT, in_turn=(INITRAMFS_TOOLS, DRACUT))
def hardware_rng(_lab: Lab, generator: str) -> Boots:
    """A virtual machine with virtio-rng, whose driver is a module that udev loads."""
    machine = Machine(f"virtio-rng-{generator}", images.image(generator, conf=PATIENCE + "hwrng-quality = 900\n"),
                      hardware=("-device", "virtio-rng-pci"))
    machine.store = disks.PartitionDisk(machine.folder / "store.img")
    return {"virtio_rng": machine.boot("virtio-rng", ask={"ready": "systemctl start earlyseed-ready.target; echo $?"},
                                       cut=True)}
