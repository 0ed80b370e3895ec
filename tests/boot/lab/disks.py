# SPDX-License-Identifier: MIT
"""Virtual disks that hold a store: made, read and written from the host, without loop devices.

Each class of a StoreDisk has a `setting` (what `store =` says) too, unless it is a whole disk.
"""
from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Protocol

from .record import STORE_BYTES, Store
from .tools import run

MIB = 1 << 20
PRISTINE = bytes(STORE_BYTES)


def _sparse(path: Path, size_bytes: int) -> None:
    with open(path, "wb") as image:
        image.truncate(size_bytes)


class StoreDisk(Protocol):
    """A disk with a store. Its 8192 bytes are read and written only while no QEMU uses the disk."""

    path: Path  # the disk image, raw

    def read(self) -> Store:
        ...

    def write(self, content: bytes) -> None:
        ...


class WholeDisk:
    """A disk without partitions or a file system."""

    def __init__(self, path: Path, content: bytes = PRISTINE):
        self.path = path
        self.write(content)

    def read(self) -> Store:
        return Store(self.path.read_bytes())

    def write(self, content: bytes) -> None:
        self.path.write_bytes(content)


class PartitionDisk:
    """A GPT disk with one raw 1 MiB partition, named `earlyseed`."""

    START = 1 * MIB
    setting = "PARTLABEL=earlyseed"

    def __init__(self, path: Path, content: bytes = PRISTINE, sector_bytes: int = 512, name: str = "earlyseed"):
        self.path = path
        _sparse(path, 4 * MIB)
        first = self.START // sector_bytes
        script = f"g\nn\n1\n{first}\n{first + MIB // sector_bytes - 1}\nx\nn\n{name}\nr\nw\n"
        run("fdisk", "--sector-size", sector_bytes, path, stdin=script.encode())
        self.write(content)

    def read(self) -> Store:
        with open(self.path, "rb") as image:
            image.seek(self.START)
            return Store(image.read(STORE_BYTES))

    def write(self, content: bytes) -> None:
        with open(self.path, "r+b") as image:
            image.seek(self.START)
            image.write(content)


class Ext4Disk:
    """An ext4 file system over a whole disk, with the store file at /keep/seed."""

    FILE = "/keep/seed"
    IDENTIFIER = "e5eed000-0000-4000-8000-000000000002"
    setting = f"UUID={IDENTIFIER}:{FILE}"

    def __init__(self, path: Path, content: bytes = PRISTINE):
        self.path = path
        _sparse(path, 32 * MIB)
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder)
            tree.chmod(0o755)
            store = tree / self.FILE.lstrip("/")
            store.parent.mkdir()
            store.write_bytes(b"\xff" * len(content))  # zeros would become a hole
            store.chmod(0o600)
            run("mke2fs", "-q", "-F", "-t", "ext4", "-b", 4096, "-U", self.IDENTIFIER, "-d", tree, path)
        self.write(content)

    def read(self) -> Store:
        return Store(get_file(self.path, self.FILE))

    def write(self, content: bytes) -> None:
        blocks = run("debugfs", "-R", f"blocks {self.FILE}", self.path).split()
        if len(blocks) * 4096 != len(content):
            raise ValueError(f"the store file has blocks {blocks} for {len(content)} bytes")
        with open(self.path, "r+b") as image:
            for index, block in enumerate(blocks):
                image.seek(int(block) * 4096)
                image.write(content[index * 4096:(index + 1) * 4096])


class VfatDisk:
    """A FAT file system over a whole disk, as an EFI system partition is, with the store at /keep/seed."""

    FILE = "/keep/seed"
    setting = f"UUID=E5EE-D001:{FILE}"

    def __init__(self, path: Path, content: bytes = PRISTINE, sector_bytes: int = 512):
        self.path = path
        _sparse(path, 48 * MIB)
        run("mkfs.vfat", "-S", sector_bytes, "-i", "E5EED001", path)
        run("mmd", "-i", path, "::/keep")
        self.write(content)

    def read(self) -> Store:
        return Store(run("mtype", "-i", self.path, f"::{self.FILE}"))

    def write(self, content: bytes) -> None:
        run("mcopy", "-o", "-i", self.path, "-", f"::{self.FILE}", stdin=content)


class SwapDisk:
    """A swap device for `resume=`, without a hibernation image: the kernel looks for one and finds none."""

    IDENTIFIER = "e5eed000-0000-4000-8000-000000000003"

    def __init__(self, path: Path):
        self.path = path
        _sparse(path, 256 * MIB)  # room for what 512 MiB of memory leave to be saved
        path.chmod(0o600)
        run("mkswap", "-U", self.IDENTIFIER, path)


def put_file(image: Path, name: str, content: bytes, mode: int = 0o644) -> None:
    """Puts a file of root's into an unmounted ext4 image (blocks of zeros become holes); its folder must exist."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "content"
        source.write_bytes(content)
        script = f"rm {name}\nwrite {source} {name}\nset_inode_field {name} mode 0{0o100000 | mode:o}\n"
        run("debugfs", "-w", "-f", "/dev/stdin", image, stdin=script.encode())


def get_file(image: Path, name: str) -> bytes:
    """Reads a file out of an unmounted ext4 image."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        run("debugfs", "-R", f"dump {name} {copy}", image)
        return copy.read_bytes()
