# SPDX-License-Identifier: MIT
"""The fuzz targets on their corpus, and on a fixed sweep of new inputs: the same each time.
tests/fuzz/run does more."""
import os
import subprocess
from pathlib import Path

import pytest

import fuzz

BUILD = Path(os.environ.get("EARLYSEED_BUILD", fuzz.REPOSITORY / "build")) / "fuzz"


@pytest.fixture(scope="module")
def built():
    try:
        fuzz.build(BUILD)
    except subprocess.CalledProcessError as error:
        pytest.fail(error.stdout)


@pytest.mark.parametrize("name", fuzz.TARGETS)
def test_promises(name, built, record_property):
    assert list((fuzz.HERE / "corpus" / name).iterdir()), "there is a corpus"
    count, wrong = fuzz.sweep(BUILD, name)
    record_property(f"runs of {name}", count)
    assert wrong == ""
