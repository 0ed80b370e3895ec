# SPDX-License-Identifier: MIT
"""Paths, external commands, hashes and progress lines: what every module of the lab needs.

Nothing here knows about earlyseed.
"""
from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
_START = time.monotonic()


def cache_dir() -> Path:
    """Where images are kept between runs: EARLYSEED_CACHE, else ~/.cache/earlyseed."""
    path = Path(os.environ.get("EARLYSEED_CACHE") or Path.home() / ".cache/earlyseed")
    path.mkdir(parents=True, exist_ok=True)
    return path


def say(text: str) -> None:
    """One progress line on stderr, with the host seconds since the program's start."""
    print(f"lab {time.monotonic() - _START:6.1f} s  {text}", file=sys.stderr, flush=True)


class CommandFailed(Exception):
    """An external command failed; the text has the end of its output, since the command alone says too little.

    `status` is its exit status and `output` all that it said, if it was a command that run() ran."""

    def __init__(self, text: str, status: int | None = None, output: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.output = output


def run(*command: object, env: dict[str, str] | None = None, stdin: bytes | None = None,
        cwd: Path | None = None) -> bytes:
    """Runs a command to its end and returns its stdout; raises CommandFailed with all its output."""
    argv = [str(word) for word in command]
    done = subprocess.run(argv, input=b"" if stdin is None else stdin, capture_output=True, check=False,
                          env={**os.environ, **(env or {})}, cwd=cwd)
    if done.returncode != 0:
        output = (done.stdout + done.stderr).decode(errors="replace")
        raise CommandFailed(f"exit {done.returncode} of: {shlex.join(argv)}\n{output[-4000:]}", done.returncode, output)
    return done.stdout


def digest(*parts: object) -> str:
    """A short name for a set of inputs: sixteen hexadecimal digits. Each part is preceded by its length."""
    state = hashlib.blake2b(digest_size=8)
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        state.update(len(data).to_bytes(8, "little") + data)
    return state.hexdigest()


def digest_tree(root: Path) -> str:
    """A name for a tree: paths, permission bits, link targets and contents, in path order."""
    parts: list[object] = []
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            parts += [name, "link", os.readlink(path)]
        elif path.is_file():
            parts += [name, oct(path.stat().st_mode), path.read_bytes()]
        else:
            parts += [name, "folder"]
    return digest(*parts)


@contextlib.contextmanager
def locked(path: Path):
    """Excludes other threads and processes of the lab while a cached thing is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(path.name + ".lock"), "w", encoding="ascii") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def remove_tree(path: Path) -> None:
    """Removes a tree that may hold device nodes and read-only folders."""
    run("rm", "-rf", "--one-file-system", path)
