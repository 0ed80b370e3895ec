# SPDX-License-Identifier: MIT
"""Records what load and save write to a disk, and replays every state that a power cut could have left of it.

A recording is one guest whose init (init.c) runs the real program over several simulated boots, with the store's disk
behind QEMU's blklogwrites. Marks among the writes say where each step begins and ends, and where a seed was credited.
`boot/lab/blocklog.py` turns the log into crash states. A replay is one guest that puts each state on its disk and runs
the real `load` in two boots from there.
"""
from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "boot"))

from lab import blocklog, qemu, tiny, tools  # noqa: E402
from lab.blocklog import SECTOR, State  # noqa: E402
from lab.machine import parse_report  # noqa: E402
from lab.record import RECORD_BYTES, SLOT_BYTES, Slot, newest, parse_slot  # noqa: E402
from scenarios import PATIENCE  # noqa: E402

MARK_BYTES = 4096  # the disk's last block is not the store's
KIB = 1 << 10
BOOTS = 2          # from each crash state; as in init.c
RESULT_BYTES = 4096
SOME_KINDS, SOME_STATES = ("raw", "vfat", "ext4"), 64  # what ./check runs: kinds, states an interval
EXT4_BLOCK_BYTES = {"ext4": 4096, "ext4-1k": 1024}  # a large file system's, a small /boot's
STEPS = {
    # Pristine; saves while the kernel's generator is not ready, and when it is; boots that end with and without a save;
    # boots that find the older slot damaged, and the newer.
    "raw": "blsks" "blss" "bl" "bls" "b0l" "b1ls" "bl",
    # The file system is mounted by the running system, too, and written to.
    "file": "blsks" "blmnsnsu" "bl" "bls" "b0l" "b1ls" "bl",
}


# ---- the disks -------------------------------------------------------------------------------------------------------

def _patterns() -> bytes:
    return b"".join(hashlib.shake_256(bytes([slot])).digest(SLOT_BYTES) for slot in range(2))


def _raw(path: Path) -> None:
    """A partition of its own."""
    path.write_bytes(bytes(128 * KIB))
    tools.run("sfdisk", "--quiet", path, stdin=b"label: dos\nstart=64, size=128\n")
    with open(path, "r+b") as disk:
        disk.seek(64 * SECTOR)
        disk.write(_patterns())


def _vfat(path: Path) -> None:
    """FAT32, as an EFI system partition is, though with so few clusters that mtools takes it for FAT12: the file is put
    there by hand (Microsoft, FAT specification 1.03)."""
    path.write_bytes(bytes(1024 * KIB))
    tools.run("mkfs.vfat", "-F", "32", "-s", SLOT_BYTES // SECTOR, path)
    disk = bytearray(path.read_bytes())
    reserved, fats = struct.unpack_from("<HB", disk, 14)
    fat_sectors, = struct.unpack_from("<I", disk, 36)
    data_at = (reserved + fats * fat_sectors) * SECTOR
    for fat in range(fats):  # clusters 3 and 4; the root folder has 2, and the data begin with it
        struct.pack_into("<II", disk, (reserved + fat * fat_sectors) * SECTOR + 3 * 4, 4, 0x0FFFFFFF)
    struct.pack_into("<11sB8xH4xHI", disk, data_at, b"SEED       ", 0x20, 0, 3, 2 * SLOT_BYTES)
    disk[data_at + SLOT_BYTES:data_at + 3 * SLOT_BYTES] = _patterns()
    path.write_bytes(disk)


def _ext4(path: Path, kind: str, size_bytes: int) -> None:
    block_bytes = EXT4_BLOCK_BYTES[kind]
    path.write_bytes(bytes(size_bytes))
    with tempfile.TemporaryDirectory() as tree:
        store = Path(tree) / "seed"
        store.write_bytes(_patterns())
        store.chmod(0o600)
        # The kernel would write the inode tables later, at its leisure.
        tools.run("mke2fs", "-q", "-F", "-t", "ext4", "-b", block_bytes, "-N", "32", "-J", f"size={block_bytes // KIB}",
                  "-E", "lazy_itable_init=0", "-d", tree, path)


KINDS = {
    "raw": _raw,
    "vfat": _vfat,
    "ext4": lambda path: _ext4(path, "ext4", 9 * KIB * KIB),
    "ext4-1k": lambda path: _ext4(path, "ext4-1k", 3 * KIB * KIB),
}


def _disk(kind: str, path: Path) -> tuple[int, int]:
    """Makes the disk with an empty store and returns where its two slots are."""
    KINDS[kind](path)
    content = bytearray(path.read_bytes())
    slots = []
    for at in (0, SLOT_BYTES):
        pattern = _patterns()[at:at + SLOT_BYTES]
        slots.append(content.index(pattern))
        content[slots[-1]:slots[-1] + SLOT_BYTES] = bytes(SLOT_BYTES)
    path.write_bytes(content + bytes(MARK_BYTES))
    return slots[0], slots[1]


# ---- the guest -------------------------------------------------------------------------------------------------------

class Guest:
    """The kernel, and an initrd with our init and the configurations of the stores."""

    def __init__(self, folder: Path):
        self.folder = folder
        image = tiny.image(PATIENCE)
        self.kernel = image.kernel
        self.initrd = folder / "initrd"
        limits = b"credit-seed = always\ncredit-jitter = never\njitter-timeout-ms = 60000\nload-timeout-ms = 60000\n"
        tiny.make_initrd(self.initrd, HERE / "init.c", image, {"raw.conf": b"store = /dev/vda1\n" + limits,
                                                               "file.conf": b"store = /dev/vda:/seed\n" + limits})

    def run(self, name: str, options: list[str], drives: list[qemu.Drive], timeout_s: int) -> None:
        """Boots, and waits until init has done its work."""
        more = ["-uuid", "e5eed000-0000-4000-8000-00000000c4a5"]
        for index, drive in enumerate(drives):
            more += ["-drive", f"if=none,id=disk{index},{drive.options()}",
                     "-device", f"virtio-blk-pci,drive=disk{index},addr=0x{index + 4:x}"]
        command = tiny.command(self.kernel, self.initrd, timeout_s, options, more)
        console = self.folder / f"{name}.console"
        with open(console, "wb") as out:
            status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False).returncode
        text = console.read_text(errors="replace")
        if status != 0 or "crash-done" not in text:
            raise RuntimeError(f"{name}: exit status {status}\n{text[-3000:]}")


# ---- recording -------------------------------------------------------------------------------------------------------

def fingerprint(slot: Slot) -> str:
    return hashlib.sha256(slot.seed).hexdigest()[:16]


@dataclass(frozen=True)
class Credit:
    """Places are numbers of log entries that went before."""

    seed: str      # its fingerprint
    begun_at: int  # where its load began
    at: int


@dataclass
class Recording:
    """A disk's content before, what was written and flushed, and which seeds were credited between the writes."""

    kind: str
    base: bytes
    slot_at: tuple[int, int]
    entries: list[blocklog.Entry] = field(default_factory=list)  # without the marks
    credits: list[Credit] = field(default_factory=list)
    seeded_at: int = 0                                           # where the first load had ended
    whole: set[tuple[int, bytes]] = field(default_factory=set)   # ext4's blocks, as they were once written

    def slots(self, state: State) -> list[Slot]:
        return [parse_slot(self._bytes(state, at, RECORD_BYTES)) for at in self.slot_at]

    def blocks(self, state: State, sectors: Iterable[int]) -> set[tuple[int, bytes]]:
        """Place and content of ext4's own blocks that these sectors are part of."""
        size = EXT4_BLOCK_BYTES.get(self.kind)
        if size is None:
            return set()
        places = {sector * SECTOR // size * size for sector in sectors}
        places -= {at + offset for at in self.slot_at for offset in range(0, SLOT_BYTES, size)}
        return {(at, self._bytes(state, at, size)) for at in places}

    def _bytes(self, state: State, at: int, size: int) -> bytes:
        return b"".join(state.get(n, self.base[n * SECTOR:n * SECTOR + SECTOR])
                        for n in range(at // SECTOR, (at + size) // SECTOR))


def record(guest: Guest, kind: str) -> Recording:
    path, log = guest.folder / f"{kind}.img", guest.folder / f"{kind}.log"
    slot_at = _disk(kind, path)
    base = path.read_bytes()
    steps = STEPS["raw" if kind == "raw" else "file"]
    guest.run(f"record-{kind}",
              ["crash=record", f"type={kind.partition('-')[0]}", f"steps={steps}", f"slot0={slot_at[0]}",
               f"slot1={slot_at[1]}"],
              [qemu.Drive(path, log=log)], 600)
    recording = _parse(Recording(kind, base[:-MARK_BYTES], slot_at), blocklog.read(log), steps)
    if blocklog.after(base[:-MARK_BYTES], recording.entries) != path.read_bytes()[:-MARK_BYTES]:
        raise RuntimeError(f"{kind}: the log does not lead to what is on the disk")
    return recording


def _parse(recording: Recording, log: list[blocklog.Entry], steps: str) -> Recording:
    view: State = {}  # what a reader sees, flushed or not
    seed: Slot | None = None
    done, begun_at, credits = "", 0, 0
    for entry in log:
        if entry.sector * SECTOR < len(recording.base):
            recording.entries.append(entry)
            touched = dict(entry.contents())
            recording.whole |= recording.blocks(view, touched)
            view.update(touched)
            recording.whole |= recording.blocks(view, touched)
            continue
        mark, _, report = entry.data.rstrip(b"\0").decode().partition("\n")
        here = len(recording.entries)
        match mark.split():
            case ["begin", "l"]:
                seed, begun_at = newest(recording.slots(view)), here
            case ["credit"]:
                assert seed
                recording.credits.append(Credit(fingerprint(seed), begun_at, here))
            case ["end", step, status]:
                done += step
                if step == "l":
                    credits += parse_report(report)["seed.credited_bits"] == "256"
                    recording.seeded_at = recording.seeded_at or here
                if status != "0" or len(recording.credits) != credits:
                    raise RuntimeError(f"{recording.kind}, step {len(done)}: {mark}, {recording.credits}\n{report}")
    if done != steps:
        raise RuntimeError(f"{recording.kind}: of the steps {steps} only {done} were recorded")
    return recording


def without_flush(recording: Recording) -> Recording:
    """What would have been recorded if the program did not flush the successor: the replay must find fault with it."""
    dropped = {max(index for index in range(credit.at) if recording.entries[index].flags)
               for credit in recording.credits}
    kept = [index for index in range(len(recording.entries)) if index not in dropped]

    def place(at: int) -> int:
        return sum(index < at for index in kept)
    return replace(recording, entries=[recording.entries[index] for index in kept],
                   seeded_at=place(recording.seeded_at),
                   credits=[Credit(c.seed, place(c.begun_at), place(c.at)) for c in recording.credits])


def credited_first(recording: Recording) -> Recording:
    """What would have been recorded if the program credited before it wrote the successor: the same."""
    return replace(recording, credits=[replace(credit, at=credit.begun_at) for credit in recording.credits])


# ---- crash states ----------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Case:
    """A crash state, and the most that may have happened before the cut."""

    state: State
    credited: frozenset[str]  # fingerprints
    seeded: bool              # the first load had ended, so there must be a seed


@dataclass
class Cases:
    """The distinct crash states of a recording."""

    recording: Recording
    distinct: dict[bytes, Case] = field(default_factory=dict)
    possible: int = 0        # states, summed over the intervals between two flushes
    intervals: int = 0
    selected: int = 0        # intervals of which a selection is run
    selected_slots: int = 0  # of these, those in which a record was written


def crash_states(recording: Recording, limit: int) -> Cases:
    """All states of each interval between two flushes that has up to `limit`, of others a selection of about as many.
    The records may tear within their sector, too: beyond the model, but else no slot would ever be damaged."""
    cases = Cases(recording)
    torn = {at // SECTOR for at in recording.slot_at}
    for interval in blocklog.intervals(recording.base, recording.entries, torn):
        cases.intervals += 1
        cases.possible += interval.possible
        if interval.possible > limit:
            cases.selected += 1
            cases.selected_slots += not torn.isdisjoint(interval.choices)
        credited = frozenset(credit.seed for credit in recording.credits if credit.at <= interval.end)
        for state in interval.states(limit):
            state = {s: data for s, data in state.items() if data != recording.base[s * SECTOR:(s + 1) * SECTOR]}
            # Of equal states the latest: by then the most has been credited.
            cases.distinct[_key(state)] = Case(state, credited, recording.seeded_at <= interval.end)
    return cases


def _key(state: State) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for sector in sorted(state):
        digest.update(struct.pack("<Q", sector) + state[sector])
    return digest.digest()


# ---- replay ----------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Outcome:
    """What one boot after the cut did."""

    status: int
    report: dict[str, str]
    slots: list[Slot]  # after it

    @property
    def credited(self) -> bool:
        return self.report.get("seed.credited_bits") == "256"


Replayed = dict[tuple[str, bytes], list[Outcome]]  # by kind of store and key of the state


def replay(guest: Guest, all_cases: list[Cases]) -> Replayed:
    """Boots from every distinct state, once for all the cases that share it, in one guest."""
    work: dict[tuple[str, bytes], State] = {}
    recordings: dict[str, Recording] = {}
    for cases in all_cases:
        recordings[cases.recording.kind] = cases.recording
        for key, case in cases.distinct.items():
            work[cases.recording.kind, key] = case.state
    kinds = list(recordings)
    pool: dict[bytes, int] = {}
    states = bytearray()
    for (kind, _), state in work.items():
        states += struct.pack("<II", kinds.index(kind), len(state))
        for sector, data in state.items():
            states += struct.pack("<II", sector, pool.setdefault(data, len(pool)))

    head_bytes = 4096
    bases = b"".join(recordings[kind].base for kind in kinds)
    head = struct.pack("<QQQ", len(work), head_bytes + len(bases) + len(pool) * SECTOR, head_bytes + len(bases))
    at = head_bytes
    for kind in kinds:
        recording = recordings[kind]
        head += struct.pack("<QQQQQ", at, len(recording.base), *recording.slot_at, kind != "raw")
        at += len(recording.base)
    jobs, disk, results = (guest.folder / name for name in ("jobs", "replay.img", "results"))
    content = head.ljust(head_bytes, b"\0") + bases + b"".join(pool) + states
    jobs.write_bytes(content + bytes(-len(content) % SECTOR))
    for path, size in ((disk, max(len(r.base) for r in recordings.values())),
                       (results, len(work) * BOOTS * RESULT_BYTES)):
        with open(path, "wb") as file:
            file.truncate(size)
    guest.run("replay", ["crash=replay"], [qemu.Drive(path, cache="unsafe") for path in (disk, jobs, results)],
              120 + 5 * len(work))
    data = results.read_bytes()
    step = iter(range(0, len(data), RESULT_BYTES))
    return {key: [_outcome(data[at:at + RESULT_BYTES]) for at in (next(step) for _ in range(BOOTS))] for key in work}


def _outcome(data: bytes) -> Outcome:
    report = parse_report(data[:-2 * RECORD_BYTES].rstrip(b"\0").decode())
    return Outcome(int(report.pop("exit")), report,
                   [parse_slot(data[-2 * RECORD_BYTES:-RECORD_BYTES]), parse_slot(data[-RECORD_BYTES:])])


# ---- judgement -------------------------------------------------------------------------------------------------------

TWICE = "credited twice"
NO_SEED = "without a seed"
SECOND_BOOT = "with a second boot without credit"
AMISS = "amiss otherwise"
PROMISES = (TWICE, NO_SEED, SECOND_BOOT, AMISS)


@dataclass
class Verdict:
    """What became of a recording's crash states."""

    cases: Cases
    broken: dict[str, list[str]] = field(default_factory=lambda: {promise: [] for promise in PROMISES})
    first_boots: Counter = field(default_factory=Counter)  # what the first boot after the cut credited, or why not

    def __str__(self) -> str:
        cases, recording = self.cases, self.cases.recording
        flushes = sum(entry.flags != 0 for entry in recording.entries)
        lines = [f"{recording.kind}: {len(recording.entries) - flushes} writes, {flushes} flushes, "
                 f"{len(recording.credits)} credits; {cases.possible} crash states in {cases.intervals} intervals, "
                 f"{cases.selected} of these too large to run whole ({cases.selected_slots} with a record in them); "
                 f"{len(cases.distinct)} distinct states run",
                 "    " + ", ".join(f"{len(lines)} {promise}" for promise, lines in self.broken.items())]
        lines += [f"    {count:6} first boots: {what}" for what, count in self.first_boots.most_common()]
        return "\n".join(lines)


def judge(cases: Cases, replayed: Replayed) -> Verdict:
    """Holds every history (what was credited before the cut, the boots after it) against the promises."""
    verdict = Verdict(cases)
    recording = cases.recording
    for key, case in cases.distinct.items():
        credited = set(case.credited)
        slots = recording.slots(case.state)
        boots = replayed[recording.kind, key]
        # ext4 takes for granted that a block is written whole: with a torn superblock or commit block Linux does not
        # mount it for writing (e2fsck -p mends the second, not the first). Nothing else may keep it from being mounted.
        torn = bool(recording.blocks(case.state, case.state) - recording.whole)
        mounted = not (torn and boots[0].report["store.state"] in ("refused", "read-only"))

        def breaks(promise: str) -> None:
            verdict.broken[promise].append(
                f"{recording.kind}, boot {boot + 1} from " + ", ".join(f"{s.state} {s.generation}" for s in slots)
                + f" (sectors {sorted(case.state)}): {promise}; exit {outcome.status}, {outcome.report}")

        for boot, outcome in enumerate(boots):
            seed = newest(slots)
            if boot == 0:
                verdict.first_boots[_what_it_did(outcome, mounted)] += 1
                if case.seeded and seed is None:
                    breaks(NO_SEED)
            if outcome.credited:
                if seed is None or fingerprint(seed) in credited:
                    breaks(TWICE)
                else:
                    credited.add(fingerprint(seed))
            elif boot > 0 and mounted:
                breaks(SECOND_BOOT)
            earned = seed is not None and seed.creditable and all(slot.state == "valid" for slot in slots)
            if mounted and outcome.credited != earned:
                breaks(AMISS)
            slots = outcome.slots
            if mounted and newest(slots) is None:
                breaks(NO_SEED)
            if (outcome.status == 0) != mounted:
                breaks(AMISS)
    return verdict


def _what_it_did(outcome: Outcome, mounted: bool) -> str:
    if not mounted:
        return "not mounted by Linux for writing: a block of ext4's own is torn"
    return "256 bits" if outcome.credited else outcome.report["seed.reason"]
