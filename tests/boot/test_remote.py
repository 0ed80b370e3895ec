# SPDX-License-Identifier: MIT
"""LUKS root unlocked over ssh (dropbear-initramfs): when does the machine answer?"""
from __future__ import annotations

from lab import disks, luks, record, ssh, tools
from lab.machine import Boot, Machine, parse_report
from lab.qemu import parse_log
from lab.scenario import Lab, scenario
from scenarios import ALWAYS, INITRAMFS_TOOLS, PATIENCE

START = "Begin: Starting dropbear"
WAITS = "Waiting for kernel randomness"
ANSWER = "Pubkey auth succeeded"
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


@scenario(nightly=[INITRAMFS_TOOLS])
def remote(_lab: Lab, _generator: str) -> dict[str, Boot]:
    """Such a machine without earlyseed, and with it and a seed from the last boot on a partition."""
    return {"without": _unlock("remote-bare", False), "with": _unlock("remote", True)}


def seconds_to_answer(boot):
    return round(boot.at(ANSWER) - boot.at(START), 2)


def test_without_it_ssh_hangs_until_the_kernel_helps_itself(remote, record_property):
    """The problem: dropbear waits for the generator, and nobody is answered before."""
    boot = remote["without"]
    assert boot.at(START) < boot.at(WAITS) < boot.ready_at < boot.at(ANSWER) < boot.root_mounted_at
    record_property("s from dropbear to a session without earlyseed", seconds_to_answer(boot))


def test_p4_with_it_ssh_answers_at_once(remote, record_property):
    """P4: the generator is ready before dropbear starts, thanks to earlyseed, and nobody waits."""
    boot = remote["with"]
    assert boot.ready_at < boot.at(START) < boot.at(ANSWER) < boot.root_mounted_at
    assert boot.at(WAITS) is None
    assert boot.report["ready_by"] == "jitter"
    record_property("s with it", seconds_to_answer(boot))


def test_p1_the_seed_is_credited_before_dropbear_starts(remote):
    """P1: the partition is there for init-top, so the seed does its part too before anybody asks."""
    boot = remote["with"]
    assert boot.credited("seed") == 256 and boot.report["store.state"] == "rotated"
    seed = next(line for line in boot.load_lines if "; seed 256 bits" in line.text)
    assert seed.at < boot.at(START)
    assert boot.after.states == ("valid", "valid") and b"2" * 64 not in boot.after.raw
