# SPDX-License-Identifier: MIT
"""`source =` with the real program and real things at the other end: a FIFO, a unix socket, a terminal line, a file."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "docs"))

from scratch import Scratch  # noqa: E402

# Bytes that a terminal line would act upon, were it not told to pass them: ^C, ^D, ^Z, a carriage return.
PROVIDERS = r"""
import os, pty, socket, subprocess, termios, threading, time

random = b"\x03\x04\x1a\r" + os.urandom(60)
os.mkfifo("/run/fifo")
fifo = os.open("/run/fifo", os.O_RDWR)
os.write(fifo, random)
server = socket.socket(socket.AF_UNIX)
server.bind("/run/socket")
server.listen()
threading.Thread(target=lambda: server.accept()[0].send(random), daemon=True).start()
master, line = pty.openpty()

def type_in_when_raw():
    while termios.tcgetattr(line)[3] & termios.ICANON:
        time.sleep(0.001)
    os.write(master, random)

threading.Thread(target=type_in_when_raw, daemon=True).start()
with open("/run/file", "wb") as file:
    file.write(random)
with open("/etc/earlyseed.conf", "w") as file:
    file.write("store = /none/seed\nload-timeout-ms = 60000\n")
    for path in ("/run/fifo", "/run/socket", os.ttyname(line), "/run/file"):
        file.write(f"source = {path} 1024\n")
subprocess.run(["earlyseed", "load"])
print(open("/run/earlyseed/report").read())
"""


def test_p3_each_kind_of_source_is_read_and_a_file_earns_nothing(tmp_path):
    """P3: whether the kernel takes the credit depends on where this is run; that it was offered does not."""
    machine = Scratch(tmp_path)
    done = machine.run('mkdir -p /dev/pts; mount -t devpts -o ptmxmode=666 devpts /dev/pts; ln -s pts/ptmx /dev/ptmx; '
                       'python3 -c "$1"', PROVIDERS)
    report = dict(line.split(" = ", 1) for line in done.output.splitlines() if " = " in line)
    for number in (1, 2, 3):
        name = f"source{number}"
        assert report[f"{name}.bytes"] == "64", done
        assert report[f"{name}.assessed_bits"] == "512"
        assert report[f"{name}.credited_bits"] == "256" or report[f"{name}.reason"] == "the kernel did not accept it"
    assert report["source4.bytes"] == "64" and report["source4.credited_bits"] == "0"
    assert report["source4.reason"].startswith("files, disks and the kernel's own devices")
