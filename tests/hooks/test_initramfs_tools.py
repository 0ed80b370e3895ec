# SPDX-License-Identifier: MIT
"""What the initramfs-tools hook and boot scripts do, in images that mkinitramfs makes in a real Debian tree.

MODULES=list leaves out all drivers that nobody asks for: quick, and what the hook asks for stands out.
"""
from __future__ import annotations

from pathlib import Path

import pytest

from conftest import CONFIG, PROGRAM, STORE_FILES

pytestmark = pytest.mark.long

FOLDER = "/usr/share/initramfs-tools"
NO_DRIVERS = "/etc/initramfs-tools/conf.d/no-drivers"
HOOK = f"{FOLDER}/hooks/earlyseed"
RULES = "/usr/lib/udev/rules.d/69-earlyseed.rules"
# Boot script, what it asks for in its header, what it calls.
SCRIPTS = {
    "init-top/earlyseed": ("", "load --early"),
    "init-top/earlyseed-store": ("udev", "load --early"),
    "local-premount/earlyseed": ("resume uswsusp", "load"),
    "init-bottom/earlyseed": ("", "load --root /root"),
}
RAW = "PARTLABEL=earlyseed"
FILE = "UUID=e5eed000-0000-4000-8000-000000000002:/earlyseed/seed"
ROOT_FILE = STORE_FILES[0]
VFAT = {"vfat", "fat", "nls_cp437", "nls_ascii", "nls_iso8859-1"}


@pytest.fixture(scope="module")
def machine(initramfs_machine):
    initramfs_machine.write(NO_DRIVERS, "MODULES=list\n")
    return initramfs_machine


@pytest.fixture
def command(machine):
    return ["sh", "-c", f'mkinitramfs -o "$0" {machine.kernel}']


@pytest.fixture
def image(machine, command):
    """The image for a store on a partition."""
    image = machine.build(command, RAW)
    assert image.made.status == 0, image.made.output
    return image


def order(image, stage):
    """The names of a stage's scripts in the order in which they are run."""
    lines = image.path(f"/scripts/{stage}/ORDER").read_text().splitlines()
    return [line.split()[0].rpartition("/")[2] for line in lines if line.startswith("/scripts/")]


def test_the_program_is_in_the_image_and_runs(machine, image):
    done = image.run(PROGRAM, "--version")
    assert done.status == 0
    assert done.output == machine.run(PROGRAM, "--version").output
    assert done.output.startswith("earlyseed")


def test_nothing_is_said_when_all_is_well(image):
    assert "earlyseed" not in image.made.output


def test_the_configuration_is_in_the_image_when_there_is_one(machine, command, image):
    assert image.path(CONFIG).read_text() == f"# a comment\nstore = {RAW}  # another\ncredit-seed = auto\n"
    assert not machine.build(command, None).has(CONFIG)


def test_the_scripts_stand_where_they_must(image):
    """P9: before udev, after udev, after resume, and last of all, while /dev is still there."""
    top = order(image, "init-top")
    assert top.index("earlyseed") < top.index("udev") < top.index("earlyseed-store")
    premount = order(image, "local-premount")
    assert premount.index("resume") < premount.index("earlyseed")
    bottom = order(image, "init-bottom")
    assert bottom.index("earlyseed") < bottom.index("udev")


def test_what_is_added_is_just_this_and_always_the_same(machine, command, image):
    """P6: a list of all that the hook and the scripts put into an image, so nothing can slip in."""
    with machine.without(HOOK, *(f"{FOLDER}/scripts/{script}" for script in SCRIPTS)):
        machine.configure(RAW)
        bare = machine.make(command).contents()

    def added(contents):
        return {name: entry for name, entry in contents.items() if bare.get(name) != entry}

    machine.configure(RAW)
    once, again = added(image.contents()), added(machine.make(command).contents())
    assert once == again
    stages = {script.partition("/")[0] for script in SCRIPTS}
    # The drivers of hardware RNGs with what they need, and with the lists of all drivers in the image.
    drivers = {name for name in once if name.startswith("/usr/lib/modules/")}
    assert {Path(name).name for name in drivers if name.endswith(".ko")} <= {
        "virtio-rng.ko", "rng-core.ko", "virtio.ko", "virtio_ring.ko"}
    assert set(once) - drivers == {PROGRAM, CONFIG, RULES, *(f"/scripts/{script}" for script in SCRIPTS),
                                   *(f"/scripts/{stage}/ORDER" for stage in stages)}


@pytest.mark.parametrize("store", [FILE, "/dev/vda1:/seed"])
def test_a_store_on_a_file_system_brings_its_modules(machine, command, store):
    """The file system drivers are modules in the image or built into the kernel."""
    image = machine.build(command, store)
    assert VFAT <= image.modules()
    built_in = machine.path(f"/usr/lib/modules/{machine.kernel}/modules.builtin").read_text()
    assert "ext4" in image.modules() or "/ext4.ko" in built_in


@pytest.mark.parametrize("store", [RAW, ROOT_FILE, None])
def test_any_other_store_brings_none(machine, command, store):
    assert not VFAT & machine.build(command, store).modules()


@pytest.mark.parametrize("store", [FILE, ROOT_FILE, STORE_FILES[-1]])
def test_no_seed_gets_into_an_image(machine, command, store):
    """P6: wherever the configured store file lies."""
    image = machine.build(command, store)
    assert image.made.status == 0
    assert image.seeds() == []
    # The search would find one.
    image.write("/etc/seed", machine.path(STORE_FILES[0]).read_bytes())
    assert image.seeds() == ["/etc/seed"]
    image.path("/etc/seed").unlink()


def test_udev_calls_load_when_the_partition_of_the_store_appears(machine, command, image):
    """P5: however late; P9: and mounts nothing. For a store on a file system the boot scripts have the right moments.
    tests/boot/media.py plugs such a disk in."""
    rules = image.path(RULES).read_text().splitlines()
    assert rules == machine.build(command, None).path(RULES).read_text().splitlines()
    assert 'ENV{PARTNAME}=="earlyseed"' in rules[0]
    assert [rule for rule in rules if not rule.endswith(f', RUN+="{PROGRAM} load --early"')] == []
    for store in FILE, ROOT_FILE, "PARTLABEL=a b":
        assert not machine.build(command, store).has(RULES)


@pytest.mark.parametrize("missing", [PROGRAM, "/usr/lib/earlyseed/store.sh"])
def test_without_the_program_the_image_is_still_made(machine, command, missing):
    """P4: and a script without its program is silent and succeeds."""
    machine.configure(RAW)
    with machine.without(missing):
        image = machine.make(command)
    assert image.made.status == 0
    assert f"W: earlyseed: {missing} is missing" in image.made.output
    assert not image.has(PROGRAM)
    for script in SCRIPTS:
        done = image.run(f"/scripts/{script}", env={"rootmnt": "/root"})
        assert (done.status, done.output) == (0, "")


def test_a_store_setting_that_is_none_is_said_and_does_no_harm(machine, command, image):
    """P4, P8: the default is used, by the hook as at boot."""
    bad = machine.build(command, "'; exit 1; $(false) `false` \" :/")
    assert bad.made.status == 0
    said = [line for line in bad.made.output.splitlines() if "earlyseed" in line]
    assert len(said) == 1 and said[0].startswith(f"earlyseed: store: {CONFIG}, line 2: bad value")
    assert bad.path(RULES).read_text() == image.path(RULES).read_text()


def test_a_program_that_cannot_be_run_does_no_harm(machine, command):
    """P4: as in a chroot of another architecture."""
    machine.configure(RAW)
    with machine.recorder(127):
        image = machine.make(command)
    assert image.made.status == 0
    assert "W: earlyseed: 'earlyseed store' failed" in image.made.output
    assert not image.has(RULES)


def test_modules_dep_does_no_harm(machine):
    """P4: here no store is to be found, as in most chroots,
    and initramfs-tools' functions exit when they are puzzled."""
    machine.configure(RAW)
    # What mkinitramfs hands to its hooks; MODULES=dep itself wants a real root device.
    setup = (f"DESTDIR=$(mktemp -d) version={machine.kernel} verbose=n MODULES=dep; "
             "export DESTDIR version verbose MODULES")
    done = machine.run("sh", "-c", f'{setup}; {HOOK}; echo "status $?"; ls "$DESTDIR/usr/sbin"')
    assert done.output == "status 0\nearlyseed\n"


@pytest.mark.parametrize("status", [0, 1, 2, 139])
def test_boot_scripts_call_the_program_and_succeed(image, status):
    """P4: whatever the program's exit status."""
    with image.recorder(status) as calls:
        for number, (script, (_, arguments)) in enumerate(SCRIPTS.items()):
            done = image.run(f"/scripts/{script}", env={"rootmnt": "/root"})
            assert (done.status, done.output) == (0, "")
            assert calls()[number:] == [arguments]


def test_the_root_is_where_the_boot_says(image):
    with image.recorder(0) as calls:
        image.run("/scripts/init-bottom/earlyseed", env={"rootmnt": "/a b"})
        assert calls() == ["load --root /a b"]


def test_prereqs_are_printed_without_any_effect(machine):
    """Also by the build hook, before it looks for anything of initramfs-tools."""
    with machine.recorder(0) as calls:
        before = machine.stamps()
        for script, (prereq, _) in {**SCRIPTS, "../hooks/earlyseed": ("", "")}.items():
            done = machine.run(f"{FOLDER}/scripts/{script}", "prereqs")
            assert (done.status, done.output) == (0, prereq + "\n")
        assert calls() == []
        assert machine.stamps() == before


def test_update_initramfs(machine):
    """As after a kernel upgrade and after a change of the configuration, with the drivers of a real image."""
    machine.configure(FILE)
    with machine.without(NO_DRIVERS):
        for command in ["update-initramfs", "-c", "-k", machine.kernel], ["update-initramfs", "-u"]:
            done = machine.run(*command)
            assert done.status == 0, done.output
    listing = machine.run("lsinitramfs", f"/boot/initrd.img-{machine.kernel}").output.splitlines()
    assert "usr/sbin/earlyseed" in listing
    assert {f"scripts/{script}" for script in SCRIPTS} <= set(listing)
