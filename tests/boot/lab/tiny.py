# SPDX-License-Identifier: MIT
"""A guest without a distribution: Debian's kernel, and an initrd with an init in C, the installed program and whatever
else a test needs. For what takes thousands of runs, or a tracer for an init."""
from __future__ import annotations

from pathlib import Path

from . import disks, images, initrd, qemu
from .tools import run

FOLDERS = ("proc", "sys", "dev", "run", "mnt", "modules")
# The generator starts empty, as in the boot tests.
OPTIONS = "quiet no_timer_check panic=-1 random.trust_cpu=off random.trust_bootloader=off console=ttyS0".split()


def image(conf: str = "") -> images.Image:
    """An image of the boot tests whose initrd has the modules of virtio disks and of vfat."""
    return images.image("initramfs-tools", conf=f"{conf}store = {disks.VfatDisk.setting}\n")


def _entry(name: str, mode: int, content: bytes = b"") -> bytes:
    """An entry of a cpio archive (Linux, Documentation/driver-api/early-userspace/buffer-format.rst)."""
    fields = [0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
    head = ("070701" + "".join(f"{value:08X}" for value in fields) + name + "\0").encode()
    return head.ljust(len(head) + -len(head) % 4, b"\0") + content + bytes(-len(content) % 4)


def _modules(image_initrd: Path) -> list[bytes]:
    """The modules for virtio disks and vfat, each after those that it needs."""
    files = initrd.files(image_initrd)
    folder = next(name for name in files if name.endswith("/modules.dep")).removesuffix("modules.dep")
    needs = {}
    for line in files[folder + "modules.dep"].decode().splitlines():
        path, _, rest = line.partition(":")
        needs[Path(path).stem.replace("-", "_")] = [path, *rest.split()]
    wanted: dict[str, None] = {}
    for name in ("virtio_pci", "virtio_blk", "vfat", "nls_cp437", "nls_ascii"):
        wanted.update(dict.fromkeys(reversed(needs[name])))
    return [files[folder + path] for path in wanted]


def pack(path: Path, files: dict[str, bytes]) -> None:
    """Writes an initrd of these files, all of them executable, and of FOLDERS."""
    folders = {*FOLDERS, *(str(parent) for name in files for parent in Path(name).parents if str(parent) != ".")}
    parts = [_entry(name, 0o40755) for name in sorted(folders)]
    parts += [_entry(name, 0o100755, files[name]) for name in files]
    path.write_bytes(b"".join(parts) + _entry("TRAILER!!!", 0))


def make_initrd(path: Path, init: Path, of: images.Image, files: dict[str, bytes]) -> None:
    """Compiles `init` and packs it with /earlyseed, /modules/00.ko and so on in the order of loading, and `files`."""
    program = path.with_suffix(".init")
    run("gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-I", Path(__file__).parent, "-o", program, init)
    pack(path, {"init": program.read_bytes(),
                "earlyseed": (images.installation().tree / "usr/sbin/earlyseed").read_bytes(),
                **{f"modules/{number:02}.ko": content for number, content in enumerate(_modules(of.initrd))}, **files})


def command(kernel: Path, guest_initrd: Path, timeout_s: int, options: list[str], more: list[str]) -> list[str]:
    """QEMU, ended with its parent and after a time. One processor: with two,
    every mount and unmount waits for the other one (RCU)."""
    return ["setpriv", "--pdeathsig", "KILL", "timeout", str(timeout_s), "qemu-system-x86_64", *qemu.HARDWARE,
            "-smp", "1", "-kernel", str(kernel), "-initrd", str(guest_initrd), "-serial", "stdio", *more,
            "-append", " ".join([*OPTIONS, *options])]
