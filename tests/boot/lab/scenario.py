# SPDX-License-Identifier: MIT
"""Scenarios: boots that belong together, as pytest fixtures that are played in the background.

    @scenario(quick=["initramfs-tools"], nightly=["dracut"])
    def swapped(lab, generator):
        ...
        return {"first": machine.boot("first boot"), "second": machine.boot("second boot")}

makes a fixture `swapped`, whose value is what the function returned. A test that uses it runs once for each
variant (here: each initrd generator), in the tier that is named for the variant. A boot takes most of its time in
one emulated processor, so a few scenarios are played at once (EARLYSEED_QEMUS, 2 by default), in the order in
which the tests want them.
"""
from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from . import qemu

TIERS = ("quick", "long", "nightly")  # the last two are marks of tests/pytest.ini


@dataclass(frozen=True)
class Scenario:
    play: Callable[[Lab, str], Any]
    tiers: dict[str, int]  # of each variant: an index of TIERS


SCENARIOS: dict[str, Scenario] = {}


def scenario(quick: Sequence[str] = (), long: Sequence[str] = (), nightly: Sequence[str] = ()):
    """Makes a scenario and a fixture of a function `(lab, variant) -> result`; the arguments are variants, by tier."""
    tiers = {variant: tier for tier, variants in enumerate((quick, long, nightly)) for variant in variants}

    def register(play):
        name = play.__name__
        if name in SCENARIOS:
            raise ValueError(f"two scenarios have the name {name}")
        SCENARIOS[name] = Scenario(play, tiers)

        def result(request, variant):
            return request.config.lab.result(name, variant)
        result.__doc__ = play.__doc__
        return pytest.fixture(scope="session", name=name)(result)
    return register


def variants(names: Sequence[str]) -> list:
    """Parameters for a test of these scenarios: the variants that all of them have,
    each in the latest of their tiers."""
    tiers = [SCENARIOS[name].tiers for name in names]
    parameters = []
    for variant in tiers[0]:
        if all(variant in of for of in tiers):
            tier = TIERS[max(of[variant] for of in tiers)]
            parameters.append(pytest.param(variant, marks=() if tier == "quick" else getattr(pytest.mark, tier)))
    return parameters


class Lab:
    """The scenarios of one run, each played at most once for each variant."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=int(os.environ.get("EARLYSEED_QEMUS") or 2))
        self._lock = threading.Lock()
        self._outcomes: dict[tuple[str, str], Future] = {}

    def request(self, name: str, variant: str) -> None:
        """Queues a scenario."""
        self._pool.submit(self.result, name, variant)

    def result(self, name: str, variant: str) -> Any:
        """The scenario's result; raises what its playing raised. The first caller plays it, the others wait: so a
        scenario can build on another one, queued or not."""
        with self._lock:
            is_first = (name, variant) not in self._outcomes
            outcome = self._outcomes.setdefault((name, variant), Future())
        if is_first:
            try:
                outcome.set_result(SCENARIOS[name].play(self, variant))
            except BaseException as error:  # raised in each test that asks
                outcome.set_exception(error)
        return outcome.result()

    def close(self) -> None:
        """Gives up what is still being played, if anything."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        qemu.end_all()
