# SPDX-License-Identifier: MIT
"""Runs one boot in QEMU: a machine with no RDRAND, no virtio-rng and no seed from a boot loader.

The console is read live into a kernel log with the guest's own time stamps; a second serial port carries
commands to the lab's agent in the guest. Order is judged by the guest's clock alone: the host may be slow.
"""
from __future__ import annotations

import atexit
import io
import base64
import json
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

# -cpu qemu64 has no RDRAND; without SVM the guest does not load KVM. Two processors under TCG boot quicker than one.
HARDWARE = ["-machine", "pc", "-accel", "tcg", "-smp", "2", "-cpu", "qemu64,-svm", "-m", "512", "-nodefaults",
            "-display", "none", "-no-reboot", "-rtc", "base=utc"]
# On a loaded host the kernel's test of the timer interrupt fails now and then, and a panic shall end QEMU at once.
KERNEL_OPTIONS = ("no_timer_check panic=-1 random.trust_cpu=off random.trust_bootloader=off console=ttyS0 "
                  "printk.time=1 printk.devkmsg=on ignore_loglevel log_buf_len=4M pm_debug_messages").split()
LOGIN_TIMEOUT_S = 600.0
RESUME_TIMEOUT_S = 600.0
COMMAND_TIMEOUT_S = 180.0
POWEROFF_TIMEOUT_S = 300.0

_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|[c78])")
_STAMPED = re.compile(r"\[ *(\d+\.\d{6})\] (.*)")
_running: set["Qemu"] = set()
_closing = False


class BootFailed(Exception):
    """The guest did not do in time what was waited for; carries the end of its console."""


@dataclass(frozen=True)
class Line:
    """A line of the kernel log: guest seconds since the kernel's start, and the text."""

    at: float
    text: str


def parse_log(console: str) -> list[Line]:
    """The stamped lines of a console or dmesg text, in order of appearance; other output is left out."""
    lines = []
    for raw in _ESCAPES.sub("", console).replace("\r", "").split("\n"):
        stamped = _STAMPED.search(raw)
        if stamped:
            lines.append(Line(float(stamped[1]), stamped[2]))
    return lines


@dataclass(frozen=True)
class Drive:
    """A disk of the guest."""

    path: Path
    format: str = "raw"
    read_only: bool = False
    cache: str = "writeback"
    log: Path | None = None        # where blklogwrites records its writes (see lab.blocklog)
    faults: tuple[str, ...] = ()   # blkdebug's errors, EIO, each "key=value,…" as in BlkdebugInjectErrorOptions
    device: str = ""               # more properties of the device
    late: bool = False             # not there until Qemu.plug()

    def options(self) -> str:
        """The value of -drive."""
        node = {"driver": self.format, "file.driver": "file", "file.filename": self.path}
        if self.faults:
            node = {"driver": "blkdebug", **{f"image.{key}": value for key, value in node.items()}}
            for index, fault in enumerate(self.faults):
                node |= {f"inject-error.{index}.{key}": value
                         for key, value in (setting.split("=") for setting in fault.split(","))}
        if self.log:
            self.log.write_bytes(b"")
            node = {"driver": "blklogwrites", **{f"file.{key}": value for key, value in node.items()},
                    "log.driver": "file", "log.filename": self.log}
        node |= {"cache": self.cache, "read-only": "on" if self.read_only else "off"}
        return ",".join(f"{key}={value}" for key, value in node.items())


class Qemu:
    """One running guest, with its disks by name. Without `uuid` it has no DMI product UUID."""

    def __init__(self, *, kernel: Path, initrd: Path, append: list[str], disks: dict[str, Drive], uuid: str,
                 console_file: Path, extra: tuple[str, ...] = ()):
        if _closing:
            raise BootFailed("the run was given up")
        self._folder = tempfile.mkdtemp(prefix="earlyseed-qemu-")
        self._console = ""
        self._changed = threading.Condition()
        self.console_file = console_file
        channel, monitor = f"{self._folder}/agent", f"{self._folder}/monitor"
        command = [shutil.which("setpriv") or "setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", *HARDWARE,
                   "-kernel", str(kernel), "-initrd", str(initrd), "-append", " ".join([*KERNEL_OPTIONS, *append]),
                   "-serial", "stdio", "-chardev", f"socket,id=agent,path={channel},server=on,wait=off",
                   "-serial", "chardev:agent", "-qmp", f"unix:{monitor},server=on,wait=off",
                   *(["-uuid", uuid] if uuid else []), *extra]
        self.disks = disks
        for name, disk in disks.items():
            command += ["-drive", f"if=none,id={name},{disk.options()}"]
            if not disk.late:
                command += ["-device", self._device(name)]
        self.command = command
        self.started = time.monotonic()
        with open(console_file.with_suffix(".qemu"), "wb") as errors:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        assert self._process.stdin and isinstance(self._process.stdout, io.BufferedReader)
        self._input, self._output = self._process.stdin, self._process.stdout
        _running.add(self)
        self._reader = threading.Thread(target=self._read_console, daemon=True)
        self._reader.start()
        self._agent = self._connect(channel)
        self._agent_buffer = b""
        self._agent_ready = False
        self._monitor = self._connect(monitor).makefile("rwb")
        self._qmp("qmp_capabilities")

    def _read_console(self) -> None:
        with open(self.console_file, "wb") as copy:
            while chunk := self._output.read1(65536):
                copy.write(chunk)
                copy.flush()
                with self._changed:
                    self._console += chunk.decode(errors="replace")
                    self._changed.notify_all()

    def _connect(self, path: str) -> socket.socket:
        while True:
            try:
                channel = socket.socket(socket.AF_UNIX)
                channel.connect(path)
                return channel
            except OSError:
                channel.close()
                if self._process.poll() is not None or time.monotonic() - self.started > 30:
                    raise self._failed("QEMU did not start") from None
                time.sleep(0.05)

    def _failed(self, what: str) -> BootFailed:
        errors = self.console_file.with_suffix(".qemu").read_text(errors="replace").strip()
        self.cut()
        tail = "\n".join(_ESCAPES.sub("", self._console).splitlines()[-40:])
        return BootFailed(f"{what} (console: {self.console_file})\n{errors}\n{tail}")

    # ---- the console ----

    @property
    def console(self) -> str:
        with self._changed:
            return self._console

    def wait_for_output(self, timeout_s: float) -> None:
        """Waits until the console shows something new, or the time is over."""
        with self._changed:
            self._changed.wait(timeout_s)

    def write_console(self, text: bytes) -> None:
        """Types on the serial console (for a person at `tests/boot/run --shell`)."""
        self._input.write(text)
        self._input.flush()

    def wait_for(self, pattern: str, timeout_s: float) -> None:
        """Waits until the console shows the pattern; BootFailed if it does not, or QEMU ends before."""
        wanted = re.compile(pattern)
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not wanted.search(self._console):
                if time.monotonic() > deadline:
                    break
                if self._process.poll() is not None:
                    break
                self._changed.wait(0.5)
            else:
                return
        if self._process.poll() is not None:
            self._reader.join(5)
            if wanted.search(self._console):
                return
        raise self._failed(f"not seen on the console: {pattern}")

    # ---- the guest's shell ----

    def wait_for_login(self) -> None:
        """Waits for the login prompt and for the agent."""
        self.wait_for(r"lab: login prompt", LOGIN_TIMEOUT_S)
        if not self._agent_ready:
            self._agent_line("the agent's greeting", LOGIN_TIMEOUT_S)
            self._agent_ready = True

    def _agent_line(self, what: str, timeout_s: float) -> bytes:
        self._agent.settimeout(timeout_s)
        while b"\n" not in self._agent_buffer:
            try:
                chunk = self._agent.recv(65536)
            except TimeoutError:
                chunk = b""
            if not chunk:
                raise self._failed(f"no answer from the guest to: {what}")
            self._agent_buffer += chunk
        line, self._agent_buffer = self._agent_buffer.split(b"\n", 1)
        return line

    def shell(self, command: str, timeout_s: float = COMMAND_TIMEOUT_S) -> tuple[int, str]:
        """Runs a shell command in the guest as root: (exit status, stdout and stderr)."""
        self._agent.sendall(base64.b64encode(command.encode()) + b"\n")
        status, _, output = self._agent_line(command, timeout_s).partition(b" ")
        return int(status), base64.b64decode(output).decode(errors="replace")

    # ---- the hardware ----

    def _device(self, name: str) -> str:
        slot = 4 + list(self.disks).index(name)
        return ",".join(filter(None, [f"virtio-blk-pci,drive={name},addr=0x{slot:x}", self.disks[name].device]))

    def _qmp(self, command: str, **arguments: str):
        self._monitor.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        self._monitor.flush()
        while line := self._monitor.readline():
            answer = json.loads(line)
            if "error" in answer:
                break
            if "return" in answer:
                return answer["return"]
        raise self._failed(f"QEMU's monitor: {command} {arguments}: {line.decode()}")

    def plug(self, name: str) -> None:
        """Plugs in a disk that was `late`; returns at once."""
        said = self._qmp("human-monitor-command", **{"command-line": f"device_add {self._device(name)}"})
        if said:
            raise self._failed(f"the disk was not plugged in: {said}")

    # ---- the end ----

    def hibernate(self, then: str) -> None:
        """Suspends the guest to its swap device, to the end of QEMU. What the shell command `then` says is the first
        thing that the resumed guest tells: see resumed()."""
        command = f"echo disk >/sys/power/state && {{ {then}; }}"
        self._agent.sendall(base64.b64encode(command.encode()) + b"\n")
        self._wait_for_end("hibernate")

    def resumed(self) -> str:
        """Waits until the guest that hibernate() ended is there again; the output of hibernate()'s command."""
        status, _, output = self._agent_line("the resumed guest", RESUME_TIMEOUT_S).partition(b" ")
        text = base64.b64decode(output).decode(errors="replace")
        if status != b"0":  # a greeting, if it was not resumed
            raise self._failed(f"the resumed guest told: {status.decode()} {text}")
        self._agent_ready = True
        return text

    def power_off(self) -> None:
        """An orderly shutdown from inside, to its end."""
        self._agent.sendall(base64.b64encode(b"poweroff") + b"\n")
        self._wait_for_end("power off")

    def _wait_for_end(self, what: str) -> None:
        try:
            self._process.wait(POWEROFF_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise self._failed(f"the guest did not {what}") from None
        self._close()

    def cut(self) -> None:
        """A power cut: QEMU is killed. What the guest wrote is with the host; what it kept in memory is gone."""
        self._process.kill()
        self._process.wait()
        self._close()

    def _close(self) -> None:
        _running.discard(self)
        self._reader.join(10)
        self._output.close()
        self._input.close()
        if hasattr(self, "_agent"):
            self._agent.close()
        if hasattr(self, "_monitor"):
            self._monitor.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def host_seconds(self) -> float:
        return time.monotonic() - self.started


@atexit.register
def end_all() -> None:
    """Ends the guests that still run, when their run is given up, and starts no more."""
    global _closing
    _closing = True
    for guest in list(_running):
        guest.cut()
