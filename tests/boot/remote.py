# SPDX-License-Identifier: MIT
"""A machine in another room: its encrypted root is unlocked over ssh."""
from __future__ import annotations

from lab import disks, luks, record, ssh, tools
from lab.machine import Boot, Machine, parse_report
from lab.qemu import parse_log
from lab.scenario import Lab, scenario
from scenarios import ALWAYS, INITRAMFS_TOOLS, PATIENCE

START = "Begin: Starting dropbear"
PATIENCE_S = 600


def _unlock(name: str, installed: bool) -> Boot:
    """One boot until the system on the root file system runs. What there is to know is asked for over ssh: an emulated
    machine needs minutes from there to the login prompt, since it deciphers all that it reads."""
    machine = Machine(name, luks.image(installed=installed, conf=PATIENCE if installed else None), identity="")
    machine.store = disks.PartitionDisk(machine.folder / "store.img",
                                        record.make_slot(1, b"1" * 64) + record.make_slot(2, b"2" * 64))
    network = ssh.Forward()
    machine.hardware = network.hardware
    machine.append = [f"ip={network.GUEST}::10.0.2.2:255.255.255.0::eth0:off", "net.ifnames=0", *ALWAYS]
    guest = machine.start("unlocked over ssh")
    try:
        guest.wait_for(START, PATIENCE_S)
        network.first_session("true", lambda: guest.alive)
        report = network.session("cat /run/earlyseed/report").stdout.decode() if installed else ""
        done = network.session("cryptroot-unlock", luks.PASSPHRASE)
        if done.returncode != 0:
            raise AssertionError(f"not unlocked: {done.stdout.decode(errors='replace')}\n{guest.console[-3000:]}")
        guest.wait_for("running in system mode", PATIENCE_S)
    finally:
        if guest.alive:
            guest.cut()
    log = parse_log(guest.console)
    boot = Boot(f"{name}: unlocked over ssh", guest.console_file, log, log, parse_report(report), None, {}, "dm-0",
                guest.host_seconds(), "", after=machine.store.read())
    tools.say(boot.story().split("\n", 1)[0])
    return boot


@scenario(INITRAMFS_TOOLS, in_turn=(INITRAMFS_TOOLS,))
def remote(_lab: Lab, _generator: str) -> dict[str, Boot]:
    """Such a machine without earlyseed, and with it and a seed from the last boot on a partition."""
    return {"without": _unlock("remote-bare", False), "with": _unlock("remote", True)}
