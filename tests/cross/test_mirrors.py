# SPDX-License-Identifier: MIT
"""Mirrors that are not whole: what cannot be fetched is a skip that names it; another failure is a failure."""
from __future__ import annotations

import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import REPOSITORY
from lab.fetch import CannotFetch, debian
from lab.tools import CommandFailed, cache_dir

pytestmark = pytest.mark.long


class Mirror(http.server.BaseHTTPRequestHandler):
    """A proxy for the real mirrors, but no index of packages or sources has the checksum in the signed Release file."""

    def do_GET(self) -> None:
        try:
            with urllib.request.urlopen(self.path) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            self.send_error(error.code)
            return
        if "/by-hash/" in self.path or "/Packages" in self.path or "/Sources" in self.path:
            body += b"\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def broken_mirror() -> Iterator[dict[str, str]]:
    """The environment in which apt meets such a mirror."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {"http_proxy": f"http://127.0.0.1:{server.server_port}"}
        server.shutdown()


def outcomes(report: Path, test: str, repository: Path = REPOSITORY, **environment: str) -> list[tuple[str, str]]:
    """Runs tests in a pytest of their own: what became of each, and why."""
    subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", test],
                   cwd=repository, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, check=False)
    cases = ElementTree.parse(report).iter("testcase")
    return [(of.tag, of.get("message", "") + (of.text or "")) for case in cases
            for of in case if of.tag in ("skipped", "failure", "error")]


@pytest.mark.parametrize("test, what", [
    ("tests/cross/test_cross.py::test_it_starts[riscv64]", "what the build for riscv64 needs"),
    ("tests/cross/test_silent.py::test_without_it_ssh_hangs_until_the_kernel_helps_itself",
     "busybox-static, dropbear-bin, linux-image-cloud-arm64 of Debian bookworm for arm64"),
    ("tests/boot/test_carried.py", "Debian bookworm with systemd, (initramfs-tools|dracut)"),
    ("tests/hooks/test_cloud_init.py::test_clean_wipes_the_seed", "Debian bookworm's cloud-init"),
], ids=["musl", "kernel", "machine", "package"])
def test_what_cannot_be_fetched_is_skipped_by_name(broken_mirror, tmp_path, test, what):
    found = outcomes(tmp_path / "report", test, **broken_mirror, EARLYSEED_CACHE=str(tmp_path / "cache"))
    assert found and {kind for kind, _ in found} == {"skipped"}, found
    assert all(re.match(f"cannot fetch {what}: E: Failed to fetch ", why) for _, why in found), found


def test_a_package_that_no_index_has_is_a_failure(tmp_path):
    with pytest.raises(CommandFailed, match="Unable to locate package no-such-package") as failed:
        debian(tmp_path / "tree", "nothing", "bookworm", "--variant=extract", "--include=no-such-package")
    assert not isinstance(failed.value, CannotFetch) and not (tmp_path / "tree").exists()


def test_a_compile_error_is_a_failure(tmp_path):
    repository = tmp_path / "repository"
    shutil.copytree(REPOSITORY, repository, ignore=shutil.ignore_patterns("build*", ".git"))
    with open(next((repository / "src").rglob("main.cpp")), "a", encoding="utf-8") as source:
        source.write("#error on purpose\n")
    [(kind, why)] = outcomes(tmp_path / "report", "tests/cross/test_cross.py::test_it_starts[arm64]", repository,
                             EARLYSEED_BUILD=str(tmp_path / "build"), EARLYSEED_CACHE=str(cache_dir()))
    assert kind in ("failure", "error") and "#error on purpose" in why
