# SPDX-License-Identifier: MIT
"""Media that fail, that may not be written, that have large sectors, that are too small, that come late."""
from __future__ import annotations

import re
from typing import Any

import pytest

from lab.qemu import Qemu
from lab.scenario import Lab, scenario
from media import error_on, make_media, use_media
from scenarios import ALWAYS, INITRAMFS_TOOLS, Boots, heir

CHECK = "check the medium"
NOT_WRITABLE = ("cannot be written; make it writable, or check the medium", True, 0)
# What load says about the store, in one line and with what to do; whether the seed was read, and so mixed; its credit.
BROKEN = {
    "write-error": (f"cannot write the next seed: I/O error; {CHECK}", True, 0),
    # The seed was retired before that.
    "renew-error": (f"cannot write over the used seed: I/O error; {CHECK}", True, 256),
    "flush-error": (f"cannot flush the next seed: I/O error; {CHECK}", True, 0),
    # The newer seed cannot be read; the successor of the other one takes its place, and cannot be read back.
    "read-error": (f"cannot read the next seed: I/O error; {CHECK}", True, 0),
    "read-only": NOT_WRITABLE,
    "ext4-write-error": NOT_WRITABLE,  # its mount for writing fails
    "ext4-read-only": NOT_WRITABLE,
    "ext4-unclean-ro": NOT_WRITABLE,
    "ext4-mounted-ro": NOT_WRITABLE,
    "vfat-write-error": (f"cannot write the next seed: I/O error; {CHECK}", True, 0),
    "vfat-read-only": NOT_WRITABLE,
    "small": ("has 4096 bytes, 8192 are needed; make the partition larger", False, 0),
    "short-file": ("has 8191 bytes, 8192 are needed; remove it and run 'earlyseed setup'", False, 0),
}
TOO_SMALL = ["small", "short-file"]
NATIVE_4K = ["native-4k", "native-4k-partition", "native-4k-ext4", "native-4k-vfat"]


@scenario(long=[INITRAMFS_TOOLS])
def media(lab: Lab, generator: str) -> dict:
    """The machine's own store fails in the initrd, with each kind of error, then works again; in the first and the last
    of these boots other media are used in the running system: in the first one broken, in the last one healthy."""
    machine = heir(lab, generator, "media", append=ALWAYS)
    others = make_media(machine.folder, machine.store.read())
    write_error, broken = use_media(machine, others, "EIO on write", False, store=error_on("write"))
    slots = machine.store.START // 512
    return {
        "write_error": write_error, "broken": broken,
        "flush_error": machine.boot("EIO on flush", cut=True, store=error_on("flush")),
        "read_error": machine.boot("EIO on read", cut=True, store={
            "faults": error_on("read", slots)["faults"] + error_on("read", slots + 8)["faults"]}),
        **dict(zip(("healthy_boot", "healthy"), use_media(machine, others, "healthy again", True))),
    }


def _plug_store(guest: Qemu) -> None:
    guest.plug("store")
    guest.wait_for(r"vd[a-z]: vd[a-z]1\b", 300)


@scenario(nightly=[INITRAMFS_TOOLS])
def late(lab: Lab, generator: str) -> Boots:
    """The store's disk is plugged in after login; while the initrd waits for the root's disk; while the root file
    system's systemd starts."""
    machine = heir(lab, generator, "late", append=ALWAYS)
    is_late: dict[str, Any] = {"store": {"late": True}}

    def after_login(guest: Qemu) -> None:
        guest.wait_for_login()
        _plug_store(guest)

    def in_initrd(guest: Qemu) -> None:
        guest.wait_for("Begin: Waiting for root file system", 300)
        _plug_store(guest)
        guest.wait_for("earlyseed: load: crng ready; seed ", 300)
        guest.plug("root")
        guest.wait_for_login()

    def in_running_system(guest: Qemu) -> None:
        guest.wait_for("running in system mode", 300)
        _plug_store(guest)
        guest.wait_for_login()

    return {"after_login": machine.boot("disk after login", until=after_login, **is_late),
            "in_initrd": machine.boot("disk while the initrd waits", until=in_initrd, root={"late": True}, cut=True,
                                      **is_late),
            "in_running_system": machine.boot("disk after the initrd", until=in_running_system, cut=True, **is_late)}


def store_lines(lines):
    return [line for line in lines if re.match("earlyseed: (load|save): store ", line)]


def until_login(boot):
    return [line.text for line in boot.log if line.at < boot.login_at]


def went_on(boot):
    return boot.report["ready_by"] == "jitter" and boot.ready_at < boot.root_mounted_at < boot.login_at


# --- in the initrd --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, problem, mixed", [
    ("write_error", f"cannot write the next seed: I/O error; {CHECK}", True),
    ("flush_error", f"cannot flush the next seed: I/O error; {CHECK}", True),
    ("read_error", f"cannot be read; {CHECK}", False),
])
def test_p4_the_boot_goes_on(media, name, problem, mixed):
    """P4, P1, P8: with EIO on every write, flush or read of the slots the machine comes up; nothing is credited that
    could not be retired; one line says what is wrong with which store, and what to do."""
    boot = media[name]
    assert went_on(boot)
    assert boot.credited("seed") == 0 and boot.reason("seed")
    assert boot.report.get("seed.bytes") == ("64" if mixed else None)
    said = store_lines(until_login(boot))
    assert len(said) == 1 and re.search(f"store PARTLABEL=earlyseed: {problem}", said[0]), boot.lines


def test_p5_the_seed_outlives_the_errors(media):
    """P5: after three boots with errors the store has a seed, which is credited once the medium works again."""
    boot = media["healthy_boot"]
    assert boot.before.states == ("valid", "valid")
    assert went_on(boot)
    assert boot.report["store.state"] == "rotated"
    assert boot.credited("seed") == 256 and boot.reason("seed") == ""
    assert boot.before.newest.seed not in boot.after.raw


# --- in the running system ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", BROKEN)
def test_p1_broken_medium(media, name):
    """P1, P3, P8: what can be read is mixed, what could not be retired is not credited, and one line says why."""
    used = media["broken"][name]
    problem, mixed, credit = BROKEN[name]
    assert used.report["load.exit"] == "1"
    said = store_lines(used.loads)
    assert len(said) == 1 and re.search(problem, said[0]), used.loads
    assert used.report.get("seed.bytes") == ("64" if mixed else None)
    assert int(used.report["seed.credited_bits"]) == credit
    assert (used.report.get("seed.reason") is None) == (credit == 256)
    assert used.report["ready"] == "yes"


@pytest.mark.parametrize("name", BROKEN)
def test_p8_save_says_so_too(media, name):
    """P8: a save that fails says why in one line, and ends with 1."""
    used = media["broken"][name]
    assert used.report["save.exit"] == "1"
    assert len(used.saves) == 1 and store_lines(used.saves) == used.saves, used.saves


@pytest.mark.parametrize("name", [name for name in BROKEN if re.search("read-only|-ro$|write-error", name)])
def test_p5_what_cannot_be_written_is_as_it_was(media, name):
    """P5: not a byte of the store has changed."""
    used = media["broken"][name]
    assert used.after == used.before


@pytest.mark.parametrize("name", [name for name in BROKEN if name not in TOO_SMALL])
def test_p5_a_medium_that_works_again(media, name):
    """P5: the store has a seed; it is credited, for the first time, and the next one saved."""
    broken, used = media["broken"][name], media["healthy"][name]
    assert used.report["load.exit"] == used.report["save.exit"] == "0", used
    assert used.report["store.state"] == "rotated"
    assert int(used.report["seed.credited_bits"]) == 256
    if broken.report["seed.credited_bits"] != "0":
        assert int(used.report["seed.generation"]) > int(broken.report["seed.generation"])
    assert used.after.states == ("valid", "valid") and used.after.newest.creditable


@pytest.mark.parametrize("name", NATIVE_4K)
def test_p5_sectors_of_4096_bytes(media, name):
    """P5: used, rotated and saved, twice, as on any other disk."""
    first, second = media["broken"][name], media["healthy"][name]
    for used in (first, second):
        assert used.report["load.exit"] == used.report["save.exit"] == "0", used
        assert store_lines(used.loads) == []
        assert used.report["store.state"] == "rotated" and int(used.report["seed.credited_bits"]) == 256
        assert used.after.states == ("valid", "valid")
        assert used.before.newest.seed not in used.after.raw
    assert second.before == first.after


# --- late -----------------------------------------------------------------------------------------------------------

def seed_line(boot):
    return next(line for line in boot.load_lines if line.text.startswith("earlyseed: load: crng ready; seed "))


def test_p5_a_disk_that_comes_after_login_is_saved_to(late):
    """P4, P5, P8: load has not waited for it and has named it; the shutdown saves a seed there."""
    boot = late["after_login"]
    assert went_on(boot)
    assert boot.report["store.state"] == "missing"
    said = store_lines(boot.lines)
    assert len(said) == 1 and "PARTLABEL=earlyseed is not there; see 'earlyseed setup'" in said[0], boot.lines
    assert boot.after.states == ("valid", "valid")
    assert boot.after.newest.generation > boot.before.newest.generation


def test_p5_a_disk_that_comes_in_time_is_used_in_the_initrd(late):
    """P4, P5: it appears while the initrd waits for the root's disk, and is used before that is there."""
    boot = late["in_initrd"]
    assert went_on(boot)
    assert boot.credited("seed") == 256 and boot.report["store.state"] == "rotated"
    assert seed_line(boot).at < boot.root_mounted_at


def test_p5_a_disk_that_comes_after_the_initrd_is_used_in_the_running_system(late):
    """P4, P5: jitter has made the generator ready long before; the seed is mixed, credited and rotated all the same."""
    boot = late["in_running_system"]
    assert went_on(boot)
    assert boot.credited("seed") == 256 and boot.report["store.state"] == "rotated"
    assert boot.at("running in system mode") < seed_line(boot).at < boot.login_at


@pytest.mark.parametrize("name", ["after_login", "in_initrd"])
def test_p1_each_seed_of_the_late_disk_is_credited_once(late, name):
    """P1: the boot after uses a newer one."""
    following = {"after_login": "in_initrd", "in_initrd": "in_running_system"}[name]
    assert late[following].before == late[name].after
    assert int(late[following].report["seed.generation"]) == late[name].after.newest.generation
