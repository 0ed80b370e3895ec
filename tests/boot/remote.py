# SPDX-License-Identifier: MIT
"""A machine in another room: its encrypted root is unlocked over ssh."""
from __future__ import annotations

from lab import disks, luks, record, ssh
from lab.machine import Boot, Machine
from lab.qemu import Qemu
from lab.scenario import Lab, scenario
from scenarios import ALWAYS, INITRAMFS_TOOLS, PATIENCE

START = "Begin: Starting dropbear"


def _unlock_and_boot(name: str, installed: bool) -> Boot:
    machine = Machine(name, luks.image(installed=installed, conf=PATIENCE if installed else None), identity="")
    machine.store = disks.PartitionDisk(machine.folder / "store.img",
                                        record.make_slot(1, b"1" * 64) + record.make_slot(2, b"2" * 64))
    network = ssh.Forward()
    machine.hardware = network.hardware
    machine.append = [f"ip={network.GUEST}::10.0.2.2:255.255.255.0::eth0:off", "net.ifnames=0", *ALWAYS]

    def unlock(guest: Qemu) -> None:
        guest.wait_for(START, 600)
        network.first_session("true", lambda: guest.alive)
        done = network.session("cryptroot-unlock", luks.PASSPHRASE)
        if done.returncode != 0:
            raise AssertionError(f"not unlocked: {done.stdout.decode(errors='replace')}\n{guest.console[-3000:]}")
        guest.wait_for_login()

    return machine.boot("unlocked over ssh", until=unlock, cut=True)


@scenario(INITRAMFS_TOOLS, in_turn=(INITRAMFS_TOOLS,))
def remote(_lab: Lab, _generator: str) -> dict[str, Boot]:
    """Such a machine without earlyseed, and with it and a seed from the last boot on a partition."""
    return {"without": _unlock_and_boot("remote-bare", False), "with": _unlock_and_boot("remote", True)}
