# SPDX-License-Identifier: MIT
"""Media that fail, that may not be written, that have large sectors, that are too small, that come late."""
from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path

from lab import disks
from lab.machine import Boot, Machine, parse_report
from lab.qemu import Drive
from lab.record import Store
from lab.tools import run
from scenarios import PATIENCE

NATIVE_4K = {"device": "logical_block_size=4096,physical_block_size=4096"}
READ_ONLY = {"read_only": True}


def error_on(iotype: str, sector: int | None = None) -> dict:
    """A Drive's field: every request of this kind (that touches this sector) ends with EIO."""
    return {"faults": (f"event=none,iotype={iotype}" + ("" if sector is None else f",sector={sector}"),)}


@dataclass
class Medium:
    """A disk with a store, and the fields of its Drive: while it is out of order, and always."""

    disk: disks.StoreDisk
    broken: dict = field(default_factory=dict)
    always: dict = field(default_factory=dict)
    setting: str = "$disk"  # of the store, for the shell; $disk is the device
    prepare: str = ":"      # a shell command in the guest, before a broken medium is used

    def drive(self, name: str, healthy: bool) -> Drive:
        fields = {**self.always, **({} if healthy else self.broken)}
        device = ",".join(filter(None, [f"serial={name}", fields.pop("device", "")]))
        return Drive(self.disk.path, device=device, **fields)


@dataclass
class Use:
    """What load and save made of a medium in a running system."""

    report: dict[str, str]  # also the exit statuses, as load.exit and save.exit
    loads: list[str]        # what they said in the kernel log
    saves: list[str]
    before: Store
    after: Store


# As at the next boot, as far as a running system can: what this boot has done is forgotten.
USE = """
disk=/dev/disk/by-id/virtio-{name}
{prepare}
printf '%s\\n' "store = {setting}" '{patience}' >/run/{name}.conf
rm -f /run/earlyseed/report
echo '<5>lab: load {name}' >/dev/kmsg
earlyseed load --config /run/{name}.conf 2>/dev/null; echo "load.exit = $?"
cat /run/earlyseed/report
echo '<5>lab: save {name}' >/dev/kmsg
earlyseed save --config /run/{name}.conf 2>/dev/null; echo "save.exit = $?"
echo '<5>lab: done' >/dev/kmsg"""


def make_media(folder: Path, store: Store) -> dict[str, Medium]:
    """One of each, with a good seed of this machine in it."""
    seed = store.raw
    seed_sector = store.slots.index(store.newest) * 8
    files = (folder / f"medium-{number}.img" for number in itertools.count())

    def whole(**fields) -> Medium:
        return Medium(disks.WholeDisk(next(files), seed), **fields)

    def ext4(**fields) -> Medium:
        return Medium(disks.Ext4Disk(next(files), seed), setting=f"$disk:{disks.Ext4Disk.FILE}", **fields)

    def vfat(content: bytes = seed, sector_bytes: int = 512, **fields) -> Medium:
        disk = disks.VfatDisk(next(files), content, sector_bytes)
        return Medium(disk, setting=f"$disk:{disks.VfatDisk.FILE}", **fields)

    media = {
        "write-error": whole(broken=error_on("write")),
        "renew-error": whole(broken=error_on("write", seed_sector)),
        "flush-error": whole(broken=error_on("flush")),
        "read-error": whole(broken=error_on("read", seed_sector)),
        "read-only": whole(broken=READ_ONLY),
        "ext4-write-error": ext4(broken=error_on("write")),
        "ext4-read-only": ext4(broken=READ_ONLY),
        "ext4-unclean-ro": ext4(broken=READ_ONLY),
        "ext4-mounted-ro": ext4(prepare="mkdir /run/mounted && mount -o ro $disk /run/mounted"),
        "vfat-write-error": vfat(broken=error_on("write")),
        "vfat-read-only": vfat(broken=READ_ONLY),
        "native-4k": whole(always=NATIVE_4K),
        "native-4k-partition": Medium(disks.PartitionDisk(next(files), seed, 4096, "native-4k"), always=NATIVE_4K,
                                      setting="PARTLABEL=native-4k"),
        "native-4k-ext4": ext4(always=NATIVE_4K),
        "native-4k-vfat": vfat(sector_bytes=4096, always=NATIVE_4K),
        "small": Medium(disks.WholeDisk(next(files), seed[:4096])),
        "short-file": vfat(seed[:8191]),
    }
    run("debugfs", "-w", "-R", "feature needs_recovery", media["ext4-unclean-ro"].disk.path)
    return media


def use_media(machine: Machine, media: dict[str, Medium], label: str, healthy: bool,
              **how) -> tuple[Boot, dict[str, Use]]:
    """Boots the machine, and uses one medium after the other."""
    before = {name: medium.disk.read() for name, medium in media.items()}
    ask = {name: USE.format(name=name, prepare=":" if healthy else medium.prepare, setting=medium.setting,
                            patience=PATIENCE)
           for name, medium in media.items()}
    boot = machine.boot(label, more={name: medium.drive(name, healthy) for name, medium in media.items()},
                        ask=ask, cut=True, **how)
    said: dict[str, list[str]] = {}
    mark = ""
    for line in boot.log:
        if line.text.startswith("lab: "):
            mark = line.text.removeprefix("lab: ")
        elif line.text.startswith("earlyseed: "):
            said.setdefault(mark, []).append(line.text)
    return boot, {name: Use(parse_report(boot.answers[name]), said.get(f"load {name}", []),
                            said.get(f"save {name}", []), before[name], medium.disk.read())
                  for name, medium in media.items()}
