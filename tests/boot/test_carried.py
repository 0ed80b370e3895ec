# SPDX-License-Identifier: MIT
"""A new machine and its first two boots with a store partition, next to the same machine without earlyseed."""


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


def test_p6_no_seed_in_the_log(carried):
    """P6: neither bytes nor hexadecimal digits of a seed appear on the console."""
    for boot in carried.values():
        console = boot.console_file.read_bytes()
        for slot in (*boot.before.slots, *boot.after.slots):
            if slot.state == "valid":
                assert slot.seed not in console and slot.seed.hex()[:16].encode() not in console.lower()


def test_p4_the_time_limits_hold_as_shipped(defaults):
    """P4: under the time limits as shipped (jitter 250 ms, load 1 s), on a machine that is emulated and may be
    slower than any real one, jitter is either done in time or given up with the reason; login is reached."""
    boot = defaults["defaults"]
    assert boot.login_at is not None
    assert boot.credited("jitter") == 256 or boot.reason("jitter") == "no time left"
    # The limit is checked between batches of 1024 samples: allow for one batch on a busy machine.
    assert int(boot.report["jitter.time_us"]) < 250_000 * 3
