# SPDX-License-Identifier: MIT
"""One machine, one store disk, and power cuts at random instants; `tests/boot/powercut --boots N` does a long run."""
from __future__ import annotations

import hashlib
import secrets
import struct

from lab import blocklog, images, powercut, tools
from lab.record import Store
from lab.scenario import Lab, scenario
from scenarios import INITRAMFS_TOOLS, PATIENCE


@scenario(long=[INITRAMFS_TOOLS])
def power_cuts(_lab: Lab, generator: str) -> dict[str, powercut.Ledger]:
    """Eight boots. Another seed each time: a run that failed can be had again."""
    seed = secrets.randbits(32)
    tools.say(f"power cuts: seed {seed}")
    ledger = powercut.Ledger()
    image = images.image(generator, conf=PATIENCE)
    powercut.play(image, 8, seed, ledger, lambda text: tools.say(f"power cuts: {text}"))
    return {"ledger": ledger}


def test_p1_p5_random_power_cuts(power_cuts, record_property):
    """P1: the ledger, which is kept outside the machine, has no seed twice. P5: there is always a seed; a good pair of
    records earns its credit, and nothing else does."""
    ledger = power_cuts["ledger"]
    print(ledger)
    record_property("power cuts", sum(ledger.ends[phase] for phase in powercut.PHASES))
    assert ledger.problems == [], str(ledger)
    assert ledger.credited


def slot(generation):
    head = struct.pack("<8sHHIQQ16s32s64s336x", b"earlySD\n", 1, 1, 0, generation, 0, bytes(16), bytes(32),
                       bytes([generation]) * 64)
    return (head + hashlib.blake2b(head, digest_size=32).digest()).ljust(4096, b"\0")


def test_the_ledger_finds_a_seed_that_is_credited_twice():
    """What the test above would have seen: once certain, once after a boot that was cut before load's line."""
    line = "[    5.0] earlyseed: load: crng ready; seed 256 bits\r\n"
    write, flush = blocklog.Entry(powercut.SLOT_SECTORS[0], 0, slot(3)), blocklog.Entry(0, 1, b"")
    ends: list[tuple[str, list[blocklog.Entry]]] = [(line, []), ("", [write, flush])]
    for console, entries in ends:
        ledger = powercut.Ledger()
        powercut.enter(ledger, Store(slot(1) + slot(2)), console, {}, entries)
        assert ledger.problems == []
        powercut.enter(ledger, Store(slot(1) + slot(2)), line, {}, [])
        assert len(ledger.problems) == 1 and "credited twice" in ledger.problems[0]
