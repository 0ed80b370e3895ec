# SPDX-License-Identifier: MIT
"""What ./check counts and says at its end, its tiers, and what tests/README.md says of them."""
from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import source

README = source.read("tests/README.md")
TESTS = source.REPOSITORY / "tests"
MESON = """project('sample')
configure_file(output: 'earlyseed', input: 'meson.build', copy: true)
"""
SAMPLE = """
import pytest
def test_passes(): pass
def test_fails(): assert False
@pytest.mark.parametrize("number", [1])
def test_is_skipped(number): pytest.skip("there is no\\nmusl for it")
@pytest.mark.xfail(reason="known")
def test_is_expected_to_fail(): assert False
@pytest.mark.long
def test_is_long(): pass
@pytest.mark.nightly
def test_is_nightly(): pass
"""


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Path:
    """A small project, with the real tests/run.py and a stage of its own."""
    root = tmp_path_factory.mktemp("project")
    (root / "tests/sample").mkdir(parents=True)
    for name in ("run.py", "pytest.ini"):
        shutil.copy(TESTS / name, root / "tests")
    (root / "tests/sample/test_sample.py").write_text(SAMPLE)
    (root / "meson.build").write_text(MESON)
    (root / "meson_options.txt").write_text("option('tests', type: 'feature')\n")
    (root / "subprojects").mkdir()
    (root / "subprojects/fetch-libsodium").write_text("#!/bin/sh\n")
    (root / "subprojects/fetch-libsodium").chmod(0o755)
    return root


def check(root: Path, *arguments: str) -> tuple[int, list[str]]:
    done = subprocess.run([sys.executable, root / "tests/run.py", *arguments], stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize("tier, passed", [("--quick", 1), (None, 2), ("--all", 3)])
def test_a_skipped_test_is_named_and_not_counted_as_passed(sample, tier, passed):
    """The tests of the tier and the build, which comes first by itself; then every skip with its reason;
    then the sum."""
    status, lines = check(sample, "sample", *([tier] if tier else []))
    assert status == 1
    assert lines[-3:] == ["skipped: sample/test_sample.py::test_is_skipped[1]: there is no musl for it",
                          "skipped: sample/test_sample.py::test_is_expected_to_fail: known",
                          f"{passed + 1} passed, 1 failed, 2 skipped"]


def test_one_test_alone_of_whatever_tier(sample):
    status, lines = check(sample, "sample", "-k", "nightly")
    assert (status, lines[-1]) == (0, "2 passed, 0 failed, 0 skipped")
    assert any("test_sample.py::test_is_nightly PASSED" in line for line in lines)
    status, lines = check(sample, "sample", "-k", "of_no_name")
    assert (status, lines[-1]) == (1, "1 passed, 1 failed, 0 skipped")


def test_the_list_is_what_would_run(sample):
    _, lines = check(sample, "sample", "--quick", "--list")
    named = [line for line in lines if "::" in line]
    assert [name.split("::")[1] for name in named] == [
        "test_passes", "test_fails", "test_is_skipped[1]", "test_is_expected_to_fail"]


# --- tests/README.md --------------------------------------------------------------------------------------------------


def rows(heading: str) -> list[str]:
    """The first cells of the table below a heading, without their backquotes."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [cell.strip("` ") for cell in re.findall(r"^\| (`[^|]+`) \|", section, re.M)]


def test_the_readme_has_every_stage():
    stages = ["shell", "lint", "build", "unit", *(path.parent.name for path in sorted(TESTS.glob("*/test_*.py")))]
    assert sorted(rows("Stages")) == sorted(dict.fromkeys(stages))


def test_the_readme_has_every_variable():
    """Of the environment: each that a test or a tool reads, and no other."""
    read = set()
    for path in [*TESTS.rglob("*"), source.REPOSITORY / "demo"]:
        if path.is_file() and path.suffix != ".md" and path != Path(__file__) and "__pycache__" not in path.parts:
            text = path.read_text(encoding="utf-8", errors="ignore")
            read |= set(re.findall(r'(?:environ(?:\.\w+)?[\[(]|getenv\()\s*"([A-Z_]+)"', text))
    assert set(rows("Environment")) == read


def test_the_recipe_for_a_scenario_is_complete(tmp_path):
    """The file that it shows is found and collected, with nothing else done."""
    shutil.copytree(TESTS / "boot", tmp_path / "boot", ignore=shutil.ignore_patterns("__pycache__", "test_*.py"))
    shutil.copy(TESTS / "pytest.ini", tmp_path)
    example, = re.findall(r"^```python\n(.*?)^```$", README, re.M | re.S)
    (tmp_path / "boot/test_example.py").write_text(example)
    done = subprocess.run([sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", tmp_path],
                          stdout=subprocess.PIPE, text=True, check=False)
    assert [line for line in done.stdout.splitlines() if "::" in line] == [
        "boot/test_example.py::test_p5_the_order_of_the_slots_does_not_matter[initramfs-tools]"]


def test_the_matrix_has_known_rows_and_the_columns_of_its_script():
    """It is written by tests/boot/matrix, line by line."""
    table = [[cell.strip() for cell in line.strip("|").split("|")]
             for line in source.read("tests/boot/matrix.md").splitlines() if line.startswith("|")]
    done = subprocess.run([TESTS / "boot/matrix", "--list"], check=True, stdout=subprocess.PIPE, text=True)
    columns, *known = done.stdout.splitlines()
    assert " | ".join(table[0]) == columns
    assert all(len(line) == len(table[0]) for line in table)
    assert [name for name in known if name in [line[0] for line in table[2:]]] == [line[0] for line in table[2:]]
