# SPDX-License-Identifier: MIT
"""Real Debian root images with a real initrd generator, with or without earlyseed installed.

A base tree (packages only) is made once by mmdebstrap and kept as a tarball. An image is that tree, plus
`meson install --destdir` of the build, plus /etc/earlyseed.conf, after which the generator runs in a chroot
of it, as it would on a real machine. Both are cached by a hash of everything that went in. Debian 12 with
systemd, unless a suite and an init are named.
"""
from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from . import fetch, tools
from .tools import REPOSITORY, CommandFailed, digest, digest_tree, locked, remove_tree, run

SUITE = "bookworm"
# More of mmdebstrap's options. The old release has lost its updates, and would not have a merged /usr by itself, which
# its installer makes; the index of testing and sid may be of last week.
SUITES: dict[str, tuple[str, ...]] = {
    "bullseye": ("--setup-hook=sed -i /bullseye-/d $1/etc/apt/sources.list",
                 "--setup-hook=/usr/share/mmdebstrap/hooks/merged-usr/setup00.sh"),
    "bookworm": (),
    "trixie": (),
    "testing": ('--aptopt=Acquire::Check-Valid-Until "false"',),
    "sid": ('--aptopt=Acquire::Check-Valid-Until "false"',),
}
INITS = {
    "systemd": ("systemd-sysv",),
    "sysvinit": ("sysvinit-core",),
    "openrc": ("sysvinit-core", "openrc"),
}
ROOT_UUID = "e5eed000-0000-4000-8000-000000000001"
KEEP_IMAGES = 16
GUEST = Path(__file__).with_name("guest")
_RECIPE = digest(Path(__file__).read_bytes(), digest_tree(GUEST))


@dataclass(frozen=True)
class Generator:
    """An initrd generator: the packages of its base tree, files put there, and its command line."""

    name: str
    packages: tuple[str, ...]
    files: tuple[tuple[str, str], ...]
    command: str  # for the shell in the chroot; $version is the kernel's


# The images are compressed lightly: the default (zstd -15) takes 25 s of dracut's 30 s.
_DRACUT = "dracut --quiet --no-hostonly --force /boot/initrd.img-$version $version"
GENERATORS = {
    "initramfs-tools": Generator(
        "initramfs-tools", ("initramfs-tools",),
        (("etc/initramfs-tools/conf.d/lab", "COMPRESS=zstd\nCOMPRESSLEVEL=1\nRESUME=none\n"),),
        "update-initramfs -c -k $version"),
    "dracut": Generator(
        "dracut", ("dracut",),
        (("etc/dracut.conf.d/lab.conf", 'compress="zstd -1 -T0"\n'),),
        _DRACUT),
    "dracut-without-systemd": Generator(
        "dracut-without-systemd", ("dracut",),
        (("etc/dracut.conf.d/lab.conf",
          'compress="zstd -1 -T0"\nomit_dracutmodules+=" systemd systemd-initrd dracut-systemd "\n'),),
        _DRACUT),
}


@dataclass(frozen=True)
class Image:
    """A machine's software: a raw ext4 root image (never written to: use an overlay), kernel and initrd."""

    generator: str
    root: Path
    kernel: Path
    initrd: Path


# ---- the base tree -----------------------------------------------------------------------------------

def _base(generator: Generator, suite: str = SUITE, init: str = "systemd") -> Path:
    """The tarball of the base tree of this generator's packages; raises fetch.CannotFetch."""
    packages = ["linux-image-cloud-amd64", *INITS[init], "udev", "kmod", "zstd", *generator.packages]
    options = [
        *SUITES[suite],
        "--variant=minbase", f"--include={','.join(packages)}",
        "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=path-exclude=/usr/share/i18n/*",
    ]
    name = "-".join([*generator.packages, *([] if suite == SUITE else [suite]), *([] if init == "systemd" else [init])])
    return fetch.debian(tools.cache_dir() / "base" / f"{name}-{digest(suite, *options)}.tar.zst",
                        f"Debian {suite} with {init}, {', '.join(generator.packages)}", suite, *options)


# ---- what is installed -------------------------------------------------------------------------------

def build_dir() -> Path:
    """The Meson build tree: EARLYSEED_BUILD, else build-lab/ in the repository, made here, without unit tests."""
    given = os.environ.get("EARLYSEED_BUILD")
    if given:
        return Path(given)
    folder = REPOSITORY / "build-lab"
    if not (folder / "build.ninja").exists():
        run(REPOSITORY / "subprojects/fetch-libsodium")
        run("meson", "setup", "-Dtests=disabled", folder, REPOSITORY)
    return folder


class Installation:
    """The files that `meson install` puts on a machine, staged once; `name` is a hash of them.

    EARLYSEED_DESTDIR names a tree staged by someone else (a package's, for example).
    """

    def __init__(self) -> None:
        given = os.environ.get("EARLYSEED_DESTDIR")
        if given:
            self.tree = Path(given)
        else:
            self._temporary = tempfile.TemporaryDirectory(prefix="earlyseed-install-")
            self.tree = Path(self._temporary.name)
            # Compiles what has changed; without debugging information, as a package has it.
            run("meson", "install", "-C", build_dir(), "--strip", "--destdir", self.tree)
        if not (self.tree / "usr/sbin/earlyseed").exists():
            raise CommandFailed(f"usr/sbin/earlyseed is not among the installed files in {self.tree}")
        self.name = digest_tree(self.tree)

    def put(self, root: Path) -> None:
        """Copies the files over a root tree as root's (through the /sbin and /lib links of a merged /usr)."""
        archive = run("tar", "-C", self.tree, "--owner=0", "--group=0", "-c", ".")
        run("tar", "-C", root, "--keep-directory-symlink", "-x", stdin=archive)
        if (root / "usr/bin/systemctl").exists():
            folder = self.tree / "usr/lib/systemd/system"
            units = [unit.name for unit in sorted(folder.glob("earlyseed*")) if "\n[Install]" in unit.read_text()]
            if units:
                run("chroot", root, "systemctl", "enable", *units)
        else:
            run("chroot", root, "update-rc.d", "earlyseed", "defaults")


_installation: Installation | None = None
_installation_lock = threading.Lock()


def installation() -> Installation:
    """The one installation of this process."""
    global _installation
    with _installation_lock:
        if _installation is None:
            _installation = Installation()
        return _installation


# ---- images ------------------------------------------------------------------------------------------

def _guest_files(root: Path, init: str) -> None:
    """The lab's own part of the guest: command channel, login mark, fstab, a root account to look around."""
    library = root / "usr/lib/lab"
    library.mkdir()
    shutil.copy(GUEST / "lab-agent", library)
    (library / "lab-agent").chmod(0o755)
    (root / "etc/fstab").write_text(f"UUID={ROOT_UUID} / ext4 defaults 0 1\n")
    (root / "etc/hostname").write_text("lab\n")
    run("chroot", root, "passwd", "--delete", "root")
    # Six idle terminals and periodic jobs cost seconds under emulation and have no part in any test.
    if init == "systemd":
        shutil.copy(GUEST / "lab-agent.service", root / "etc/systemd/system")
        getty = root / "etc/systemd/system/serial-getty@ttyS0.service.d"
        getty.mkdir()
        shutil.copy(GUEST / "lab-login.conf", getty)
        run("chroot", root, "systemctl", "mask", "getty@.service", "getty-static.service", "e2scrub_reap.service",
            "apt-daily.timer", "apt-daily-upgrade.timer")
        run("chroot", root, "systemctl", "enable", "lab-agent.service")
    else:
        inittab = root / "etc/inittab"
        lines = [line for line in inittab.read_text().splitlines() if "/sbin/getty" not in line]
        inittab.write_text("\n".join([*lines, (GUEST / "lab.inittab").read_text()]))


def in_chroot(root: Path, command: str, *, disk: Path | None = None) -> bytes:
    """Runs a shell command in a chroot with /proc, /sys, /dev and an empty /run and /tmp, in namespaces of its own;
    $version is the kernel's. With `disk`, a raw ext4 image, that is mounted on `root` before."""
    # Not `exec chroot`, which would make the command the namespace's first process, so that nobody could tell a chroot.
    script = """set -e
mount --make-rprivate /
[ -z "$3" ] || mount -o loop "$3" "$1"
mount -t proc proc "$1/proc"
mount -t sysfs sysfs "$1/sys"
mount --rbind /dev "$1/dev"
mount -t tmpfs tmpfs "$1/run"
mount -t tmpfs tmpfs "$1/tmp"
version=$(basename "$1"/usr/lib/modules/*)
chroot "$1" env version="$version" sh -ec "$2" 2>&1
exit 0
"""
    return run("unshare", "--mount", "--pid", "--fork", "sh", "-c", script, "lab", root, command, disk or "")


def _prune(folder: Path) -> None:
    """Removes the images asked for longest ago; never one of the last half hour: its machine may boot again."""
    entries = sorted((entry for entry in folder.iterdir() if entry.is_dir()), key=lambda e: e.stat().st_mtime)
    for entry in entries[:-KEEP_IMAGES]:
        if time.time() - entry.stat().st_mtime > 1800:
            remove_tree(entry)


def image(generator_name: str, *, suite: str = SUITE, init: str = "systemd", installed: bool = True,
          conf: str | None = None, files: dict[str, bytes] | None = None) -> Image:
    """The image of a machine with this generator. `conf` is the content of its /etc/earlyseed.conf, `files` are
    there, root's alone, before the generator runs."""
    files = dict(files or {})
    generator = GENERATORS[generator_name]
    base = _base(generator, suite, init)
    what = installation() if installed else None
    name = f"{generator_name}-{digest(base.name, generator, _RECIPE, what.name if what else '', init, conf, files)}"
    entry = tools.cache_dir() / "images" / name
    with locked(entry):
        if entry.exists():
            os.utime(entry)
        else:
            _prune(entry.parent)
            _build(generator, base, init, what, conf, files, entry)
    return Image(generator_name, entry / "root.img", entry / "vmlinuz", entry / "initrd.img")


def _build(generator: Generator, base: Path, init: str, what: Installation | None, conf: str | None,
           files: dict[str, bytes], entry: Path) -> None:
    start = time.monotonic()
    part = Path(tempfile.mkdtemp(prefix="part-", dir=entry.parent))
    root = part / "root"
    root.mkdir()
    try:
        run("tar", "-C", root, "-x", "-f", base)
        _guest_files(root, init)
        for path, text in generator.files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        if what:
            what.put(root)
        if conf is not None:
            (root / "etc/earlyseed.conf").write_text(conf)
        for path, content in files.items():
            target = root / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod(0o600)
        in_chroot(root, generator.command)
        shutil.copy(next((root / "boot").glob("initrd.img-*")), part / "initrd.img")
        kernels = [*root.glob("boot/vmlinuz-*"), *root.glob("usr/lib/modules/*/vmlinuz")]
        shutil.copy(kernels[0], part / "vmlinuz")
        run("mke2fs", "-q", "-t", "ext4", "-U", ROOT_UUID, "-d", root, part / "root.img", "1200M")
        remove_tree(root)
        part.rename(entry)
    except BaseException:
        remove_tree(part)
        raise
    tools.say(f"made the image {entry.name} ({'with' if what else 'without'} earlyseed) in "
              f"{time.monotonic() - start:.0f} s")


def overlay(base: Path, path: Path) -> Path:
    """A fresh copy-on-write disk over a raw image."""
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", base, path)
    return path
