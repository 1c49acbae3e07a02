"""Histories run: any part of one is a history, and the same one always ends the same way."""

from __future__ import annotations

from random import Random

import pytest

from radixproof.impl.operations import Evict, History, Insert, Lock, Reset, Unlock, WritingCheck
from radixproof.impl.registry import find
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.model.verdict import Breach, Property
from radixproof.properties.drivers.soak import one
from radixproof.properties.histories.history_json import to_json
from radixproof.properties.performing.outcomes import Crashed, Inserted, Matched, Skipped
from radixproof.properties.running.run import Run, ends, first_unknown, run_history

from ...other_hashes import printed_with_other_hashes

NOTHING_KNOWN = frozenset[str]().__contains__


def outcomes(config: Config, *operations: object) -> list[object]:
    run = Run(find("radix"), config, every=1)
    for operation in operations:
        assert run.step(operation) == []  # type: ignore[arg-type]
    return [step.outcome for step in run.steps]


@pytest.mark.parametrize("seed", range(12))
def test_every_part_of_a_history_is_a_history(seed: int) -> None:
    ran = one(find("radix"), seed, 0, NOTHING_KNOWN)
    assert ran.breach is None
    rng = Random(seed)
    for _ in range(3):
        part = tuple(operation for operation in ran.history.operations if rng.random() < 0.6)
        assert run_history(find("radix"), History(ran.history.config, part)) is None


def breach(violates: Property, rule: str = "rule") -> Breach:
    return Breach(violates, rule, "what happened")


@pytest.mark.parametrize(
    ("one", "over"),
    [
        (breach(Property.PROGRESS), False),
        (breach(Property.PIN), True),
        (breach(Property.BACKUP, "early"), False),
        (breach(Property.BACKUP, "parent-missing"), True),
        (breach(Property.NOCRASH, "AssertionError@here"), True),
        (breach(Property.NOCRASH, "self-check-leaves"), False),
    ],
)
def test_a_run_ends_with_what_the_model_cannot_go_on_after(one: Breach, over: bool) -> None:
    assert ends(one) is over


def test_what_follows_a_known_breach_that_ends_the_run_is_no_finding() -> None:
    tolerable, last, follows = map(breach, (Property.EVENT, Property.PIN, Property.OWN))
    known = {tolerable.signature, last.signature}.__contains__
    assert first_unknown([tolerable, follows, last], known) == follows
    assert first_unknown([tolerable, last, follows], known) is None
    assert first_unknown([last, follows], NOTHING_KNOWN) == last
    assert first_unknown([], known) is None


def test_what_has_no_premise_is_skipped() -> None:
    tiny = Config(device_pages=2)
    ab = Key((1, 2))
    found = outcomes(
        tiny,
        Unlock("r1"),
        Lock("r1", ab),
        Lock("r1", ab),
        Reset(),
        Insert(Key((1, 2, 3))),
        Insert(ab, evicted=3),
    )
    assert [type(outcome).__name__ for outcome in found] == [
        "Skipped",
        "Locked",
        "Skipped",
        "Skipped",
        "Skipped",
        "Skipped",
    ]
    assert found[4] == Skipped("the device pools have no room")


def test_an_insert_that_reuses_computes_only_the_rest() -> None:
    config = Config(device_pages=3)
    abc = Key((1, 2, 3))
    found = outcomes(config, Insert(Key((1, 2))), Insert(abc, reuse=True))
    assert found[-1] == Inserted(prefix=2, protected=2)


def test_an_insert_without_room_is_the_match_it_began_with() -> None:
    run = Run(find("radix"), Config(device_pages=2), every=1)
    run.step(Insert(Key((1, 2))))
    assert run.step(Insert(Key((1, 3)), reuse=True)) == []
    assert run.steps[-1].outcome == Matched(1, 1, (0, 0, 0))
    assert run.step(Insert(Key((3,)))) == []
    assert run.steps[-1].outcome == Skipped("the device pools have no room")  # type: ignore[comparison-overlap]


def test_what_a_system_raises_is_a_breach_with_its_place() -> None:
    run = Run(find("radix"), Config(), every=1)
    run.step(Insert(Key((1, 2))))
    run.step(WritingCheck(blocking=True))
    run.system.evict = lambda full, swa, mamba: 1 // 0  # type: ignore[assignment, method-assign, return-value]
    (breach,) = run.step(Evict(1))
    assert breach.signature.startswith("NOCRASH/ZeroDivisionError@")
    assert isinstance(run.steps[-1].outcome, Crashed)


PROGRAM = """
from radixproof.impl.registry import find
from radixproof.properties.histories.history_json import to_json
from radixproof.properties.drivers.soak import one
for number in range(5):
    for name in ("radix", "fault:split-parent-not-backed-up"):
        ran = one(find(name), 3, number, frozenset().__contains__)
        print(to_json(ran.history), ran.breach)
"""


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_in_every_process(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In this process and in one that hashes strings otherwise."""
    printed = printed_with_other_hashes(PROGRAM)
    exec(PROGRAM, {})
    assert printed == capsys.readouterr().out
    assert to_json(one(find("radix"), 3, 0, NOTHING_KNOWN).history) in printed
    assert "never-backed-up" in printed
