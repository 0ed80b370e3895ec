# SPDX-License-Identifier: MIT
"""Reads and makes a store's bytes by docs/record-format.md: two slots of 4096 bytes, each one 512-byte record.

An independent reading of the format, for assertions: it shares no code with the program.
"""
from __future__ import annotations

import hashlib
import struct
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

SLOT_BYTES = 4096
RECORD_BYTES = 512
STORE_BYTES = 2 * SLOT_BYTES
CREDITABLE = 1


@dataclass(frozen=True)
class Slot:
    """One slot as found on the medium. The fields are meaningful when `state` is "valid"."""

    state: str  # valid, pristine, damaged
    magic: bytes
    version: int
    flags: int
    generation: int
    saved_at: int
    boot_id: uuid.UUID
    machine_tag: bytes
    seed: bytes

    @property
    def creditable(self) -> bool:
        return bool(self.flags & CREDITABLE)


def make_slot(generation: int, seed: bytes) -> bytes:
    """A slot with a creditable seed, saved in another boot by a machine without an identity."""
    head = struct.pack("<8sHHIQQ16s32s64s336x", b"earlySD\n", 1, 1, 0, generation, 0, b"another boot    ",
                       bytes(32), seed)
    return (head + hashlib.blake2b(head, digest_size=32).digest()).ljust(SLOT_BYTES, b"\0")


def parse_slot(data: bytes) -> Slot:
    """Parses the first 512 bytes of a slot. Anything that is neither zeros nor sums up is damaged."""
    record = data[:RECORD_BYTES]
    if len(record) != RECORD_BYTES:
        raise ValueError(f"a slot has {len(record)} bytes")
    if not any(record):
        state = "pristine"
    elif hashlib.blake2b(record[:480], digest_size=32).digest() == record[480:]:
        state = "valid"
    else:
        state = "damaged"
    version, flags = struct.unpack_from("<HH", record, 8)
    generation, saved_at = struct.unpack_from("<QQ", record, 16)
    return Slot(state, record[:8], version, flags, generation, saved_at, uuid.UUID(bytes=record[32:48]),
                record[48:80], record[80:144])


def newest(slots: Iterable[Slot]) -> Slot | None:
    """The seed: the valid record with the higher generation."""
    valid = sorted((slot for slot in slots if slot.state == "valid"), key=lambda slot: slot.generation)
    return valid[-1] if valid else None


@dataclass(frozen=True)
class Store:
    """Both slots of a store, and its raw bytes."""

    raw: bytes

    @property
    def slots(self) -> tuple[Slot, Slot]:
        return parse_slot(self.raw), parse_slot(self.raw[SLOT_BYTES:])

    @property
    def states(self) -> tuple[str, str]:
        first, second = self.slots
        return first.state, second.state

    @property
    def newest(self) -> Slot:
        """The valid record with the higher generation; raises if there is none."""
        seed = newest(self.slots)
        if seed is None:
            raise ValueError(f"no valid record: {self.states}")
        return seed

    def with_flipped_bit(self, *slots: int) -> bytes:
        """The raw bytes with one bit of the seed wrong in each slot named (0, 1): bit rot, or a torn write."""
        data = bytearray(self.raw)
        for slot in slots:
            data[slot * SLOT_BYTES + 100] ^= 0x10
        return bytes(data)
