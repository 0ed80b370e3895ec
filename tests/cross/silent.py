# SPDX-License-Identifier: MIT
"""A silent aarch64 machine: Debian's kernel, busybox and dropbear, no seed in the device tree, no RNDR, no disk but one
with a store, and a network on which nothing is heard but ssh."""
from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from lab import disks, fetch, record, tiny
from lab.machine import parse_report
from lab.qemu import Line, parse_log
from lab.ssh import TIMEOUT_S, Forward, public_key
from lab.tools import cache_dir, digest

SUITE = "bookworm"
PACKAGES = ("busybox-static", "dropbear-bin", "linux-image-cloud-arm64")
START = "init: dropbear starts"
DRIVERS = ("virtio/virtio", "virtio/virtio_ring", "virtio/virtio_pci_legacy_dev", "virtio/virtio_pci_modern_dev",
           "virtio/virtio_pci", "block/virtio_blk", "net/net_failover", "net/virtio_net")  # after those that they need
LIBRARIES = ("libc.so.6", "libcrypt.so.1", "libtomcrypt.so.1", "libtommath.so.1", "libgmp.so.10", "libz.so.1")
INIT = f"""#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
exec >/dev/kmsg 2>&1
[ ! -e /bin/earlyseed ] || earlyseed load --early
for module in /modules/*; do insmod "$module"; done
while [ ! -e /dev/vda1 ]; do usleep 10000; done
[ ! -e /bin/earlyseed ] || earlyseed load --early
ip link set eth0 up
ip address add 10.0.2.15/24 dev eth0
ip route add default via 10.0.2.2
echo "{START}"
dropbear -F -E -R -s
"""
# An emulated machine on a busy host takes ten times as long for everything.
CONFIG = "jitter-timeout-ms = 5000\nload-timeout-ms = 7000\n"


def _tree() -> Path:
    """Those packages, unpacked. Without -updates and -security: not every architecture always has their indexes."""
    return fetch.debian(cache_dir() / "base" / f"arm64-{digest(SUITE, PACKAGES)}",
                        f"{', '.join(PACKAGES)} of Debian {SUITE} for arm64", SUITE, "--variant=extract",
                        "--architectures=arm64", f"--include={','.join(PACKAGES)}",
                        f'--setup-hook=sed -i /{SUITE}-/d "$1/etc/apt/sources.list"')


def _initrd(path: Path, program: Path | None) -> Path:
    """Packs the initrd, with or without earlyseed; returns the kernel."""
    tree = _tree()
    drivers = next(tree.glob("lib/modules/*/kernel")) / "drivers"
    modules = [drivers.parent / "net/core/failover.ko", *(drivers / f"{name}.ko" for name in DRIVERS)]
    library = "lib/aarch64-linux-gnu"
    libraries = {name: next(file for file in (tree / library / name, tree / "usr" / library / name) if file.exists())
                 for name in LIBRARIES}
    files = {
        "init": INIT.encode(),
        "bin/busybox": (tree / "bin/busybox").read_bytes(),
        "bin/dropbear": (tree / "usr/sbin/dropbear").read_bytes(),
        "lib/ld-linux-aarch64.so.1": (tree / library / "ld-linux-aarch64.so.1").read_bytes(),
        **{f"{library}/{name}": file.read_bytes() for name, file in libraries.items()},
        **{f"modules/{number:02}.ko": module.read_bytes() for number, module in enumerate(modules)},
        "etc/passwd": b"root:x:0:0::/root:/bin/sh\n",
        "etc/shells": b"/bin/sh\n",
        "etc/dropbear/.keep": b"",
        "root/.ssh/authorized_keys": public_key(),
    }
    if program:
        files |= {"bin/earlyseed": program.read_bytes(), "etc/earlyseed.conf": CONFIG.encode()}
    tiny.pack(path, files)
    return next(tree.glob("boot/vmlinuz-*"))


@dataclass
class Boot:
    """What the machine told over ssh; times are seconds since its kernel started."""

    log: list[Line]
    report: dict[str, str]
    store: record.Store

    def at(self, text: str) -> float | None:
        return next((line.at for line in self.log if text in line.text), None)

    def seconds_to_answer(self) -> float:
        answered, started = self.at("Pubkey auth succeeded"), self.at(START)
        assert answered is not None and started is not None
        return round(answered - started, 2)


def boot(folder: Path, program: Path | None) -> Boot:
    """Boots it until it has answered a real ssh client, asks it for its log, and cuts its power."""
    disk = disks.PartitionDisk(folder / "store.img", record.make_slot(1, b"1" * 64) + record.make_slot(2, b"2" * 64))
    kernel = _initrd(folder / "initrd", program)
    network = Forward()
    with open(folder / "console", "wb") as console:
        qemu = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "qemu-system-aarch64", "-machine", "virt,dtb-randomness=off",
             "-cpu", "cortex-a57", "-accel", "tcg", "-smp", "1", "-m", "256", "-nodefaults", "-display", "none",
             "-no-reboot", "-kernel", kernel, "-initrd", folder / "initrd", "-serial", "stdio", *network.hardware,
             "-drive", f"if=none,id=store,format=raw,file={disk.path}", "-device", "virtio-blk-pci,drive=store",
             "-append", "console=ttyAMA0 panic=-1 printk.devkmsg=on ignore_loglevel earlyseed.credit_seed=always"],
            stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + TIMEOUT_S
            while START not in (folder / "console").read_text(errors="replace"):
                if qemu.poll() is not None or time.monotonic() > deadline:
                    raise TimeoutError("dropbear was not started")
                time.sleep(0.05)
            log = network.first_session("dmesg", lambda: qemu.poll() is None)
            report = network.session("cat /run/earlyseed/report").stdout.decode() if program else ""
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{(folder / 'console').read_text(errors='replace')[-3000:]}") from None
        finally:
            qemu.kill()
            qemu.wait()
    return Boot(parse_log(log), parse_report(report), disk.read())
