# SPDX-License-Identifier: MIT
"""Cuts the power of a real machine at random instants, over and over,
and keeps a ledger of every seed that was credited.

QEMU is killed while the machine boots, runs (and saves seeds) or shuts down, or when load writes to the store's disk.
What was not flushed by then is lost, torn or kept at random, as in a disk's own cache. Only the store's disk lives on:
the root disk is a fresh one in every boot.
"""
from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import blocklog, disks, images
from .machine import LOGIN, Machine, parse_report
from .qemu import LOGIN_TIMEOUT_S, POWEROFF_TIMEOUT_S, BootFailed, Qemu
from .record import SLOT_BYTES, Store, newest

PHASES = ("boot", "load", "run", "shutdown")
RUN_S = 5.0
LIFE_TIMEOUT_S = LOGIN_TIMEOUT_S + POWEROFF_TIMEOUT_S
SAVES = "(while earlyseed save; do sleep 0.1; done) </dev/null >/dev/null 2>&1 &"
POWER_OFF = "(sleep 0.2; systemctl poweroff) </dev/null >/dev/null 2>&1 &"  # the agent answers before it is killed
# The line of the load that had the store; an earlier one says that the store is not there yet.
SEED_LINE = re.compile(r"earlyseed: load: crng [^\r\n]*; seed (\d+) bits(?:: ([^\r\n]*))?\r?\n")
SLOT_SECTORS = [(disks.PartitionDisk.START + at) // blocklog.SECTOR for at in (0, SLOT_BYTES)]


@dataclass
class Ledger:
    """What the boots did, and what they must not have done."""

    boots: int = 0
    ends: Counter = field(default_factory=Counter)        # by phase; "orderly"
    lost: int = 0                                         # sectors that did not reach the medium as last written
    uncredited: Counter = field(default_factory=Counter)  # boots whose load gave the seed no credit, by reason
    early: int = 0                                        # boots that were cut before load could have credited
    credited: list[bytes] = field(default_factory=list)   # seeds
    perhaps: list[bytes] = field(default_factory=list)    # cut before load's line, but after the successor was durable
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        twice = sum("twice" in problem for problem in self.problems)
        lines = [f"{self.boots} boots: " + ", ".join(f"{count} {end}" for end, count in self.ends.most_common())
                 + f"; {self.lost} unflushed sectors lost or torn",
                 f"{len(self.credited)} seeds credited, {len(self.perhaps)} perhaps (cut before load's line), "
                 f"{self.early} boots cut before that, {twice} credited twice"]
        lines += [f"{count} without credit: {reason}" for reason, count in self.uncredited.most_common()]
        return "\n".join(lines + self.problems)


@dataclass
class Cutter:
    """When to cut. The scales are what the last boot that came so far took; the host may be slow."""

    rng: random.Random
    phase: str = "orderly"
    fraction: float = 1.0
    boot_s: float = 0.0
    shutdown_s: float = 0.0
    load_bytes: int = 0  # of the log of writes

    def choose(self, phase: str) -> None:
        self.phase, self.fraction = phase, self.rng.random()

    def is_due(self, began: dict[str, float], log_bytes: int) -> bool:
        if self.phase == "load":
            return log_bytes > self.fraction * self.load_bytes
        scale = {"boot": self.boot_s, "run": RUN_S, "shutdown": self.shutdown_s}.get(self.phase)
        return (scale is not None and self.phase in began
                and time.monotonic() - began[self.phase] >= self.fraction * scale)


def play(image: images.Image, boots: int, seed: int, ledger: Ledger, say: Callable[[str], None]) -> None:
    """`boots` boots of one machine: the first and the last end in an orderly way, the others by a cut. What is random
    comes from `seed`; the instants of a run are those of another as far as the host is as fast."""
    rng = random.Random(seed)
    machine = Machine(f"powercut-{image.generator}", image, append=["earlyseed.credit_seed=always"])
    machine.store = disks.PartitionDisk(machine.folder / "store.img")
    cutter = Cutter(rng)
    deck: list[str] = []
    for number in range(1, boots + 1):
        deck = deck or rng.sample(PHASES, len(PHASES))
        cutter.choose("orderly" if number in (1, boots) else deck.pop())
        say(f"{number}/{boots} " + _one_boot(machine, cutter, ledger))


def _one_boot(machine: Machine, cutter: Cutter, ledger: Ledger) -> str:
    """One boot, its end and its entry in the ledger; returns a line about it."""
    before, base = machine.store.read(), machine.store.path.read_bytes()
    machine.root = images.overlay(machine.image.root, machine.folder / "root.qcow2")
    log = machine.folder / "store.writes"
    guest = machine.start(cutter.phase, store={"log": log})
    try:
        end, report = _live(guest, cutter, log)
    finally:
        guest.cut()
    seconds = guest.host_seconds()
    entries = blocklog.read(log)
    lost = 0
    if end != "orderly":
        # The kill comes as late as the host has time for it. A cut two requests before is as good: when load has told
        # of the credit, it has made five, and the credit was after the third.
        entries = entries[:max(0, len(entries) - cutter.rng.randint(0, 2))]
        lost = _lose(machine, base, entries, cutter.rng)
    ledger.boots += 1
    ledger.ends[end] += 1
    ledger.lost += lost
    used = enter(ledger, before, guest.console, report, entries)
    return f"{end:8} after {seconds:5.1f} s, {used}, {lost} sectors lost"


def _live(guest: Qemu, cutter: Cutter, log: Path) -> tuple[str, dict[str, str]]:
    """The guest's life to its end or to the cut: the phase it was in; load's report,
    if there was time to ask for it."""
    began = {"boot": guest.started}
    report: dict[str, str] = {}
    while guest.alive:
        if guest.host_seconds() > LIFE_TIMEOUT_S:
            raise BootFailed(f"neither login nor power off (console: {guest.console_file})")
        if cutter.is_due(began, log.stat().st_size):
            return "load" if cutter.phase == "load" else list(began)[-1], report
        if "run" not in began and re.search(LOGIN, guest.console):
            guest.wait_for_login()
            report = parse_report(guest.shell("cat /run/earlyseed/report")[1])
            began["run"] = time.monotonic()
            cutter.boot_s = began["run"] - guest.started
            cutter.load_bytes = log.stat().st_size
            guest.shell(SAVES)
        if "run" in began and "shutdown" not in began and time.monotonic() - began["run"] >= RUN_S:
            guest.shell(POWER_OFF)
            began["shutdown"] = time.monotonic()
        time.sleep(0.002)
    if "shutdown" not in began:
        raise BootFailed(f"QEMU ended by itself (console: {guest.console_file})")
    cutter.shutdown_s = time.monotonic() - began["shutdown"]
    return "orderly", report


def _lose(machine: Machine, base: bytes, entries: list[blocklog.Entry], rng: random.Random) -> int:
    """Leaves the disk in a state that the cut allows; returns how many sectors are not as they were written last."""
    *_, last = blocklog.intervals(base, entries, torn=SLOT_SECTORS)
    chosen = {sector: rng.choice(contents) for sector, contents in last.choices.items()}
    disk = bytearray(base)
    for sector, data in {**last.durable, **chosen}.items():
        disk[sector * blocklog.SECTOR:(sector + 1) * blocklog.SECTOR] = data
    machine.store.path.write_bytes(disk)
    return sum(chosen[sector] != contents[-1] for sector, contents in last.choices.items())


def enter(ledger: Ledger, before: Store, console: str, report: dict[str, str], entries: list[blocklog.Entry]) -> str:
    """What this boot's load did with the seed that was there."""
    def problem(text: str) -> None:
        ledger.problems.append(f"boot {ledger.boots}: {text}; store before: "
                               + ", ".join(f"{slot.state} {slot.generation}" for slot in before.slots))

    seed = newest(before.slots)
    if seed is None and ledger.credited + ledger.perhaps:
        problem("no seed was left")
    said = [found for found in SEED_LINE.finditer(console) if "is not there" not in (found[2] or "")]
    if not said:
        if report:
            problem("login, and no word of the seed from load")
        if seed and _successor_was_flushed(entries):
            ledger.perhaps.append(seed.seed)
            return f"seed {seed.generation} perhaps used"
        ledger.early += 1
        return "seed not used"
    credited = said[0][1] == "256"
    if credited:
        if seed is None or seed.seed in ledger.credited + ledger.perhaps:
            problem("a seed was credited twice")
        else:
            ledger.credited.append(seed.seed)
    else:
        ledger.uncredited[said[0][2]] += 1
    if credited != (seed is not None and before.states == ("valid", "valid") and seed.creditable):
        problem(f"credit {said[0][1]}")
    if seed and report and report.get("seed.generation") != str(seed.generation):
        problem(f"load used generation {report.get('seed.generation')}")
    return f"seed {seed.generation if seed else 'none'} {said[0][1]} bits"


def _successor_was_flushed(entries: list[blocklog.Entry]) -> bool:
    """Whether a record was written and flushed: before that, nothing is credited."""
    written = False
    for entry in entries:
        if written and entry.flags & blocklog.FLUSH:
            return True
        written = written or any(sector in SLOT_SECTORS for sector, _ in entry.contents())
    return False
