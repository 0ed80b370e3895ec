# SPDX-License-Identifier: MIT
"""A machine that lives through several boots: its root disk, its store, its identity; and what a boot told.

`Machine.boot()` performs one boot to the login prompt, asks the guest what the tests want to know, ends it
(orderly or by a power cut) and returns a `Boot`, with the store's bytes from before and after.
"""
from __future__ import annotations

import json
import os
import re
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable

from . import images, tools
from .disks import SwapDisk, get_file
from .qemu import KERNEL_OPTIONS, Drive, Line, Qemu, parse_log
from .record import Store
from .tools import run

INITRD_START = r"Run /init as init process"
CRNG_READY = r"random: crng init done"
LOGIN = r"lab: login prompt"
EARLYSEED = r"^earlyseed: "


def parse_report(text: str) -> dict[str, str]:
    """The `key = value` lines of /run/earlyseed/report."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {key.strip(): value.strip() for key, value in pairs}


@dataclass
class Boot:
    """What one boot told. Times are seconds of the guest's clock since its kernel started."""

    label: str
    console_file: Path
    log: list[Line]                 # until the questions were asked, from the kernel's own buffer
    console: list[Line]             # to the very end, from the serial console
    report: dict[str, str] | None   # None: there was no /run/earlyseed/report
    status: dict | None             # of `earlyseed status --json`; None: not installed, or no JSON
    answers: dict[str, str]         # outputs of the commands asked for
    root_device: str
    host_seconds: float
    random: str                     # 32 bytes of /dev/urandom, at the login prompt
    identity: str = ""              # the DMI product UUID that the machine had
    before: Store | None = None
    after: Store | None = None

    def at(self, pattern: str) -> float | None:
        """When the first log line with this pattern was written; None if never (before the questions)."""
        return next((line.at for line in self.log if re.search(pattern, line.text)), None)

    @property
    def initrd_at(self) -> float | None:
        return self.at(INITRD_START)

    @property
    def ready_at(self) -> float | None:
        return self.at(CRNG_READY)

    @property
    def root_mounted_at(self) -> float | None:
        return self.at(rf"EXT4-fs \({self.root_device}\): mounted filesystem")

    @property
    def login_at(self) -> float | None:
        return self.at(LOGIN)

    @property
    def lines(self) -> list[str]:
        """What earlyseed wrote into the kernel log until login."""
        return [line.text for line in self.log if re.search(EARLYSEED, line.text)]

    @property
    def load_lines(self) -> list[Line]:
        return [line for line in self.log if line.text.startswith("earlyseed: load")]

    @property
    def all_lines(self) -> list[str]:
        """What earlyseed wrote, including the shutdown."""
        return [line.text for line in self.console if re.search(EARLYSEED, line.text)]

    def credited(self, source: str) -> int:
        return int((self.report or {}).get(f"{source}.credited_bits", "0"))

    def reason(self, source: str) -> str:
        return (self.report or {}).get(f"{source}.reason", "")

    def story(self) -> str:
        """The boot in a few lines, for a failed assertion and for a person."""
        def when(value: float | None) -> str:
            return "never" if value is None else f"{value:.3f}"
        out = [f"{self.label}: initrd {when(self.initrd_at)}, crng {when(self.ready_at)}, root mounted "
               f"{when(self.root_mounted_at)}, login {when(self.login_at)} guest s; {self.host_seconds:.0f} host s; "
               f"{self.console_file}"]
        out += [f"  [{line.at:.6f}] {line.text}" for line in self.console if re.search(EARLYSEED, line.text)]
        out += [f"  report: {key} = {value}" for key, value in (self.report or {}).items()]
        for name, store in (("before", self.before), ("after", self.after)):
            if store:
                out.append(f"  store {name}: " + "; ".join(
                    f"{slot.state} generation {slot.generation} creditable {slot.creditable}"
                    if slot.state == "valid" else slot.state for slot in store.slots))
        return "\n".join(out)


@dataclass
class Machine:
    """One computer. Its root disk starts as a fresh overlay of the image; the disks keep what boots wrote."""

    name: str
    image: images.Image
    # A StoreDisk, or None: a machine without a store's disk. Any: a scenario knows whether its machine has one.
    store: Any = None
    swap: SwapDisk | None = None         # for resume=
    append: list[str] = field(default_factory=list)
    identity: str = field(default_factory=lambda: str(uuid.uuid4()))  # DMI product UUID; "": none
    hardware: tuple[str, ...] = ()       # more of QEMU's arguments

    def __post_init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-", dir=work_dir()))
        self.root = images.overlay(self.image.root, self.folder / "root.qcow2")
        self.boots = 0

    def start(self, label: str, *, append: list[str] | None = None, initrd: Path | None = None,
              identity: str | None = None, root: dict | None = None, store: dict | None = None,
              swap: dict | None = None, more: dict[str, Drive] | None = None, record: bool = False) -> Qemu:
        """Starts a boot and returns the running guest; the caller ends it. `root`, `store` and `swap` are more fields
        of these disks' Drive, `more` are other disks; with `record` every disk has a log of its writes."""
        self.boots += 1
        slug = f"{self.boots}-" + re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")
        # The root disk is thrown away, so its flushes are not worth their time; a store's are the point.
        drives = {"root": Drive(self.root, "qcow2", cache="unsafe", **(root or {}))}
        if self.store:
            drives["store"] = Drive(self.store.path, **(store or {}))
        if self.swap:
            drives["swap"] = Drive(self.swap.path, **(swap or {}))
        drives |= more or {}
        if record:
            drives = {name: replace(drive, log=self.folder / f"{slug}.{name}.writes") for name, drive in drives.items()}
        resume = [f"resume=UUID={self.swap.IDENTIFIER}"] if self.swap else []
        options = [f"root=UUID={images.ROOT_UUID}", "ro", *resume, *self.append, *(append or [])]
        return Qemu(kernel=self.image.kernel, initrd=initrd or self.image.initrd, append=options, disks=drives,
                    uuid=self.identity if identity is None else identity, extra=self.hardware,
                    console_file=self.folder / f"{slug}.console")

    def boot(self, label: str, *, cut: bool = False, ask: dict[str, str] | None = None,
             until: Callable[[Qemu], None] = Qemu.wait_for_login, end: Callable[[Qemu], None] = Qemu.power_off,
             watch: Callable[[Qemu], None] | None = None, **how) -> Boot:
        """One whole boot, with start()'s arguments: to login (or as `until` says), questions, then an orderly shutdown
        (or what `end` says), or with `cut` a power cut. `watch` is called with the running guest in a thread of its
        own, instead of a line at the boot's end."""
        before = self.store.read() if self.store else None
        guest = self.start(label, **how)
        if watch:
            threading.Thread(target=watch, args=(guest,), daemon=True).start()
        try:
            until(guest)
            boot = question(guest, f"{self.name}: {label}", ask or {})
            if cut:
                guest.cut()
            else:
                end(guest)
        finally:
            if guest.alive:
                guest.cut()
        boot.console = parse_log(guest.console)
        boot.host_seconds = guest.host_seconds()
        boot.console_file = guest.console_file
        boot.identity = how.get("identity") or self.identity
        boot.before, boot.after = before, self.store.read() if self.store else None
        if not watch:
            tools.say(boot.story().split("\n", 1)[0])
        return boot

    def flat_root(self, path: Path) -> Path:
        """A raw copy of the root disk, while no guest runs,
        with what an orderly shutdown or the journal's replay brings."""
        run("qemu-img", "convert", "-O", "raw", self.root, path)
        run("sh", "-c", 'e2fsck -fy "$1" >/dev/null 2>&1 || [ $? -le 2 ]', "lab", path)
        return path

    def root_file(self, name: str) -> bytes:
        """A file of the root file system as it is on the disk, while no guest runs."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            return get_file(self.flat_root(Path(folder) / "root.img"), name)


def question(guest: Qemu, label: str, ask: dict[str, str]) -> Boot:
    """Asks a guest at its login prompt what every test may need, and the caller's own commands."""
    _, cpuinfo = guest.shell("cat /proc/cpuinfo")
    if re.search(r"\b(rdrand|rdseed)\b", cpuinfo):
        raise AssertionError("the emulated CPU has RDRAND: this machine is not starved")
    _, device = guest.shell("findmnt -no SOURCE / | sed 's,/dev/,,'")
    missing, report = guest.shell("cat /run/earlyseed/report")
    _, status = guest.shell("/usr/sbin/earlyseed status --json")  # exit status 1: something wants attention
    _, random = guest.shell("od -An -tx1 -N32 /dev/urandom")
    answers = {name: guest.shell(command)[1] for name, command in ask.items()}
    _, dmesg = guest.shell("dmesg")
    return Boot(label, Path(), parse_log(dmesg), [], None if missing else parse_report(report),
                _json(status), answers, device.strip(), 0.0, random)


def _json(text: str) -> dict | None:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None


_KEEP_RUNS = 4
_work_dir: Path | None = None
_work_dir_lock = threading.Lock()


def work_dir() -> Path:
    """Where this run's disks and consoles are: EARLYSEED_BOOT_LOGS, else a folder of its own in the cache,
    of which the last few are kept."""
    global _work_dir
    with _work_dir_lock:
        if _work_dir is None:
            given = os.environ.get("EARLYSEED_BOOT_LOGS")
            if given:
                _work_dir = Path(given)
            else:
                runs = tools.cache_dir() / "runs"
                _work_dir = runs / time.strftime(f"%Y%m%d-%H%M%S-{os.getpid()}")
                for old in sorted(runs.glob("2*"))[:1 - _KEEP_RUNS]:
                    if not Path("/proc", old.name.rsplit("-", 1)[1]).exists():  # still running, on another terminal
                        tools.remove_tree(old)
            _work_dir.mkdir(parents=True, exist_ok=True)
    return _work_dir


__all__ = ["Boot", "KERNEL_OPTIONS", "Machine", "parse_report", "question", "work_dir"]
