# SPDX-License-Identifier: MIT
"""The off switches on the kernel command line."""
import pytest


def test_p4_earlyseed_off_does_nothing_at_all(switched_off):
    """P4: neither load nor, in the orderly shutdown, save: no line, no report, not a byte of the store changed."""
    boot = switched_off["off"]
    assert boot.login_at is not None
    assert boot.all_lines == []
    assert boot.report is None
    assert boot.after == boot.before


def test_p8_status_without_load_says_so_and_reads_the_kernels_log(switched_off):
    """P8: whether and since when the generator was ready when status was asked, before the boot went on."""
    boot = switched_off["off"]
    assert "ready_by" not in boot.status
    if boot.status["ready_now"]:
        assert boot.status["ready_since_ms"] == pytest.approx(boot.ready_at * 1000, abs=1)
        assert boot.status["ready_thanks_to"] == "not thanks to earlyseed"


def test_p4_rd_earlyseed_0_keeps_load_from_running(switched_off):
    """P4: dracut's way to switch a module off, with both generators: nothing until login."""
    boot = switched_off["initrd_off"]
    assert boot.login_at is not None
    assert boot.lines == []
    assert boot.report is None
    assert boot.after == boot.before
