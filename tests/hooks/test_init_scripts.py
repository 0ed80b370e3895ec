# SPDX-License-Identifier: MIT
"""The scripts for sysvinit and OpenRC, run in a real Debian tree with OpenRC; its insserv orders them for sysvinit."""
from __future__ import annotations

import pytest

from conftest import PROGRAM, REPOSITORY

pytestmark = pytest.mark.long

SCRIPT = "/etc/init.d/earlyseed"
CRON = "/etc/cron.daily/earlyseed"
ACTIONS = {"start": "load", "restart": "load", "force-reload": "load", "stop": "save", "save": "save"}


@pytest.fixture
def machine(openrc_machine):
    return openrc_machine


def links(machine, folder):
    """What is done at a change of the run level, in this order."""
    return [path.name[3:] for path in sorted(machine.path(folder).iterdir()) if path.name[0] in "SK"]


@pytest.mark.parametrize("status", [0, 1, 2, 139])
@pytest.mark.parametrize("action", ACTIONS)
def test_the_script_calls_the_program_and_succeeds(machine, action, status):
    """P4: whatever the program's exit status."""
    with machine.recorder(status) as calls:
        done = machine.run(SCRIPT, action)
        assert (done.status, done.output) == (0, "")
        assert calls() == [ACTIONS[action]]


@pytest.mark.parametrize("action", ACTIONS)
def test_in_a_container_or_a_chroot_the_script_does_nothing(machine, action):
    """P3: the kernel's generator is the host's. And an image that is in the making gets no seed of this machine (P6)."""
    with machine.recorder(0) as calls:
        done = machine.run(SCRIPT, action, env={"container": "lxc"})
        assert (done.status, done.output) == (0, "")
        machine.write("/.dockerenv", "")
        assert machine.run(SCRIPT, action).status == 0
        machine.path("/.dockerenv").unlink()
        assert machine.run(SCRIPT, action, chroot="chroot").status == 0
        assert calls() == []
        machine.run(SCRIPT, action, env={"CONTAINERS": "container=lxc"})
        assert calls() == [ACTIONS[action]]


@pytest.mark.parametrize("action", ACTIONS)
def test_without_the_program_the_script_is_silent(machine, action):
    """P4: the package is removed and not purged."""
    with machine.without(PROGRAM):
        for command in [SCRIPT, action], [CRON]:
            done = machine.run(*command)
            assert (done.status, done.output) == (0, "")


def test_what_the_script_does_not_know(machine):
    with machine.recorder(0) as calls:
        assert machine.run(SCRIPT, "reload").status == 2
        assert calls() == []


def test_status_is_the_programs(machine):
    with machine.recorder(1) as calls:
        assert machine.run(SCRIPT, "status").status == 1
        assert calls() == ["status"]


def test_daily_a_seed_is_saved_where_systemd_does_not_do_it(machine):
    """P5: for the boot after a power cut."""
    with machine.recorder(1) as calls:
        done = machine.run("sh", "-c", f"mkdir -p /run/systemd/system; {CRON}")
        assert (done.status, done.output, calls()) == (0, "", [])
        done = machine.run(CRON)
        assert (done.status, done.output, calls()) == (0, "", ["save"])
    assert CRON in machine.run("run-parts", "--test", "/etc/cron.daily").output.splitlines()


def test_sysvinit_saves_while_the_store_is_writable(machine):
    """P5: and loads when the file systems have been checked and mounted."""
    boot = links(machine, "/etc/rcS.d")
    assert boot.index("mountall.sh") < boot.index("earlyseed")
    for folder in "/etc/rc0.d", "/etc/rc6.d":
        shutdown = links(machine, folder)
        assert shutdown.index("earlyseed") < shutdown.index("umountfs") < shutdown.index("umountroot")


def test_openrc_orders_the_script_likewise(machine):
    assert "earlyseed" in machine.run("rc-update", "show", "sysinit").output.split()
    depends = machine.run("/lib/rc/sh/gendepends.sh").output.splitlines()
    uses, = [line.split()[2:] for line in depends if line.startswith("earlyseed iuse ")]
    assert {"mountall", "umountfs"} <= set(uses)


@pytest.mark.parametrize("status", [0, 1, 2, 139])
def test_openrcs_own_script(machine, status):
    """P4: as on Alpine and Gentoo, where it is the only one. In the folders that a booted OpenRC has."""
    script = "/etc/init.d/earlyseed-openrc"
    machine.write(script, (REPOSITORY / "hooks/openrc/earlyseed").read_bytes(), 0o755)
    states = "starting started stopping inactive wasinactive failed hotplugged daemons options exclusive scheduled tmp"
    with machine.recorder(status) as calls:
        done = machine.run("sh", "-ec", f"mkdir -p /run/openrc; cd /run/openrc; mkdir {states}; touch softlevel; "
                           f"for action in start save stop; do {script} --nodeps $action; done")
        assert (done.status, done.output) == (0, "")
        assert calls() == ["load", "save", "save"]
    machine.path(script).unlink()
