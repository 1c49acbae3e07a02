"""Drivers: the same budget for each, an honest count of steps, histories that can be rerun."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from radixproof.impl.operations import History, Insert, Match
from radixproof.impl.registry import find
from radixproof.impl.system import Target
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.model.verdict import Breach, Property
from radixproof.properties.drivers import baseline
from radixproof.properties.histories import corpus
from radixproof.properties.power.compared_drivers import DRIVERS, Driver, Hit, as_it_is
from radixproof.properties.running.judged import JudgedHistory
from radixproof.properties.running.run import run_history

from ...releases import again

FAULT = find("fault:split-parent-not-backed-up")
WINDOWED = Config(window=1, swa_pages=8, swa_host_pages=16)
ORIGIN = {"system": FAULT.name, "signature": "PROGRESS/never-backed-up"}
LOST = History(WINDOWED, (Insert(Key((1, 2)), evicted=1),), ORIGIN)
BREACH = Breach(Property.MATCH, "made-up", "for a test")


def scripted(*script: tuple[int, bool]) -> Driver:
    """A driver of histories of so many steps, that end with a breach or not."""

    def histories(target: Target, seed: int) -> Iterator[JudgedHistory]:
        for steps, broken in script:
            yield JudgedHistory(
                History(Config(), (Match(Key((1,))),) * steps), BREACH if broken else None
            )

    return Driver("scripted", "for a test", histories, as_it_is)


def steps_to_find(driver: Driver, budget: int) -> int | None:
    hit = driver.run(FAULT, 1, budget)
    return None if hit is None else hit.steps


def test_steps_are_counted_to_the_end_of_the_history_that_went_wrong() -> None:
    driver = scripted((10, False), (10, False), (5, True))
    assert steps_to_find(driver, 25) == 25
    assert steps_to_find(driver, 24) is None
    assert steps_to_find(driver, 20) is None


def test_a_driver_may_have_fewer_histories_than_the_budget() -> None:
    assert steps_to_find(scripted((10, False)), 1_000) is None


@pytest.mark.parametrize(
    "name", [again(name) if name == "machine" else name for name in sorted(DRIVERS)]
)
def test_a_driver_is_clean_on_what_is_clean(name: str) -> None:
    assert DRIVERS[name].run(find("radix"), 1, 300) is None


@pytest.mark.parametrize("name", ["machine", "soak"])
def test_a_driver_finds_a_fault_and_shrinks_it(name: str) -> None:
    driver = DRIVERS[name]
    hit = driver.run(FAULT, 4, 2_000)
    assert hit is not None
    assert run_history(FAULT, hit.history, every=None) is not None
    shortest = driver.shrink(FAULT, hit)
    assert (shortest.steps, shortest.history.operations) == (hit.steps, LOST.operations)
    assert shortest.breach.signature == "PROGRESS/never-backed-up"
    verdict = run_history(FAULT, shortest.history)
    assert verdict is not None
    assert verdict.breach == shortest.breach
    assert run_history(find("radix"), shortest.history) is None


def test_the_baseline_shrinks_by_its_own_judgement() -> None:
    target = find("fault:slots-of-refused-backup-lost")
    hit = DRIVERS["baseline"].run(target, 2, 2_000)
    assert hit is not None
    shortest = DRIVERS["baseline"].shrink(target, hit)
    assert len(shortest.history.operations) <= 3
    verdict = baseline.replay(target, shortest.history)
    assert verdict is not None
    assert verdict.breach.signature == hit.breach.signature


def test_the_corpus_finds_what_it_holds_and_the_others_leave_that_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus.write(tmp_path, LOST)
    monkeypatch.setattr(corpus, "FOLDER", tmp_path)
    verdict = run_history(FAULT, LOST)
    assert verdict is not None
    assert DRIVERS["corpus"].run(FAULT, 1, 100) == Hit(
        1, History(WINDOWED, LOST.operations), verdict.breach
    )
    assert DRIVERS["others"].run(FAULT, 1, 100) is None
    assert DRIVERS["corpus"].run(find("radix"), 1, 100) is None


def test_what_the_clean_system_shows_too_is_a_false_alarm() -> None:
    hit = DRIVERS["soak"].run(FAULT, 2, 2_000)
    assert hit is not None
    assert not DRIVERS["soak"].false_alarm(hit, find("radix"))
    assert DRIVERS["soak"].false_alarm(hit, FAULT)


def test_drivers_are_known_by_their_names() -> None:
    assert [name for name, driver in DRIVERS.items() if driver.name != name] == []
    assert [name for name, driver in DRIVERS.items() if not driver.seeded] == [
        "explorer",
        "corpus",
        "others",
    ]
