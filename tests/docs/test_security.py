# SPDX-License-Identifier: MIT
"""SECURITY.md ties each of its sentences to the test that shows it: the tests must be there,
and no promise without one."""
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
TEXT = (TESTS.parent / "SECURITY.md").read_text(encoding="utf-8")


def references(text):
    """(file, test's name) for each `file`: *name*, *name*; … in a text."""
    flat = re.sub(r"\s+", " ", text)
    for file, names in re.findall(r"`([\w/.-]+)`: (\*[^*]+\*(?:, \*[^*]+\*)*)", flat):
        yield from ((file, name) for name in re.findall(r"\*([^*]+)\*", names))


def statements():
    """The list items of "What is promised"."""
    promised = TEXT.split("\n## What is promised\n")[1].split("\n## ")[0]
    return [item.split("\n\n")[0] for item in re.split(r"^- ", promised, flags=re.M)[1:]]


@pytest.mark.parametrize("file, name", sorted(set(references(TEXT))), ids=lambda value: value[:60])
def test_the_test_is_there(file, name):
    source = (TESTS / file).read_text(encoding="utf-8")
    wanted = f'TEST_CASE("{name}"' if file.endswith(".cpp") else f"def {name}("
    assert wanted in re.sub(r'"\s*\n\s*"|(?<=TEST_CASE\()\s+', "", source)


@pytest.mark.parametrize("statement", statements(), ids=lambda text: text[:60].replace("\n", " "))
def test_every_promise_names_a_test(statement):
    assert list(references(statement))


def test_every_promise_is_there():
    """P8 and P10 are no matter of security."""
    assert re.findall(r"^### (P\d+):", TEXT, re.M) == ["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P9"]
