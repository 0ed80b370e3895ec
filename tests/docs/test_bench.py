# SPDX-License-Identifier: MIT
"""The figures in the README are those that tests/bench saved, and the pictures show them."""
import json
import re

import pytest

import source

READY, TIMELINE = (json.loads(source.read(f"tests/bench/results/{name}.json")) for name in ("ready", "timeline"))
SECTION = source.read("README.md").split("\n## Beside its peers\n")[1].split("\n## ")[0]


def row(name, of):
    ready, ratio = of["ready_ms"], of["times_bare"]
    times = ["not within 10 s", "-"] if ready is None else [
        f"{ready['median']:.0f} ({ready['min']:.0f} to {ready['max']:.0f})", f"{ratio['median']:.1f}"]
    return [name, *times, f"{of['peak_kib']['median']:.0f}", of["credits"], of["credits_a_seed_twice"]]


def test_the_table_has_the_measured_figures():
    shown = [[cell.strip() for cell in line.strip("|").split("|")]
             for line in SECTION.splitlines() if line.startswith("|")]
    assert shown[2:] == [row(name, of) for name, of in READY["rows"].items()]


@pytest.mark.parametrize("data", [READY, TIMELINE], ids=["ready", "timeline"])
def test_the_commands_are_there(data):
    assert re.sub(r"\s+", " ", SECTION).count(f"`{data['command']}`") == 1


@pytest.mark.parametrize("shade", ["light", "dark"])
@pytest.mark.parametrize("name, data", [("ready", READY), ("timeline", TIMELINE)])
def test_the_pictures_show_them(name, data, shade):
    path = f"tests/bench/pictures/{name}-{shade}.svg"
    assert path in SECTION
    picture = source.read(path).replace("&#39;", "'")
    assert len(picture) < 60 << 10
    assert data["command"] in picture
    for what, of in data["rows"].items():
        assert f">{what}<" in picture
        if name == "ready" and of["ready_ms"]:
            assert f">{of['ready_ms']['median']:.0f} ms" in picture
        if name == "timeline":
            assert f">{of['ready_s']['median']:.1f}<" in picture
