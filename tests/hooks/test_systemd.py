# SPDX-License-Identifier: MIT
"""The services of the running system, as systemd's own tools see them in a real Debian tree."""
from __future__ import annotations

import pytest

from conftest import PROGRAM, REPOSITORY, Done

pytestmark = pytest.mark.long

UNITS = "/usr/lib/systemd/system"
SERVICES = ["earlyseed-early.service", "earlyseed.service", "earlyseed-save.service", "earlyseed-ready.service"]
ENABLED = ["earlyseed-early.service", "earlyseed.service", "earlyseed-save.timer"]
# What cryptsetup's generator makes of "tmp /dev/vda2 /dev/urandom tmp" in crypttab, as far as the order goes.
RANDOM_TMP = """[Unit]
DefaultDependencies=no
After=systemd-random-seed.service
Before=local-fs.target
[Service]
Type=oneshot
ExecStart=/bin/true
[Install]
RequiredBy=local-fs.target
"""


@pytest.fixture
def machine(initramfs_machine):
    return initramfs_machine


def verify(machine, *units):
    return machine.run("systemd-analyze", "--man=no", "verify", "default.target", *units,
                       env={"SYSTEMD_LOG_TARGET": "console"})


def test_units_have_no_mistakes_and_close_no_cycle(machine):
    """P4: systemd breaks a cycle by leaving a unit out, so with a random key for /tmp as well."""
    machine.write("/etc/systemd/system/random-tmp.service", RANDOM_TMP)
    assert machine.run("systemctl", "enable", "random-tmp.service").status == 0
    assert verify(machine, *SERVICES, "earlyseed-save.timer", "earlyseed-ready.target") == Done(0, "")

    # It would see one: the order that earlyseed.service must not have, for the reason that stands in it.
    machine.write("/etc/systemd/system/earlyseed.service.d/cycle.conf", "[Unit]\nBefore=systemd-random-seed.service\n")
    assert "Found ordering cycle" in verify(machine).output
    machine.path("/etc/systemd/system/earlyseed.service.d/cycle.conf").unlink()
    assert machine.run("systemctl", "disable", "random-tmp.service").status == 0
    machine.path("/etc/systemd/system/random-tmp.service").unlink()


def test_enabling_one_enables_all(machine):
    def enabled():
        return [machine.run("systemctl", "is-enabled", unit).output.strip() for unit in ENABLED]

    machine.run("systemctl", "disable", *ENABLED)
    assert enabled() == ["disabled"] * len(ENABLED)
    assert machine.run("systemctl", "enable", "earlyseed.service").status == 0
    assert enabled() == ["enabled"] * len(ENABLED)
    assert machine.run("systemctl", "disable", "earlyseed.service").status == 0
    assert enabled() == ["disabled"] * len(ENABLED)
    assert machine.run("systemctl", "enable", "earlyseed.service").status == 0


def test_what_the_services_call(machine):
    """P4: no exit status of the program is a failure at boot or at shutdown."""
    calls = {}
    for unit in SERVICES:
        lines = machine.path(f"{UNITS}/{unit}").read_text().splitlines()
        calls[unit] = [line for line in lines if line.startswith(("Exec", "SuccessExitStatus"))]
    assert calls == {
        "earlyseed-early.service": [f"ExecStart=-{PROGRAM} load --early"],
        "earlyseed.service": [f"ExecStart=-{PROGRAM} load", f"ExecStop=-{PROGRAM} save"],
        "earlyseed-save.service": [f"ExecStart={PROGRAM} save", "SuccessExitStatus=1"],
        "earlyseed-ready.service": [f"ExecStart={PROGRAM} wait --timeout 300"],
    }


def test_the_example_holds_a_unit_back(machine):
    """And nobody else: nothing wants the target by itself."""
    machine.write("/etc/systemd/system/guests.service", "[Service]\nExecStart=/bin/true\n")
    machine.write("/etc/systemd/system/guests.service.d/after-random-numbers.conf",
                  (REPOSITORY / "hooks/examples/after-random-numbers.conf").read_bytes())
    assert verify(machine, "guests.service") == Done(0, "")
    for name in ("guests.service", "guests.service.d/after-random-numbers.conf"):
        machine.path(f"/etc/systemd/system/{name}").unlink()
    wanted = [path for path in machine.path("/etc/systemd/system").rglob("earlyseed-ready*")]
    assert wanted == []
