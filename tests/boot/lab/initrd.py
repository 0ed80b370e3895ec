# SPDX-License-Identifier: MIT
"""Reads the files of an initrd image as the kernel does: newc archives one after the other, the last one
compressed (zstd in this lab). For tests of what must, and what must never, be in an image."""
from __future__ import annotations

from pathlib import Path
from typing import Iterator

from .tools import run

_HEADER_BYTES = 110
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def files(image: Path) -> dict[str, bytes]:
    """Path (without a leading slash) to content of every regular file; a link's content is its target."""
    data = image.read_bytes()
    found: dict[str, bytes] = {}
    while data:
        if data.startswith(_ZSTD_MAGIC):
            data = run("zstd", "-dc", "-q", stdin=data)
        if not data.startswith(b"070701"):
            raise ValueError(f"neither newc nor zstd in {image}: {data[:8]!r}")
        used = 0
        for name, content, end in _newc(data):
            used = end
            if content or name not in found:
                found[name.removeprefix("./")] = content
        data = data[used:].lstrip(b"\0")
    return found


def _newc(data: bytes) -> Iterator[tuple[str, bytes, int]]:
    """(name, content, offset after it) for each entry up to the trailer, as in the kernel's
    Documentation/driver-api/early-userspace/buffer-format.rst."""
    offset = 0
    while True:
        fields = [int(data[offset + 6 + 8 * i:offset + 14 + 8 * i], 16) for i in range(13)]
        size_bytes, name_bytes = fields[6], fields[11]
        name_at = offset + _HEADER_BYTES
        name = data[name_at:name_at + name_bytes - 1].decode()
        content_at = (name_at + name_bytes + 3) & ~3
        offset = (content_at + size_bytes + 3) & ~3
        yield name, data[content_at:content_at + size_bytes], offset
        if name == "TRAILER!!!":
            return
