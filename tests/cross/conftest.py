# SPDX-License-Identifier: MIT
"""Builds for other architectures, each made once in a run, by musl/cross."""
from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("EARLYSEED_BUILD", REPOSITORY / "build"))
sys.path.insert(0, str(REPOSITORY / "tests/boot"))

from lab.fetch import fetching  # noqa: E402
from lab.tools import run  # noqa: E402

QEMU = {"arm64": "qemu-aarch64", "armhf": "qemu-arm", "riscv64": "qemu-riscv64", "i386": "qemu-i386"}


@dataclass(frozen=True)
class Cross:
    """A build for another architecture; `qemu` is the emulator that runs its programs on this machine."""

    arch: str
    qemu: str
    build: Path

    @property
    def program(self) -> Path:
        return self.build / f"earlyseed-{self.arch}"


def build(arch: str, tests: str) -> Path:
    """Builds what has changed, with the unit tests (`tests`: enabled) or without (disabled); the build folder."""
    folder = BUILD / "cross" / arch
    with fetching(f"what the build for {arch} needs"):
        run(REPOSITORY / "musl/cross", arch, folder, f"-Dtests={tests}", "--werror")
    return folder


@pytest.fixture(scope="session")
def cross_build():
    made = {}

    def make(arch: str) -> Cross:
        if arch not in made:
            made[arch] = Cross(arch, QEMU[arch], build(arch, "disabled"))
        return made[arch]
    return make


@pytest.fixture(scope="session", params=QEMU)
def cross(request, cross_build) -> Cross:
    return cross_build(request.param)
