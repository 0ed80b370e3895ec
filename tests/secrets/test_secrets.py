# SPDX-License-Identifier: MIT
"""P6 and P4 in a real guest: no seed, successor, renewed seed, pool input or output of the generator is left in a
process that has ended, in a core, in the kernel log, in /run or in /proc; and neither `load` nor `save`, on a machine
whose generator is not ready, makes a system call that would wait for it.

One boot of Debian's kernel with init.c, which traces the stripped program. Out of reach: copies in the kernel (the page
cache of a store that is a file, the block layer's buffers), and what registers held before the last system call.
"""
import hashlib
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "boot"))

from lab import tiny, tools  # noqa: E402
from lab.record import make_slot  # noqa: E402
from scenarios import PATIENCE  # noqa: E402

LOADS = ["load", "load, a file on ext4", "load, credited", "load, ready"]
SAVES = ["save", "save, ready"]
CRASHES = ["crash", "crash, cores to a pipe"]


def seed_of(generation):
    return hashlib.blake2b(b"a seed of the test, %d" % generation).digest()


def strace_files():
    """strace with what it is linked to."""
    linked = subprocess.run(["ldd", "/usr/bin/strace"], check=True, stdout=subprocess.PIPE, text=True).stdout
    paths = ["/usr/bin/strace", *re.findall(r"(/\S+) \(0x", linked)]
    return {path.lstrip("/"): Path(path).read_bytes() for path in paths}


def configurations():
    limits = b"credit-jitter = never\njitter-timeout-ms = 60000\nload-timeout-ms = 60000\n"
    return {"never.conf": b"store = /dev/vda\ncredit-seed = never\n" + limits,
            "always.conf": b"store = /dev/vda\ncredit-seed = always\n" + limits,
            "ext4.conf": b"store = /dev/vdb:/seed\ncredit-seed = never\n" + limits}


def make_disks(folder):
    (folder / "raw").write_bytes(make_slot(1, seed_of(1)) + make_slot(2, seed_of(2)))
    tree = folder / "tree"
    tree.mkdir()
    (tree / "seed").write_bytes(make_slot(3, seed_of(3)) + make_slot(4, seed_of(4)))
    (tree / "seed").chmod(0o600)
    (folder / "ext4").write_bytes(bytes(3 << 20))
    tools.run("mke2fs", "-q", "-F", "-t", "ext4", "-E", "lazy_itable_init=0", "-d", tree, folder / "ext4")
    return [folder / "raw", folder / "ext4"]


class Told:
    """What the guest said."""

    def __init__(self, console):
        self.console = console
        lines = console.replace("\r", "").splitlines()
        self.strace = defaultdict(list)
        for line in lines:
            if traced := re.fullmatch(r"strace of (\w+): (.*)", line):
                self.strace[traced[1]].append(traced[2])
        said = [line.removeprefix("secrets: ") for line in lines if line.startswith("secrets: ")]
        self.scenes = defaultdict(list)
        scene = None
        for line in said:
            if begin := re.fullmatch(r"begin (.*)", line):
                scene = begin[1]
            self.scenes[scene].append(line)
            if line.startswith("end "):
                scene = None

    def found(self, scene, where):
        """For each time that it was looked at: how many pieces of which kind of secret, bytes looked at."""
        pattern = (rf"{re.escape(scene)}: {re.escape(where)}: (\d+) bytes, \d+ secrets: "
                   r"read (\d+) written (\d+) fed (\d+) random (\d+)")
        matches = (re.fullmatch(pattern, line) for line in self.scenes[scene])
        return [dict(zip(("bytes", "read", "written", "fed", "random"), map(int, match.groups())))
                for match in matches if match]

    def end(self, scene):
        """Exit status and how many core files there are."""
        line = next(line for line in self.scenes[scene] + self.scenes[None] if line.startswith(f"end {scene}: "))
        (status, cores), = re.findall(r"status (\d+), (\d+) core files", line)
        return int(status), int(cores)


@pytest.fixture(scope="module")
def guest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("secrets")
    image = tiny.image(PATIENCE)
    tiny.make_initrd(folder / "initrd", HERE / "init.c", image, {**configurations(), **strace_files()})
    drives = []
    for number, path in enumerate(make_disks(folder)):
        drives += ["-drive", f"if=none,id=d{number},file={path},format=raw",
                   "-device", f"virtio-blk-pci,drive=d{number}"]
    done = subprocess.run(tiny.command(image.kernel, folder / "initrd", 300, [], drives),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    console = done.stdout.decode(errors="replace")
    (folder / "console").write_text(console)
    assert "secrets: done" in console, console[-4000:]
    return Told(console)


def test_the_scenes_are_what_they_are_called(guest):
    """Without credit the generator is not ready, until the scene that credits the seed."""
    assert [line for line in guest.scenes[None] if line.startswith("ready")] == ["ready 0", "ready 1"]
    for scene in LOADS:
        fed = [line for line in guest.scenes[scene] if " fed 64 bytes, " in line]
        bits = 256 if scene in ("load, credited", "load, ready") else 0
        assert fed == [f"{scene}: fed 64 bytes, 0 bits", f"{scene}: fed 64 bytes, {bits} bits"]


# --- P6: after an end in order ----------------------------------------------------------------------------------------


def nothing(found):
    return all(look[kind] == 0 for look in found for kind in ("read", "written", "fed", "random"))


@pytest.mark.parametrize("scene", LOADS + SAVES)
def test_p6_the_secrets_were_learnt(guest, scene):
    """What is looked for below is there to be found: both records, what was written, fed,
    and came from the generator."""
    learnt, = guest.found(scene, "learnt")
    assert learnt["read"] == 2
    assert learnt["written"] == (2 if scene in LOADS else 1)
    assert learnt["fed"] == (2 if scene in LOADS else 0)
    assert learnt["random"] == 1
    assert guest.end(scene)[0] == 0


@pytest.mark.parametrize("scene", LOADS + CRASHES)
def test_p6_the_search_finds_what_is_there(guest, scene):
    """The control: while the seed is being fed,
    it, its successor and the pool input are in the memory of the process."""
    control, = guest.found(scene, "memory at control")
    assert control["read"] >= 8 and control["written"] >= 8 and control["fed"] >= 8


@pytest.mark.parametrize("scene", LOADS + SAVES)
def test_p6_no_secret_is_left_in_memory(guest, scene):
    """No 16 bytes of any secret are in a mapping or a register of load, of its child, or of save at its end."""
    looks = guest.found(scene, "memory at exit")
    assert len(looks) == (2 if scene in LOADS else 1)
    assert all(look["bytes"] > 100_000 for look in looks)
    where = [line for line in guest.scenes[scene] if line.startswith("piece ")]
    assert nothing(looks), "\n".join(where)


# --- P6: after a crash ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scene, signal", zip(CRASHES, (11, 6)))
def test_p6_a_crash_leaves_no_core(guest, scene, signal):
    """Killed by a signal that dumps core, the seed in memory, core dumps to a file or a pipe,
    no limit in the parent."""
    assert any(f"ended by signal {signal}" in line and "core dumped" not in line for line in guest.scenes[scene])
    assert guest.end(scene)[1] == 0
    assert all("core limit 0" in line for line in guest.scenes[scene] if "core limit" in line)


@pytest.mark.parametrize("scene", CRASHES)
def test_p6_another_process_would_leave_one(guest, scene):
    assert guest.end(scene.replace("crash", "crash of ours", 1)) == (128 + 6, 1)


# --- P6: what others can see ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["its files in /proc", "/run", "the kernel log", "/proc", "/cores"])
@pytest.mark.parametrize("scene", LOADS + SAVES + CRASHES)
def test_p6_no_secret_can_be_seen(guest, scene, where):
    """Neither as bytes nor as hexadecimal digits, in capitals or not."""
    looks = guest.found(scene, where)
    assert looks and nothing(looks)
    if where == "the kernel log":
        assert looks[0]["bytes"] > 1000
    if where == "/run" and scene in LOADS:
        assert looks[0]["bytes"] > 100, "the report is there"


def test_p6_no_seed_is_on_the_console(guest):
    text = guest.console.lower()
    pieces = [seed_of(generation)[at:at + 8] for generation in (1, 2, 3, 4) for at in range(0, 64, 8)]
    assert [piece for piece in pieces if piece.hex() in text] == []


# --- P4: nothing waits for the generator ------------------------------------------------------------------------------


def waits(trace):
    """System calls of an strace that wait, or may wait, until the generator is ready."""
    bad = [line for line in trace
           if "getrandom(" in line and "GRND_NONBLOCK" not in line and "GRND_INSECURE" not in line]
    bad += [line for line in trace if re.search(r'"/dev/random"|"/dev/hwrng"', line) and "O_NONBLOCK" not in line]
    descriptors = {}
    for line in trace:
        if opened := re.search(r'open(?:at)?\(.*"(/dev/u?random)".* = (\d+)$', line):
            descriptors[opened[2]] = opened[1]
        elif (call := re.search(r"\b(\w+)\((\d+)\b", line)) and call[2] in descriptors:
            if call[1] == "close":
                del descriptors[call[2]]
            elif call[1] in ("read", "pread64", "readv"):  # of urandom too: it holds a reader up to a second (6.1)
                bad.append(line)
    return bad


def not_ready(trace):
    return any("getrandom(" in line and "EAGAIN" in line for line in trace)


def test_p4_load_waits_for_nothing(guest):
    trace = guest.strace["load"]
    assert not_ready(trace)
    assert any("RNDADDENTROPY" in line for line in trace), "it is the trace of a load"
    assert trace[-1].endswith("+++ exited with 0 +++")
    assert waits(trace) == []


def test_p4_save_waits_for_nothing(guest):
    """What is saved is made without the generator being ready; so nobody's shutdown waits for it."""
    trace = guest.strace["save"]
    assert not_ready(trace)
    written = [line for line in trace if re.search(r"\bpwrite64\(\d+, .*, 4096, (0|4096)\) += 4096$", line)]
    assert len(written) == 1, "it is the trace of a save"
    assert trace[-1].endswith("+++ exited with 0 +++")
    assert waits(trace) == []
    sleeps = r"\b(clock_nanosleep|nanosleep|poll|ppoll|select|pselect6)\("
    assert [line for line in trace if re.search(sleeps, line)] == []


def test_p4_what_waits_would_be_found():
    assert len(waits(['7 getrandom(""..., 1, GRND_NONBLOCK) = -1 EAGAIN',
                      '7 getrandom(""..., 64, GRND_INSECURE) = 64'])) == 0
    assert len(waits(['7 getrandom(""..., 64, 0) = 64', '7 getrandom(""..., 1, GRND_RANDOM) = 1'])) == 2
    assert len(waits(['7 open("/dev/random", O_RDONLY|O_CLOEXEC) = 3'])) == 1
    assert len(waits(['7 open("/dev/urandom", O_RDONLY|O_NONBLOCK) = 3', '7 read(3, ""..., 64) = 64', '7 close(3) = 0',
                      '7 read(3, ""..., 64) = 64'])) == 1
    assert len(waits(['7 open("/dev/urandom", O_RDONLY) = 3',
                      "7 ioctl(3, RNDADDENTROPY, {entropy_count=256}) = 0"])) == 0
