# SPDX-License-Identifier: MIT
"""What the dracut module puts into images that dracut makes in a real Debian tree, and what its hooks do there.

Most images are made without a kernel's modules (--no-kernel): quicker, and the module does the rest alike.
"""
from __future__ import annotations

import pytest

from conftest import CONFIG, PROGRAM, STORE_FILES, Done

pytestmark = pytest.mark.long

MODULE = "/usr/lib/dracut/modules.d/50earlyseed"
HOOKS = "/usr/lib/dracut/hooks"
UNITS = "/usr/lib/systemd/system"
RULES = "/usr/lib/udev/rules.d/69-earlyseed.rules"
# In an initrd without systemd: hook and what it calls.
CALLS = {
    "pre-udev/00-earlyseed-pre-udev.sh": "load --early",
    "initqueue/00-earlyseed-initqueue.sh": "load --early",
    "pre-mount/20-earlyseed-pre-mount.sh": "load",
    "pre-pivot/10-earlyseed-pre-pivot.sh": "load --root /sysroot",
}
# In an initrd with systemd: unit and what it calls.
STARTS = {
    "earlyseed-initrd.service": "load --early",
    "earlyseed-initrd-store.service": "load --early",
    "earlyseed-initrd-file.service": "load",
    "earlyseed-initrd-root.service": "load --root /sysroot",
}
RAW = "PARTLABEL=earlyseed"
FILE = "UUID=e5eed000-0000-4000-8000-000000000002:/earlyseed/seed"
ROOT_FILE = STORE_FILES[0]
VFAT = {"vfat", "fat", "nls_cp437", "nls_ascii", "nls_iso8859-1"}
WITHOUT_SYSTEMD = ["--omit", "systemd systemd-initrd dracut-systemd"]


class Dracut:
    """Makes an image for a store with dracut's options, once."""

    def __init__(self, machine):
        self.machine = machine

    def __call__(self, store, *options, again=False):
        command = ["dracut", "--quiet", "--force", "--kver", self.machine.kernel, *options]
        if again:
            self.machine.configure(store)
            return self.machine.make(command)
        return self.machine.build(command, store)


@pytest.fixture(scope="session")
def dracut(dracut_machine):
    return Dracut(dracut_machine)


@pytest.fixture(params=["systemd", "without systemd"])
def options(request):
    return ["--no-hostonly", "--no-kernel", *(WITHOUT_SYSTEMD if request.param == "without systemd" else [])]


@pytest.fixture
def with_systemd(dracut):
    return dracut(RAW, "--no-hostonly", "--no-kernel")


@pytest.fixture
def without_systemd(dracut):
    return dracut(RAW, "--no-hostonly", "--no-kernel", *WITHOUT_SYSTEMD)


# ---- the image -----------------------------------------------------------------------------------------


def test_the_program_is_in_the_image_and_runs(dracut, options):
    image = dracut(RAW, *options)
    assert image.made.status == 0
    done = image.run(PROGRAM, "--version")
    assert (done.status, done.output) == (0, dracut.machine.run(PROGRAM, "--version").output)
    assert done.output.startswith("earlyseed")


def test_nothing_is_said_when_all_is_well(dracut, options):
    assert "earlyseed" not in dracut(RAW, *options).made.output


def test_the_configuration_is_in_the_image(dracut, options):
    assert dracut(RAW, *options).path(CONFIG).read_text() == \
        f"# a comment\nstore = {RAW}  # another\ncredit-seed = auto\n"


def test_what_is_added_is_just_this_and_always_the_same(dracut, options):
    """P6: a list of all that the module puts into an image, so nothing can slip in."""
    bare = dracut(RAW, *options, "--omit", "earlyseed" if len(options) == 2 else f"earlyseed {WITHOUT_SYSTEMD[1]}",
                  again=True).contents()
    expected = {PROGRAM, CONFIG, "/usr/lib/dracut/modules.txt"}
    if len(options) == 2:
        expected |= {f"{UNITS}/{unit}" for unit in STARTS}
        expected |= {RULES, "/usr/lib/earlyseed/store.sh", f"{HOOKS}/cmdline/50-earlyseed-cmdline.sh",
                     f"{UNITS}/earlyseed-initrd-root.service.d/not-configured.conf",
                     "/etc/systemd/system/sysinit.target.wants/earlyseed-initrd.service",
                     "/etc/systemd/system/initrd.target.wants/earlyseed-initrd-root.service"}
    else:
        expected |= {f"{HOOKS}/{hook}" for hook in CALLS}

    def added(contents):
        # Not what every two images differ in: dracut notes its command line, ldconfig the time.
        return {name: entry for name, entry in contents.items() if bare.get(name) != entry
                and name not in {"/usr/lib/dracut/build-parameter.txt", "/etc/ld.so.cache"}}

    once = added(dracut(RAW, *options).contents())
    assert once == added(dracut(RAW, *options, again=True).contents())
    assert set(once) == expected


def test_a_store_on_a_file_system_brings_its_modules(dracut):
    """In a host-only image; any other has all file systems. The drivers are modules in it or built into the kernel."""
    image = dracut(FILE, "--hostonly")
    assert VFAT <= image.modules()
    built_in = dracut.machine.path(f"/usr/lib/modules/{dracut.machine.kernel}/modules.builtin").read_text()
    assert "ext4" in image.modules() or "/ext4.ko" in built_in


@pytest.mark.parametrize("store", [RAW, ROOT_FILE])
def test_any_other_store_brings_none(dracut, store):
    assert not VFAT & dracut(store, "--hostonly").modules()


@pytest.mark.parametrize("store", [FILE, ROOT_FILE])
def test_no_seed_gets_into_an_image(dracut, store):
    """P6: wherever the configured store file lies."""
    image = dracut(store, "--hostonly")
    assert image.made.status == 0
    assert image.seeds() == []
    # The search would find one.
    image.write("/etc/seed", dracut.machine.path(STORE_FILES[0]).read_bytes())
    assert image.seeds() == ["/etc/seed"]
    image.path("/etc/seed").unlink()


def test_without_the_program_the_image_is_still_made(dracut):
    """P4"""
    with dracut.machine.without(PROGRAM):
        image = dracut(RAW, "--no-hostonly", "--no-kernel", again=True)
    assert image.made.status == 0
    assert [name for name in image.contents() if "earlyseed" in name and name != CONFIG] == []


def test_a_store_setting_that_is_none_is_said_and_does_no_harm(dracut, with_systemd):
    """P4, P8: the default is used, as at boot. One that udev cannot be told of is waited for by nobody."""
    image = dracut('"; $(touch /broken) `touch /broken` *', "--no-hostonly", "--no-kernel")
    assert image.made.status == 0
    assert f"earlyseed: store: {CONFIG}, line 2: bad value" in image.made.output
    assert image.path(RULES).read_text() == with_systemd.path(RULES).read_text()
    image = dracut("PARTLABEL=$(touch broken)", "--no-hostonly", "--no-kernel")
    assert image.made.status == 0
    assert "earlyseed: no udev rule can be made for the store 'PARTLABEL=$(touch broken)'" in image.made.output
    assert image.path(RULES).read_text() == ""
    assert not dracut.machine.has("/broken")


# ---- with systemd --------------------------------------------------------------------------------------


def test_units_are_wanted_and_call_the_program(with_systemd):
    """P4: and no exit status of the program is a failure of the unit."""
    for unit, arguments in STARTS.items():
        lines = with_systemd.path(f"{UNITS}/{unit}").read_text().splitlines()
        assert [line for line in lines if line.startswith("ExecStart")] == [f"ExecStart=-{PROGRAM} {arguments}"]
    wants = with_systemd.path("/etc/systemd/system/sysinit.target.wants/earlyseed-initrd.service")
    assert with_systemd.path(str(wants.readlink())).is_file()


def test_units_are_wanted_where_dracut_does_not_say_how(dracut, with_systemd):
    """As 051 does not, of Debian 11."""
    program = dracut.machine.path("/usr/bin/dracut").read_text()
    old = "\n".join(line for line in program.splitlines() if "export SYSTEMCTL=" not in line)
    assert old != program.rstrip("\n")
    dracut.machine.write("/usr/bin/dracut-051", old, 0o755)
    dracut.machine.configure(RAW)
    image = dracut.machine.make(["dracut-051", "--quiet", "--force", "--kver", dracut.machine.kernel, "--no-hostonly",
                                 "--no-kernel"])
    wants = [name for name in with_systemd.contents() if ".wants/earlyseed" in name]
    assert wants and [name for name in image.contents() if ".wants/earlyseed" in name] == wants


def test_units_have_no_mistakes_and_close_no_cycle(dracut, with_systemd):
    """P4: systemd breaks a cycle by leaving a unit out."""
    image = "/" + str(with_systemd.root.relative_to(dracut.machine.root))

    def verify():
        return dracut.machine.run("systemd-analyze", f"--root={image}", "--man=no", "verify", "initrd.target", *STARTS,
                                  env={"SYSTEMD_LOG_TARGET": "console"})

    assert verify() == Done(0, "")
    # It would see one.
    with_systemd.write("/etc/systemd/system/earlyseed-initrd.service.d/cycle.conf", "[Unit]\nAfter=sysinit.target\n")
    seen = verify().output  # which unit of the cycle it names first is not the same every time
    assert "Found ordering cycle on" in seen and "earlyseed-initrd.service" in seen
    with_systemd.path("/etc/systemd/system/earlyseed-initrd.service.d/cycle.conf").unlink()


def test_the_rule_starts_what_fits_the_store(dracut, with_systemd):
    """P9: what mounts is a unit of its own, which waits for resume."""
    raw = with_systemd.path(RULES).read_text()
    assert 'SYMLINK=="disk/by-partlabel/earlyseed"' in raw and "earlyseed-initrd-store.service" in raw
    file = dracut(FILE, "--hostonly").path(RULES).read_text()
    assert 'SYMLINK=="disk/by-uuid/e5eed000-0000-4000-8000-000000000002"' in file
    assert "earlyseed-initrd-file.service" in file
    root = dracut(ROOT_FILE, "--hostonly")
    assert root.path(RULES).read_text() == ""
    assert not root.has(f"{UNITS}/earlyseed-initrd-root.service.d/not-configured.conf")


def test_the_default_store_is_used_without_a_configuration(dracut, with_systemd):
    image = dracut(None, "--no-hostonly", "--no-kernel")
    assert not image.has(CONFIG)
    assert image.path(RULES).read_text() == with_systemd.path(RULES).read_text()


@pytest.mark.parametrize("word, expected", [
    (f"earlyseed.store={FILE}", "earlyseed-initrd-file.service"),
    ("earlyseed.store=/dev/vdb", "earlyseed-initrd-store.service"),
    ("earlyseed.store=/var/x", ""),
    ("earlyseed.store=/dev/vdb earlyseed.store=nonsense", "earlyseed-initrd-store.service"),
    ("earlyseed.debug", None),
])
def test_the_command_line_has_a_rule_of_its_own(with_systemd, word, expected):
    """It has the name of the configured store's rule and takes precedence; it is only made when there is need."""
    rules = "/etc/udev/rules.d/69-earlyseed.rules"
    assert rules.rpartition("/")[2] == RULES.rpartition("/")[2]
    with_systemd.write("/cmdline", word + "\n")
    done = source(with_systemd, f"{HOOKS}/cmdline/50-earlyseed-cmdline.sh", "mount --bind /cmdline /proc/cmdline")
    assert done.output == "succeeded, as before\n"
    if expected is None:
        assert not with_systemd.has(rules)
    else:
        assert expected in with_systemd.path(rules).read_text()
        assert bool(expected) == bool(with_systemd.path(rules).read_text())
        with_systemd.path(rules).unlink()
    with_systemd.path("/cmdline").unlink()


# ---- without systemd -----------------------------------------------------------------------------------


def source(image, hook, preparation=":"):
    """Sources a hook as dracut's init does, with dracut's own library, and looks at what it left of the shell."""
    return image.run("sh", "-c", preparation + '''
        . /lib/dracut-lib.sh
        NEWROOT=/sysroot
        state() { echo "$- $PWD $(trap) $(ulimit -a)"; }
        before=$(state)
        . "$1" && echo -n "succeeded, "
        [ "$(state)" = "$before" ] && echo "as before"
    ''', "sh", hook)


@pytest.mark.parametrize("status", [0, 1, 2, 139])
@pytest.mark.parametrize("hook", CALLS)
def test_hooks_call_the_program_and_succeed(without_systemd, hook, status):
    """P4: whatever the program's exit status, and the shell that sources them is as it was."""
    with without_systemd.recorder(status) as calls:
        done = source(without_systemd, f"{HOOKS}/{hook}")
        assert done.output == "succeeded, as before\n"
        assert calls() == [CALLS[hook]]


@pytest.mark.parametrize("word", ["rd.earlyseed=0", "rd.earlyseed=no", "rd.earlyseed=off"])
@pytest.mark.parametrize("hook", CALLS)
def test_the_off_switch(without_systemd, hook, word):
    """Also when it comes from a file in the image, which only dracut reads."""
    without_systemd.write("/etc/cmdline.d/test.conf", word + "\n")
    with without_systemd.recorder(0) as calls:
        assert source(without_systemd, f"{HOOKS}/{hook}").output == "succeeded, as before\n"
        assert calls() == []
    without_systemd.path("/etc/cmdline.d/test.conf").unlink()


@pytest.mark.parametrize("hook", CALLS)
def test_hooks_without_the_program(without_systemd, hook):
    with without_systemd.without(PROGRAM):
        assert source(without_systemd, f"{HOOKS}/{hook}").output == "succeeded, as before\n"


def test_mounting_hooks_come_after_resume(dracut, without_systemd):
    """P9: dracut's resume hook is 10-resume.sh; hooks are sourced in the order of their names."""
    resume = dracut.machine.path("/usr/lib/dracut/modules.d/95resume/parse-resume.sh").read_text()
    assert "/pre-mount/10-resume.sh" in resume
    names = sorted([*(path.name for path in without_systemd.path(f"{HOOKS}/pre-mount").iterdir()), "10-resume.sh"])
    assert names.index("10-resume.sh") < names.index("20-earlyseed-pre-mount.sh")
