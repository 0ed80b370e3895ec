# SPDX-License-Identifier: MIT
"""For all tests: what could not be fetched is a skip that says so, wherever in a test or its fixtures that happens."""
from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "boot"))

from lab.fetch import CannotFetch  # noqa: E402 (after the path that leads there)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> None:
    if call.excinfo and call.excinfo.errisinstance(CannotFetch):
        reason = str(call.excinfo.value)
        call.excinfo = pytest.CallInfo.from_call(partial(pytest.skip, reason), call.when).excinfo
