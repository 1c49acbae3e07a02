"""A sabotage that is tried: reported, missed, or left out where nothing shows of it."""

from __future__ import annotations

from collections import Counter
from time import sleep

import pytest

from radixproof.impl.sabotage.planting import Situation
from radixproof.properties.sensitivity import trying
from radixproof.properties.sensitivity.cells import (
    COUNTED,
    LEFT_OUT,
    MISSED,
    REPORTED,
    Sabotage,
)
from radixproof.properties.sensitivity.scouting import scout
from radixproof.properties.sensitivity.trying import attempt

QUICK = {"lock-a-node-short": "LOCK", "stored-event-missing": "EVENT"}


def of(kind: str, number: int = 0) -> list[Sabotage]:
    return [one for one in scout(1, number) if one.kind == kind]


@pytest.mark.parametrize("kind", QUICK)
def test_what_is_done_wrong_is_reported_by_the_property_that_it_breaks(kind: str) -> None:
    done = [attempt(one) for one in of(kind)]
    assert len(done) > 2
    assert {result.verdict for result in done} == {REPORTED}
    first = Counter(result.signature.partition("/")[0] for result in done)
    assert first.most_common(1)[0][0] == QUICK[kind]
    assert all(result.steps >= 0 for result in done)


def test_what_nobody_reports_is_missed_if_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "run_history", lambda *args, **more: None)
    assert {attempt(one).verdict for one in of("lock-a-node-short")} == {MISSED}


def test_a_history_that_does_not_end_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*args: object, **more: object) -> None:
        while True:
            sleep(0.01)

    monkeypatch.setattr(trying, "SECONDS", 0.1)
    monkeypatch.setattr(trying, "run_history", hang)
    (one, *_) = of("lock-a-node-short")
    result = attempt(one)
    assert (result.verdict, result.signature, result.steps) == (REPORTED, "NOCRASH/hangs", 0)


def test_what_changes_nothing_is_left_out() -> None:
    (one, *_) = of("lock-a-node-short")
    never = Sabotage(
        one.kind,
        one.component,
        one.policy,
        one.seed,
        one.number,
        0,
        10**6,
        False,
        (Situation.IDLE,),
    )
    assert attempt(never).verdict == LEFT_OUT
    assert LEFT_OUT not in COUNTED


def test_one_rank_alone_is_told_from_the_others() -> None:
    alone = [one for one in of("lock-a-node-short", 12) if one.alone]
    assert {one.situations for one in alone} == {(Situation.ALONE,)}
    assert {attempt(one).verdict for one in alone} == {REPORTED}
