"""A forward pass that is in flight, and the copies that come after it."""

from __future__ import annotations

import pytest

from radixproof.impl.obscured import obscured
from radixproof.impl.operations import (
    Arrive,
    Decode,
    Evict,
    Finish,
    History,
    Insert,
    LoadBack,
    LoadingCheck,
    Operation,
    Prefill,
    Reset,
    RunCopies,
    RunForward,
    WritingCheck,
)
from radixproof.impl.registry import find
from radixproof.impl.sight import Sight
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.model.verdict import Property
from radixproof.properties.running.run import Run, run_history

A, AB = Key((1,)), Key((1, 2))
ENDED: list[Operation] = [Arrive("q", Key(())), Decode("q", launched=True), Finish("q")]
COPIED: list[Operation] = [*ENDED, WritingCheck(), RunCopies()]
LOADED: list[Operation] = [
    Insert(AB),
    WritingCheck(blocking=True),
    Evict(2),
    Insert(A),
    *ENDED,
    LoadBack(AB),
    RunCopies(load=True),
    RunForward(),
]


def first_wrong(
    system: str, config: Config, operations: list[Operation], every: int | None = 1
) -> list[str]:
    """The first breaches that bytes show: RACE is asked in `test_races`."""
    history = History(config, tuple(operations))
    run = Run(find(system), history.config, every=every)
    for operation in history.operations:
        found = [one.signature for one in run.step(operation) if one.violates is not Property.RACE]
        if found:
            return found
    return []


@pytest.mark.parametrize("operations", [COPIED, LOADED], ids=["copied", "loaded"])
def test_copies_wait_for_the_forward_pass_in_flight(operations: list[Operation]) -> None:
    assert first_wrong("radix", Config(device_pages=3), operations) == []


@pytest.mark.parametrize(
    ("fault", "operations", "name"),
    [
        ("backup-overtakes-forward", COPIED, "CONTENT/copied-before-computed"),
        (
            "backup-overtakes-forward",
            [*COPIED[:-1], RunCopies(), Evict(1), LoadBack(A), LoadingCheck(blocking=True)],
            "CONTENT/copied-before-computed",
        ),
    ],
)
def test_a_copy_that_does_not_is_named(fault: str, operations: list[Operation], name: str) -> None:
    assert set(first_wrong(f"fault:{fault}", Config(), operations)) == {name}


def test_a_load_that_does_not_is_named() -> None:
    config = Config(device_pages=3)
    other = [Insert(Key((3, 4))), WritingCheck(blocking=True), Evict(2), Insert(A), *ENDED]
    loads: list[Operation] = [*other, LoadBack(Key((3, 4))), RunCopies(load=True), RunForward()]
    found = first_wrong("fault:load-overtakes-forward", config, loads)
    assert set(found) == {"CONTENT/loaded-before-computed"}


def test_what_was_copied_too_early_is_named_so_wherever_it_is_loaded_to() -> None:
    """Another forward pass has written there once, and has been over for long."""
    slots = (Pool.FULL,)
    dim = obscured(find("fault:backup-overtakes-forward"), Sight(slots=slots))
    history = History(
        Config(page_size=2),
        (
            Insert(Key((1, 2))),
            Arrive("q1", Key((1, 2))),
            Arrive("q3", Key(())),
            Decode("q3", (1, 2, 3, 4), launched=True),
            Decode("q1", (3, 104), launched=True),
            *(Finish("q1"), Finish("q3"), RunCopies(3), WritingCheck(blocking=True)),
            *(Evict(1), Evict(1), LoadBack(Key((1, 2, 3, 104))), RunCopies(load=True)),
        ),
    )
    verdict = run_history(dim, history, lambda signature: signature.startswith("RACE/"))
    assert verdict is not None
    assert verdict.breach.signature == "CONTENT/copied-before-computed"
    assert verdict.breach.text.startswith("FULL slot ")


def test_what_the_host_has_right_was_not_copied_there_too_early() -> None:
    """A load-back brings something else, long after a forward pass was launched."""
    broken = find("fault:load-slots-upside-down")
    history = History(
        Config(),
        (
            *(Arrive("q", Key((1, 2, 3))), Prefill("q", 1, launched=True), RunCopies()),
            *(RunForward(), Prefill("q", 2), Finish("q"), WritingCheck(blocking=True), Evict(3)),
            *(LoadBack(Key((1, 2, 3))), RunCopies(load=True)),
        ),
    )
    verdict = run_history(broken, history)
    assert verdict is not None
    assert verdict.breach.signature == "CONTENT/full"


def test_what_is_launched_is_computed_before_anything_else() -> None:
    """The last token of a step is late, and a part of a prompt unless it is the last."""
    run = Run(find("radix"), Config(page_size=2))
    for operation, late in (
        (Arrive("q", Key((1, 2, 3, 4))), 0),
        (Prefill("q", 2, launched=True), 2),
        (Prefill("q", 2, launched=True), 0),
        (Decode("q", (5, 6), launched=True), 1),
        (Decode("q", (7,)), 0),
        (Decode("q", (8,), launched=True), 1),
        (Insert(Key((9, 9))), 0),
    ):
        assert run.step(operation) == []
        forward = run.ledger.forward
        flying = forward is not None and forward.in_flight
        assert (len(forward.slots[Pool.FULL]) if forward and flying else 0) == late


def test_what_a_reset_has_forgotten_is_named_so_though_a_step_was_in_flight() -> None:
    """The load-back from before the reset writes to the slots of the prompt that is computed."""
    operations: list[Operation] = [
        Insert(AB),
        WritingCheck(blocking=True),
        Evict(1),
        LoadBack(AB),
        Reset(),
        Arrive("q", Key((1, 3, 4, 5))),
        Prefill("q", 2, launched=True),
        WritingCheck(),
        RunForward(),
        RunCopies(load=True),
    ]
    found = first_wrong("fault:loads-survive-reset", Config(page_size=2), operations)
    assert found[:1] == ["CONTENT/written-after-reset"]


def test_so_it_is_where_that_is_written_back_at_once() -> None:
    """The slot of the device is free when the copy on the host is seen."""
    operations: list[Operation] = [
        Insert(AB),
        Evict(2),
        LoadBack(AB),
        Reset(),
        Arrive("q", Key((3, 4))),
        Prefill("q", 1, launched=True),
        WritingCheck(),
        Finish("q"),
        RunForward(),
        RunCopies(load=True),
        Evict(1),
    ]
    config = Config(device_pages=2, write_back=True)
    found = first_wrong("fault:loads-survive-reset", config, operations, every=None)
    assert found[:1] == ["CONTENT/written-after-reset"]


@pytest.mark.parametrize("ranks", [1, 2])
def test_so_it_is_where_the_load_back_reads_what_its_host_slots_have_got_meanwhile(
    ranks: int,
) -> None:
    """They are others' after the reset: what it brings is what these have put there. Where only
    one of two ranks has made the copy, what they hold differs.
    """
    operations: list[Operation] = [
        Insert(AB),
        Evict(2),
        LoadBack(AB),
        Reset(),
        Insert(Key((5, 6))),
        Evict(2),
        Arrive("q", Key((3, 4))),
        Prefill("q", 1, launched=True),
        WritingCheck(),
        Finish("q"),
        RunForward(),
        RunCopies(load=True, rank=ranks - 1),
        Evict(1),
    ]
    config = Config(device_pages=2, write_back=True, ranks=ranks)
    found = first_wrong("fault:loads-survive-reset", config, operations, every=None)
    assert found[:1] == ["CONTENT/written-after-reset"]
