# SPDX-License-Identifier: MIT
"""A machine whose clock counts instructions (QEMU's -icount): what looks like time has no noise in it."""
from __future__ import annotations

from lab.scenario import Lab, scenario
from scenarios import ALWAYS, INITRAMFS_TOOLS, Boots, heir


@scenario(long=[INITRAMFS_TOOLS])
def icount(lab: Lab, generator: str) -> Boots:
    """Time is a function of the instructions run: a clock that counts, and no jitter. One processor:
    with -icount the second one never comes up."""
    machine = heir(lab, generator, "icount", append=ALWAYS, hardware=("-smp", "1", "-icount", "shift=1,sleep=off"))
    return {"icount": machine.boot("time counts instructions", cut=True)}


def test_p3_jitter_earns_nothing(icount):
    """P3, P8: no credit, and the report names the test and what it saw."""
    boot = icount["icount"]
    assert boot.credited("jitter") == 0
    assert "alarm at" in boot.reason("jitter"), boot.reason("jitter")
    assert any("jitter 0 bits" in line for line in boot.lines)


def test_p4_the_seed_makes_it_ready_and_the_boot_goes_on(icount):
    """P4: what such a machine has is its seed: credited, before the root is mounted."""
    boot = icount["icount"]
    assert boot.report["ready_by"] == "seed" and boot.credited("seed") == 256
    assert boot.ready_at < boot.root_mounted_at < boot.login_at
