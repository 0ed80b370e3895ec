# SPDX-License-Identifier: MIT
"""Real Debian 12 trees, each with an initrd generator, a kernel and earlyseed, in which the hooks are run.

The trees are the boot lab's (tests/boot/lab/images.py): same packages, same cache, same installation of the build.
"""
from __future__ import annotations

import contextlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests/boot"))

from lab import images, tools  # noqa: E402 (after the path that leads there)

# Files that a store setting may name, in each machine's tree from the start, with a mark that no image may have (P6).
STORE_FILES = ("/var/lib/earlyseed/seed", "/boot/earlyseed/seed", "/etc/earlyseed/seed")
MARK = b"this mark stands for a seed"

PROGRAM = "/usr/sbin/earlyseed"
CONFIG = "/etc/earlyseed.conf"


@dataclass(frozen=True)
class Done:
    status: int
    output: str  # stdout and stderr


class Tree:
    """A root tree to run commands in: a Debian one, or an unpacked initrd."""

    def __init__(self, root: Path):
        self.root = root

    def path(self, name: str) -> Path:
        return self.root / name.lstrip("/")

    def has(self, name: str) -> bool:
        """Also when it is a link to something that is not there."""
        return self.path(name).exists() or self.path(name).is_symlink()

    def write(self, name: str, content: str | bytes, mode: int = 0o644) -> None:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)

    def run(self, *command: object, env: dict[str, str] | None = None, chroot: str = "exec chroot") -> Done:
        """Runs a command in a chroot with /proc, /sys, /dev and an empty /run, in namespaces of its own, whose first
        process it is, as if it were not in a chroot; with chroot="chroot" it can tell."""
        script = """root=$1; shift
            mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/run"
            mount --make-rprivate / && mount -t proc proc "$root/proc" && mount -t sysfs sysfs "$root/sys" &&
            mount --rbind /dev "$root/dev" && mount -t tmpfs tmpfs "$root/run" && CHROOT "$root" "$@"
        """.replace("CHROOT", chroot)
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", **(env or {})}
        done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "sh", "-c", script, "tree", self.root,
                               *map(str, command)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=environment, text=True, errors="replace", check=False)
        return Done(done.returncode, done.stdout)

    def contents(self) -> dict[str, tuple]:
        """The files and links in the tree, by path: kind, mode and content."""
        found: dict[str, tuple] = {}
        for path in self.root.rglob("*"):
            name = "/" + str(path.relative_to(self.root))
            if path.is_symlink():
                found[name] = ("link", bytes(path.readlink()))
            elif path.is_file():
                found[name] = ("file", oct(path.stat().st_mode), path.read_bytes())
        return found

    def stamps(self) -> dict[str, int]:
        """When each path of the tree was changed last."""
        return {str(path): path.lstat().st_mtime_ns for path in self.root.rglob("*")}

    @contextlib.contextmanager
    def without(self, *names: str):
        """The named files are not there for the while."""
        # Out of the folder: generators take every file of some.
        aside = [(self.path(name), self.root / ("aside" + name.replace("/", "-"))) for name in names]
        for path, away in aside:
            path.rename(away)
        try:
            yield
        finally:
            for path, away in aside:
                away.rename(path)

    @contextlib.contextmanager
    def recorder(self, status: int):
        """The program is a stub for the while, which notes its arguments and exits with a status.

        Yields a function that gives the calls so far, one string of arguments each.
        """
        log = self.path("/calls")
        with self.without(PROGRAM):
            self.write(PROGRAM, f'#!/bin/sh\necho "$*" >> /calls\nexit {status}\n', 0o755)
            yield lambda: log.read_text().splitlines() if log.exists() else []
            log.unlink(missing_ok=True)


class Machine(Tree):
    """A Debian tree with an initrd generator. `build` makes and unpacks an image, and remembers it."""

    def __init__(self, root: Path, generator: images.Generator):
        super().__init__(root)
        self.kernel = sorted(path.name for path in self.path("/usr/lib/modules").iterdir())[0]
        self._images: dict[tuple, Image] = {}
        for name in STORE_FILES:
            self.write(name, MARK * (8192 // len(MARK)), 0o600)
        for name, content in generator.files:
            self.write(name, content)

    def configure(self, store: str | None) -> None:
        self.path(CONFIG).unlink(missing_ok=True)
        if store is not None:
            self.write(CONFIG, f"# a comment\nstore = {store}  # another\ncredit-seed = auto\n")

    def unpack(self, image: str, folder: str) -> Done:
        # unmkinitramfs of initramfs-tools, lsinitrd of dracut: each machine has one of them.
        return self.run("sh", "-c", 'if command -v unmkinitramfs; then unmkinitramfs "$1" "$2"; '
                        'else mkdir "$2" && cd "$2" && lsinitrd --unpack "$1"; fi', "unpack", image, folder)

    def make(self, command: list[str]) -> Image:
        """Makes an image with a command, which gets its path as last argument, and unpacks it."""
        number = len(self._images)
        packed, folder = f"/var/tmp/{number}.img", f"/var/tmp/{number}"
        done = self.run(*command, packed)
        image = Image(self.path(folder), done)
        if done.status == 0:
            unpacked = self.unpack(packed, folder)
            assert unpacked.status == 0, unpacked.output
            self.path(packed).unlink()
        self._images[(number,)] = image
        return image

    def build(self, command: list[str], store: str | None) -> Image:
        """The image for a store, made once."""
        key = (*command, store)
        if key not in self._images:
            self.configure(store)
            self._images[key] = self.make(command)
        return self._images[key]


class Image(Tree):
    """An unpacked initrd, and what its generator said."""

    def __init__(self, root: Path, made: Done):
        super().__init__(root)
        self.made = made

    def seeds(self) -> list[str]:
        """The files with the mark of a store file in them."""
        return [name for name, entry in self.contents().items() if MARK in entry[-1]]

    def modules(self) -> set[str]:
        return {path.name.split(".ko")[0] for path in self.root.rglob("*.ko*")}


def _machine(folder: Path, name: str, init: str = "systemd"):
    generator = images.GENERATORS[name]
    root = folder / name
    root.mkdir()
    try:
        tools.run("tar", "-C", root, "-x", "-f", images._base(generator, init=init))
        images.installation().put(root)
        yield Machine(root, generator)
    finally:
        tools.remove_tree(root)


@pytest.fixture(scope="session")
def initramfs_machine(tmp_path_factory):
    yield from _machine(tmp_path_factory.mktemp("machine"), "initramfs-tools")


@pytest.fixture(scope="session")
def dracut_machine(tmp_path_factory):
    yield from _machine(tmp_path_factory.mktemp("machine"), "dracut")


@pytest.fixture(scope="session")
def openrc_machine(tmp_path_factory):
    """With insserv too, so what sysvinit would do can be seen as well."""
    yield from _machine(tmp_path_factory.mktemp("machine"), "initramfs-tools", init="openrc")
