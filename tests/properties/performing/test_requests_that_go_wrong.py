"""What goes wrong with requests is seen, and what must be excused is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.impl.operations import (
    Abort,
    Arrive,
    Evict,
    Finish,
    Match,
    Operation,
    Prefill,
    Refuse,
    WritingCheck,
)
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.impl.system import Insertion, Target
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key
from radixproof.model.verdict import Breach
from radixproof.properties.performing.outcomes import Locked
from radixproof.properties.performing.step import Adopt, Step
from radixproof.properties.running.run import Run

from ..deeds import (
    AB,
    PLAIN,
    STATEFUL,
    WHOLE,
    WINDOWED,
    A,
    Deed,
    SignatureOf,
    in_vain,
    instead,
    scribble,
    with_state,
    words,
)

LONG = Key((1, 2, 3, 4, 5, 6))


def copies(tag: int) -> Deed:
    """A request begins with other content than that of the state that it matched."""

    def deed(system: RadixSystem) -> None:
        copy_state = system.copy_state

        def substitute(anchor: Any) -> int | None:
            slot = copy_state(anchor)
            if slot is not None:
                system.write_state(slot, tag)
            return slot

        system.copy_state = substitute  # type: ignore[method-assign]

    return deed


copy_another_state = copies(99)
copy_nothing = copies(0)
"""Nothing has ever been written there."""


def adopt_own_slots(system: RadixSystem) -> None:
    """A request is told to go on with the slots that it brought, although the tree has others."""
    insert, path_slots = system.insert, system.path_slots
    brought: list[list[int]] = []

    def substitute(key: Key, slots: list[int], *rest: Any) -> Insertion:
        brought.append(list(slots))
        return insert(key, slots, *rest)

    system.insert = substitute  # type: ignore[method-assign, assignment]
    system.path_slots = lambda anchor: brought[-1][: len(path_slots(anchor))]  # type: ignore[method-assign]


def tombstones_for_windows(system: RadixSystem) -> None:
    """Slots that the window has left are freed a second time by the insert."""
    insert = system.insert

    def substitute(
        key: Key, slots: list[int], protected: int, evicted: int, *rest: Any
    ) -> Insertion:
        return insert(key, slots, protected, 0, *rest)

    system.insert = substitute  # type: ignore[method-assign, assignment]


REFUSED_LOAD: list[Operation] = [
    *(with_state(A), with_state(AB), WritingCheck(blocking=True), Evict(1)),
    Arrive("q", AB, quota=0),
]
"""The state of [1 2] is on the host alone, and stays there."""
TWICE: list[Operation] = [Arrive("q", AB), Arrive("p", AB), Prefill("q", 2), Prefill("p", 2)]


@pytest.mark.parametrize(
    ("signature", "config", "operations", "deed"),
    [
        ("CONTENT/mamba", STATEFUL, [with_state(A), Arrive("q", AB)], copy_another_state),
        ("CONTENT/mamba", STATEFUL, [with_state(A), Arrive("q", AB)], copy_nothing),
        ("CONTENT/mamba", STATEFUL, REFUSED_LOAD, copy_another_state),
        ("CONTENT/state-of-best", STATEFUL, REFUSED_LOAD, copy_nothing),
        ("CONTENT/served", PLAIN, TWICE, adopt_own_slots),
        ("OWN/mamba-lost", STATEFUL, [Arrive("q", A), Abort("q")], in_vain("free_state", None)),
        (
            "OWN/full-lost",
            Config(page_size=2),
            [Arrive("q", A), Prefill("q"), Abort("q")],
            in_vain("free", None),
        ),
        ("OWN/swa-lost", WINDOWED, [Arrive("q", LONG), Prefill("q", 6)], in_vain("free_swa", None)),
        (
            "LOCK/full-too-many",
            PLAIN,
            [Arrive("q", A), Prefill("q"), Finish("q")],
            in_vain("unlock", None),
        ),
        (
            "LOCK/full-too-few",
            PLAIN,
            [Arrive("q", A), Prefill("q")],
            instead("lock", lambda original, anchor: None),
        ),
        (
            "PROGRESS/allocation-refused",
            PLAIN,
            [Arrive("q", A), Prefill("q")],
            in_vain("allocate", None),
        ),
        (
            "PROGRESS/allocation-refused",
            STATEFUL,
            [Arrive("q", A)],
            in_vain("allocate_state", None),
        ),
        (
            "PROGRESS/allocation-refused",
            STATEFUL,
            [with_state(A), Arrive("q", AB)],
            in_vain("copy_state", None),
        ),
        (
            "NOCRASH/SlotError@DeviceSlots.peers",
            WINDOWED,
            [Arrive("q", LONG), Prefill("q", 6)],
            tombstones_for_windows,
        ),
    ],
    ids=words,
)
def test_what_goes_wrong_with_a_request_is_seen(
    signature_of: SignatureOf,
    signature: str,
    config: Config,
    operations: list[Operation],
    deed: Deed,
) -> None:
    assert signature_of(config, operations, deed) == signature


def test_content_of_what_a_request_computes_is_seen_when_the_tree_has_it(
    signature_of: SignatureOf,
) -> None:
    operations: list[Operation] = [Arrive("q", A), Prefill("q"), Match(A)]
    assert signature_of(PLAIN, operations, scribble(Pool.FULL, 1), after=4) == "CONTENT/full"


def test_match_of_a_request_that_goes_on_from_what_is_not_in_the_tree(radix: Target) -> None:
    """As after an insert of which nothing is left."""
    run = Run(radix, PLAIN)
    step = Step(Adopt("q's lock", A), Locked(1))
    breaches = run.judge.judge(step, lambda: run.system.observe(False), False, run.system)
    assert [breach.signature for breach in breaches] == ["MATCH/adopt-outcome"]


def test_a_copy_that_was_told_to_fail_may_fail_once(
    tampered: Callable[..., Target], breaches_of: Callable[..., list[Breach]]
) -> None:
    """A system that does not try again gives the request none."""
    gives_up = tampered(in_vain("copy_state", None), 2)
    told = [with_state(A), Refuse(Pool.MAMBA), Arrive("q", AB)]
    assert breaches_of(gives_up, STATEFUL, told, WHOLE) == []
    again = [*told, Abort("q"), Arrive("p", AB)]
    (breach,) = breaches_of(gives_up, STATEFUL, again, WHOLE)
    assert breach.signature == "PROGRESS/allocation-refused"
