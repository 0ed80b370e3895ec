# SPDX-License-Identifier: MIT
"""The log of a disk's writes and flushes that QEMU's blklogwrites keeps, and every state that a power cut could have
left of that disk.

The model of the medium: a write is durable after the next completed flush. Until then each of its 512-byte sectors is
on the medium or not, whatever became of any other sector: so between two flushes a sector holds its durable content or
any content written to it since. That covers writes that were lost, torn between sectors, or out of order.
"""
from __future__ import annotations

import itertools
import math
import random
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

SECTOR = 512
# The format is that of dm-log-writes (Linux, drivers/md/dm-log-writes.c): a superblock, then entries,
# each in one sector and followed by its data.
_MAGIC = 0x6A736677736872
_SUPER = struct.Struct("<QQQI")   # magic, version, entries, bytes of a log sector
_ENTRY = struct.Struct("<QQQQ")   # sector, sectors, flags, bytes of data in the entry itself
FLUSH, FUA = 1, 2


@dataclass(frozen=True)
class Entry:
    """One request: a write of `data` at `sector`, a flush (no data), or both (the flush comes first)."""

    sector: int
    flags: int
    data: bytes

    def contents(self) -> Iterator[tuple[int, bytes]]:
        """(sector, its 512 bytes) of each sector written."""
        for at in range(0, len(self.data), SECTOR):
            yield self.sector + at // SECTOR, self.data[at:at + SECTOR]


def read(path: Path) -> list[Entry]:
    """The log's entries in order. The superblock is written with a flush: it may be missing, or its count of entries be
    old, while QEMU runs or when it was killed. So they are read to the end."""
    log = path.read_bytes()
    magic, version, _, sector_bytes = _SUPER.unpack_from(log.ljust(SECTOR, b"\0"))
    if any(log[:SECTOR]) and (magic, version, sector_bytes) != (_MAGIC, 1, SECTOR):
        raise ValueError(f"{path} is no log of writes: {magic:#x}, version {version}, {sector_bytes} bytes a sector")
    entries: list[Entry] = []
    at = SECTOR
    while at + _ENTRY.size <= len(log):
        sector, count, flags, _ = _ENTRY.unpack_from(log, at)
        at += SECTOR
        if flags & ~(FLUSH | FUA):
            raise ValueError(f"entry {len(entries)}: what request {flags:#x} leaves is not known")
        if count == flags == 0 or at + count * SECTOR > len(log):
            break
        entries.append(Entry(sector, flags, log[at:at + count * SECTOR]))
        at += count * SECTOR
    return entries


def written(entries: list[Entry]) -> set[int]:
    """The sectors that were written to."""
    return {sector for entry in entries for sector, _ in entry.contents()}


def after(base: bytes, entries: list[Entry]) -> bytes:
    """The disk's content when everything has reached it."""
    disk = bytearray(base)
    for entry in entries:
        disk[entry.sector * SECTOR:entry.sector * SECTOR + len(entry.data)] = entry.data
    return bytes(disk)


State = dict[int, bytes]  # sectors whose content is not the base image's


@dataclass(frozen=True)
class Interval:
    """The time up to a flush, or to the log's end: what it found durable, and what was written and may be lost."""

    end: int                              # entries of the log that have been issued
    durable: State
    choices: dict[int, tuple[bytes, ...]]  # per sector: its durable content, then those written, in order

    @property
    def possible(self) -> int:
        """How many states a power cut may leave."""
        return math.prod(len(contents) for contents in self.choices.values())

    def states(self, limit: int, seed: int = 0) -> Iterator[State]:
        """All of them, if there are at most `limit`; else a selection of about that size (see _selected)."""
        if self.possible <= limit:
            for contents in itertools.product(*self.choices.values()):
                yield self._state(zip(self.choices, contents))
        else:
            yield from self._selected(limit, random.Random(seed))

    def _selected(self, limit: int, rng: random.Random) -> Iterator[State]:
        """Every prefix in the order of writing (a sector at a time, so every tear too), every state with one or two
        sectors lost, every state with one sector alone, then random ones."""
        old = {sector: contents[0] for sector, contents in self.choices.items()}
        new = {sector: contents[-1] for sector, contents in self.choices.items()}
        chosen = []
        for count in range(len(old) + 1):
            chosen.append({s: (new if index < count else old)[s] for index, s in enumerate(old)})
        for sector, contents in self.choices.items():
            chosen += [{**whole, sector: content} for whole in (new, old) for content in contents]
        for one, two in itertools.combinations(old, 2):
            if len(chosen) >= limit:
                break
            chosen.append({**new, one: old[one], two: old[two]})
        while len(chosen) < limit:
            chosen.append({sector: rng.choice(contents) for sector, contents in self.choices.items()})
        for state in chosen:
            yield self._state(state.items())

    def _state(self, contents) -> State:
        return {**self.durable, **dict(contents)}


def intervals(base: bytes, entries: list[Entry], torn: Collection[int] = ()) -> Iterator[Interval]:
    """The log, flush by flush. The sectors `torn` may tear within:
    the new content's first half with the old one's second."""
    durable: State = {}
    pending: dict[int, list[bytes]] = {}

    def content(sector: int) -> bytes:
        return durable.get(sector, base[sector * SECTOR:(sector + 1) * SECTOR])

    def interval(end: int) -> Interval:
        choices = {sector: tuple(dict.fromkeys([content(sector), *contents])) for sector, contents in pending.items()}
        return Interval(end, dict(durable), {s: contents for s, contents in choices.items() if len(contents) > 1})

    for index, entry in enumerate(entries):
        if entry.flags & FLUSH:
            yield interval(index)
            durable.update({sector: contents[-1] for sector, contents in pending.items()})
            pending.clear()
        for sector, data in entry.contents():
            contents = pending.setdefault(sector, [])
            if sector in torn:
                before, half = contents[-1] if contents else content(sector), SECTOR // 2
                contents.append(data[:half] + before[half:])
            contents.append(data)
        if entry.flags & FUA:  # durable itself, and no other write is
            yield interval(index + 1)
            for sector, data in entry.contents():
                durable[sector] = data
                del pending[sector]
    yield interval(len(entries))
