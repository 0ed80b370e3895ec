# SPDX-License-Identifier: MIT
"""The peers as Debian 12 packages them: their programs with the shared libraries that these need,
and their versions."""
from __future__ import annotations

import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from report import images, tools

# systemd is in every tree of the lab.
PACKAGES = ("jitterentropy-rngd", "haveged", "rng-tools5", "openrc")


@dataclass(frozen=True)
class Tool:
    """How a tool is started, as its unit or manual says; what it credits; whether it credits the same seed twice."""

    command: tuple[str, ...]
    credits: str
    twice: str = "-"
    mounted: bool = False  # the disk has a file system, at /var/lib when the clock starts; else it is a raw store
    environment: str = ""  # one variable


BARE = "ioctl alone"
TOOLS = {
    BARE: Tool(("/bare",), "256 bits of nothing"),
    "earlyseed: seed": Tool(("/earlyseed", "load", "--early", "--config", "/raw.conf"), "seed", "no"),
    "earlyseed: seed in a file": Tool(("/earlyseed", "load", "--root", "/var/lib", "--config", "/file.conf"),
                                      "seed", "no", True),
    "SeedRNG": Tool(("/lib/rc/sbin/seedrng",), "seed", "no", True),
    "systemd-random-seed, forced": Tool(("/lib/systemd/systemd-random-seed", "load"), "seed", "yes", True,
                                        "SYSTEMD_RANDOM_SEED_CREDIT=force"),
    "earlyseed: first boot": Tool(("/earlyseed", "load", "--early"), "jitter"),
    "jitterentropy-rngd": Tool(("/usr/sbin/jitterentropy-rngd",), "jitter"),
    "haveged": Tool(("/usr/sbin/haveged", "--Foreground", "--verbose=1"), "jitter"),
    "rngd": Tool(("/usr/sbin/rngd", "-f"), "hardware RNG"),
    "kernel's own loop": Tool(("/bare", "wait"), "jitter"),
}
PROGRAMS = [tool.command[0] for tool in TOOLS.values() if tool.command[0] not in ("/bare", "/earlyseed")]

# Copies the programs and their libraries to one tree, with the cache that the dynamic linker has on a real machine.
_COLLECT = """
for program; do
    echo "$program"
    ldd "$program" | grep -o '/[^ ]*'
done | sort -u | xargs cp -L --parents -t /tree
cp --parents -r /etc/ld.so.conf /etc/ld.so.conf.d /tree
ldconfig -r /tree
rm -r /tree/etc/ld.so.conf*
"""


def _collect(base: Path, path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        root = Path(folder)
        tools.run("tar", "-C", root, "-x", "-f", base)
        (root / "tree").mkdir()
        (root / "tree/collect").write_text(_COLLECT)
        versions = images.in_chroot(root, f"sh -eu /tree/collect {' '.join(PROGRAMS)} >&2; rm /tree/collect; "
                                          f"dpkg-query --show {' '.join(PACKAGES)} systemd")
        (root / "tree/versions").write_bytes(versions)
        part = root / "tree.tar"
        tools.run("tar", "-C", root / "tree", "-c", "-f", part, ".")
        part.rename(path)


def files() -> tuple[dict[str, bytes], dict[str, str]]:
    """The files of the peers by path, and the packages' versions; made once, then out of the cache."""
    base = images._base(images.Generator("peers", ("initramfs-tools", *PACKAGES), (), ""))
    path = tools.cache_dir() / "peers" / f"{tools.digest(base.name, PROGRAMS, _COLLECT)}.tar"
    with tools.locked(path):
        if not path.exists():
            tools.say("collecting the peers' programs and libraries")
            _collect(base, path)
    with tarfile.open(path) as archive:
        contents = {member.name.removeprefix("./"): file.read()
                    for member in archive if (file := archive.extractfile(member))}
    versions = dict(line.split("\t") for line in contents.pop("versions").decode().splitlines())
    return contents, versions
