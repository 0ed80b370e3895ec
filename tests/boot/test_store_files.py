# SPDX-License-Identifier: MIT
"""Stores that are files: on a file system that load mounts by itself, and on the root file system."""
from __future__ import annotations

import pytest

from lab import disks, images
from lab.machine import Machine
from lab.scenario import Lab, scenario
from scenarios import ALWAYS, DRACUT, DRACUT_PLAIN, INITRAMFS_TOOLS, PATIENCE, ROOT_STORE, Boots


def _file_boots(generator: str, disk: type[disks.Ext4Disk | disks.VfatDisk], kind: str) -> Boots:
    image = images.image(generator, conf=PATIENCE + f"store = {disk.setting}\n")
    machine = Machine(f"{kind}-{generator}", image, append=ALWAYS)
    machine.store = disk(machine.folder / "store.img")
    machine.swap = disks.SwapDisk(machine.folder / "swap.img")
    return {"first": machine.boot("first boot, empty file"), "second": machine.boot("second boot", cut=True)}


@scenario(long=[INITRAMFS_TOOLS], nightly=[DRACUT, DRACUT_PLAIN])
def ext4_file(_lab: Lab, generator: str) -> Boots:
    """The store is a file on an ext4 file system of its own; there is a device to resume from."""
    return _file_boots(generator, disks.Ext4Disk, "ext4")


@scenario(nightly=[INITRAMFS_TOOLS, DRACUT])
def vfat_file(_lab: Lab, generator: str) -> Boots:
    """The same on vfat, as on an EFI system partition."""
    return _file_boots(generator, disks.VfatDisk, "vfat")


@scenario(long=[INITRAMFS_TOOLS], nightly=[DRACUT])
def root_file(_lab: Lab, generator: str) -> Boots:
    """The store is a file on the root file system, made by `earlyseed setup` on the running machine."""
    machine = Machine(f"root-{generator}", images.image(generator, conf=PATIENCE + f"store = {ROOT_STORE}\n"),
                      append=ALWAYS)
    look = {"store": f"stat -c '%a %u %s' {ROOT_STORE}", "mounts": "grep ' / ' /proc/mounts"}
    return {"first": machine.boot("setup", ask={"setup": "earlyseed setup", **look}),
            "second": machine.boot("second boot", ask=look, cut=True)}


def used_store(boots, promise_of_second):
    """The first boot fills the file, the second one finds the seed of the shutdown and credits it."""
    first, second = boots["first"], boots["second"]
    assert first.report["store.state"] == "created"
    assert first.after.states == ("valid", "valid")
    assert second.before == first.after
    assert second.report["store.state"] == "rotated", promise_of_second
    assert int(second.report["seed.generation"]) == first.after.newest.generation
    assert second.credited("seed") == 256 and second.reason("seed") == ""
    assert second.after.states == ("valid", "valid")
    assert second.before.newest.seed not in second.after.raw


def seed_line(boot):
    """The log line of the load that used the store."""
    return next(line for line in boot.load_lines if line.text.startswith("earlyseed: load: crng ready; seed "))


def resume_attempt(boot):
    """When the kernel, asked by the initrd, looked for an image to resume from and found none. (Its own try, before
    the initrd, ends without a word when there is no disk yet.)"""
    found = [line.at for line in boot.log if "PM: Image not found" in line.text and line.at > boot.initrd_at]
    return found[0] if found else None


def system_start(boot):
    """When the root file system's systemd started: the last one to do so (a systemd initrd has its own)."""
    return [line.at for line in boot.log if "running in system mode" in line.text][-1]


def first_mount(boot):
    return boot.at(r"EXT4-fs \(\w+\): mounted filesystem")


def test_p5_a_file_on_ext4_carries_the_seed(ext4_file):
    """P5: as on a partition, so in a file."""
    used_store(ext4_file, "rotated in the initrd")


def test_p5_a_file_on_vfat_carries_the_seed(vfat_file):
    """P5: as on a partition, so on an EFI system partition's file system."""
    used_store(vfat_file, "rotated in the initrd")


@pytest.mark.parametrize("which", ["first", "second"])
def test_p9_ext4_file_is_mounted_after_the_resume_attempt(ext4_file, which):
    """P9: the order is: ready by jitter, which needs no mount, the attempt to resume, the store's mount, its use,
    root's."""
    boot = ext4_file[which]
    assert resume_attempt(boot) is not None, "no attempt to resume in the log: the test tests nothing"
    assert boot.ready_at < resume_attempt(boot) < first_mount(boot) < seed_line(boot).at < boot.root_mounted_at


@pytest.mark.parametrize("which", ["first", "second"])
def test_p9_vfat_file_is_used_after_the_resume_attempt(vfat_file, which):
    """P9: ready by jitter, the attempt to resume, the store's use, root's mount (vfat does not log its mounts)."""
    boot = vfat_file[which]
    assert resume_attempt(boot) is not None, "no attempt to resume in the log: the test tests nothing"
    assert boot.ready_at < resume_attempt(boot) < seed_line(boot).at < boot.root_mounted_at


def test_p6_setup_makes_a_private_file(root_file):
    """P6: root's alone, 8192 bytes, and still so after two boots."""
    for boot in root_file.values():
        assert boot.answers["store"].split() == ["600", "0", "8192"]


def test_p5_a_file_on_the_root_file_system_carries_the_seed(root_file):
    """P5: used in the initrd once root is mounted, before the system in it is started."""
    boot = root_file["second"]
    assert boot.report["seed.store"] == ROOT_STORE
    assert boot.report["store.state"] == "rotated"
    assert boot.report["seed.saved_boot"].replace("-", "") == root_file["first"].report["boot_id"].replace("-", "")
    assert boot.credited("seed") == 256 and boot.reason("seed") == ""
    assert boot.ready_at < boot.root_mounted_at < seed_line(boot).at < system_start(boot)
