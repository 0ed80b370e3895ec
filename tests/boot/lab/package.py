# SPDX-License-Identifier: MIT
"""The Debian package of this tree, built by dpkg-buildpackage as anybody would."""
from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from . import tools
from .tools import REPOSITORY, digest_tree, locked, remove_tree, run

KEEP = 3


def _build(folder: Path) -> None:
    """Copies the tree below `folder`, builds the binary package there, without its tests, which ./check runs itself,
    and leaves the package and its .changes file."""
    tree = folder / "earlyseed"
    run(REPOSITORY / "subprojects/fetch-libsodium")
    shutil.copytree(REPOSITORY, tree, symlinks=True,
                    ignore=shutil.ignore_patterns("build*", ".git", "__pycache__", "libsodium-*-RELEASE"))
    run("dpkg-buildpackage", "--no-sign", "--build=binary", cwd=tree, env={"DEB_BUILD_OPTIONS": "nocheck noautodbgsym"})
    remove_tree(tree)


def deb() -> Path:
    """The binary package; built when the tree has changed since the last time."""
    parts = [digest_tree(path) if path.is_dir() else path.read_text()
             for name in ("src", "debian", "hooks", "initramfs-tools", "dracut-module", "man", "musl", "meson.build",
                          "subprojects/packagefiles", "subprojects/libsodium.wrap")
             if (path := REPOSITORY / name).exists()]
    entry = tools.cache_dir() / "packages" / tools.digest(*parts)
    with locked(entry):
        if not entry.exists():
            tools.say("building the Debian package")
            for old in sorted(entry.parent.glob("*[0-9a-f]"), key=lambda e: e.stat().st_mtime)[:-KEEP]:
                remove_tree(old)
            part = Path(tempfile.mkdtemp(prefix="part-", dir=entry.parent))
            try:
                _build(part)
                part.rename(entry)
            except BaseException:
                remove_tree(part)
                raise
        return next(entry.glob("earlyseed_*.deb"))
