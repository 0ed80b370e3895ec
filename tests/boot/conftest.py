# SPDX-License-Identifier: MIT
"""Gives the tests their scenarios: a fixture per scenario, played in the background from the start of the run.

Quick runs (`-m "not long"`) play real boots too, of initramfs-tools only: one generator's base image and three
boots fit into a few minutes on a fresh machine, two generators do not.
"""
from __future__ import annotations

import os

import pytest

import clones  # noqa: F401 (these register the scenarios)
import cuts  # noqa: F401
import distributions  # noqa: F401
import media  # noqa: F401
import remote  # noqa: F401
import scenarios  # noqa: F401
from lab import tools
from lab.machine import Boot
from lab.scenario import SCENARIOS, TURN, TURNS, Lab


def _used(fixture_names) -> list[str]:
    return [name for name in fixture_names if name in SCENARIOS]


def pytest_generate_tests(metafunc):
    """Runs a test once for each generator that all its scenarios are played with; `long` unless quick."""
    used = [SCENARIOS[name] for name in _used(metafunc.fixturenames)]
    if not used:
        return
    generators = [g for g in used[0].generators if all(g in other.generators for other in used)]
    metafunc.parametrize("generator", [
        pytest.param(g, marks=[] if all(g in other.quick for other in used) else [pytest.mark.long])
        for g in generators], scope="session")


def pytest_report_header():
    return "every scenario" if TURN is None else f"turn {TURN} of 0 to {TURNS - 1}; ./check --all plays every scenario"


def pytest_configure(config):
    config.lab = Lab()
    # Boots are told of as they end: straight to the terminal, which pytest does not capture yet.
    terminal = os.fdopen(os.dup(1), "w", buffering=1)
    tools.say = lambda text: print(f"    {text}", file=terminal)


def pytest_collection_modifyitems(config, items):
    """Leaves out the scenarios whose turn it is not."""
    due = {True: [], False: []}
    for item in items:
        used = _used(item.fixturenames)
        due[all(SCENARIOS[name].is_due(item.callspec.params["generator"]) for name in used)].append(item)
    items[:] = due[True]
    if due[False]:
        config.hook.pytest_deselected(items=due[False])


def pytest_collection_finish(session):
    """Starts the scenarios of the chosen tests, in the order of the tests."""
    if not session.config.option.collectonly:
        for item in session.items:
            for name in _used(item.fixturenames):
                session.config.lab.request(name, item.callspec.params["generator"])


def pytest_unconfigure(config):
    if hasattr(config, "lab"):
        config.lab.close()


def _fixture(name: str):
    @pytest.fixture(scope="session", name=name)
    def play(request, generator):
        return request.config.lab.result(name, generator)
    return play


for _name in SCENARIOS:
    globals()[f"scenario_{_name}"] = _fixture(_name)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failed test shows what the boots that it looked at told."""
    report = (yield).get_result()
    if report.when == "call" and report.failed:
        for name in _used(item.fixturenames):
            for boot in item.funcargs.get(name, {}).values():
                if isinstance(boot, Boot):
                    report.sections.append((f"{name}: {boot.label}", boot.story()))
