"""OWN, OWN-H, MAP and CONTENT: the slots, who has them, and what is in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from radixproof.impl.operations import (
    Evict,
    HostInsert,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    RunCopies,
    WritingCheck,
)
from radixproof.impl.radix.config import COMPONENTS
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.model.config import Config, Pool
from radixproof.model.key import Key

from ..deeds import (
    AB,
    FULL,
    LOADED,
    PLAIN,
    SETTLE,
    STATEFUL,
    WINDOWED,
    A,
    B,
    Deed,
    SignatureOf,
    find_page,
    instead,
    lie_about,
    lose_page,
    node_of,
    scribble,
    with_slots,
    with_state,
    words,
)


def own_slot_1(pool: Pool) -> Deed:
    """The second node is said to have what the first has."""
    return lie_about((2,), lambda view: with_slots(view, pool, (1,)))


@pytest.mark.parametrize(
    ("rule", "config", "deed"),
    [
        ("full-lost", PLAIN, lose_page(Pool.FULL)),
        ("full-too-many", PLAIN, find_page(Pool.FULL)),
        ("full-too-many", Config(page_size=2), find_page(Pool.FULL)),
        ("swa-lost", WINDOWED, lose_page(Pool.SWA)),
        ("swa-too-many", WINDOWED, find_page(Pool.SWA)),
        ("mamba-lost", STATEFUL, lose_page(Pool.MAMBA)),
        ("mamba-too-many", STATEFUL, find_page(Pool.MAMBA)),
        ("owned-twice", PLAIN, own_slot_1(Pool.FULL)),
        ("owned-twice", WINDOWED, own_slot_1(Pool.SWA)),
        ("owned-twice", STATEFUL, own_slot_1(Pool.MAMBA)),
    ],
    ids=words,
)
def test_own(signature_of: SignatureOf, rule: str, config: Config, deed: Deed) -> None:
    first, second = (
        Insert(Key(key * config.page_size), state=bool(config.mamba_states)) for key in ((1,), (2,))
    )
    assert signature_of(config, [first, second], deed, after=2) == f"OWN/{rule}"


@pytest.mark.parametrize(
    ("rule", "config", "deed"),
    [
        ("full_host-lost", PLAIN, lose_page(Pool.FULL_HOST)),
        ("full_host-too-many", PLAIN, find_page(Pool.FULL_HOST)),
        ("swa_host-lost", WINDOWED, lose_page(Pool.SWA_HOST)),
        ("swa_host-too-many", WINDOWED, find_page(Pool.SWA_HOST)),
        ("mamba_host-lost", STATEFUL, lose_page(Pool.MAMBA_HOST)),
        ("mamba_host-too-many", STATEFUL, find_page(Pool.MAMBA_HOST)),
        ("owned-twice", PLAIN, own_slot_1(Pool.FULL_HOST)),
        ("owned-twice", STATEFUL, own_slot_1(Pool.MAMBA_HOST)),
    ],
    ids=words,
)
def test_own_h(signature_of: SignatureOf, rule: str, config: Config, deed: Deed) -> None:
    stateful = bool(config.mamba_states)
    assert (
        signature_of(config, [Insert(A, state=stateful), Insert(B, state=stateful)], deed, after=2)
        == f"OWN-H/{rule}"
    )


def keep_fetched_slots(system: RadixSystem) -> None:
    """A host insert that keeps nothing does not free what it was given."""
    system.insert_host = lambda key, fetched, start: 0  # type: ignore[method-assign]


def test_own_h_of_what_was_fetched_in_vain(signature_of: SignatureOf) -> None:
    """Nothing on the host may hang below a node that is not there: all of it must be freed."""
    operations: list[Operation] = [Insert(A), HostInsert(AB)]
    assert (
        signature_of(Config(threshold=2), operations, keep_fetched_slots) == "OWN-H/full_host-lost"
    )


def swap_map_entries(system: RadixSystem) -> None:
    swa_of = system.cache.memory.device.swa_of
    swa_of[[1, 2]] = swa_of[[2, 1]]


def leave_map_entry(system: RadixSystem) -> None:
    """A tombstone's FULL slots still lead to a SWA slot."""
    slots = node_of(system, 1).full.device
    assert slots is not None
    system.cache.memory.device.swa_of[slots] = 8


def load_without_map(system: RadixSystem) -> None:
    """What is loaded back is not entered into the map."""
    system.cache.memory.device.pair = lambda full, swa: None  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("rule", "operations", "deed", "after"),
    [
        ("entry", [Insert(AB)], swap_map_entries, 1),
        ("stale", [Insert(AB, evicted=1)], leave_map_entry, 1),
        ("entry", [Insert(A), SETTLE, Evict(1), LoadBack(A)], load_without_map, 0),
    ],
    ids=words,
)
def test_map(
    signature_of: SignatureOf, rule: str, operations: Sequence[Operation], deed: Deed, after: int
) -> None:
    assert signature_of(WINDOWED, operations, deed, after) == f"MAP/{rule}"


def bytes_stay_behind(pool: Pool) -> Deed:
    """Copies into a pool are reported as performed, and no byte moves."""

    def deed(system: RadixSystem) -> None:
        system.pools[pool].scatter = lambda slots, kv: None  # type: ignore[method-assign]

    return deed


def serve_other_slots(original: Callable[[Key], Any], key: Key) -> Any:
    found = original(key)
    return found._replace(slots=found.slots[::-1])


def forget_failures(system: RadixSystem) -> None:
    """A copy that failed counts as done."""
    for engine in system._engines:
        run = engine.run

        def substitute(
            count: int, fail: bool = False, *, engine: Any = engine, run: Any = run
        ) -> int:
            performed: int = run(count, fail)
            for flight in engine._flying:
                flight.fails = False
            return performed

        engine.run = substitute  # type: ignore[method-assign]


DEMOTED = [Insert(A), SETTLE, Evict(1)]
DEMOTED_STATE = [with_state(A), SETTLE, Evict(1)]
FAILED = RunCopies(fail=True)


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed", "after"),
    [
        ("full", PLAIN, [Insert(A), Insert(B)], scribble(Pool.FULL, 2), 2),
        ("full", PLAIN, [Insert(A), Insert(B)], scribble(Pool.FULL, 2, tag=1), 2),
        ("swa", WINDOWED, [Insert(A)], scribble(Pool.SWA, 1), 1),
        ("mamba", STATEFUL, [with_state(A)], scribble(Pool.MAMBA, 1), 1),
        ("mamba", STATEFUL, [with_state(A), with_state(B)], scribble(Pool.MAMBA, 2, tag=1), 2),
        ("full_host", PLAIN, [Insert(A), RunCopies()], bytes_stay_behind(Pool.FULL_HOST), 0),
        ("full_host", PLAIN, [Insert(A), SETTLE], bytes_stay_behind(Pool.FULL_HOST), 0),
        ("swa_host", WINDOWED, [Insert(A), SETTLE], bytes_stay_behind(Pool.SWA_HOST), 0),
        ("mamba_host", STATEFUL, [with_state(A), SETTLE], bytes_stay_behind(Pool.MAMBA_HOST), 0),
        (
            "full_host",
            Config(write_back=True),
            [Insert(A), Evict(1)],
            bytes_stay_behind(Pool.FULL_HOST),
            0,
        ),
        (
            "full",
            PLAIN,
            [*DEMOTED, Insert(B), LoadBack(A), LOADED],
            bytes_stay_behind(Pool.FULL),
            0,
        ),
        (
            "swa",
            WINDOWED,
            [*DEMOTED, Insert(B), LoadBack(A), LOADED],
            bytes_stay_behind(Pool.SWA),
            0,
        ),
        (
            "mamba",
            STATEFUL,
            [*DEMOTED_STATE, with_state(B), LoadBack(A), LOADED],
            bytes_stay_behind(Pool.MAMBA),
            0,
        ),
        ("served", PLAIN, [Insert(AB), Match(AB)], instead("match", serve_other_slots), 0),
        ("served", PLAIN, [Insert(AB), Lock("r1", AB)], instead("match", serve_other_slots), 0),
    ],
    ids=words,
)
def test_content(
    signature_of: SignatureOf,
    rule: str,
    config: Config,
    operations: Sequence[Operation],
    deed: Deed,
    after: int,
) -> None:
    assert signature_of(config, operations, deed, after) == f"CONTENT/{rule}"


@pytest.mark.parametrize(
    "operations",
    [
        [Insert(A), FAILED, WritingCheck()],
        [*DEMOTED, Insert(B), SETTLE, LoadBack(A), RunCopies(load=True, fail=True), LoadingCheck()],
    ],
    ids=words,
)
def test_a_failed_copy_that_is_acknowledged_is_seen_by_the_count(
    signature_of: SignatureOf, operations: list[Operation]
) -> None:
    """Nobody may be told that the bytes have moved."""
    assert (
        signature_of(PLAIN, operations, forget_failures)
        == f"PROGRESS/{operations[-1].name}-outcome"
    )


def spoil_when_waiting(system: RadixSystem) -> None:
    """A copy that failed is made again when somebody waits for it; but it only says so."""
    engine = system._engines[False]
    wait = engine.wait

    def substitute() -> None:
        engine.run(engine.queued, fail=True)
        for flight in engine._flying:
            flight.fails = False
        wait()

    engine.wait = substitute  # type: ignore[method-assign]


def test_content_of_a_failed_copy_that_is_acknowledged(signature_of: SignatureOf) -> None:
    operations = [Insert(A), FAILED, SETTLE]
    assert signature_of(PLAIN, operations, spoil_when_waiting) == "CONTENT/full_host"


def exchange(system: RadixSystem) -> None:
    """The first node gets a slot that holds the same; nobody uses the one that it had."""
    device, tree = system.cache.memory.device, system.cache.tree
    new, node = system.allocate(1), node_of(system, 1)
    assert new is not None
    assert node.full.device is not None
    system.write(new, system.read(Pool.FULL, node.full.device.tolist()))
    device.free(tree.swap_device(node, COMPONENTS[FULL], np.array(new)))


@pytest.mark.parametrize("last", [Insert(A), Insert(B), Evict(1)], ids=str)
def test_a_page_that_stays_keeps_its_slots(signature_of: SignatureOf, last: Operation) -> None:
    operations = [Insert(Key((7,))), Insert(A), SETTLE, last]
    assert signature_of(PLAIN, operations, exchange, after=4) == "STUTTER/full-replaced"
