# SPDX-License-Identifier: MIT
"""A new machine and its first two boots with a store partition, next to the same machine without earlyseed."""
from __future__ import annotations

from lab import images
from lab.machine import Machine
from lab.scenario import Lab, scenario
from scenarios import DRACUT, INITRAMFS_TOOLS, Boots, heir


@scenario(quick=[INITRAMFS_TOOLS], long=[DRACUT])
def bare(_lab: Lab, generator: str) -> Boots:
    """The same machine without earlyseed."""
    machine = Machine(f"bare-{generator}", images.image(generator, installed=False))
    return {"bare": machine.boot("without earlyseed", cut=True)}


@scenario(long=[INITRAMFS_TOOLS])
def defaults(lab: Lab, generator: str) -> Boots:
    """The configuration as shipped: no configuration file at all."""
    machine = heir(lab, generator, "defaults", image=images.image(generator))
    return {"defaults": machine.boot("as shipped", cut=True)}


def in_initrd_before_root(boot):
    """The generator was made ready after the initrd's start and before the root file system was mounted."""
    return boot.initrd_at < boot.ready_at < boot.root_mounted_at


def test_without_earlyseed_the_generator_is_not_ready_when_root_is_mounted(bare):
    """The problem itself: what this program is for."""
    boot = bare["bare"]
    assert boot.report is None and boot.all_lines == []
    assert boot.root_mounted_at is not None and boot.login_at is not None
    assert boot.ready_at is None or boot.ready_at > boot.root_mounted_at


def test_p3_first_boot_is_ready_by_jitter_before_root_is_mounted(carried):
    """P3: with no seed to be had, jitter earns the 256 bits, in the initrd."""
    boot = carried["first"]
    assert in_initrd_before_root(boot)
    assert boot.report["ready"] == "yes"
    assert boot.report["ready_by"] == "jitter"
    assert boot.credited("jitter") == 256
    assert int(boot.report["jitter.assessed_bits"]) >= 8 * 256, "assessed far above what is credited"
    assert boot.credited("seed") == 0 and boot.reason("seed")


def test_p4_the_machine_comes_up(carried):
    """P4: root is mounted, login is reached, at every boot."""
    for boot in carried.values():
        assert boot.root_mounted_at < boot.login_at


def test_p5_the_first_load_leaves_a_seed_already(carried):
    """P5: an empty store is filled by load, so that a power cut of the first boot would cost nothing; and the
    shutdown saves the next seed."""
    boot = carried["first"]
    assert boot.before.states == ("pristine", "pristine")
    assert boot.report["store.state"] == "created"
    assert boot.after.states == ("valid", "valid")
    assert boot.after.newest.generation == 3, "load writes 1 and 2, save 3"
    assert boot.after.newest.creditable
    assert any("earlyseed: save" in line for line in boot.all_lines)


def test_p5_second_boot_picks_up_the_seed_of_the_shutdown(carried):
    """P5: what was saved last is what is used, and the report says which it was."""
    first, second = carried["first"], carried["second"]
    assert second.before == first.after
    assert int(second.report["seed.generation"]) == first.after.newest.generation
    assert int(second.report["seed.bytes"]) == 64
    assert int(second.report["seed.saved_at"]) == first.after.newest.saved_at
    assert second.report["seed.saved_boot"].replace("-", "") == first.report["boot_id"].replace("-", "")


def test_p7_second_boot_rotates_both_slots(carried):
    """P7: after a boot, neither slot holds anything of what was there before it."""
    second = carried["second"]
    assert second.report["store.state"] == "rotated"
    assert second.after.states == ("valid", "valid")
    highest_before = second.before.newest.generation
    assert {slot.generation for slot in second.after.slots} == {highest_before + 2, highest_before + 3}
    for old in second.before.slots:
        assert old.seed not in second.after.raw


def test_p3_second_boot_of_a_virtual_machine_credits_jitter_alone(carried):
    """P3: under credit-seed = auto a seed in a virtual machine earns nothing, and the log says why."""
    boot = carried["second"]
    assert in_initrd_before_root(boot)
    assert boot.report["ready_by"] == "jitter" and boot.credited("jitter") == 256
    assert boot.credited("seed") == 0
    assert "virtual machine" in boot.reason("seed")
    assert any("virtual machine" in line for line in boot.lines)


def test_p8_the_log_has_a_line_for_each_part_and_status_agrees(carried):
    """P8: jitter's part and the seed's part in one line each; `status --json` tells the same as the report."""
    for boot in carried.values():
        assert len(boot.load_lines) == 2, boot.lines
        assert "jitter 256 bits" in boot.load_lines[0].text
        assert "seed 0 bits" in boot.load_lines[1].text
        assert boot.status["ready_now"] is True
        for key in ("ready_by", "jitter.credited_bits", "seed.credited_bits", "seed.reason", "store.state"):
            assert str(boot.status[key]) == boot.report[key]
        assert boot.status["ready_since_ms"] == int(boot.report["ready_at_ms"])
        # A virtual machine with virtio disks and no virtio-rng, as the lab makes them.
        assert [unused["source"] for unused in boot.status["unused"]] == ["virtio-rng"]


def test_p9_the_seed_is_used_before_root_is_mounted(carried):
    """P9: a raw partition needs no mount: its seed was used before the first file system was mounted."""
    for boot in carried.values():
        assert boot.load_lines[1].at < boot.at(r"EXT4-fs \(\w+\): mounted filesystem")


def leaked(seed, text):
    """Whether eight bytes of the seed, or their hexadecimal digits, are in the text."""
    pieces = [seed[at:at + 8] for at in range(0, len(seed), 8)]
    return any(piece in text or piece.hex().encode() in text.lower() for piece in pieces)


def test_p6_no_seed_in_the_log(carried):
    """P6: no part of a seed that was in the store is on the console, neither as bytes nor as hexadecimal digits. (What
    is fed to the kernel, tests/secrets looks for.)"""
    slots = [slot for boot in carried.values() for slot in (*boot.before.slots, *boot.after.slots)]
    seeds = {slot.seed for slot in slots if slot.state == "valid"}
    assert len(seeds) == 4, "the first boot leaves two of them, the second one two more"
    for boot in carried.values():
        console = boot.console_file.read_bytes()
        for line in (*boot.lines, "earlyseed: save: seed saved"):
            assert line.encode() in console, "the console has the whole boot"
        assert not any(leaked(seed, console) for seed in seeds)
        assert all(leaked(seed, console + seed[24:32].hex().upper().encode()) for seed in seeds), "it would be found"


def test_p4_jitter_has_the_time_that_is_shipped(defaults):
    """P4: 250 ms. On a machine that is emulated, and slower than any real one while its host is busy, jitter may be
    given up: then for that reason, after that time, and without credit. The limit is looked at between batches of
    1024 samples; so what came before the last one is within it, as far as they take equally long: half as much
    again for a busy host."""
    boot = defaults["defaults"]
    assert boot.login_at is not None
    batches, time_us = int(boot.report["jitter.samples"]) // 1024, int(boot.report["jitter.time_us"])
    assert time_us * (batches - 1) / batches < 1.5 * 250_000
    if boot.credited("jitter") == 256:
        assert batches == 3 and boot.report["ready_by"] == "jitter" and boot.reason("jitter") == ""
    else:
        assert boot.credited("jitter") == 0 and boot.reason("jitter") == "no time left"
        assert time_us >= 250_000 and boot.report["ready_by"] != "jitter"
