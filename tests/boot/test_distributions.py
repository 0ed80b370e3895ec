# SPDX-License-Identifier: MIT
"""The package on Debian's releases, inits and initrd generators: installed, used, removed, purged."""
from __future__ import annotations

import importlib.machinery
import importlib.util
from pathlib import Path

from distributions import ROWS, live
from lab.scenario import Lab, scenario
from scenarios import PATIENCE, ROOT_STORE


@scenario(nightly=list(ROWS))
def distribution(_lab: Lab, name: str) -> dict:
    """The life of the package on a machine of the row."""
    return live(ROWS[name])


def in_initrd_before_root(boot):
    return boot.initrd_at < boot.ready_at < boot.root_mounted_at


def test_without_earlyseed_the_generator_is_not_ready_when_root_is_mounted(distribution, record_property):
    """What the others are compared with. The row is told by ./check."""
    record_property("of the matrix", distribution["row"].name)
    boot = distribution["bare"]
    assert boot.report is None and boot.lines == []
    assert boot.ready_at is None or boot.ready_at > boot.root_mounted_at


def test_p3_the_first_boot_is_ready_by_jitter_before_root_is_mounted(distribution):
    """P3: the installation has put the program into the initrd, and jitter earns 256 bits there."""
    boot = distribution["first"]
    assert [name for name in distribution["initrd_parts"] if name.endswith("sbin/earlyseed")]
    assert in_initrd_before_root(boot)
    assert boot.report["ready_by"] == "jitter" and boot.credited("jitter") == 256


def test_p5_setup_makes_a_store_and_each_shutdown_saves(distribution):
    """P5: on a plain machine, a file in the root file system; the shutdown writes it while it is writable."""
    assert distribution["first"].answers["conf"] == PATIENCE + f"store = {ROOT_STORE}\n"
    for boot in (distribution["first"], distribution["second"]):
        assert any("earlyseed: save" in line for line in boot.all_lines)
        assert boot.after.newest.creditable
        assert boot.after.newest.boot_id.hex == boot.report["boot_id"].replace("-", "")


def test_p1_the_seed_of_the_last_shutdown_is_credited_once(distribution):
    """P1, P2: what the first boot's shutdown saved earns 256 bits in the second, and is retired."""
    first, second = distribution["first"], distribution["second"]
    assert in_initrd_before_root(second)
    assert int(second.report["seed.generation"]) == first.after.newest.generation
    assert second.report["seed.saved_boot"] == first.report["boot_id"].replace("-", "")
    assert second.credited("seed") == 256 and second.reason("seed") == ""
    assert second.report["store.state"] == "rotated"
    assert second.after.newest.generation > first.after.newest.generation


def test_p4_every_boot_comes_up_as_before(distribution):
    """P4: to the login prompt, with no more failed units than without."""
    bare = distribution["bare"]
    for boot in (bare, distribution["first"], distribution["second"], distribution["removed"]):
        assert boot.root_mounted_at < boot.login_at
        assert boot.answers["failed"] == bare.answers["failed"]


def test_removed_it_leaves_the_boot_alone(distribution):
    """Removing makes the initrd anew, and what a removed package leaves behind is silent; the store is kept."""
    boot = distribution["removed"]
    assert distribution["initrd_parts_removed"] == []
    assert boot.report is None
    assert "earlyseed" not in Path(boot.console_file).read_text(errors="replace")
    assert distribution["seeds_found_removed"] > 0


def test_p6_purged_it_leaves_no_seed_and_no_file(distribution):
    """P6: no seed that was ever in the store is anywhere on the disk."""
    assert distribution["seeds"] >= 4
    assert distribution["seeds_found_purged"] == 0
    assert distribution["left"] == []


def test_the_table_keeps_what_was_not_played(tmp_path):
    """matrix.md: the line of a row that was played replaces the old one, that of a new row has its place, and nothing
    else changes."""
    loader = importlib.machinery.SourceFileLoader("matrix", str(Path(__file__).with_name("matrix")))
    spec = importlib.util.spec_from_loader("matrix", loader)
    assert spec
    matrix = importlib.util.module_from_spec(spec)
    loader.exec_module(matrix)
    table = tmp_path / "matrix.md"
    table.write_text("before\n\n| row | x |\n|---|---|\n| bullseye-dracut | old |\n| sid-dracut | old |\n\nafter\n")
    matrix.save(table, {"bullseye-dracut": "| bullseye-dracut | new |", "trixie-dracut": "| trixie-dracut | new |"})
    assert table.read_text() == ("before\n\n| row | x |\n|---|---|\n"
                                 "| bullseye-dracut | new |\n| trixie-dracut | new |\n| sid-dracut | old |\n\nafter\n")
