# SPDX-License-Identifier: MIT
"""Plays the scenarios of the chosen tests (see lab/scenario.py) in the background, from the start of the run.

Quick runs play real boots too, of initramfs-tools only: one generator's base image and three boots fit into a few
minutes on a fresh machine, two generators do not.
"""
from __future__ import annotations

import os

import pytest

from lab import images, tools
from lab.machine import Boot
from lab.scenario import SCENARIOS, Lab, scenario, variants
from scenarios import DRACUT, DRACUT_PLAIN, INITRAMFS_TOOLS, PATIENCE, Boots, partition_machine


@scenario(quick=[INITRAMFS_TOOLS], long=[DRACUT], nightly=[DRACUT_PLAIN])
def carried(_lab: Lab, generator: str) -> Boots:
    """A new machine with an empty store partition, booted twice in an orderly way. Others inherit it:
    scenarios.heir()."""
    machine = partition_machine(f"carried-{generator}", images.image(generator, conf=PATIENCE))
    return {"first": machine.boot("first boot, empty store"), "second": machine.boot("second boot, same disk")}


def _used(fixture_names) -> list[str]:
    return [name for name in fixture_names if name in SCENARIOS]


def pytest_generate_tests(metafunc):
    """Runs a test once for each variant that all its scenarios have."""
    if used := _used(metafunc.fixturenames):
        metafunc.parametrize("variant", variants(used), scope="session")


def pytest_configure(config):
    config.lab = Lab()
    # Boots are told of as they end: straight to the terminal, which pytest does not capture yet.
    terminal = os.fdopen(os.dup(1), "w", buffering=1)
    tools.say = lambda text: print(f"    {text}", file=terminal)


def pytest_collection_finish(session):
    """Starts the scenarios of the chosen tests, in the order of the tests."""
    if not session.config.option.collectonly:
        wanted = dict.fromkeys((name, item.callspec.params["variant"])
                               for item in session.items for name in _used(item.fixturenames))
        for name, variant in wanted:
            session.config.lab.request(name, variant)


def pytest_unconfigure(config):
    if hasattr(config, "lab"):
        config.lab.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failed test shows what the boots that it looked at told."""
    report = (yield).get_result()
    if report.when == "call" and report.failed:
        for name in _used(item.fixturenames):
            for boot in item.funcargs.get(name, {}).values():
                if isinstance(boot, Boot):
                    report.sections.append((f"{name}: {boot.label}", boot.story()))
