# SPDX-License-Identifier: MIT
"""A machine that is suspended to disk, and resumed or not."""
from __future__ import annotations

import re
from typing import Any

from lab import blocklog, disks, images
from lab.blocklog import SECTOR
from lab.disks import PartitionDisk
from lab.machine import Boot, Machine
from lab.qemu import Qemu
from lab.record import STORE_BYTES
from lab.scenario import Lab, scenario
from scenarios import ALWAYS, DRACUT, INITRAMFS_TOOLS, PATIENCE, heir


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
    found: dict[str, Any] = {}

    def until(guest: Qemu) -> None:
        _plug_swap(guest, machine.image.generator)
        found["remembered"] = guest.resumed().splitlines()
        found["written"] = {name: blocklog.written(blocklog.read(disk.log))
                            for name, disk in guest.disks.items() if disk.log}

    found["resumed"] = machine.boot("resumed", until=until, swap=LATE_SWAP, record=True, ask=USE_AFTER_RESUME)
    return found


@scenario(long=[INITRAMFS_TOOLS], nightly=[DRACUT])
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


@scenario(nightly=[INITRAMFS_TOOLS, DRACUT])
def hibernated_partition(lab: Lab, generator: str) -> dict:
    """The store is a partition: load uses it before the attempt to resume, while the memory to be resumed to knows of
    its former content."""
    machine = heir(lab, generator, "hibernated-partition", append=ALWAYS)
    machine.swap = disks.SwapDisk(machine.folder / "swap.img")
    swap = {"swap": f"swapon UUID={disks.SwapDisk.IDENTIFIER}"}
    return {"hibernated": _boot_and_hibernate(machine, "hibernated", swap),
            **_resume(machine),
            "next": machine.boot("after the resumed one", cut=True)}


def resuming(boot):
    """The log of the kernel that resumed another one, up to the moment when it gave way."""
    end = next(index for index, line in enumerate(boot.console) if "Suspending console" in line.text)
    return boot.console[:end]


def at(log, pattern):
    return next((line.at for line in log if re.search(pattern, line.text)), None)


def boot_id(text):
    return text.replace("-", "")


def test_the_machine_is_resumed(hibernated, hibernated_partition):
    """What is looked at below is a resume: a process and a file in memory are there, in the boot that hibernated."""
    for story in (hibernated, hibernated_partition):
        assert story["remembered"] == ["what memory held", "sleep"]
        assert at(resuming(story["resumed"]), "PM: Image successfully loaded")
        assert story["resumed"].report["boot_id"] == story["hibernated"].report["boot_id"]


def test_p9_no_file_system_is_mounted_before_the_resume(hibernated, hibernated_partition):
    """P9: the swap device comes last, the store's file system is there before it; nothing is mounted meanwhile."""
    for story in (hibernated, hibernated_partition):
        log = resuming(story["resumed"])
        assert at(log, r"\[vdb\]") < at(log, r"\[vdc\]") < at(log, "PM: Image signature found, resuming")
        assert [line.text for line in log if re.search("EXT4-fs|FAT-fs|mounted filesystem", line.text)] == []


def test_p9_no_block_of_a_file_system_changes(hibernated, hibernated_partition):
    """P9: from the power button to the resumed process, nothing is written to root's disk, nor to the disk with the
    store's file system; to the swap device, its header, which says that there is an image. (And so the records of the
    writes are no empty ones.)"""
    for story in (hibernated, hibernated_partition):
        assert story["written"]["root"] == set()
        assert story["written"]["swap"] and story["written"]["swap"] <= set(range(8))
    assert hibernated["written"]["store"] == set()


def test_p9_jitter_makes_ready_before_the_resume(hibernated):
    """P9, P4: what needs no mount is done before the resume, and says what is yet to be done."""
    log = resuming(hibernated["resumed"])
    loads = [line for line in log if line.text.startswith("earlyseed: ")]
    assert len(loads) == 1 and "crng ready; jitter 256 bits" in loads[0].text, loads
    assert "waits until a file system may be mounted" in loads[0].text
    assert at(log, "crng init done") < loads[0].at < at(log, "PM: Image signature found")


def test_p9_a_partition_is_used_before_the_resume(hibernated_partition):
    """P9, P1: it needs no mount. The seed is used and retired, in both slots and nowhere else."""
    story = hibernated_partition
    log = resuming(story["resumed"])
    assert at(log, "earlyseed: load: crng ready; seed 256 bits") < at(log, "PM: Image signature found")
    first = PartitionDisk.START // SECTOR
    assert story["written"]["store"] == set(range(first, first + STORE_BYTES // SECTOR))


def test_p5_save_works_after_the_resume(hibernated, hibernated_partition):
    """P5: status and save see the store as it is, not as it was; the shutdown saves once more."""
    for story in (hibernated, hibernated_partition):
        resumed = story["resumed"]
        assert resumed.answers["save"].endswith("\n0\n") or resumed.answers["save"] == "0\n", resumed.answers["save"]
        assert resumed.answers["status"].endswith("\n0\n"), resumed.answers["status"]
        assert resumed.after.states == ("valid", "valid")
        assert resumed.after.newest.creditable
        assert boot_id(str(resumed.after.newest.boot_id)) == boot_id(story["hibernated"].report["boot_id"])


def test_p1_no_seed_is_credited_twice(hibernated, hibernated_partition):
    """P1: of the seeds that were credited (by the hibernated boot, by the initrd that resumed it, by the boot after) no
    two are the same, and none is on the disk any more."""
    story = hibernated_partition
    credited = [story["hibernated"].before.newest, story["resumed"].before.newest, story["next"].before.newest]
    assert credited[0].generation < credited[1].generation < credited[2].generation
    for story, names in ((hibernated, ("hibernated", "resumed", "next", "noresume")),
                         (hibernated_partition, ("hibernated", "resumed", "next"))):
        for before, after in zip(names, names[1:]):
            assert story[after].before == story[before].after
        for name in names[2:]:
            boot = story[name]
            assert boot.credited("seed") == 256 and boot.reason("seed") == ""
            assert int(boot.report["seed.generation"]) == boot.before.newest.generation
            assert boot.before.newest.seed not in boot.after.raw


def test_p5_the_boot_after_the_resumed_one_has_its_seed(hibernated, hibernated_partition):
    """P5: the seed that the resumed machine saved when it was shut down."""
    for story in (hibernated, hibernated_partition):
        boot = story["next"]
        assert boot.report["store.state"] == "rotated"
        assert boot_id(boot.report["seed.saved_boot"]) == boot_id(story["hibernated"].report["boot_id"])
        assert boot.ready_at < boot.root_mounted_at < boot.login_at


def test_p5_seeding_works_when_the_image_is_not_resumed(hibernated):
    """P5: with `noresume` the machine boots as after a power cut: the store's file system was mounted, its journal is
    replayed, and the seed that load left there is used in the initrd, credited and rotated."""
    boot = hibernated["noresume"]
    assert not any("Image signature found" in line.text for line in boot.console)
    assert boot.report["ready_by"] == "jitter"
    assert boot.report["store.state"] == "rotated"
    assert boot_id(boot.report["seed.saved_boot"]) == boot_id(hibernated["next"].report["boot_id"])
    assert boot.at("earlyseed: load: crng ready; seed 256 bits") < boot.root_mounted_at
    assert boot.answers["status"].endswith("\n0\n"), boot.answers["status"]
    assert boot.after.states == ("valid", "valid") and boot.after.newest.creditable
