# SPDX-License-Identifier: MIT
"""Every state that a power cut could leave between two flushes of load and save, and the real load in the boots after.

`tests/crash/run --all` runs more of the states that intervals with a journal's commits have.
"""
import pytest

import crash

pytestmark = pytest.mark.long

SABOTAGE = {"without-flush": crash.without_flush, "credited-first": crash.credited_first}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """One guest records for each kind of store, one replays everything."""
    guest = crash.Guest(tmp_path_factory.mktemp("crash"))
    recordings = {kind: crash.record(guest, kind) for kind in crash.SOME_KINDS}
    recordings |= {name: sabotage(recordings["raw"]) for name, sabotage in SABOTAGE.items()}
    cases = {name: crash.crash_states(recording, crash.SOME_STATES) for name, recording in recordings.items()}
    replayed = crash.replay(guest, list(cases.values()))
    return {name: crash.judge(c, replayed) for name, c in cases.items()}


@pytest.mark.parametrize("kind", crash.SOME_KINDS)
def test_p1_p5_every_crash_state(verdicts, kind, record_property):
    """P1: no seed that was credited before the cut, or in a boot after it, is credited again. P5: a seed is there,
    before and after load, and at most one boot goes without its credit."""
    verdict = verdicts[kind]
    print(verdict)
    record_property(f"crash states of {verdict.cases.possible} on {kind}", len(verdict.cases.distinct))
    assert verdict.first_boots["256 bits"] > 0
    assert [line for lines in verdict.broken.values() for line in lines][:5] == []


@pytest.mark.parametrize("name", SABOTAGE)
def test_p1_the_replay_finds_what_it_is_for(verdicts, name):
    """P1: had the program not flushed the successor, or had it credited before it wrote the successor,
    seeds would be credited twice."""
    verdict = verdicts[name]
    print(verdict)
    assert verdict.broken[crash.TWICE]
