# SPDX-License-Identifier: MIT
"""A machine of its own to run examples in: a chroot on a small ext4 disk, with a partition named earlyseed and a /boot
with a UUID, a firmware with a serial number, and nothing of the host's but /usr, the kernel and a few devices. What is
there is kept from one run to the next: its disks, and its /run. There is no network, and /usr cannot be written."""
from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import source

PRODUCT = Path(os.environ.get("EARLYSEED_BUILD", source.REPOSITORY / "build")) / "earlyseed"
BOOT_UUID = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"  # as in the manuals

# All of it in a mount namespace, which takes the mounts along when it goes.
MACHINE = r"""
folder=$1 product=$2 examples=$3; shift 3
mount --make-rprivate /
partition=$(losetup --find --show "$folder/partition") && boot=$(losetup --find --show "$folder/boot") || exit 99
trap 'losetup -d "$partition" "$boot"' EXIT

root=$folder/root
mkdir -p "$root" && mount -o loop "$folder/disk" "$root" && cd "$root" || exit 99
mkdir -p boot dev etc opt proc root run sys/class/block sys/class/dmi/id tmp usr var/lib
ln -sfn usr/bin bin; ln -sfn usr/sbin sbin; ln -sfn usr/lib lib; ln -sfn usr/lib64 lib64
mount --bind -o ro /usr usr
mount -t tmpfs doc usr/share/doc && mkdir usr/share/doc/earlyseed && cp -r "$examples" usr/share/doc/earlyseed/
mount -t proc proc proc && echo 'root=/dev/sda1 quiet' >tmp/cmdline && mount --bind tmp/cmdline proc/cmdline
echo 3f2504e0-4f89-41d3-9a0c-0305e82c3301 >sys/class/dmi/id/product_uuid
cp "$product" opt/earlyseed
mount -t tmpfs dev dev
mknod dev/null c 1 3; mknod dev/zero c 1 5; mknod dev/full c 1 7; mknod dev/random c 1 8; mknod dev/urandom c 1 9
mknod dev/ttyACM0 c 1 9
ln -s /proc/self/fd/0 dev/stdin
mkdir -p dev/disk/by-partlabel dev/disk/by-uuid
mknod dev/sda2 b $(stat -c '0x%t 0x%T' "$partition"); ln -s /dev/sda2 dev/disk/by-partlabel/earlyseed
mknod dev/sda3 b $(stat -c '0x%t 0x%T' "$boot"); ln -s /dev/sda3 dev/disk/by-uuid/"$(blkid -o value -s UUID "$boot")"
chroot . env -i PATH=/opt:/usr/sbin:/usr/bin LC_ALL=C sh -euc "$@"
"""


@dataclass(frozen=True)
class Done:
    status: int
    output: str
    errors: str


class Scratch:
    def __init__(self, folder: Path):
        self.folder = folder
        file_systems: dict[str, tuple[int, list[str] | None]] = {
            "disk": (16, []), "boot": (8, ["-U", BOOT_UUID]), "partition": (1, None)}
        for name, (mib, options) in file_systems.items():
            with open(folder / name, "wb") as file:
                file.truncate(mib << 20)
            if options is not None:
                subprocess.run(["mkfs.ext4", "-q", *options, folder / name], check=True)

    def run(self, script: str, *arguments: object) -> Done:
        """Runs a shell script in the machine. The program is in its PATH."""
        done = subprocess.run(["unshare", "--mount", "--pid", "--net", "--fork", "sh", "-c", MACHINE, "machine",
                               self.folder, PRODUCT.resolve(strict=True), source.REPOSITORY / "hooks/examples", script,
                               "sh", *map(str, arguments)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode != 99, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)
