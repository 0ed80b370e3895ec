# SPDX-License-Identifier: MIT
"""Every example in the README and the manuals: commands are run on a machine of their own, configurations are read by
the program, and what the README shows is what the program prints."""
from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

import source
from scratch import Scratch

README = source.read("README.md")
FIVE = source.read("man/earlyseed.conf.5")
WITH_COMMANDS = ["README.md", "man/earlyseed.8"]
EXAMPLE = source.read("hooks/examples/earlyseed.conf")

# What needs more than a machine without a boot. By its first words:
# Run in a copy of the tree, one after the other.
FROM_SOURCE = ("subprojects/fetch-libsodium", "meson setup", "meson install", "tests/entropy/cutoffs")
# Run by the tests in this file, word for word.
ELSEWHERE = {
    "dpkg-buildpackage": "tests/boot/lab/package.py",
    "systemctl enable": "tests/hooks/test_systemd.py",
    "update-initramfs": "tests/hooks/test_initramfs_tools.py",
}
# Not run as it stands.
BY_HAND = {
    "apt-get build-dep": "what it installs is in tests/packages",
    "apt-get install ../": "tests/boot/distributions.py installs the package with apt-get from another directory",
    "apt-get install g++": "its packages are compared with tests/packages",
    "musl/cross": "tests/cross runs it with a build directory of its own",
    "./demo": "it boots machines, to be looked at",
}


def literals(manual: str) -> list[str]:
    """The displays in a manual's EXAMPLES."""
    text = manual.split("\n.Sh EXAMPLES\n")[1].split("\n.Sh ")[0]
    return re.findall(r"^\.Bd -literal.*\n((?:.*\n)*?)\.Ed$", text, re.M)


def fenced(language: str) -> list[str]:
    return [text for of, text in re.findall(r"^```(\w*)\n(.*?)^```$", README, re.M | re.S) if of == language]


def without_comment(line: str) -> str:
    return re.sub(r"(^|\s)#.*", "", line).strip()


def commands(document: str) -> list[str]:
    """Those of a shell block, and those after a prompt."""
    if document == "README.md":
        plain = [line for block in fenced("sh") for line in block.splitlines()]
        shown = [line[2:] for block in fenced("") for line in block.splitlines() if line.startswith(("# ", "$ "))]
        return [line for line in map(without_comment, plain + shown) if line]
    return [line[2:] for block in literals(source.read(document)) for line in block.splitlines()
            if line.startswith(("# ", "$ "))]


def elsewhere(document: str) -> list[str]:
    """The commands of a document that are not run on a scratch machine; one at a time."""
    return [part for command in commands(document) for part in command.split(" && ")
            if part.startswith((*FROM_SOURCE, *ELSEWHERE, *BY_HAND, "./check"))]


def found(command: str, places: dict[str, str]) -> str | None:
    return next((place for start, place in places.items() if command.startswith(start)), None)


@pytest.mark.parametrize("document", WITH_COMMANDS)
def test_commands_do_what_they_say(document, tmp_path):
    """One after the other, as a reader would; what is run elsewhere is passed over."""
    machine = Scratch(tmp_path)
    here = [command for command in commands(document) if command.split(" && ")[0] not in elsewhere(document)]
    assert len(here) > 2
    for command in here:
        done = machine.run(command)
        # load was not run in this boot, of which status makes a point.
        assert done.status == (1 if command.startswith("earlyseed status") else 0), (command, done)


@pytest.mark.long
def test_from_source(tmp_path):
    """README's lines as they stand, in a copy of the tree, with nothing but another place to install to. What is
    installed is what goes into the initrd: static, and without symbols and debugging information."""
    tree, installed = tmp_path / "earlyseed", tmp_path / "installed"
    shutil.copytree(source.REPOSITORY, tree, symlinks=True,
                    ignore=shutil.ignore_patterns("build*", ".git", "__pycache__", "libsodium-[0-9]*.[0-9]*"))
    run = list(dict.fromkeys(command for command in elsewhere("README.md") if command.startswith(FROM_SOURCE)))
    assert len(run) == len(FROM_SOURCE)
    for command in run:
        done = subprocess.run(command, shell=True, cwd=tree, env={**os.environ, "DESTDIR": str(installed)}, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, (command, done.stdout)
    program, = installed.rglob("sbin/earlyseed")
    sections = subprocess.run(["readelf", "--wide", "--sections", program], check=True, stdout=subprocess.PIPE,
                              text=True).stdout
    assert ".text" in sections and not re.search(r"\.(symtab|debug_\w+)\b", sections), sections
    assert subprocess.run([program, "--version"], check=True, stdout=subprocess.PIPE).stdout.startswith(b"earlyseed ")


@pytest.mark.parametrize("command", dict.fromkeys(
    command for document in WITH_COMMANDS for command in elsewhere(document) if not command.startswith(FROM_SOURCE)))
def test_what_is_run_elsewhere(command):
    """Another test runs it, with the same words; what nobody runs is a skip with its reason."""
    if file := found(command, ELSEWHERE):
        assert ", ".join(f'"{word}"' for word in shlex.split(command)) in source.read(file)
    elif command.startswith("./check"):
        check = [sys.executable, str(source.REPOSITORY / "tests/run.py"), *shlex.split(command)[1:], "--list"]
        assert subprocess.run(check, stdout=subprocess.PIPE, check=False).returncode == 0
    else:
        pytest.skip(f"by hand: {found(command, BY_HAND)}")


def test_packages_of_the_installation_are_those_of_the_tests():
    listed = {line.split("#")[0].strip() for line in source.read("tests/packages").splitlines()}
    wanted = [word for command in commands("README.md") if command.startswith("apt-get install")
              for word in command.split()[2:] if "/" not in word]
    assert wanted and set(wanted) <= listed


@pytest.mark.parametrize("document", ["README.md", "SECURITY.md", "NEWS.md", "man/earlyseed.8", "man/earlyseed.conf.5",
                                      "hooks/examples/earlyseed.conf"])
def test_command_lines_in_the_text(document):
    """`earlyseed …` in running text, and on either side of a `||`: the command is one, and takes the options."""
    text = source.read(document)
    lines = re.findall(r"`(earlyseed [a-z][^`]*)`", text)
    lines += re.findall(r"^\.Ql (earlyseed [a-z].*?)(?: [.,])?$", text, re.M)
    if document in WITH_COMMANDS:
        lines += [part for command in commands(document) for part in re.split(r" *(?:[|;]+|&&) *", command)
                  if part.startswith("earlyseed ")]
    for line in lines:
        words = shlex.split(line)
        options = {word.split("=")[0] for word in words[2:] if word.startswith("--")}
        assert words[1] in source.COMMANDS and options <= source.COMMANDS[words[1]], line


def test_readme_shows_what_status_prints(tmp_path):
    """The report of the boot is written by hand, the store by the program."""
    shown, = (block for block in fenced("") if block.startswith("# earlyseed status\n"))
    machine = Scratch(tmp_path)
    generation = re.findall(r"generation (\d+)", shown)[0]
    assert machine.run("earlyseed setup; for i in $(seq 3 $1); do earlyseed save; done", generation).status == 0
    (seconds, source_of_it), = re.findall(r"ready ([\d.]+) s after boot, thanks to (\w+)", shown)
    report = f"ready = yes\nready_by = {source_of_it}\nready_at_ms = {round(float(seconds) * 1000)}\n"
    for name, bits, assessed, bytes_, ms in re.findall(
            r"^  (\w+): (\d+) bits credited(?: of (\d+) assessed)?; (\d+) bytes mixed in ([\d.]+) ms$", shown, re.M):
        report += (f"{name}.done = 1\n{name}.credited_bits = {bits}\n{name}.assessed_bits = {assessed or bits}\n"
                   f"{name}.bytes = {bytes_}\n{name}.time_us = {round(float(ms) * 1000)}\n")
    done = machine.run('{ echo "boot_id = $(cat /proc/sys/kernel/random/boot_id)"; echo "$1"; } '
                       ">/run/earlyseed/report; earlyseed status", report)
    assert (done.status, comparable(done.output)) == (0, comparable(shown.partition("\n")[2]))


def comparable(text: str) -> str:
    """Without the store's age and boot; what is not used is this machine's affair."""
    text = re.sub(r"^not used: .+\n    -> .+\n", "", text, flags=re.M)
    return re.sub(r"saved \d+ (min|h|days) ago in this boot", "saved", text)


# --- configurations ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    return Scratch(tmp_path_factory.mktemp("machine"))


def complaints(machine, configuration):
    """What the program says of a configuration, and the store that it reads out of it."""
    done = machine.run('printf %s "$1" >/etc/earlyseed.conf; earlyseed status --json', configuration)
    return done.errors, json.loads(done.output)["store.name"]


def configurations():
    yield from literals(FIVE)
    yield from (f"{line}\n" for line in re.findall(r"`((?!key )[\w-]+ = [^`|]+)`", README))


@pytest.mark.parametrize("configuration", configurations(), ids=lambda text: text.strip().split("\n")[0])
def test_configuration(machine, configuration):
    store = re.search(r"^store = (\S+)", configuration, re.M)
    assert complaints(machine, configuration) == ("", store.group(1) if store else source.DEFAULTS["store"])


def test_the_example_configuration(machine):
    assert complaints(machine, EXAMPLE) == ("", source.DEFAULTS["store"])
    uncommented = re.sub(r"^#(?=[\w-]+ = )", "", EXAMPLE, flags=re.M)
    assert uncommented != EXAMPLE
    assert complaints(machine, uncommented) == ("", source.DEFAULTS["store"])


def test_a_mistake_would_be_seen(machine):
    errors, _ = complaints(machine, EXAMPLE + "hwrng-quality = 1025\n")
    assert f"/etc/earlyseed.conf, line {len(EXAMPLE.splitlines()) + 1}: bad value '1025' for hwrng-quality" in errors
