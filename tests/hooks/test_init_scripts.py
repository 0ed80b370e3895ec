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
    """P3: the kernel's generator is the host's.
    And an image that is in the making gets no seed of this machine (P6)."""
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


# Every script of Debian's notes that it is called, and keeps its header, by which OpenRC orders it.
STUBS = """cd /etc/init.d
for script in $(grep -l '^### BEGIN INIT INFO' *); do
    header=$(sed -n '/^### BEGIN/,/^### END/p' $script)
    printf '#!/bin/sh\\n%s\\necho %s $1 >>/calls\\n' "$header" $script >/run/stub
    cp /run/stub $script
done"""


@pytest.fixture
def openrc_order(machine):
    """Gives, for commands of OpenRC's, which scripts were called, in this order: "NAME start" or "NAME stop"."""
    scripts = {path: path.read_bytes() for path in machine.path("/etc/init.d").iterdir() if path.is_file()}
    yield lambda *commands: (openrc(machine, STUBS, *commands), machine.path("/calls").read_text().splitlines())[1]
    for path, content in scripts.items():
        path.write_bytes(content)
    machine.path("/calls").unlink(missing_ok=True)


def test_openrc_saves_while_the_store_is_writable(machine, openrc_order):
    """P5: as with sysvinit. What is done at boot, and after it in /etc/init.d/rc's steps of a shutdown;
    and that this order is no accident of the names."""
    calls = openrc_order("openrc sysinit", "openrc default", "openrc off", "openrc shutdown")
    assert calls.index("mountall.sh start") < calls.index("earlyseed start") < calls.index("earlyseed stop")
    assert calls.count("earlyseed stop") == 1
    for name in "umountfs", "mountall.sh", "umountroot":
        assert calls.index("earlyseed stop") < calls.index(f"{name} stop")
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


# --- earlyseed-ready: a point in the boot for those that must not start before the generator is ready -----------------

READY = "/etc/init.d/earlyseed-ready"
WAIT = "wait --timeout 300"
LSB_GUESTS = """#!/bin/sh
### BEGIN INIT INFO
# Provides:          guests
# Required-Start:    earlyseed-ready
# Required-Stop:
# Default-Start:     2 3 4 5
# Default-Stop:
# Short-Description: Held back
### END INIT INFO
echo "$0 $1" >> /calls
"""


def test_ready_waits_and_gives_up(machine):
    """P4: after five minutes, with the program's own line and exit status; what is ready is not spoken of."""
    for action in "start", "restart", "force-reload":
        with machine.recorder(0) as calls:
            assert (machine.run(READY, action).output, calls()) == ("", ["wait --timeout 0"])
        with machine.recorder(1) as calls:
            done = machine.run(READY, action)
            assert (done.status, calls()) == (1, ["wait --timeout 0", WAIT])
            assert done.output.startswith("Waiting for ") and done.output.count("\n") == 1
    with machine.recorder(1) as calls:
        assert machine.run(READY, "stop").status == 0
        assert machine.run(READY, "reload").status == 2
        assert calls() == []
        assert machine.run(READY, "status").status == 3
    with machine.without(PROGRAM):
        done = machine.run(READY, "start")
        assert (done.status, done.output) == (0, "")


def test_ready_is_what_the_program_says(machine):
    """With the program itself, in a container too: this machine's generator has long been ready."""
    done = machine.run(READY, "status", env={"container": "lxc"})
    assert (done.status, done.output) == (0, "The kernel's random number generator is ready.\n")
    assert machine.run(READY, "start").output == ""


@pytest.fixture
def guests(machine):
    """A script that names earlyseed-ready, which is as the package leaves it; undone at the end."""
    machine.write("/etc/init.d/guests", LSB_GUESTS, 0o755)
    before = links(machine, "/etc/rc2.d")
    assert machine.run("update-rc.d", "earlyseed-ready", "defaults-disabled").status == 0
    yield machine
    for name in "guests", "earlyseed-ready":
        machine.run("update-rc.d", "-f", name, "remove")
    machine.path("/etc/init.d/guests").unlink()
    machine.run("insserv")
    assert links(machine, "/etc/rc2.d") == before


def test_sysvinit_starts_a_script_that_asks_after_it(guests):
    """P4: once it is enabled; and what does not ask is started beside it, but for rc.local,
    which is after all scripts."""
    assert guests.run("update-rc.d", "guests", "defaults").status == 0
    assert guests.path("/etc/rc2.d/K01earlyseed-ready").is_symlink()
    assert guests.run("update-rc.d", "earlyseed-ready", "enable").status == 0
    started = links(guests, "/etc/rc2.d")
    assert started.index("earlyseed-ready") < started.index("guests")
    depend = guests.path("/etc/init.d/.depend.start").read_text()
    depends = dict(line.split(":") for line in depend.splitlines() if ":" in line)
    assert [name for name, needed in depends.items() if "earlyseed-ready" in needed.split()] == ["guests"]


def openrc(machine, *commands):
    """Runs commands in the folders that a booted OpenRC has."""
    states = "starting started stopping inactive wasinactive failed hotplugged daemons options exclusive scheduled tmp"
    script = f"mkdir -p /run/openrc; cd /run/openrc; mkdir {states}; echo default >softlevel; {'; '.join(commands)}"
    return machine.run("sh", "-c", script, env={"PATH": "/lib/rc/bin:/usr/sbin:/usr/bin:/sbin:/bin"})


@pytest.mark.parametrize("status", [0, 1])
def test_debians_openrc_holds_a_script_back(guests, status):
    """Also when it is in no runlevel; and does not start what asked when the time is up."""
    with guests.recorder(status) as calls:
        done = openrc(guests, "openrc-run /etc/init.d/guests start")
        if status == 0:
            assert (done.status, calls()) == (0, ["wait --timeout 0", "/etc/init.d/guests start"])
        else:
            assert (done.status, calls()) == (1, ["wait --timeout 0", WAIT])
            assert "cannot start guests as earlyseed-ready would not start" in done.output


@pytest.mark.parametrize("word, status, started", [
    ("need", 0, True), ("need", 1, False), ("want", 0, True), ("want", 1, True),
])
@pytest.mark.parametrize("timeout, arguments", [
    ("", WAIT), ("timeout=20\n", "wait --timeout 20"), ("timeout=0\n", "wait"),
])
def test_openrcs_own_ready(machine, word, status, started, timeout, arguments):
    """As on Alpine and Gentoo, where it is the only one."""
    folder = REPOSITORY / "hooks/openrc"
    lsb = machine.path(READY).read_bytes()
    machine.write(READY, (folder / "earlyseed-ready").read_bytes(), 0o755)
    machine.write("/etc/conf.d/earlyseed-ready", (folder / "earlyseed-ready.confd").read_text() + timeout)
    machine.write("/etc/init.d/guests", f"#!/sbin/openrc-run\ndepend() {{ {word} earlyseed-ready; }}\n"
                  "start() { echo guests >> /calls; }\n", 0o755)
    try:
        with machine.recorder(status) as calls:
            done = openrc(machine, "/etc/init.d/guests start; s=$?; rc-service earlyseed-ready status >&2; exit $s")
            assert calls() == [arguments, *(["guests"] if started else [])], done.output
            assert (done.status == 0) == started
            assert "Waiting for the kernel's random number generator" in done.output
        # OpenRC gives up after a minute without this.
        assert "earlyseed-ready keyword -timeout" in [line.strip() for line in openrc(
            machine, "/lib/rc/sh/gendepends.sh").output.splitlines()]
    finally:
        machine.write(READY, lsb, 0o755)
        machine.path("/etc/conf.d/earlyseed-ready").unlink()
        machine.path("/etc/init.d/guests").unlink()
