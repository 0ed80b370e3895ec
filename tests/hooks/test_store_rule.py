# SPDX-License-Identifier: MIT
"""What shell scripts know of the store: `earlyseed store` as hooks/store.sh reads it, the udev rule for each kind of
store, and the parser that debian/earlyseed.postrm has for the time when the program is gone.
"""
from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import CONFIG, PROGRAM, REPOSITORY, images

FUNCTIONS = REPOSITORY / "hooks/store.sh"
POSTRM = REPOSITORY / "debian/earlyseed.postrm"
CORPUS = REPOSITORY / "tests/fuzz/corpus/config"
ONE = 'SUBSYSTEM=="block", ACTION!="remove", {}, ENV{{SYSTEMD_WANTS}}+="earlyseed-initrd-{}.service"\n'


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A tree with nothing but the program and, as a test wants it, a configuration."""
    root = tmp_path_factory.mktemp("tree")
    for name in PROGRAM, CONFIG:
        (root / name[1:]).parent.mkdir(parents=True)
    shutil.copy(images.build_dir() / "earlyseed", root / PROGRAM[1:])
    return root


def configure(tree: Path, config: bytes | None) -> None:
    path = tree / CONFIG[1:]
    path.unlink(missing_ok=True)
    if config is not None:
        path.write_bytes(config)


def call(tree: Path, script: str, shell: str) -> tuple[int, str]:
    program = f'. "$1"; earlyseed_read_store "$2" --no-command-line; {script}'
    done = subprocess.run([shell, "-uc", program, shell, FUNCTIONS, tree], check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True)
    return done.returncode, done.stdout


@pytest.fixture(params=["dash", "bash"])
def shell(request):
    return request.param


@pytest.mark.parametrize("store, unit, matches", [
    ("PARTLABEL=earlyseed", "store", ['ENV{PARTNAME}=="earlyseed"', 'SYMLINK=="disk/by-partlabel/earlyseed"']),
    ("PARTUUID=11-AB", "store", ['SYMLINK=="disk/by-partuuid/11-ab"']),
    ("/dev/nvme0n1p3", "store", ['KERNEL=="nvme0n1p3"', 'SYMLINK=="nvme0n1p3"']),
    ("/dev/disk/by-path/pci-0000:00:05.0-part2", "store",
     ['KERNEL=="disk/by-path/pci-0000:00:05.0-part2"', 'SYMLINK=="disk/by-path/pci-0000:00:05.0-part2"']),
    ("UUID=1A2B-3C4D:/earlyseed/seed", "file", ['SYMLINK=="disk/by-uuid/1A2B-3C4D"']),
    ("LABEL=boot:/seed", "file", ['SYMLINK=="disk/by-label/boot"']),
    ("PARTUUID=11-22:/seed", "file", ['SYMLINK=="disk/by-partuuid/11-22"']),
    ("PARTLABEL=esp:/a:/b", "file", ['ENV{PARTNAME}=="esp"', 'SYMLINK=="disk/by-partlabel/esp"']),
    ("/dev/sda1:/seed", "file", ['KERNEL=="sda1"', 'SYMLINK=="sda1"']),
])
def test_rule(tree, store, unit, matches, shell):
    configure(tree, f"store = {store}\n".encode())
    assert call(tree, "earlyseed_store_rule ''", shell) == (0, "".join(ONE.format(match, unit) for match in matches))


def test_a_rule_that_does_something_else(tree, shell):
    configure(tree, b"store = /dev/sda1\n")
    rules = call(tree, """earlyseed_store_rule 'RUN+="x y"'""", shell)[1].splitlines()
    assert len(rules) == 2 and all(rule.endswith(', RUN+="x y"') for rule in rules)


def test_no_rule_for_the_root_file_system(tree, shell):
    configure(tree, b"store = /var/lib/earlyseed/seed\n")
    assert call(tree, 'earlyseed_store_rule ""; echo "$earlyseed_kind"', shell) == (0, "root\n")


@pytest.mark.parametrize("store", ["/dev/:/x", 'LABEL=a"b:/x', "PARTLABEL=a*", "PARTLABEL=a b", "PARTLABEL=a\\b",
                                   "LABEL=ä:/x"])
def test_nothing_that_udev_could_misread(tree, store, shell):
    configure(tree, f"store = {store}\n".encode())
    assert call(tree, 'printf "%s\\n" "$earlyseed_store"', shell) == (0, f"{store}\n")
    status, output = call(tree, "earlyseed_store_rule ''", shell)
    assert (status != 0, output) == (True, "")


@pytest.mark.parametrize("store", ["/it's \"a\" $(seed) `x` \\n", "/a=", "/-n", "PARTLABEL==", "/a   b"])
def test_a_name_is_read_as_it_is_written(tree, store, shell):
    configure(tree, f"store = {store}\n".encode())
    assert call(tree, 'printf "%s\\n" "$earlyseed_store"', shell) == (0, f"{store}\n")


def test_without_a_program_that_runs_there_is_no_store(tmp_path, shell):
    script = 'earlyseed_store_rule ""; echo "$? $earlyseed_kind$earlyseed_store$earlyseed_device."'
    assert call(tmp_path, script, shell) == (0, "1 .\n")


# --- the other parser ------------------------------------------------------------------------------------------------

WRITTEN = [
    b"", b"# store = /a\n", b"store = /a", b"store=/a\n", b"\t store\t=\t/a \t# /b\n", b"store = /a\r\nstore = /b\r\n",
    b"store = /a\nstore = nonsense\n", b"store = /a\nstore =\n", b"store = nonsense\n",
    b"store = /a\nstore = /b/\nstores = /c\n", b"xstore = /c\nstore x = /c\nstore /c\nSTORE = /c\n",
    b"store = 'store = /q'\n", b'store = "/q"\n', b"store = = /a\n", b"store = /a b\n", b"store = /a\tb\n",
    b"store = /a\x7fb\n", b"store = /a\0b\nstore\0 = /c\n", b"store = /a\x80\xff\n", b"store = /\\a\\\n",
    b"store = /dev/sda1\n", b"store = /dev/\n", b"store = /dev\n", b"store = /dev/sda1:/seed\n",
    b"store = /dev/:/seed\n",
    b"store = PARTLABEL=Early Seed\n", b"store = PARTLABEL=a=b\n", b"store = PARTLABEL=\n", b"store = PARTLABEL\n",
    b"store = partlabel=a\n", b"store = PARTUUID=AB-1\n", b"store = PARTUUID=AB-1:/Seed\n",
    b"store = UUID=AB-1:/a:/b\n",
    b"store = UUID=AB-1:/\n", b"store = UUID=:/a\n", b"store = UUID=../a:/b\n", b"store = LABEL=a\n", b"store = ID=a\n",
    b"store = :/a\n", b"store = x:/a\n", b"store = /x:/a\n", b"store = /a/../b\n", b"store = /a/..\n",
    b"store = /../a\n", b"store = /\n",
    b"store = /" + b"x" * 254 + b"\n", b"store = /" + b"x" * 255 + b"\n", b"store = /" + "ä".encode() * 127 + b"\n",
    b"store = /a\n" + b"#" * 8170 + b"\nstore = /cut here, at 8192 bytes\n", b"#" * 9000 + b"\nstore = /a\n",
]


def by_program(tree: Path, config: Path) -> bytes:
    lines = subprocess.run([tree / PROGRAM[1:], "store", "--no-command-line", "--config", config], check=True,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return b"".join(line + b"\n" for line in lines.splitlines() if not line.startswith(b"STORE="))


def by_postrm(config: Path, shell: str) -> bytes:
    script = '. "$1"; read_store "$2"; printf "KIND=%s\\nDEVICE=%s\\nFILE=%s\\n" "$kind" "$device" "$file"'
    return subprocess.run([shell, "-uc", script, shell, POSTRM, config], check=True, stdout=subprocess.PIPE).stdout


@pytest.mark.parametrize("config", [*WRITTEN, *(path.read_bytes() for path in sorted(CORPUS.iterdir()))],
                         ids=[*(f"written-{number}" for number in range(len(WRITTEN))), *sorted(os.listdir(CORPUS))])
def test_the_parser_of_the_purge_agrees_with_the_program(tree, tmp_path, config, shell):
    path = tmp_path / "earlyseed.conf"
    path.write_bytes(config)
    assert by_postrm(path, shell) == by_program(tree, path)


def test_the_two_parsers_agree_without_a_configuration(tree, tmp_path, shell):
    expected = b"KIND=partition\nDEVICE=PARTLABEL=earlyseed\nFILE=\n"
    assert by_postrm(tmp_path / "none", shell) == by_program(tree, tmp_path / "none") == expected
