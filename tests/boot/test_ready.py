# SPDX-License-Identifier: MIT
"""earlyseed-ready.target holds back what asks for it until the generator is ready, and nothing else."""
from __future__ import annotations

import json

from lab import images
from lab.qemu import Qemu
from lab.scenario import Lab, scenario
from scenarios import DRACUT, INITRAMFS_TOOLS, PATIENCE, partition_machine

# Nobody makes the generator ready: no load, and nobody who waits for random numbers, whom the kernel would help.
NOBODY = ["rd.earlyseed=0", "systemd.mask=earlyseed.service", "systemd.mask=earlyseed-early.service",
          "systemd.mask=systemd-random-seed.service"]
GUEST = "echo '[Unit]\nRequires=earlyseed-ready.target\nAfter=earlyseed-ready.target\n[Service]\nType=oneshot\n" \
        "ExecStart=sh -c \"echo lab: held back >/dev/kmsg\"' >/run/systemd/system/lab-guest.service; " \
        "systemctl daemon-reload"


@scenario(long=[INITRAMFS_TOOLS], nightly=[DRACUT])
def held_back(_lab: Lab, generator: str) -> dict:
    """A service that asks for the target is started at the login prompt, before the generator is ready."""
    machine = partition_machine(f"held-back-{generator}", images.image(generator, conf=PATIENCE))
    told = {}

    def until(guest: Qemu) -> None:
        guest.wait_for_login()
        for name, command in {"guest": GUEST, "status": "earlyseed status --json",
                              "before": "timeout 5 systemctl start lab-guest.service; echo $?",
                              "jobs": "systemctl list-jobs --plain --no-legend",
                              # The kernel helps who waits: this makes it ready.
                              "ready": "head -c 1 /dev/random | wc -c",
                              "after": "systemctl start lab-guest.service; echo $?"}.items():
            told[name] = guest.shell(command)[1].strip()

    return {"boot": machine.boot("nobody makes it ready", append=NOBODY, until=until, cut=True), "told": told}


def test_p8_status_says_that_it_is_not_ready(held_back):
    status = json.loads(held_back["told"]["status"])
    assert status["ready_now"] is False and "ready_since_ms" not in status


def test_the_target_holds_back_until_the_generator_is_ready(held_back):
    """P4: it waits for the target, which waits for the program; login, which does not ask, was reached before."""
    boot, told = held_back["boot"], held_back["told"]
    assert told["guest"] == "" and told["before"] == "124", "timeout's exit status"
    assert {line.split()[1] for line in told["jobs"].splitlines()} == {
        "lab-guest.service", "earlyseed-ready.target", "earlyseed-ready.service"}
    assert told["ready"] == "1" and told["after"] == "0"
    assert boot.login_at < boot.ready_at < boot.at("lab: held back")
