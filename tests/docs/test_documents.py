# SPDX-License-Identifier: MIT
"""The documents compared with what they describe: the promises, the record as the program reads and writes it, the
layers of the source, links, paths and the version."""
from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

import source
from scratch import PRODUCT, Scratch
from source import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tests/boot"))
from lab import record as lab_record  # noqa: E402

DESIGN = source.read("docs/design.md")
FORMAT = source.read("docs/record-format.md")


def relative(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


DOCUMENTS = [path for path in sorted(REPOSITORY.rglob("*.md"))
             if not re.search(r"(^|/)(\.|build|libsodium)", relative(path))]


def table(document: str, *columns: str) -> list[list[str]]:
    """The rows of the table that begins with these columns."""
    head = re.escape("| " + " | ".join(columns))
    rows, = re.findall(rf"^{head}.*\n\|[-|]+\|\n((?:\|.*\n)+)", document, re.M)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows.splitlines()]


# --- promises ---------------------------------------------------------------------------------------------------------

PROMISES = re.findall(r"^\*\*(P\d+), \w", DESIGN, re.M)


def promises_in(*paths: Path) -> set[str]:
    return {name for path in paths for name in re.findall(r"\bP\d+\b", path.read_text(encoding="utf-8"))}


def test_promises_are_defined_once():
    assert PROMISES == [f"P{number}" for number in range(1, 11)]


def test_each_promise_has_a_test_and_no_other_is_named():
    files = [path for path in REPOSITORY.glob("tests/**/*")
             if path.suffix in {".py", ".cpp", ".hpp", ".c", ".pml"} and path.parent.name != "docs"]
    assert promises_in(*files) == set(PROMISES)
    assert promises_in(REPOSITORY / "SECURITY.md", *REPOSITORY.glob("src/**/*.?pp")) <= set(PROMISES)


# --- the record -------------------------------------------------------------------------------------------------------

FIELDS = [(int(offset), int(size), name) for offset, size, name, *_ in table(FORMAT, "offset", "bytes", "field")]
SLOTS = [int(offset) for _, offset in table(FORMAT, "slot", "offset")]
SLOT_BYTES = 4096
STORE_BYTES = SLOTS[-1] + SLOT_BYTES


def make(values: dict[str, int | bytes]) -> bytes:
    """A record by the table. What is not given is zero, but for magic, version and a right checksum."""
    values = {"magic": b"earlySD\n", "version": 1, **values}
    record = bytearray(512)
    for offset, size, name in FIELDS:
        value = values.get(name, 0)
        if name == "checksum" and value == 0:
            value = hashlib.blake2b(record[:offset], digest_size=size).digest()
        record[offset:offset + size] = value if isinstance(value, bytes) else value.to_bytes(size, "little")
    return bytes(record)


def test_the_table_has_no_gap():
    assert [offset for offset, _, _ in FIELDS] == [sum(size for _, size, _ in FIELDS[:i]) for i in range(len(FIELDS))]
    assert len(make({})) == 512


def test_the_lab_reads_this_record():
    slot = lab_record.parse_slot(make({
        "flags": 1, "generation": 2**61 + 3, "saved at": 2**33 + 5, "boot ID": bytes(range(16)),
        "machine tag": bytes(range(32)), "seed": bytes(range(64))}))
    assert (slot.state, slot.magic, slot.version, slot.flags) == ("valid", b"earlySD\n", 1, 1)
    assert (slot.generation, slot.saved_at, slot.boot_id.bytes) == (2**61 + 3, 2**33 + 5, bytes(range(16)))
    assert (slot.machine_tag, slot.seed) == (bytes(range(32)), bytes(range(64)))
    assert (lab_record.SLOT_BYTES, lab_record.STORE_BYTES) == (SLOTS[1], STORE_BYTES)


def machine_tag(product_uuid: str) -> bytes:
    tag = hashlib.blake2b(key=b"earlyseed 1: machine tag", digest_size=32)
    for text in (b"/sys/class/dmi/id/product_uuid", product_uuid.encode()):
        tag.update(len(text).to_bytes(8, "little") + text)
    return tag.digest()


def test_the_program_writes_this_record(tmp_path):
    """All but the seeds of a first store is known: two records, saved now, in this boot, on that machine."""
    begin = int(time.time())
    done = Scratch(tmp_path).run("earlyseed setup --store /seed >&2; base64 /seed; cat /proc/sys/kernel/random/boot_id "
                                 "/sys/class/dmi/id/product_uuid")
    *encoded, boot, product = done.output.split()
    written = base64.b64decode("".join(encoded))
    assert len(written) == STORE_BYTES

    seeds = set()
    for generation, at in enumerate(SLOTS, start=1):
        found = {name: written[at + offset:at + offset + size] for offset, size, name in FIELDS}
        assert begin <= int.from_bytes(found["saved at"], "little") <= time.time()
        record = make({"flags": 1, "generation": generation, "saved at": found["saved at"], "seed": found["seed"],
                       "boot ID": uuid.UUID(boot).bytes, "machine tag": machine_tag(product)})
        assert written[at:at + SLOT_BYTES] == record.ljust(SLOT_BYTES, b"\0")
        seeds.add(found["seed"])
    assert len(seeds | {bytes(64)}) == 3


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    return Scratch(tmp_path_factory.mktemp("machine"))


OLDER: dict[str, int | bytes] = {"flags": 1, "generation": 7, "saved at": 2**33 + 5,
                                 "boot ID": bytes(range(16)), "seed": b"a" * 64}


# What the record with generation 8 is like; generation and creditability of what the program takes for the seed.
@pytest.mark.parametrize("newer, expected", [
    ({}, (8, True)),
    ({"flags": 0}, (8, False)),
    ({"flags": 0xffff}, (8, True)),  # flags and bytes that version 1 does not know are ignored
    ({"reserved": 1}, (8, True)),
    ({"generation": 2**62}, (2**62, True)),
    ({"generation": 2**62 + 1}, (7, False)),  # damaged: the older seed is used, and is in doubt
    ({"generation": 0}, (7, False)),
    ({"checksum": 1}, (7, False)),
    ({"version": 2, "checksum": 1}, (7, False)),
    ({"version": 2}, (None, None)),  # of another version, whatever the other slot holds
    ({"magic": b"earlySD."}, (7, False)),
])
def test_the_program_reads_this_record(machine, newer, expected):
    tag = machine_tag(machine.run("cat /sys/class/dmi/id/product_uuid").output.strip())
    older: dict[str, int | bytes] = {**OLDER, "machine tag": tag}
    with open(machine.folder / "partition", "r+b") as partition:
        for at, record in zip(SLOTS, (make(older), make({**older, "generation": 8, **newer}))):
            partition.seek(at)
            partition.write(record)
    status = json.loads(machine.run("earlyseed status --json").output)
    assert (status.get("next.generation"), status.get("next.creditable")) == expected
    if expected[0] is None:
        assert "of another version" in status["store.now"]
    else:
        assert status["next.saved_at"] == 2**33 + 5
        assert status["next.saved_boot"].replace("-", "") == bytes(range(16)).hex()


# --- the source -------------------------------------------------------------------------------------------------------


def test_the_labels_of_the_hashes():
    label = rb"earlyseed 1: [a-z ]+"
    assert set(re.findall(label, DESIGN.encode())) == set(re.findall(label, PRODUCT.read_bytes()))


# The layer of each directory, from the figure: those on one line are neighbours.
FIGURE, = re.findall(r"^```\n((?:  [a-z./ ]+\n)+)```$", DESIGN, re.M)
LAYERS = {name: layer for layer, line in enumerate(reversed(FIGURE.splitlines()))
          for name in re.findall(r"(\w+)/", line)}


def test_the_layers_are_those_of_the_source():
    described = set(re.findall(r"^\| `src/(\w+)/` \|", DESIGN, re.M))
    assert set(LAYERS) == {path.name for path in (REPOSITORY / "src").iterdir() if path.is_dir()} == described


def test_includes_go_downwards():
    wrong = []
    for path in sorted(REPOSITORY.glob("src/*/*.?pp")):
        for other in re.findall(r'^#include "(\w+)/', path.read_text(encoding="utf-8"), re.M):
            if other != path.parent.name and LAYERS[other] >= LAYERS[path.parent.name]:
                wrong.append(f"{relative(path)} includes {other}/")
    assert not wrong


# --- links, paths, versions -------------------------------------------------------------------------------------------


def anchors(document: str) -> set[str]:
    """Those that GitHub makes of headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", document, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(text: str, folder: Path) -> list[str]:
    """Links to a file or a heading that is not there."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'\bsrc(?:set)?="([^"]+)"', text):
        file, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (folder / file).resolve()
        if file and not target.exists():
            broken.append(link)
        elif anchor and anchor not in anchors(target.read_text(encoding="utf-8") if file else text):
            broken.append(link)
    return broken


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_links_lead_somewhere(path):
    assert broken_links(path.read_text(encoding="utf-8"), path.parent) == []


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "there.md").write_text("# One thing: two\n", encoding="utf-8")
    text = "# Here\n[](there.md) [](gone.md) [](there.md#one-thing-two) [](there.md#three) [](#here) [](#gone) [](x:y)"
    assert broken_links(text, tmp_path) == ["gone.md", "there.md#three", "#gone"]


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.name != "SECURITY.md"], ids=relative)
def test_paths_are_there(path):
    """Those in `code`, from the repository's top directory. (SECURITY.md's are below tests/: test_security.py.)"""
    folders = "|".join(item.name for item in REPOSITORY.iterdir() if item.is_dir() and "build" not in item.name)
    named = re.findall(rf"`((?:{folders})/[\w./-]*)", path.read_text(encoding="utf-8"))
    assert [name for name in named if "NAME" not in name and not (REPOSITORY / name).exists()] == []


def test_the_version_is_the_same_everywhere():
    """CONTRIBUTING.md, "Release"."""
    version = subprocess.run([PRODUCT, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    spec = source.read("hooks/rpm/earlyseed.spec")
    assert f"  version: '{version}'," in source.read("meson.build")
    assert source.read("debian/changelog").startswith(f"earlyseed ({version}-")
    assert re.search(rf"^Version: +{re.escape(version)}$", spec, re.M)
    assert re.search(rf"^%changelog\n\* .+ - {re.escape(version)}-\d+$", spec, re.M)
    assert source.read("NEWS.md").startswith(f"# News\n\n## {version}")
