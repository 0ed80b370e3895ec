# SPDX-License-Identifier: MIT
"""The off switches on the kernel command line."""


def test_p4_earlyseed_off_does_nothing_at_all(switched_off):
    """P4: neither load nor, in the orderly shutdown, save: no line, no report, not a byte of the store changed."""
    boot = switched_off["off"]
    assert boot.login_at is not None
    assert boot.all_lines == []
    assert boot.report is None
    assert boot.after == boot.before


def test_p4_rd_earlyseed_0_keeps_load_from_running(switched_off):
    """P4: dracut's way to switch a module off, with both generators: nothing until login."""
    boot = switched_off["initrd_off"]
    assert boot.login_at is not None
    assert boot.lines == []
    assert boot.report is None
    assert boot.after == boot.before
