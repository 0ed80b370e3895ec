# SPDX-License-Identifier: MIT
"""The udev rule for each kind of store, as dracut-module/50earlyseed/earlyseed-store.sh writes it."""
from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

FUNCTIONS = Path(__file__).resolve().parents[2] / "dracut-module/50earlyseed/earlyseed-store.sh"
ONE = 'SUBSYSTEM=="block", ACTION!="remove", {}, ENV{{SYSTEMD_WANTS}}+="earlyseed-initrd-{}.service"\n'


def call(function: str, store: str, shell: str) -> tuple[int, str]:
    done = subprocess.run([shell, "-euc", f'. "$1"; {function} "$2"', shell, FUNCTIONS, store], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


@pytest.fixture(params=["dash", "bash"])
def shell(request):
    return request.param


@pytest.mark.parametrize("store, unit, matches", [
    ("PARTLABEL=earlyseed", "store", ['ENV{PARTNAME}=="earlyseed"', 'SYMLINK=="disk/by-partlabel/earlyseed"']),
    ("PARTUUID=11-22", "store", ['SYMLINK=="disk/by-partuuid/11-22"']),
    ("/dev/nvme0n1p3", "store", ['KERNEL=="nvme0n1p3"', 'SYMLINK=="nvme0n1p3"']),
    ("/dev/disk/by-path/pci-0000:00:05.0-part2", "store",
     ['KERNEL=="disk/by-path/pci-0000:00:05.0-part2"', 'SYMLINK=="disk/by-path/pci-0000:00:05.0-part2"']),
    ("UUID=1A2B-3C4D:/earlyseed/seed", "file", ['SYMLINK=="disk/by-uuid/1A2B-3C4D"']),
    ("LABEL=boot:/seed", "file", ['SYMLINK=="disk/by-label/boot"']),
    ("PARTUUID=11-22:/seed", "file", ['SYMLINK=="disk/by-partuuid/11-22"']),
    ("PARTLABEL=esp:/a:/b", "file", ['ENV{PARTNAME}=="esp"', 'SYMLINK=="disk/by-partlabel/esp"']),
    ("/dev/sda1:/seed", "file", ['KERNEL=="sda1"', 'SYMLINK=="sda1"']),
])
def test_rule(store, unit, matches, shell):
    assert call("earlyseed_store_rule", store, shell) == (0, "".join(ONE.format(match, unit) for match in matches))


def test_no_rule_for_the_root_file_system(shell):
    assert call("earlyseed_store_rule", "/var/lib/earlyseed/seed", shell) == (0, "")
    assert call("earlyseed_store_kind", "/var/lib/earlyseed/seed", shell) == (0, "root\n")


@pytest.mark.parametrize("store", ["", "earlyseed", "UUID=", "PARTLABEL=:/x", "/dev/:/x", "ID=x", 'LABEL=a"b:/x',
                                   "PARTLABEL=a*", "PARTLABEL=a b", "PARTLABEL=a\nb", "PARTLABEL=a\\b", "LABEL=ä:/x"])
def test_nothing_that_udev_could_misread(store, shell):
    status, output = call("earlyseed_store_rule", store, shell)
    assert (status != 0, output) == (True, "")
