# SPDX-License-Identifier: MIT
"""P2: `cloud-init clean`, which prepares an image of a machine, wipes its seed."""
from __future__ import annotations

import shutil
import subprocess

import pytest

from conftest import CONFIG, PROGRAM, REPOSITORY, Tree, images, tools
from lab import fetch

HOOK = REPOSITORY / "hooks/cloud-init/50-earlyseed"
INSTALLED = "/etc/cloud/clean.d/50-earlyseed"
FUNCTIONS = "/usr/lib/earlyseed/store.sh"
STORE = "/var/lib/earlyseed/seed"


@pytest.mark.parametrize("status", [0, 1, 2])
def test_the_hook_says_what_became_of_it(tmp_path, status):
    """A seed that is still there must not go unnoticed."""
    program, hook = tmp_path / "earlyseed", tmp_path / "hook"
    hook.write_text(HOOK.read_text().replace(PROGRAM, str(program)))
    assert subprocess.run(["sh", hook], check=False).returncode == 0  # removed, but not purged
    program.write_text(f'#!/bin/sh\necho "$*"\nexit {status}\n')
    program.chmod(0o755)
    done = subprocess.run(["sh", hook], stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stdout) == (status, "forget\n")


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """Debian's cloud-init and what it needs, unpacked and not set up: enough for `cloud-init clean`."""
    packages = "cloud-init,coreutils,dash,debianutils,sed"
    archive = fetch.debian(tools.cache_dir() / "base" / f"cloud-init-{tools.digest(images.SUITE, packages)}.tar.zst",
                           f"Debian {images.SUITE}'s cloud-init", images.SUITE, "--variant=extract",
                           f"--include={packages}")
    root = tmp_path_factory.mktemp("cloud-init")
    try:
        tools.run("tar", "-C", root, "-x", "-f", archive)
        tree = Tree(root)
        tree.write(PROGRAM, (images.build_dir() / "earlyseed").read_bytes(), 0o755)
        shutil.copy(HOOK, tree.path(INSTALLED))
        tree.write(FUNCTIONS, (REPOSITORY / "hooks/store.sh").read_bytes())
        yield tree
    finally:
        tools.remove_tree(root)


def clean(machine):
    """Sets a store up and cleans: what became of the command and of the store."""
    machine.path(STORE).unlink(missing_ok=True)
    made = machine.run(PROGRAM, "setup", "--store", STORE)
    assert made.status == 0, made.output
    assert any(machine.path(STORE).read_bytes())
    machine.path("/var/lib/cloud/instances").mkdir(parents=True, exist_ok=True)
    return machine.run("cloud-init", "clean")


@pytest.mark.long
def test_clean_wipes_the_seed(machine):
    done = clean(machine)
    assert (done.status, "wiped" in done.output) == (0, True), done.output
    assert machine.path(STORE).read_bytes() == bytes(8192)


@pytest.mark.long
def test_clean_fails_when_the_seed_stays(machine):
    machine.path(CONFIG).unlink(missing_ok=True)
    with machine.without(INSTALLED):
        assert clean(machine).status == 0
    assert any(machine.path(STORE).read_bytes())

    seed = machine.path(STORE).read_bytes()
    shutil.chown(machine.path(STORE), 1)
    machine.path("/var/lib/cloud/instances").mkdir(parents=True, exist_ok=True)
    done = machine.run("cloud-init", "clean")
    assert (done.status, "50-earlyseed" in done.output) == (1, True), done.output
    assert machine.path(STORE).read_bytes() == seed


@pytest.mark.long
@pytest.mark.parametrize("chroot, config, status, calls", [
    ("chroot", f"store = {STORE}\n", 0, ["forget"]),
    ("chroot", None, 0, []),
    ("chroot", "store = PARTLABEL=earlyseed\n", 1, []),
    ("chroot", "store = /dev/vda2\n", 1, []),
    ("chroot", "store = UUID=1-2:/seed\n", 1, []),
    ("exec chroot", "store = PARTLABEL=earlyseed\n", 0, ["forget"]),
])
def test_a_chroot_is_not_the_machine(machine, chroot, config, status, calls):
    """P5: there, a device may be that of the machine on which the image is made; which must not go unnoticed."""
    machine.path(CONFIG).unlink(missing_ok=True)
    if config:
        machine.write(CONFIG, config)
    with machine.recorder(0) as called:
        # Which store it is, the program itself says.
        machine.write("/program", (images.build_dir() / "earlyseed").read_bytes(), 0o755)
        stub = machine.path(PROGRAM).read_text().split("\n", 1)[1]
        machine.write(PROGRAM, f'#!/bin/sh\n[ "$1" != store ] || exec /program "$@"\n{stub}', 0o755)
        done = machine.run(INSTALLED, chroot=chroot)
        assert (done.status, called()) == (status, calls)
        assert done.output.count("\n") == status
