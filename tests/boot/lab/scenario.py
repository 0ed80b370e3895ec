# SPDX-License-Identifier: MIT
"""Plays scenarios (boots that belong together) in the background, and hands each result to all who ask.

A scenario is a function `(lab, generator) -> result`, marked with `@scenario`. Boots take most of their time in
one emulated processor, so a few scenarios run at once (EARLYSEED_QEMUS, 2 by default), started in the order in
which their tests will want them.
"""
from __future__ import annotations

import datetime
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Callable

from . import qemu


@dataclass(frozen=True)
class Scenario:
    """`generators` it is played with, those of them that `./check --quick` plays too, the turns of those that have one, and
    scenarios it builds on."""

    play: Callable[["Lab", str], Any]
    generators: tuple[str, ...]
    quick: tuple[str, ...]
    turns: dict[str, int]
    after: tuple[str, ...]

    def is_due(self, generator: str) -> bool:
        return TURN is None or self.turns.get(generator, TURN) == TURN


def turn_of_the_day(turns: int) -> int:
    """Whose turn it is today, where as many take turns from day to day."""
    return datetime.date.today().toordinal() % turns


# All boots take longer than ./check may: those that take turns are played on one day in TURNS. EARLYSEED_TURN names
# another turn than the day's, or `all`, as ./check --all does.
TURNS = 3
_turn = os.environ.get("EARLYSEED_TURN") or turn_of_the_day(TURNS)
TURN = None if _turn == "all" else int(_turn)

SCENARIOS: dict[str, Scenario] = {}


def scenario(*generators: str, quick: tuple[str, ...] = (), in_turn: tuple[str, ...] = (), after: tuple[str, ...] = ()):
    """Registers a scenario under its function's name."""
    def register(play):
        taken = sum(len(other.turns) for other in SCENARIOS.values())
        turns = {generator: (taken + number) % TURNS for number, generator in enumerate(in_turn)}
        SCENARIOS[play.__name__] = Scenario(play, generators, quick, turns, after)
        return play
    return register


class Lab:
    """The scenarios of one run, each played at most once per generator."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=int(os.environ.get("EARLYSEED_QEMUS") or 2))
        self._futures: dict[tuple[str, str], Future] = {}
        self._lock = threading.Lock()

    def request(self, name: str, generator: str) -> Future:
        """Queues a scenario, after those it builds on: a worker that waits for one never waits for a later one."""
        chosen = SCENARIOS[name]
        for needed in chosen.after:
            self.request(needed, generator)
        with self._lock:
            if (name, generator) not in self._futures:
                self._futures[name, generator] = self._pool.submit(chosen.play, self, generator)
            return self._futures[name, generator]

    def result(self, name: str, generator: str) -> Any:
        """The scenario's result; raises what its playing raised."""
        return self.request(name, generator).result()

    def close(self) -> None:
        """Gives up what is still being played, if anything."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        qemu.end_all()
