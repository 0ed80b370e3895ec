# SPDX-License-Identifier: MIT
"""Debian's releases, inits and initrd generators, each with the package as an administrator has it: installed with
apt, booted twice, removed, booted, purged.

./check --all plays every row; tests/boot/matrix plays any and keeps a table.
"""
from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Callable

from lab import disks, images, initrd, package, tools
from lab.machine import Boot, Machine
from lab.qemu import BootFailed, Qemu
from lab.record import Store
from scenarios import DRACUT, DRACUT_PLAIN, INITRAMFS_TOOLS, PATIENCE, ROOT_STORE, physical


@dataclass(frozen=True)
class Row:
    """A kind of machine. What apt does is done in a chroot of its disk, with an initrd for any machine; or in the
    running machine, which takes minutes under emulation, with an initrd for this machine alone."""

    suite: str
    generator: str
    init: str = "systemd"
    in_machine: bool = False

    @property
    def name(self) -> str:
        return "-".join([self.suite, self.generator, *([] if self.init == "systemd" else [self.init])])


ROWS = {row.name: row for row in [
    Row("bullseye", INITRAMFS_TOOLS),
    Row("bullseye", DRACUT),
    Row("bookworm", INITRAMFS_TOOLS),
    Row("bookworm", DRACUT, in_machine=True),
    Row("bookworm", DRACUT_PLAIN),
    Row("bookworm", INITRAMFS_TOOLS, "sysvinit", in_machine=True),
    Row("bookworm", INITRAMFS_TOOLS, "openrc"),
    Row("trixie", INITRAMFS_TOOLS),
    Row("trixie", DRACUT),
    Row("testing", INITRAMFS_TOOLS),
    Row("testing", DRACUT),
    Row("sid", INITRAMFS_TOOLS),
    Row("sid", DRACUT),
]}


# Linux 6.12, and more rarely 7.2, crashes under QEMU 7.2's emulation (int3 while it patches its own code), also before
# any initrd is there. Such a boot is tried again.
CRASHING_SUITES = ("trixie", "testing", "sid")
CRASH = re.compile(r"Kernel panic|Oops:|\bBUG:|general protection fault")
CRASHING_TRIES = 4

PACKAGE = "/root/earlyseed.deb"
APT = "DEBIAN_FRONTEND=noninteractive apt-get --yes --no-install-recommends"
APT_TIMEOUT_S = 1800.0
LOOK = {
    "kernel": "uname -r",
    "generator": "dpkg-query --show --showformat '${db:Status-Abbrev} ${Package} ${Version}\\n' initramfs-tools dracut "
                 "2>/dev/null | sed -n 's/^ii *//p'",
    "conf": "cat /etc/earlyseed.conf",
    "failed": "systemctl --failed --plain --no-legend",
}


def scope(row: Row) -> tuple[str, bytes]:
    """The generator's configuration file that says for which machines its initrds are, and its content."""
    if row.generator == INITRAMFS_TOOLS:
        return "/etc/initramfs-tools/conf.d/scope", b"MODULES=dep\n" if row.in_machine else b"MODULES=most\n"
    return "/etc/dracut.conf.d/scope.conf", b'hostonly="yes"\n' if row.in_machine else b'hostonly="no"\n'


class Subject:
    """A machine of a row, and its disk between the boots: a raw file that apt may work on."""

    def __init__(self, row: Row) -> None:
        self.row = row
        image = images.image(row.generator, suite=row.suite, init=row.init, installed=False)
        # What looks physical, so that a seed earns credit under credit-seed = auto.
        self.machine = Machine(row.name, image, hardware=physical("LAB-0001"), append=["oops=panic"])
        self.disk = self.machine.folder / "0.img"
        tools.run("cp", "--sparse=always", image.root, self.disk)
        disks.put_file(self.disk, PACKAGE, package.deb().read_bytes())
        disks.put_file(self.disk, *scope(row))
        disks.put_file(self.disk, "/etc/earlyseed.conf", PATIENCE.encode())  # setup adds the store
        self.initrd = image.initrd
        self.crashes = 0
        self.seeds: set[bytes] = set()
        self.apt_output = ""
        self.apt_seconds = 0.0

    def boot(self, label: str, apt: str = "") -> Boot:
        """A boot with the initrd that is on the disk; then apt's work, if any, and an orderly shutdown."""
        boot = self._boot(label, apt if self.row.in_machine else "")
        used, self.disk = self.disk, self.machine.flat_root(self.machine.folder / f"{self.machine.boots}.img")
        used.unlink()
        if apt and not self.row.in_machine:
            mount_point = self.machine.folder / "mounted"
            mount_point.mkdir(exist_ok=True)
            self._apt(apt, lambda command: images.in_chroot(mount_point, command, disk=self.disk).decode())
        self.initrd = self.machine.folder / f"{self.machine.boots}.initrd"
        self.initrd.write_bytes(disks.get_file(self.disk, f"/boot/initrd.img-{boot.answers['kernel'].strip()}"))
        boot.after = self._store()
        return boot

    def _boot(self, label: str, apt: str) -> Boot:
        def end(guest: Qemu) -> None:
            if apt:
                self._apt(apt, lambda command: self._in_guest(guest, command))
            guest.power_off()

        tries = CRASHING_TRIES if self.row.suite in CRASHING_SUITES else 1
        while True:
            self.machine.root = images.overlay(self.disk, self.machine.folder / "root.qcow2")
            try:
                boot = self.machine.boot(label, initrd=self.initrd, ask=LOOK, end=end)
                if not any(CRASH.search(line.text) for line in boot.console):
                    return boot
                what = str(boot.console_file)
            except BootFailed as error:
                what = str(error)
                if not CRASH.search(what):
                    raise
            tries -= 1
            if tries == 0:
                raise BootFailed(f"the kernel crashed: {what}")
            self.crashes += 1
            tools.say(f"{self.row.name}: {label}: its kernel crashed in the emulator, number {self.crashes}; again")

    def _apt(self, what: str, run: Callable[[str], str]) -> None:
        begin = time.monotonic()
        self.apt_output = run(f"{APT} {what}")
        self.apt_seconds = time.monotonic() - begin
        tools.say(f"{self.row.name}: apt-get {what}: {self.apt_seconds:.0f} s")

    @staticmethod
    def _in_guest(guest: Qemu, command: str) -> str:
        status, output = guest.shell(command, APT_TIMEOUT_S)
        if status != 0:
            raise BootFailed(f"exit {status} of {command}:\n{output}")
        return output

    def _store(self) -> Store | None:
        try:
            store = Store(disks.get_file(self.disk, ROOT_STORE))
        except FileNotFoundError:
            return None
        self.seeds |= {slot.seed for slot in store.slots if slot.state == "valid"}
        return store

    def parts_in_initrd(self) -> list[str]:
        return [name for name in initrd.files(self.initrd) if "earlyseed" in name]

    def seeds_on_disk(self) -> int:
        """How many of the seeds that were ever in the store are anywhere on the disk."""
        found = set()
        with open(self.disk, "rb") as disk:
            before = b""
            while piece := disk.read(1 << 24):
                found |= {seed for seed in self.seeds if seed in before + piece}
                before = piece[-64:]
        return len(found)


def live(row: Row) -> dict:
    """A machine without earlyseed; with it, twice; after it is removed; and what is left once it is purged."""
    subject = Subject(row)
    life: dict = {"row": row}
    life["bare"] = subject.boot("without earlyseed", f"install {PACKAGE}")
    life["install_seconds"], life["install_output"] = subject.apt_seconds, subject.apt_output
    life["initrd_parts"] = subject.parts_in_initrd()
    life["first"] = subject.boot("installed")
    life["second"] = subject.boot("once more", "remove earlyseed")
    life["initrd_parts_removed"] = subject.parts_in_initrd()
    life["seeds"], life["seeds_found_removed"] = len(subject.seeds), subject.seeds_on_disk()
    life["removed"] = subject.boot("removed", "purge earlyseed && find / -xdev -name '*earlyseed*'")
    life["left"] = [line for line in subject.apt_output.splitlines() if line.startswith("/") and line != PACKAGE]
    life["seeds_found_purged"] = subject.seeds_on_disk()
    life["crashes"] = subject.crashes
    return life
