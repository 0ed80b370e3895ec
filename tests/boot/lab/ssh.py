# SPDX-License-Identifier: MIT
"""A real ssh client on the host, for a guest whose port 22 QEMU forwards to a port of the host's loopback."""
from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path
from typing import Callable

from .tools import cache_dir, locked, run

TIMEOUT_S = 600.0
TRY_S = 20  # for a connection and the server's greeting


def key() -> Path:
    """The private key of the lab; the public one beside it has the suffix .pub."""
    path = cache_dir() / "ssh-key"
    with locked(path):
        if not path.exists():
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", path)
    return path


def public_key() -> bytes:
    return key().with_suffix(".pub").read_bytes()


class Forward:
    """A network for one guest that leads to nothing but this: connections to `port` reach the guest's port 22."""

    GUEST = "10.0.2.15"

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.hardware = ("-netdev", "user,id=net,restrict=on,ipv6=off,"
                         f"hostfwd=tcp:127.0.0.1:{self.port}-{self.GUEST}:22",
                         "-device", "virtio-net-pci,netdev=net,romfile=")

    def session(self, command: str, stdin: bytes = b"") -> subprocess.CompletedProcess:
        """Runs a command in the guest as root, over a connection of its own; status 255 is ssh's own failure."""
        return subprocess.run(
            ["ssh", "-F", "none", "-i", key(), "-p", str(self.port), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
             "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
             "-o", f"ConnectTimeout={TRY_S}", "root@127.0.0.1", command],
            input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S)

    def first_session(self, command: str, alive: Callable[[], bool]) -> str:
        """Tries until the guest answers; the output of the command."""
        deadline = time.monotonic() + TIMEOUT_S
        said = ""
        while alive() and time.monotonic() < deadline:
            done = self.session(command)
            said = done.stdout.decode(errors="replace")
            if done.returncode == 0:
                return said
            time.sleep(0.05)
        raise TimeoutError(f"no answer over ssh: {said}")
