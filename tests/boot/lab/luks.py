# SPDX-License-Identifier: MIT
"""Machines whose root file system is in a LUKS2 container, unlocked over ssh in the initrd: Debian's
cryptsetup-initramfs and dropbear-initramfs. The container is made without device-mapper,
which the host's kernel may lack."""
from __future__ import annotations

import os
import secrets
import tempfile
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from . import images, ssh
from .tools import locked, run

UUID = "e5eed000-0000-4000-8000-000000000004"
PASSPHRASE = b"open sesame"
SECTOR = 4096
OFFSET = 1 << 20  # of the encrypted data

NAME = "initramfs-tools-luks"
_PLAIN = images.GENERATORS["initramfs-tools"]
images.GENERATORS[NAME] = replace(
    _PLAIN, name=NAME, packages=(*_PLAIN.packages, "cryptsetup-initramfs", "dropbear-initramfs"),
    files=(*_PLAIN.files,
           ("etc/crypttab", f"cryptroot UUID={UUID} none luks,initramfs\n"),
           # Sourced by the script that starts dropbear: all that both say goes to the kernel log, for its time stamps.
           ("etc/dropbear/initramfs/dropbear.conf", "DROPBEAR_OPTIONS=-E\nexec >/dev/kmsg 2>&1\n")))


def _encrypt(plain: Path, disk: Path) -> None:
    """Puts the file system `plain` into a new container on `disk`. What is a hole in one stays one in the other."""
    key = secrets.token_bytes(32)  # AES-128: the emulated machine has no AES instructions
    with open(disk, "wb") as file:
        file.truncate(OFFSET + plain.stat().st_size)
    with tempfile.NamedTemporaryFile() as key_file:
        key_file.write(key)
        key_file.flush()
        # The least work for the passphrase: it would be the emulated machine's.
        run("cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2", "--uuid", UUID, "--pbkdf", "pbkdf2",
            "--pbkdf-force-iterations", 1000, "--cipher", "aes-xts-plain64", "--key-size", 8 * len(key),
            "--sector-size", SECTOR, "--volume-key-file", key_file.name, "--key-file", "-",
            "--luks2-metadata-size", "16k", "--luks2-keyslots-size", "256k", "--offset", OFFSET // 512, disk,
            stdin=PASSPHRASE)
    with open(plain, "rb") as source, open(disk, "r+b") as target:
        end = 0
        while end < plain.stat().st_size:
            try:
                at = os.lseek(source.fileno(), end, os.SEEK_DATA) // SECTOR * SECTOR
            except OSError:  # no more data
                break
            end = -(-os.lseek(source.fileno(), at, os.SEEK_HOLE) // SECTOR) * SECTOR
            source.seek(at)
            target.seek(OFFSET + at)
            while at < end:
                # plain64: the tweak is the number of the 512-byte sector.
                tweak = (at // 512).to_bytes(16, "little")
                target.write(Cipher(algorithms.AES(key), modes.XTS(tweak)).encryptor().update(source.read(SECTOR)))
                at += SECTOR


def image(*, installed: bool, conf: str | None = None) -> images.Image:
    """An image with an encrypted root, to which the lab's ssh key and PASSPHRASE open the way."""
    plain = images.image(NAME, installed=installed, conf=conf,
                         files={"/etc/dropbear/initramfs/authorized_keys": ssh.public_key()})
    disk = plain.root.with_name("luks.img")
    with locked(disk):
        if not disk.exists():
            part = disk.with_name("part.img")
            _encrypt(plain.root, part)
            part.rename(disk)
    return replace(plain, root=disk)
