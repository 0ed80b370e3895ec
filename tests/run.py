#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs the stages of ./check, one after the other, whatever became of the one before, and counts.

Stages: shell (shellcheck and a syntax check on every shell file), lint (format, linters and types of C++ and Python),
build (product and unit tests, warnings are errors), unit (Catch2), and one for each directory below tests/ that has
pytest files. The build goes to build-check/, what the stages print to build-check/logs/; what a failed stage printed
is shown. tests/README.md has the rest.
"""
from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

REPOSITORY = Path(__file__).resolve().parent.parent
BUILD = REPOSITORY / "build-check"
LOGS = BUILD / "logs"
SHELLS = {"sh": ("sh", "dash"), "dash": ("sh", "dash"), "openrc-run": ("sh", "dash"),
          "bash": ("bash", "bash")}  # for shellcheck; checks the syntax
# What the tests put on sys.path: the boot lab, and how the documents' tests ask the program.
PYTHON_PATH = (Path("tests/boot"), Path("tests/docs"))
# Which tests of pytest each tier has, by the marks in tests/pytest.ini.
TIERS = {"quick": "not long and not nightly", "default": "not nightly", "all": ""}


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list)  # each test's name and the reason

    def __add__(self, other: Count) -> Count:
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {len(self.skipped)} skipped"


Stage = Callable[[IO[str], argparse.Namespace], Count]


def run(log: IO[str], *command: object, stream: bool = False, **environment: str) -> int:
    """Runs a command, its output to the open log and, for a stage that takes long, to the terminal as it comes."""
    process = subprocess.Popen([str(word) for word in command], cwd=REPOSITORY, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                               env={**os.environ, **environment})
    assert process.stdout
    for line in process.stdout:
        log.write(line)
        log.flush()
        if stream:
            print("   ", line, end="", flush=True)
    return process.wait()


def junit(report: Path, status: int, log: IO[str]) -> Count:
    """Counts a JUnit report. No readable report, no test in it, or a failure that it does not tell of: one failure."""
    count = Count()
    try:
        for case in ElementTree.parse(report).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                count.failed += 1
            elif (skipped := case.find("skipped")) is not None:
                name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
                count.skipped.append(f"{name}: {' '.join(skipped.get('message', '').split())}")
            else:
                count.passed += 1
    except (OSError, ElementTree.ParseError) as error:
        log.write(f"no report: {error}\n")
    if count.failed == 0 and (status != 0 or count == Count()):
        log.write(f"exit status {status}, {count}\n")
        count.failed = 1
    return count


def noted(name: str) -> str:
    """What the tests of a pytest stage have recorded (record_property)."""
    try:
        properties = ElementTree.parse(LOGS / f"{name}.xml").iterfind(".//testcase//property")
        return "".join(f"; {item.get('value')} {item.get('name')}" for item in properties)
    except (OSError, ElementTree.ParseError):
        return ""


def files() -> Iterator[tuple[Path, list[str]]]:
    """Each file of the repository, with the words of its first line if that names an interpreter."""
    git = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=REPOSITORY,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if git.returncode == 0:
        names = git.stdout.decode().split("\0")
    else:  # an unpacked release
        names = [str(path.relative_to(REPOSITORY)) for path in REPOSITORY.rglob("*")]
    for name in sorted(filter(None, names)):
        path = REPOSITORY / name
        if path.is_symlink() or not path.is_file():
            continue
        with open(path, "rb") as file:
            words = file.readline(200).decode(errors="replace").replace("/", " ").split()
        yield Path(name), words[1:] if words and words[0] == "#!" else []


def shell_files() -> Iterator[tuple[Path, str, str]]:
    """Each shell script of the repository, known by its first line, with its shell."""
    for path, interpreter in files():
        if shell := next((word for word in interpreter if word in SHELLS), None):
            yield path, *SHELLS[shell]
        elif path.suffix == ".sh" and not interpreter:
            yield path, *SHELLS["sh"]


def cxx_files() -> list[Path]:
    return [path for path, _ in files() if path.suffix in (".cpp", ".hpp", ".c", ".h")]


def python_files() -> dict[Path, list[Path]]:
    """By their directories. Modules have a suffix, scripts their first line."""
    found: dict[Path, list[Path]] = {}
    for path, interpreter in files():
        if path.suffix == ".py" or "python3" in interpreter:
            found.setdefault(path.parent, []).append(path)
    return found


def stage_shell(log: IO[str], _arguments: argparse.Namespace) -> Count:
    count = Count()
    for name, dialect, parser in shell_files():
        statuses = [run(log, "shellcheck", "--shell", dialect, name), run(log, parser, "-n", name)]
        count += Count(failed=1) if any(statuses) else Count(passed=1)
    return count if count != Count() else Count(failed=1)


def stage_lint(log: IO[str], _arguments: argparse.Namespace) -> Count:
    """Each tool is one test. Their options: .clang-format, .flake8, tests/mypy.ini, and here those of cppcheck."""
    python = python_files()
    statuses = [
        run(log, "clang-format-14", "--dry-run", "-Werror", *cxx_files()),
        # Without --enable=style: its advice (a const here, an algorithm there) is not of faults.
        run(log, "cppcheck", "--quiet", "--std=c++20", "--language=c++", "--enable=warning,performance,portability",
            "--inline-suppr", "--suppress=missingIncludeSystem", "--error-exitcode=1", "-Isrc", "src"),
        run(log, "flake8", *(path for paths in python.values() for path in paths)),
        run_mypy(log, python),
    ]
    return Count(passed=statuses.count(0), failed=len(statuses) - statuses.count(0))


def run_mypy(log: IO[str], python: dict[Path, list[Path]]) -> int:
    """Directory by directory, as pytest and the scripts see them: they are no packages, and most have a conftest.py."""
    statuses = []
    for directory, paths in python.items():
        if not (REPOSITORY / directory / "__init__.py").exists():  # a package is checked where it is used
            log.write(f"mypy: {directory}\n")
            log.flush()
            statuses.append(run(log, "mypy", "--config-file", "tests/mypy.ini", "--cache-dir", BUILD / "mypy", *paths,
                                MYPYPATH=":".join(map(str, [directory, *PYTHON_PATH]))))
    return max(statuses, default=1)


def stage_build(log: IO[str], _arguments: argparse.Namespace) -> Count:
    for binary in ("earlyseed", "tests/unit/unit"):  # no later stage shall test what an earlier run left
        (BUILD / binary).unlink(missing_ok=True)
    again = ["--reconfigure"] if (BUILD / "build.ninja").exists() else []
    ok = (run(log, "subprojects/fetch-libsodium") == 0
          and run(log, "meson", "setup", *again, "--werror", "-Dtests=enabled", BUILD) == 0
          and run(log, "ninja", "-C", BUILD, "-k", "0") == 0)
    return Count(passed=1) if ok else Count(failed=1)


def stage_unit(log: IO[str], arguments: argparse.Namespace) -> Count:
    # Catch2's closing line, not its JUnit report: for that it writes every assertion out, and takes four times as long.
    status = run(log, BUILD / "tests/unit/unit", *([f"*{arguments.words}*"] if arguments.words else []))
    text = Path(log.name).read_text(encoding="utf-8")
    if status == 0 and (found := re.search(r"^All tests passed \(\d+ assertions? in (\d+) test cases?\)$", text, re.M)):
        return Count(passed=int(found.group(1)))
    count = Count()
    if found := re.search(r"^test cases: .*$", text, re.M):
        for number, word in re.findall(r"(\d+) (passed|failed)", found.group()):
            setattr(count, word, int(number))
    if count.failed == 0 and (status != 0 or count.passed == 0):  # a sanitizer ended it
        log.write(f"exit status {status}, {count}\n")
        count.failed = 1
    return count


def stage_pytest(log: IO[str], arguments: argparse.Namespace, name: str) -> Count:
    if not (BUILD / "earlyseed").exists():
        log.write("not run: there is no product to test\n")
        return Count(failed=1)
    report = LOGS / f"{name}.xml"
    status = run(log, *pytest(arguments, name), "-v", "--no-header", "--tb=short", "--color=no", f"--junitxml={report}",
                 stream=name == "boot" or arguments.words, EARLYSEED_BUILD=str(BUILD), PYTHONDONTWRITEBYTECODE="1")
    if status == 5 and arguments.tier != "all":  # all of them are in a later tier
        return Count()
    return junit(report, status, log)


def pytest(arguments: argparse.Namespace, name: str) -> list[str]:
    """The command for the chosen tests of a directory."""
    words = ["-k", arguments.words] if arguments.words else []
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", TIERS[arguments.tier], *words,
            f"tests/{name}"]


def list_tests(arguments: argparse.Namespace, names: list[str]) -> None:
    """Prints what would be run: of pytest's stages, each test."""
    for name in names:
        print(name, flush=True)
        if (REPOSITORY / "tests" / name).is_dir() and name != "unit":
            subprocess.run([*pytest(arguments, name), "--collect-only", "-q"], cwd=REPOSITORY, check=False)


def stages() -> dict[str, Stage]:
    """In this order: the cheap ones first, boots last."""
    found: dict[str, Stage] = {"shell": stage_shell, "lint": stage_lint, "build": stage_build, "unit": stage_unit}
    folders = {path.parent.name for path in (REPOSITORY / "tests").glob("*/test_*.py")}
    for name in sorted(folders, key=lambda name: (name == "boot", name != "product", name)):
        found[name] = partial(stage_pytest, name=name)
    return found


def run_stage(name: str, stage: Stage, arguments: argparse.Namespace) -> Count:
    if name == "boot":
        print(f"{name}:", flush=True)
    begin = time.monotonic()
    path = LOGS / f"{name}.log"
    (LOGS / f"{name}.xml").unlink(missing_ok=True)
    with open(path, "w", encoding="utf-8") as log:
        try:
            count = stage(log, arguments)
        except OSError as error:  # a program that the failed build did not make
            log.write(f"{error}\n")
            count = Count(failed=1)
    if count.failed and name != "boot":
        text = path.read_text(encoding="utf-8")
        print(text if len(text) < 8000 else f"{text[:4000]}\n[…]\n{text[-4000:]}")
        print(f"(all of it: {path})")
    print(f"{name:<10} {count}  ({time.monotonic() - begin:.0f} s{noted(name)})", flush=True)
    return count


def main() -> int:
    known = stages()
    parser = argparse.ArgumentParser(prog="./check", description="Builds everything and runs all tests.")
    tier = parser.add_mutually_exclusive_group()
    tier.add_argument("--quick", action="store_const", dest="tier", const="quick",
                      help="what takes five minutes in all")
    tier.add_argument("--all", action="store_const", dest="tier", const="all",
                      help="every boot and every row of the matrix")
    parser.add_argument("--list", action="store_true", help="print the tests, run none")
    parser.add_argument("-k", dest="words", help="only tests with this in their name, of any tier (as pytest's -k)")
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"only these: {', '.join(known)}")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.stages if name not in known]
    if unknown:
        parser.error(f"no stage {unknown[0]}; there are: {', '.join(known)}")
    if arguments.words and not arguments.stages:
        parser.error("-k needs a stage")
    arguments.tier = arguments.tier or ("all" if arguments.words else "default")

    chosen = set(arguments.stages) or set(known)
    if arguments.list:
        list_tests(arguments, [name for name in known if name in chosen])
        return 0
    if not chosen <= {"shell", "lint"}:
        chosen.add("build")  # what an earlier run has built may be of another tree
    LOGS.mkdir(parents=True, exist_ok=True)
    total = sum((run_stage(name, stage, arguments) for name, stage in known.items() if name in chosen), Count())
    for skipped in total.skipped:
        print(f"skipped: {skipped}")
    print(total, flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
