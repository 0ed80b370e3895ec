# SPDX-License-Identifier: MIT
"""A hardware RNG, whose driver is there only after earlyseed's first call."""
from __future__ import annotations

from lab import images
from lab.scenario import Lab, scenario
from scenarios import DRACUT, INITRAMFS_TOOLS, PATIENCE, Boots, partition_machine


@scenario(long=[INITRAMFS_TOOLS], nightly=[DRACUT])
def hardware_rng(_lab: Lab, generator: str) -> Boots:
    """A virtual machine with virtio-rng, whose driver is a module that udev loads."""
    image = images.image(generator, conf=PATIENCE + "hwrng-quality = 900\n")
    machine = partition_machine(f"virtio-rng-{generator}", image, hardware=("-device", "virtio-rng-pci"))
    return {"virtio_rng": machine.boot("virtio-rng", cut=True)}


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
