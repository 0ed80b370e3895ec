# SPDX-License-Identifier: MIT
"""A hardware RNG, whose driver is there only after earlyseed's first call."""


def test_p3_a_hardware_rng_is_used_in_the_initrd_and_credited_by_its_quality(hardware_rng):
    """P3, P8: jitter comes first and waits for nobody; the device is read as soon as its driver is there, once."""
    boot = hardware_rng["virtio_rng"]
    # systemd loads the driver itself as the first thing in dracut's initrd, and the kernel credits the device.
    assert boot.report["ready_by"] in ("jitter", "kernel")
    assert boot.credited("jitter") == 256
    assert boot.credited("hwrng") == 256 and boot.report["hwrng.bytes"] == "64"
    told = [line for line in boot.load_lines if "hwrng 256 bits" in line.text]
    assert len(told) == 1
    assert told[0].at < boot.root_mounted_at


def test_the_target_for_what_waits_is_reached(hardware_rng):
    """P8: earlyseed-ready.target, in a running system whose generator is ready."""
    assert hardware_rng["virtio_rng"].answers["ready"].strip() == "0"
