# SPDX-License-Identifier: MIT
"""A machine that is suspended to disk, and resumed or not."""
import re

from lab.blocklog import SECTOR
from lab.disks import PartitionDisk
from lab.record import STORE_BYTES


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
