# SPDX-License-Identifier: MIT
"""The Debian package, built as anybody would, and its life on real Debian trees: installed, installed again, removed,
purged, by dpkg in a chroot with the initrd generators' own triggers. tests/boot/matrix does it in running machines.
"""
from __future__ import annotations

import contextlib
import re
import subprocess

import pytest

from conftest import CONFIG, PROGRAM, Tree
from lab import images, package, record, tools

pytestmark = pytest.mark.long

STORE = "/var/lib/earlyseed/seed"
UNITS = ("sysinit.target.wants/earlyseed-early.service", "sysinit.target.wants/earlyseed.service",
         "timers.target.wants/earlyseed-save.timer")
SEED = record.make_slot(1, bytes(range(64))) + record.make_slot(2, bytes(range(64, 128)))


@pytest.fixture(scope="module")
def deb():
    return package.deb()


def field(deb, name):
    return tools.run("dpkg-deb", "--field", deb, name).decode().strip()


def test_lintian_finds_nothing(deb):
    changes = next(deb.parent.glob("*.changes"))
    done = subprocess.run(["lintian", "--allow-root", changes], stdout=subprocess.PIPE, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0


def test_the_package_says_what_is_linked_in(deb):
    """The C library and the compiler's, in the versions of this machine. libsodium is in the source package itself."""
    inside = field(deb, "Static-Built-Using")
    version = tools.run("dpkg-query", "--show", "--showformat=${source:Version}", "musl-dev").decode()
    assert f"musl (= {version})" in inside
    assert re.search(r"gcc-\d+ \(= \S+\)", inside)
    assert "libsodium" not in inside
    assert field(deb, "Depends") == ""


@pytest.fixture(scope="module", params=["initramfs-tools", pytest.param("dracut", marks=pytest.mark.nightly)])
def life(request, deb, tmp_path_factory):
    """Each step of the package's life in a tree, with what was said and what was there after it."""
    root = tmp_path_factory.mktemp("package") / "root"
    root.mkdir()
    generator = images.GENERATORS[request.param]
    try:
        tools.run("tar", "-C", root, "-x", "-f", images._base(generator))
        yield _life(Tree(root), generator, deb)
    finally:
        tools.remove_tree(root)


def _life(tree, generator, deb):
    steps = {}
    for name, content in generator.files:
        tree.write(name, content)
    tree.write("/etc/initramfs-tools/conf.d/no-drivers", "MODULES=list\n")
    tree.write("/earlyseed.deb", deb.read_bytes())
    version = next(tree.path("/usr/lib/modules").iterdir()).name
    # A first initrd, which the trigger makes anew.
    made = tree.run("sh", "-ec", f"version={version}; {generator.command}")
    assert made.status == 0, made.output

    def step(name, *command):
        done = tree.run(*command, chroot="chroot")
        listed = tree.run("sh", "-c", "if command -v lsinitramfs >/dev/null; "
                          f"then lsinitramfs /boot/initrd.img-{version}; "
                          f"else lsinitrd /boot/initrd.img-{version}; fi")
        store = tree.path(STORE)
        steps[name] = {
            "status": done.status, "output": done.output, "in_initrd": "usr/sbin/earlyseed" in listed.output,
            "config": tree.path(CONFIG).read_text() if tree.has(CONFIG) else None,
            "store": store.read_bytes() if store.exists() else None,
            "mode": store.stat().st_mode & 0o7777 if store.exists() else None,
            "units": [unit for unit in UNITS if tree.has(f"/etc/systemd/system/{unit}")],
            "links": [str(link.relative_to(tree.root))
                      for link in sorted(tree.root.glob("etc/rc?.d/???earlyseed-ready"))],
            "left": [path for path in (PROGRAM, "/etc/init.d/earlyseed", "/etc/cron.daily/earlyseed",
                                       "/var/lib/earlyseed") if tree.has(path)]}

    step("installed", "dpkg", "--install", "/earlyseed.deb")
    # What a machine and its administrator make of it.
    tree.path(STORE).write_bytes(SEED)
    tree.write(CONFIG, f"# mine\nstore = {STORE}\ncredit-seed = never\n")
    step("again", "dpkg", "--install", "/earlyseed.deb")
    step("removed", "dpkg", "--remove", "earlyseed")
    step("back", "dpkg", "--install", "/earlyseed.deb")
    tree.path("/seen").hardlink_to(tree.path(STORE))  # what becomes of the bytes
    step("purged", "dpkg", "--purge", "earlyseed")
    steps["purged"]["bytes"] = tree.path("/seen").read_bytes()
    return steps


def test_p4_every_step_succeeds(life):
    for name, step in life.items():
        assert step["status"] == 0, (name, step["output"])


def test_p2_installed_in_an_image_the_store_has_no_seed(life):
    """P2: from a chroot it goes to other machines, and each makes its own."""
    step = life["installed"]
    assert step["config"] == f"store = {STORE}\n" or step["config"].endswith(f"\nstore = {STORE}\n")
    assert step["store"] == bytes(8192)
    assert step["mode"] == 0o600


def test_p8_it_says_what_it_chose_and_how_to_choose_otherwise(life):
    said = [line for line in life["installed"]["output"].splitlines() if line.startswith("earlyseed: ")]
    assert len(said) == 2
    assert said[0].startswith(f"earlyseed: store {STORE}: a file on the root file system")
    assert "earlyseed setup --store" in said[1]


def test_the_initrd_is_made_anew_with_and_without_the_program(life):
    assert {name: step["in_initrd"] for name, step in life.items()} == {
        "installed": True, "again": True, "removed": False, "back": True, "purged": False}


def test_the_units_are_enabled(life):
    for name in ("installed", "again", "back"):
        assert life[name]["units"] == list(UNITS), name
    assert life["purged"]["units"] == []


def test_nobody_is_held_back_who_does_not_ask(life):
    """P4: what waits for the generator is disabled in each run level, and a purge leaves no link."""
    assert life["installed"]["links"] == [f"etc/rc{level}.d/K01earlyseed-ready" for level in "2345"]
    assert life["purged"]["links"] == []


def test_p5_an_upgrade_and_a_removal_keep_store_and_configuration(life):
    for name in ("again", "removed", "back"):
        assert life[name]["store"] == SEED, name
        assert life[name]["config"].startswith("# mine\n"), name


def test_p6_a_purge_overwrites_the_seed_and_leaves_nothing(life):
    step = life["purged"]
    assert step["bytes"] == bytes(8192)
    assert step["config"] is None and step["store"] is None and step["left"] == []


def purge(folder, config, preparation="", chroot="exec chroot"):
    """Runs the package's postrm as `dpkg --purge` does, in a copy of this machine's root file system: as the first
    process there, so that it does not look like a chroot, and not like a container. With chroot="chroot" it does."""
    postrm = (tools.REPOSITORY / "debian/earlyseed.postrm").read_text().replace("#DEBHELPER#", "")
    script = f"""set -e
mkdir -p {folder}/upper {folder}/work {folder}/root
mount --make-rprivate /
mount -t overlay overlay -o lowerdir=/,upperdir={folder}/upper,workdir={folder}/work {folder}/root
cd {folder}/root
rm -f .dockerenv
printf '%s' "$1" >etc/earlyseed.conf
mount --rbind /dev dev
mount --rbind /sys sys
mount -t proc proc proc
mount -t tmpfs tmpfs run
{preparation}
{chroot} . sh -c "$2
test ! -e /etc/earlyseed.conf" postrm purge 2>&1
"""
    return tools.run("unshare", "--mount", "--pid", "--fork", "sh", "-c", script, "purge", config, postrm).decode()


@contextlib.contextmanager
def loop(disk):
    """A loop device over a file."""
    device = tools.run("losetup", "--find", "--show", disk).decode().strip()
    try:
        yield device
    finally:
        tools.run("losetup", "--detach", device)


@pytest.mark.parametrize("before, after", [(SEED, bytes(8192)), (b"y" * 8192, b"y" * 8192)], ids=["a seed", "others"])
def test_p6_a_purge_wipes_the_seed_of_a_partition_and_nothing_else(tmp_path, before, after):
    disk = tmp_path / "disk"
    disk.write_bytes(before + b"x" * 65536)
    with loop(disk) as device:
        purge(tmp_path, f"store = {device}\n")
    assert disk.read_bytes() == after + b"x" * 65536


@pytest.mark.parametrize("preparation, chroot", [
    ("", "chroot"), ("umount proc", "chroot"), ("touch run/.containerenv", "exec chroot"),
], ids=["chroot", "chroot without proc", "container"])
def test_p5_a_purge_leaves_the_devices_of_another_system_alone(tmp_path, preparation, chroot):
    """P5: in a chroot or a container they may be the host's."""
    disk = tmp_path / "disk"
    disk.write_bytes(SEED)
    with loop(disk) as device:
        purge(tmp_path, f"store = {device}\n", preparation, chroot)
    assert disk.read_bytes() == SEED


@pytest.mark.parametrize("store, preparation, said", [
    ("/seed", "cp ../seed .", ""),
    ("/mnt/seed", "mount -t tmpfs tmpfs mnt; cp ../seed mnt", ""),
    ("/mnt/seed", "mount -t tmpfs tmpfs mnt; cp ../seed mnt; mount -o remount,ro mnt",
     "earlyseed: cannot wipe the seed in /mnt/seed\n" * 2),
], ids=["root folder", "mount point", "read-only"])
def test_p4_a_purge_succeeds_wherever_the_file_is(tmp_path, store, preparation, said):
    """P4, P8: with no folder of its own, or not to be wiped, which is said."""
    (tmp_path / "seed").write_bytes(SEED)
    assert purge(tmp_path, f"store = {store}\n", preparation) == said


def test_p6_a_purge_wipes_the_file_on_a_mounted_file_system(tmp_path):
    uuid = "e5eed000-0000-4000-8000-00000000f11e"
    tree = tmp_path / "tree"
    (tree / "earlyseed").mkdir(parents=True)
    (tree / "earlyseed/seed").write_bytes(SEED)
    (tree / "link").hardlink_to(tree / "earlyseed/seed")
    disk = tmp_path / "disk"
    tools.run("mke2fs", "-q", "-t", "ext4", "-U", uuid, "-d", tree, disk, "8M")
    config = f"store = UUID={uuid}:/earlyseed/seed\n"
    with loop(disk) as device:
        assert "which is not mounted" in purge(tmp_path, config)
        assert purge(tmp_path, config, f"mount {device} {tmp_path}/root/mnt") == ""
    assert tools.run("debugfs", "-R", "cat /link", disk) == bytes(8192)
    assert b"earlyseed" not in tools.run("debugfs", "-R", "ls /", disk)
