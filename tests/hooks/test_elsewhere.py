# SPDX-License-Identifier: MIT
"""What is for systems that are not at hand: the RPM spec beside what Meson installs,
the hooks for mkinitcpio with stubs."""
from __future__ import annotations

import fnmatch
import json
import re
import subprocess

import pytest

from conftest import PROGRAM, REPOSITORY, images

SPEC = REPOSITORY / "hooks/rpm/earlyseed.spec"
BUILD_HOOK = REPOSITORY / "hooks/mkinitcpio/install/earlyseed"
BOOT_HOOK = REPOSITORY / "hooks/mkinitcpio/hooks/earlyseed"
SHARED = "/usr/lib/earlyseed"


# --- RPM -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spec():
    """The spec with its macros expanded, as far as rpm alone knows them."""
    done = subprocess.run(["rpmspec", "--define", "_unitdir /usr/lib/systemd/system", "--define", "buildroot /BUILD",
                           "--parse", SPEC], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_spec_has_the_version(spec):
    version = re.findall(r"version: '(.+)'", (REPOSITORY / "meson.build").read_text())[0]
    assert f"Version:        {version}\n" in spec
    wrap = (REPOSITORY / "subprojects/libsodium.wrap").read_text()
    assert re.findall(r"^Source1: +(\S+)$", spec, re.M) == re.findall(r"^source_filename = (.+)$", wrap, re.M) != []


def test_spec_has_each_file(spec):
    """What Meson installs is in %files or removed in %install, and nothing else is in either."""
    installed = json.loads(subprocess.run(["meson", "introspect", "--installed", images.build_dir()],
                                          stdout=subprocess.PIPE, check=True).stdout).values()
    listed = [line.split()[-1] for line in spec.split("\n%files\n")[1].split("\n%changelog\n")[0].splitlines()
              if "/" in line and not line.startswith(("%doc", "%dir", "#"))]
    removed = [word.removeprefix("/BUILD") for line in re.findall(r"^rm -r (.+)$", spec, re.M) for word in line.split()]
    assert listed and removed

    def covers(pattern, path):
        return fnmatch.fnmatch(path, pattern) or path.startswith(pattern.rstrip("/") + "/")

    def uncovered(paths):
        return [path for path in paths if not any(covers(pattern, path) for pattern in listed + removed)]

    assert uncovered(installed) == []
    assert uncovered(["/usr/bin/another"]) == ["/usr/bin/another"]
    assert [pattern for pattern in listed + removed if not any(covers(pattern, path) for path in installed)] == []


# --- mkinitcpio ------------------------------------------------------------------------------------------------------

# mkinitcpio's functions for build hooks, which say what they are asked for.
STUBS = """
for function in add_binary add_file add_dir add_symlink add_module add_runscript warning; do
    eval "$function() { echo $function \\"\\$@\\"; }"
done
map() { local function=$1 word; shift; for word; do "$function" "$word"; done; }
"""


def build(folder, configuration, systemd):
    """What the build hook adds to an image, line by line, and the udev rules."""
    config, root = folder / "earlyseed.conf", folder / "root"
    config.unlink(missing_ok=True)
    if configuration:
        config.write_text(configuration)
    (root / "usr/lib/udev/rules.d").mkdir(parents=True, exist_ok=True)
    rules = root / "usr/lib/udev/rules.d/69-earlyseed.rules"
    rules.unlink(missing_ok=True)
    script = folder / "earlyseed"
    # The shared files, with the program of the build and this configuration.
    shared = folder / "store.sh"
    shared.write_text((REPOSITORY / "hooks/store.sh").read_text()
                      .replace('"$_earlyseed_root/usr/sbin/earlyseed"', str(images.build_dir() / "earlyseed"))
                      .replace("$_earlyseed_root/etc/earlyseed.conf", str(config)))
    script.write_text(BUILD_HOOK.read_text().replace("/etc/earlyseed.conf", str(config)).replace(SHARED, str(folder)))
    systemd_hook = "add_systemd_unit() { :; }\n" if systemd else ""
    done = subprocess.run(["bash", "-uc", f"{STUBS}{systemd_hook}BUILDROOT=$2; . \"$1\"; build; "
                           "help >/dev/null", "bash", script, root],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout.replace(str(config), "CONFIG").splitlines(), rules.read_text() if rules.exists() else None


def test_build_hook(tmp_path):
    assert build(tmp_path, None, systemd=False) == ([f"add_binary {PROGRAM}", "add_runscript"], None)
    added, rules = build(tmp_path, "store = PARTLABEL=earlyseed\n", systemd=False)
    assert (added, rules) == (["add_file CONFIG", f"add_binary {PROGRAM}", "add_runscript"], None)


@pytest.mark.parametrize("systemd", [False, True])
def test_build_hook_brings_the_file_systems_of_a_file_store(tmp_path, systemd):
    def modules(configuration):
        return {line.split()[1] for line in build(tmp_path, configuration, systemd)[0] if line.startswith("add_module")}

    assert modules("store = UUID=1-2:/seed  # a comment\n") == {"ext4?", "vfat?", "nls_cp437?", "nls_ascii?",
                                                                "nls_iso8859-1?"}
    assert modules("store = /var/lib/earlyseed/seed\n") == set()


def test_build_hook_with_systemd(tmp_path):
    """The units of the dracut module, the same that are wanted there, and the rule for the store."""
    added, rules = build(tmp_path, "store = PARTUUID=11-22\n", systemd=True)
    units = {line.split()[2].rpartition("/")[2] for line in added if line.startswith("add_file") and "service" in line}
    assert units == {path.name for path in (REPOSITORY / "hooks/initrd").glob("*.service")}
    wanted = {line.split()[1].rpartition("/")[2] for line in added if line.startswith("add_symlink")}
    assert wanted == {"earlyseed-initrd.service", "earlyseed-initrd-root.service"}
    assert 'by-partuuid/11-22"' in rules and "earlyseed-initrd-store.service" in rules
    assert "add_runscript" not in added and not [line for line in added if line.startswith("warning")]
    assert "by-partlabel/earlyseed" in build(tmp_path, None, systemd=True)[1]
    assert [line for line in build(tmp_path, "store = LABEL=a b\n", systemd=True)[0] if line.startswith("warning")]


@pytest.mark.parametrize("hooks, calls", [
    ("udev earlyseed", ["load --early", "load", "load --root /new_root"]),
    ("udev resume earlyseed", ["load --early", "load", "load --root /new_root"]),
    ("udev earlyseed encrypt resume", ["load --early", "load --early", "load --root /new_root"]),
    ("earlyseed uresume", ["load --early", "load --early", "load --root /new_root"]),
])
def test_boot_hook(tmp_path, hooks, calls):
    """P9: nothing is mounted before the resume hook. P4: nothing is said, and without the program all succeeds."""
    program, script = tmp_path / "program", tmp_path / "hook"
    script.write_text(BOOT_HOOK.read_text().replace(PROGRAM, str(program)))
    command = ["sh", "-euc", 'HOOKS=$2; . "$1"; run_earlyhook; run_hook; run_latehook', "sh", script, hooks]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    program.write_text('#!/bin/sh\necho "$*"\n')
    program.chmod(0o755)
    assert subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines() == calls
