# SPDX-License-Identifier: MIT
"""The crash states of small logs, counted by hand, and the log that QEMU writes."""
import crash  # noqa: F401 (knows where lab is)
from lab import blocklog, tools
from lab.blocklog import FLUSH, FUA, SECTOR, Entry

BASE = bytes(8 * SECTOR)
A, B = b"a" * SECTOR, b"b" * SECTOR


def states(entries, torn=(), limit=4096):
    """For each interval the disk contents, a letter a sector."""
    found = []
    for interval in blocklog.intervals(BASE, entries, torn):
        disks = []
        for state in interval.states(limit):
            sectors = [state.get(n, BASE[:SECTOR]) for n in range(3)]
            disks.append("".join(s[:1].decode() + ("/" if s[0] != s[-1] else "") for s in sectors).replace("\0", "."))
        assert len(disks) == interval.possible or interval.possible > limit
        found.append(set(disks))
    return found


def test_a_write_is_lost_or_torn_until_the_flush():
    log = [Entry(0, 0, A + A), Entry(0, FLUSH, b""), Entry(2, 0, B)]
    assert states(log) == [{"...", "a..", ".a.", "aa."}, {"aa.", "aab"}]


def test_writes_come_in_any_order_and_the_first_of_two_may_be_the_last():
    log = [Entry(0, 0, A), Entry(1, 0, A), Entry(0, 0, B), Entry(0, FLUSH, b"")]
    assert states(log) == [{"...", "a..", "b..", ".a.", "aa.", "ba."}, {"ba."}]


def test_what_is_written_again_with_the_same_content_is_no_new_state():
    log = [Entry(0, 0, A), Entry(0, FLUSH, b""), Entry(0, 0, A), Entry(0, 0, BASE[:SECTOR])]
    assert states(log) == [{"...", "a.."}, {"a..", "..."}]


def test_fua_makes_its_own_write_durable_and_no_other():
    log = [Entry(0, 0, A), Entry(1, FUA, B)]
    assert states(log) == [{"...", "a..", ".b.", "ab."}, {".b.", "ab."}]


def test_a_flush_with_data_comes_before_them():
    log = [Entry(0, 0, A), Entry(1, FLUSH, B)]
    assert states(log) == [{"...", "a.."}, {"a..", "ab."}]


def test_a_sector_may_tear_within():
    log = [Entry(0, 0, A), Entry(1, 0, A)]
    assert states(log, torn={0}) == [{"...", "a/..", "a..", ".a.", "a/a.", "aa."}]


def test_a_selection_has_the_prefixes_and_what_lacks_one_sector():
    log = [Entry(0, 0, A + A), Entry(2, 0, B)]
    assert {"...", "a..", "aa.", "aab", ".ab", "a.b", ".a.", "..b"} == states(log, limit=7)[0]


def test_qemus_log_leads_to_its_disk(tmp_path):
    disk, log = tmp_path / "disk", tmp_path / "log"
    disk.write_bytes(BASE)
    log.touch()
    tools.run("qemu-io", "--image-opts", f"driver=blklogwrites,file.driver=file,file.filename={disk},"
              f"log.driver=file,log.filename={log}",
              "-c", "write -P 97 512 1024", "-c", "flush", "-c", "write -P 98 0 512")
    entries = blocklog.read(log)
    assert [(e.sector, e.flags, e.data) for e in entries if e.data] == [(1, 0, A + A), (0, 0, B)]
    assert entries.index(Entry(0, FLUSH, b"")) == 1
    assert blocklog.after(BASE, entries) == disk.read_bytes() == B + A + A + BASE[3 * SECTOR:]
    assert blocklog.written(entries) == {0, 1, 2}
