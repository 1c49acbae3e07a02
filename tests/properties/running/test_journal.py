"""The journal: whatever a process did to a system can be read in another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from radixproof.impl.operations import History, Insert, Match
from radixproof.impl.registry import find
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.properties.drivers.soak import one
from radixproof.properties.histories import corpus
from radixproof.properties.performing.outcomes import Crashed
from radixproof.properties.running import journal
from radixproof.properties.running.journal import Death, Doing, Journal, Unwatched
from radixproof.properties.running.run import Run

RADIX = find("radix")


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Journal:
    """The journal of this process, for one test."""
    record = Journal()
    monkeypatch.setattr(journal, "_kept", [record])
    return record


@pytest.mark.parametrize("number", range(8))
def test_a_history_is_read_as_it_was_run(number: int, kept: Journal) -> None:
    assert kept.history() is None
    ran = one(RADIX, 7, number, lambda _: False)
    assert kept.history() == ran.history
    assert kept.doing is Doing.NOTHING
    assert 0 < kept.slowest < 60


def test_every_kind_of_operation_can_be_read(kept: Journal) -> None:
    for entry in corpus.read(corpus.FOLDER):
        history = replace(entry.history, origin={})
        kept.building(history.config)
        for operation in history.operations:
            assert kept.before(operation) is None
        assert kept.history() == history


def test_it_says_what_is_being_done(kept: Journal) -> None:
    seen = []
    calls: list[Callable[[], object]] = [
        kept.starting,
        partial(kept.building, Config()),
        partial(kept.before, Match(Key((1,)))),
        kept.looking,
        kept.closing,
        kept.idle,
    ]
    for call in calls:
        call()
        seen.append((kept.doing, kept.beats))
    assert seen == [
        (Doing.STARTING, 1),
        (Doing.BUILDING, 2),
        (Doing.STEP, 3),
        (Doing.STEP, 4),
        (Doing.CLOSING, 5),
        (Doing.NOTHING, 5),
    ]


def test_a_step_of_which_the_end_is_known_is_not_performed(
    kept: Journal,
) -> None:
    first, fatal = Insert(Key((1, 2))), Match(Key((1,)))
    ending = Crashed("SIGABRT", "it ended the process", "match", fatal=True)
    kept.deaths.append(Death(History(Config(), (first, fatal)), ending))

    def outcomes(config: Config, *operations: Insert | Match) -> list[str]:
        run = Run(RADIX, config)
        for operation in operations:
            run.step(operation)
        run.close()
        return [type(step.outcome).__name__ for step in run.steps]

    assert outcomes(Config(), first, fatal) == ["Inserted", "Crashed"]
    assert outcomes(Config(), fatal) == ["Matched"]
    assert outcomes(Config(), first, first, fatal) == ["Inserted", "Inserted", "Matched"]
    assert outcomes(Config(page_size=2), first, fatal) == ["Inserted", "Matched"]


def test_a_process_that_nobody_watches_keeps_none() -> None:
    assert type(journal.current()) is Unwatched
    assert journal.current().before(Match(Key((1,)))) is None
