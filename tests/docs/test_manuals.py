# SPDX-License-Identifier: MIT
"""The manuals and the program's own help beside the source: nothing is missing,
and nothing is there that is no more."""
from __future__ import annotations

import re
import subprocess

import pytest

import source

EIGHT = source.read("man/earlyseed.8")
FIVE = source.read("man/earlyseed.conf.5")


def section(manual: str, name: str, macro: str = "Sh") -> str:
    return manual.split(f".{macro} {name}\n")[1].split("\n.Sh ")[0].split(f"\n.{macro} ")[0]


def items(text: str, macro: str) -> set[str]:
    """What the list items of a text name: `.It Ic one , Ic two`."""
    return {name for line in re.findall(rf"^\.It {macro} .+$", text, re.M)
            for name in re.findall(rf"\b{macro} ([^\s,]+)", line)}


@pytest.mark.parametrize("manual", ["earlyseed.8", "earlyseed.conf.5"])
def test_no_mistakes(manual):
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "style", source.REPOSITORY / "man" / manual],
                          stdout=subprocess.PIPE, text=True, check=False)
    # Which other manuals there are, is a matter of this machine.
    assert [line for line in done.stdout.splitlines() if "referenced manual not found" not in line] == []


# --- earlyseed(8) ----------------------------------------------------------------------------------------------------


def synopsis() -> dict[str, set[str]]:
    """Each command's options."""
    found: dict[str, set[str]] = {}
    for form in section(EIGHT, "SYNOPSIS").split(".Nm\n")[1:]:
        command = re.match(r"\.Cm (\w+)", form)
        if command:
            options = found.setdefault(command.group(1), set())
            options.update(f"-{option}" for option in re.findall(r"Fl (-[\w-]+)", form))
    return found


def test_synopsis():
    assert synopsis() == source.COMMANDS
    with_file = {form.split()[1] for form in section(EIGHT, "SYNOPSIS").split(".Nm\n")[1:] if ".Op Ar file" in form}
    assert with_file == source.WITH_FILE


@pytest.mark.parametrize("command", source.COMMANDS)
def test_command(command):
    text = section(EIGHT, command, "Ss")
    assert {f"-{option}" for option in items(text, "Fl")} == source.COMMANDS[command] - {"--config"}
    assert "\nExit status: 0 " in text


def test_options_of_all_commands():
    text = section(EIGHT, "DESCRIPTION").split("\n.Ss ")[0]
    assert {f"-{option}" for option in items(text, "Fl")} | {"help"} == {"--config", *source.WORDS}


def test_values_of_format():
    assert f".It Fl -format Cm {' | '.join(source.FORMATS)}\n" in EIGHT


def test_kernel_command_line():
    assert {word.split("=")[0] for word in items(section(EIGHT, "KERNEL COMMAND LINE"), "Ic")} == source.KERNEL_WORDS


def test_reasons():
    """P8: each reason for a credit of zero."""
    named = [line[4:] for name in ("the seed", "the jitter", "a hardware generator", "any source")
             for line in section(EIGHT, f"Reasons of {name}", "Ss").splitlines() if line.startswith(".It ")]
    assert named == source.REASONS


def test_problems_of_the_store():
    """P8: each is something that the program says."""
    named = [line[4:] for line in section(EIGHT, "Problems of the store", "Ss").splitlines() if line.startswith(".It ")]
    said = source.SAYINGS.replace("\n", " ")
    # The number of bytes is no part of the text.
    assert [name for name in named if name.removeprefix("8192 ") not in said] == []
    assert len(named) > 10


def test_keys_of_the_report():
    text = section(EIGHT, "The report", "Ss")
    first, others, added = text.split(".Bl -tag")[1:]
    assert items(first, "Ic") == source.SOURCE_KEYS
    assert items(others, "Ic") == source.REPORT_KEYS
    assert items(added, "Ic") == source.JSON_KEYS


def test_files():
    """Those that the program knows; where the hooks and units are installed is meson's."""
    paths = set(re.findall(r"(?<![\w/<])(/(?:etc|run)/[\w./-]+)", source.SAYINGS)) - {"/run/earlyseed"}
    assert {path for path in paths if "earlyseed" in path} <= items(section(EIGHT, "FILES"), "Pa")
    assert len(paths) > 4


# --- earlyseed.conf(5) -----------------------------------------------------------------------------------------------


def keys() -> dict[str, str]:
    """What stands under each key, lists of values included."""
    text = section(FIVE, "DESCRIPTION")
    return dict(re.findall(r"^\.It Ic (\S+)\n(.*?)(?=^\.It Ic |\Z)", text, re.M | re.S))


def test_keys():
    assert list(keys()) == source.KEYS


@pytest.mark.parametrize("key", source.DEFAULTS)
def test_default(key):
    text = keys()[key].replace("\n", " ")
    wanted = source.DEFAULTS[key]
    assert re.search(rf"[Tt]he default(, | is (\.Ql )?){re.escape(wanted)}\b"
                     rf"|\.It Cm {re.escape(wanted)} The default\.", text)


def test_values():
    """The words, and the limits of the numbers."""
    for key, expected in source.EXPECTED.items():
        if key == "store":
            continue
        words = re.findall(r"\w+", expected.replace(" to ", " ").replace(" or ", " "))
        for word in words:
            assert re.search(rf"(\.It Cm {word}$|\b{word}\b)", keys()[key], re.M), (key, word)


# --- the help, the README, the example configuration ------------------------------------------------------------------


def test_help():
    for command in source.COMMANDS:
        assert re.search(rf"^  {command}\b", source.USAGE, re.M)
    for option in set().union(*source.COMMANDS.values()):
        assert option in source.USAGE


def test_readme_knows_the_keys_and_their_defaults():
    chapter = source.read("README.md").split("\n## Configuration\n")[1].split("\n## ")[0]
    table = re.findall(r"^\| `([\w-]+)` \| .+ \| `?([^|`]+?)`? \|$", chapter, re.M)
    assert dict(table) == {**source.DEFAULTS, "source": "none"}


def test_example_configuration_has_each_key_with_its_default():
    lines = re.findall(r"^#([\w-]+) = (.+)$", source.read("hooks/examples/earlyseed.conf"), re.M)
    assert {key: value for key, value in lines if key != "source"} == source.DEFAULTS
    assert len(lines) == len(source.KEYS)
