# SPDX-License-Identifier: MIT
"""What comes from Debian's mirrors, and the one way to say that it could not be had.

A mirror without a file, or with an index that does not match its checksum, says nothing about earlyseed: the tests that
needed it are skipped (tests/conftest.py). Every other failure stays one.
"""
from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from . import tools
from .tools import CommandFailed, locked, remove_tree, run

# What apt and mmdebstrap say of an index or a package that they did not get, in the C locale.
_APT = re.compile(r"^E: (?:Failed to fetch|Unable to fetch|The repository|apt-get update) .*", re.M)


class CannotFetch(CommandFailed):
    """A command failed since something could not be fetched; the text names that and gives the reason."""


@contextlib.contextmanager
def fetching(what: str) -> Iterator[None]:
    """Turns the failure of a command inside into CannotFetch if it is apt's, or if its exit status says so (75, as
    musl/from-source's). `what` is what is fetched."""
    try:
        yield
    except CommandFailed as failed:
        reason = _APT.search(failed.output)
        if not reason and failed.status != os.EX_TEMPFAIL:
            raise
        raise CannotFetch(f"cannot fetch {what}: {reason[0] if reason else failed.output.strip()}") from failed


def debian(path: Path, what: str, suite: str, *options: object) -> Path:
    """A root tree of a Debian release, made by mmdebstrap unless it is there: a directory, or the archive that the name
    of `path` says. `what` names it. Raises CannotFetch, or CommandFailed for another failure;
    then there is no `path`."""
    with locked(path):
        if not path.exists():
            tools.say(f"making the tree of {what} (half a minute)")
            part = path.with_name("part-" + path.name)
            remove_tree(part)
            with fetching(what):
                # INITRD=No: no initrd while the packages are installed; an image has its own made later.
                run("mmdebstrap", "--mode=root", *options, suite, part, env={"INITRD": "No", "LC_ALL": "C"})
            part.rename(path)
    return path
