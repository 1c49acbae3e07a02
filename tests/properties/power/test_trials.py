"""Trials: the same every time, and honest about what could not be run."""

from __future__ import annotations

import multiprocessing
from contextlib import closing
from dataclasses import replace

import pytest

from radixproof.properties.power import trials
from radixproof.properties.power.trials import all_trials, measure, trial

from .campaigns import BUDGET, OTHER, SHALLOW


def test_the_trials_of_a_campaign() -> None:
    planned = all_trials([SHALLOW, OTHER], ["soak", "corpus"], 3, BUDGET)
    assert len(planned) == 2 * (3 + 1), "no seed changes what a corpus finds"
    assert planned[:4] == [
        *(trial(SHALLOW, "soak", seed, BUDGET) for seed in (1, 2, 3)),
        trial(SHALLOW, "corpus", 1, BUDGET),
    ]


def test_a_trial_is_the_same_every_time() -> None:
    first, again = (measure(trial(SHALLOW, "soak", 1, BUDGET)) for _ in range(2))
    assert replace(first, seconds=0.0) == replace(again, seconds=0.0)
    assert first.violated == "LOCK"
    assert first.steps is not None
    assert 0 < first.operations <= first.steps <= BUDGET


def test_a_trial_in_which_nothing_is_found() -> None:
    done = measure(trial(SHALLOW, "soak", 1, 1))
    assert (done.steps, done.signature, done.operations, done.error) == (None, "", 0, "")


def test_a_trial_that_cannot_be_run_says_why() -> None:
    done = measure(trial("nothing", "soak", 1, BUDGET))
    assert done.steps is None
    assert done.error.startswith("UnknownSystem: no fault is called 'nothing'")


def test_a_false_alarm_counts_as_nothing_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        trials.registry, "find", lambda _, find=trials.registry.find: find(f"fault:{SHALLOW}")
    )
    done = measure(trial(SHALLOW, "soak", 1, BUDGET))
    assert done.steps is None
    assert done.error.startswith("a false alarm: LOCK/")


def test_processes_of_its_own_end_when_it_is_broken_off() -> None:
    """One search is over at once, the other one would go on for very long."""
    short, long = trial(SHALLOW, "soak", 1, 1), trial(SHALLOW, "baseline", 1, 10**9)
    with closing(trials.measured([long, short], 2)) as results:
        assert next(results).trial == short
    assert multiprocessing.active_children() == []
