# SPDX-License-Identifier: MIT
"""The off switches on the kernel command line."""
from __future__ import annotations

import json

import pytest

from lab.scenario import Lab, scenario
from scenarios import DRACUT, INITRAMFS_TOOLS, Boots, heir


@scenario(long=[INITRAMFS_TOOLS], nightly=[DRACUT])
def switched_off(lab: Lab, generator: str) -> Boots:
    """The two off switches on the kernel command line."""
    machine = heir(lab, generator, "switched-off")
    # Whoever reads /dev/random waits until the kernel has made itself ready.
    status = "head -c 1 /dev/random >/dev/null; earlyseed status --json"
    return {"off": machine.boot("earlyseed=off", append=["earlyseed=off"], ask={"status": status}),
            "initrd_off": machine.boot("rd.earlyseed=0", append=["rd.earlyseed=0"], cut=True)}


def test_p4_earlyseed_off_does_nothing_at_all(switched_off):
    """P4: neither load nor, in the orderly shutdown, save: no line, no report, not a byte of the store changed."""
    boot = switched_off["off"]
    assert boot.login_at is not None
    assert boot.all_lines == []
    assert boot.report is None
    assert boot.after == boot.before


def test_p8_status_without_load_says_so_and_reads_the_kernels_log(switched_off):
    """P8: since when the generator is ready, and that earlyseed had no part in it."""
    boot = switched_off["off"]
    status = json.loads(boot.answers["status"])
    assert status["ready_now"] is True and "ready_by" not in status
    assert status["ready_since_ms"] == pytest.approx(boot.ready_at * 1000, abs=1)
    assert status["ready_thanks_to"] == "not thanks to earlyseed"


def test_p4_rd_earlyseed_0_keeps_load_from_running(switched_off):
    """P4: dracut's way to switch a module off, with both generators: nothing until login."""
    boot = switched_off["initrd_off"]
    assert boot.login_at is not None
    assert boot.lines == []
    assert boot.report is None
    assert boot.after == boot.before
