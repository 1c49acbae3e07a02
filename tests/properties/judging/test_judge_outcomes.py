"""MATCH and PROGRESS of what a caller is told: lengths, counts, refusals.

And what is in the cache after an insert.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from radixproof.impl.observation import NodeView
from radixproof.impl.operations import (
    Abort,
    Arrive,
    Decode,
    Evict,
    EvictHost,
    HostInsert,
    HostLock,
    Insert,
    LoadBack,
    LoadingCheck,
    Lock,
    Match,
    Operation,
    Prefill,
    RunCopies,
    Unlock,
    WritingCheck,
)
from radixproof.impl.radix.config import COMPONENTS
from radixproof.impl.radix_adapter.adapter import RadixSystem
from radixproof.impl.system import Fetched, Insertion, Lookup, Target
from radixproof.model.config import Config
from radixproof.model.key import Key
from radixproof.model.verdict import Breach
from radixproof.properties.running.run import Run

from ..deeds import (
    AB,
    ABC,
    DELTAS,
    FULL,
    HOSTLESS,
    LOADED,
    MAMBA,
    PLAIN,
    SETTLE,
    STATEFUL,
    SWA,
    WHOLE,
    WINDOWED,
    WRITE_BACK,
    A,
    B,
    Deed,
    SignatureOf,
    both,
    drop_device,
    drop_host,
    in_vain,
    instead,
    lie,
    node_of,
    off_by_one,
    with_state,
    words,
)

# -- MATCH --


def shorter(original: Callable[[Key], Any], key: Key) -> Any:
    found = original(key)
    return found._replace(device=max(0, found.device - 1), slots=found.slots[:-1])


def shorter_on_host(original: Callable[[Key], Any], key: Key) -> Any:
    found = original(key)
    return found._replace(best=max(0, found.best - 1))


def other_hits(at: int) -> Callable[..., Any]:
    """What is on the host only is told wrongly for one component."""

    def substitute(original: Callable[[Key], Lookup], key: Key) -> Lookup:
        found = original(key)
        assert found.host is not None
        full, swa, mamba = (count + (place == at) for place, count in enumerate(found.host))
        return found._replace(host=(full, swa, mamba))

    return substitute


def one_more_reused(original: Callable[..., Insertion], *arguments: Any) -> Insertion:
    inserted = original(*arguments)
    return inserted._replace(reused=inserted.reused + 1)


def say_taken(original: Callable[..., Insertion], *arguments: Any) -> Insertion:
    """A state is called the tree's that the tree does not take."""
    return original(*arguments)._replace(taken=True)


def free_instead_of_inserting(system: RadixSystem) -> None:
    def insert(
        key: Key,
        slots: Sequence[int],
        protected: int,
        evicted: int,
        state: int | None,
        priority: int,
    ) -> Insertion:
        system.free(slots[protected:])
        return Insertion(0, False)

    system.insert = insert  # type: ignore[method-assign, assignment]


def insert_tombstone(system: RadixSystem) -> None:
    """SWA state that the request still has is thrown away.

    It was never in the tree, so nothing can have been taken from it.
    """
    insert = system.insert

    def substitute(
        key: Key, slots: Sequence[int], protected: int, evicted: int, *rest: Any
    ) -> Insertion:
        system.free_swa(slots)
        return insert(key, slots, protected, len(slots), *rest)

    system.insert = substitute  # type: ignore[method-assign, assignment]


def drop_state(system: RadixSystem) -> None:
    """A state is taken and thrown away."""
    insert = system.insert

    def substitute(
        key: Key, slots: Sequence[int], protected: int, evicted: int, state: int, *rest: Any
    ) -> Insertion:
        system.free_state(state)
        return insert(key, slots, protected, evicted)._replace(taken=True)

    system.insert = substitute  # type: ignore[method-assign, assignment]


def keep_swa_below_boundary(system: RadixSystem) -> None:
    """The SWA boundary of an insert is not heeded."""
    insert = system.insert

    def substitute(
        key: Key, slots: Sequence[int], protected: int, evicted: int, *rest: Any
    ) -> Insertion:
        return insert(key, slots, protected, 0, *rest)

    system.free_swa = lambda slots: None  # type: ignore[method-assign]
    system.insert = substitute  # type: ignore[method-assign, assignment]


def keep_released_window(system: RadixSystem) -> None:
    """A window that is released early, and that nobody can use any more, is kept."""
    system.cache.device_evictor.drop_windows = lambda nodes: None  # type: ignore[method-assign]


def cut_after_first_page(system: RadixSystem) -> None:
    system.cache.tree.split(node_of(system, 1, 2), 1)


def look_without_cutting(system: RadixSystem) -> None:
    """A match that ends after the first page of a node is answered, and leaves the node whole."""
    match = system.match

    def substitute(key: Key) -> Any:
        if key != A:
            return match(key)
        node = node_of(system, 1, 2, 3)
        assert node.full.device is not None
        return Lookup(1, 1, node.full.device[:1].tolist(), node, node, (0, 0, 0))

    system.match = substitute  # type: ignore[method-assign]


NOBODYS = NodeView(
    99, 0, "", (9,), ((8,), None, None, None, None, None), (0, 0, 0), False, (0, 0, 0)
)
DEMOTED = [Insert(A), SETTLE, Evict(1)]
DEMOTED_STATE = [with_state(A), SETTLE, Evict(1)]


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed", "after"),
    [
        ("match-outcome", PLAIN, [Insert(AB), Match(AB)], instead("match", shorter), 0),
        ("match-outcome", PLAIN, [*DEMOTED, Match(A)], instead("match", shorter_on_host), 0),
        ("match-outcome", PLAIN, [*DEMOTED, Match(A)], instead("match", other_hits(FULL)), 0),
        ("match-outcome", WINDOWED, [*DEMOTED, Match(A)], instead("match", other_hits(SWA)), 0),
        (
            "match-outcome",
            STATEFUL,
            [*DEMOTED_STATE, Match(A)],
            instead("match", other_hits(MAMBA)),
            0,
        ),
        ("lock-outcome", PLAIN, [Insert(AB), Lock("r1", AB)], instead("match", shorter), 0),
        (
            "host_lock-outcome",
            PLAIN,
            [Insert(AB), HostLock("h1", AB)],
            instead("match", shorter_on_host),
            0,
        ),
        ("insert-outcome", PLAIN, [Insert(A), Insert(AB)], instead("insert", one_more_reused), 0),
        (
            "insert-outcome",
            PLAIN,
            [Insert(AB), Insert(ABC, reuse=True)],
            instead("match", shorter),
            0,
        ),
        (
            "insert-outcome",
            STATEFUL,
            [with_state(A), with_state(A)],
            instead("insert", say_taken),
            0,
        ),
        (
            "insert-outcome",
            PLAIN,
            [Insert(A)],
            both(in_vain("free", None), instead("insert", one_more_reused)),
            0,
        ),
        ("full-not-inserted", PLAIN, [Insert(A)], free_instead_of_inserting, 0),
        ("swa-not-inserted", WINDOWED, [Insert(A)], insert_tombstone, 0),
        ("swa-not-inserted", replace(WINDOWED, threshold=2), [Insert(A)], insert_tombstone, 0),
        ("mamba-not-inserted", STATEFUL, [with_state(A)], drop_state, 0),
        ("full-unexpected", PLAIN, [Insert(A)], lie(nodes=lambda nodes: (*nodes, NOBODYS)), 1),
        ("swa-unexpected", WINDOWED, [Insert(AB, evicted=2)], keep_swa_below_boundary, 0),
        ("cut-unasked", PLAIN, [Insert(AB), Insert(B)], cut_after_first_page, 2),
        ("not-cut", PLAIN, [Insert(ABC), Match(A), Match(AB)], look_without_cutting, 0),
    ],
    ids=words,
)
def test_match(
    signature_of: SignatureOf,
    rule: str,
    config: Config,
    operations: Sequence[Operation],
    deed: Deed,
    after: int,
) -> None:
    assert signature_of(config, operations, deed, after) == f"MATCH/{rule}"


# -- PROGRESS --


def refuse_second(system: RadixSystem) -> None:
    """Only the first allocation is granted."""
    allocate, granted = system.allocate, iter((True,))
    system.allocate = lambda tokens: allocate(tokens) if next(granted, False) else None  # type: ignore[method-assign]


def hang_anywhere(system: RadixSystem) -> None:
    """What was fetched to the host is taken, although what it hangs on is not there."""
    system.cache.host_inserter._write_back = True


def keep_nothing(system: RadixSystem) -> None:
    """What was fetched to the host is not taken."""

    def insert_host(key: Key, fetched: Fetched, start: int) -> int:
        host = system.cache.memory.host[COMPONENTS[FULL]]
        system.cache.host_inserter._free(host._slots.ravel()[list(fetched.slots)])
        return 0

    system.insert_host = insert_host  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("rule", "config", "operations", "deed"),
    [
        ("allocation-refused", PLAIN, [Insert(A)], in_vain("allocate", None)),
        ("allocation-refused", Config(device_pages=1), [Insert(A)], in_vain("allocate", None)),
        ("allocation-refused", PLAIN, [Insert(A), Insert(AB, reuse=True)], refuse_second),
        ("allocation-refused", STATEFUL, [with_state(A)], in_vain("allocate_state", None)),
        ("allocation-refused", PLAIN, [HostInsert(A)], in_vain("allocate_host", None)),
        ("host_insert-outcome", PLAIN, [HostInsert(A)], off_by_one("insert_host")),
        ("host_insert-outcome", PLAIN, [HostInsert(A)], keep_nothing),
        ("fetch-declined", PLAIN, [HostInsert(A)], in_vain("lock_host", None)),
        ("host_lock-declined", PLAIN, [*DEMOTED, HostLock("h1", A)], in_vain("lock_host", None)),
        (
            "host_lock-declined",
            PLAIN,
            [*DEMOTED, Match(A, "m1"), Match(A), HostLock("h1", A, kept="m1")],
            in_vain("lock_host", None),
        ),
        ("host_insert-outcome", Config(threshold=2), [Insert(A), HostInsert(AB)], hang_anywhere),
        ("run_copies-outcome", PLAIN, [Insert(A), RunCopies()], in_vain("run_copies", 0)),
        (
            "run_copies-outcome",
            PLAIN,
            [*DEMOTED, LoadBack(A), RunCopies(load=True)],
            in_vain("run_copies", 0),
        ),
        ("writing_check-outcome", PLAIN, [Insert(A), SETTLE], in_vain("writing_check", 0)),
        ("writing_check-outcome", PLAIN, [Insert(A), WritingCheck()], in_vain("writing_check", 1)),
        (
            "loading_check-outcome",
            PLAIN,
            [*DEMOTED, LoadBack(A), LOADED],
            in_vain("loading_check", 0),
        ),
        (
            "loading_check-outcome",
            PLAIN,
            [*DEMOTED, LoadBack(A), LoadingCheck()],
            in_vain("loading_check", 1),
        ),
    ],
    ids=words,
)
def test_progress_of_outcomes(
    signature_of: SignatureOf,
    rule: str,
    config: Config,
    operations: Sequence[Operation],
    deed: Deed,
) -> None:
    assert signature_of(config, operations, deed) == f"PROGRESS/{rule}"


def test_what_is_told_of_copies_that_failed_is_not_believed(signature_of: SignatureOf) -> None:
    """A poll after a failure acknowledges nothing: the copy has to be made again first."""
    operations = [Insert(A), RunCopies(fail=True), WritingCheck()]
    assert (
        signature_of(PLAIN, operations, in_vain("writing_check", 1))
        == "PROGRESS/writing_check-outcome"
    )


# -- and then --


def insert_unasked(system: RadixSystem) -> None:
    """A prompt is in the cache that nobody sent."""
    slots = system.cache.memory.device.allocate(1)
    assert slots is not None
    system.write(
        slots.tolist(), [3]
    )  # the content of the third prefix of the history: the first two were sent
    system.cache.insert((7,), slots.tolist())


def take_off_device(system: RadixSystem) -> None:
    for component in (SWA, FULL):
        drop_device(component, 1)(system)


@pytest.mark.parametrize(
    ("config", "before", "deed", "signatures"),
    [
        (PLAIN, [Insert(A), SETTLE, Evict(1)], drop_host(FULL, 1), ["PROGRESS/full_host-lost"]),
        (PLAIN, [Insert(A), SETTLE, EvictHost(1)], drop_device(FULL, 1), ["PROGRESS/full-lost"]),
        (WINDOWED, [Insert(A), SETTLE, EvictHost(1)], drop_device(SWA, 1), ["PROGRESS/swa-lost"]),
        (
            WINDOWED,
            [Insert(A), SETTLE, EvictHost(1)],
            take_off_device,
            ["PROGRESS/full-lost", "PROGRESS/swa-lost"],
        ),
        (
            STATEFUL,
            [with_state(A), SETTLE, EvictHost(1)],
            drop_device(MAMBA, 1),
            ["PROGRESS/mamba-lost"],
        ),
        (
            WRITE_BACK,
            [Insert(A), Evict(1), Insert(B)],
            drop_host(FULL, 1),
            ["PROGRESS/full_host-lost"],
        ),
        (Config(threshold=9), [Insert(A), Insert(B)], insert_unasked, ["MATCH/full-unexpected"]),
        (HOSTLESS, [Insert(A), Insert(B)], insert_unasked, ["MATCH/full-unexpected"]),
    ],
    ids=words,
)
@pytest.mark.parametrize("every", [DELTAS, WHOLE])
def test_after_a_breach_that_can_be_tolerated_the_model_goes_on_with_what_is_there(
    tampered: Callable[[Deed, int], Target],
    config: Config,
    before: list[Operation],
    deed: Deed,
    signatures: list[str],
    every: int,
) -> None:
    """Nothing that follows is held against the system a second time."""
    run = Run(tampered(deed, len(before)), config, every)
    found = [[breach.signature for breach in run.step(operation)] for operation in before]
    assert found[:-1] == [[]] * (len(before) - 1)
    assert found[-1] == signatures
    unasked = Key((7,))
    after = (
        *(
            Match(A),
            Match(unasked),
            Lock("r1", A),
            HostLock("h1", A),
            Insert(AB),
            Insert(unasked),
            Unlock("h1"),
            Unlock("r1"),
        ),
        *(SETTLE, Evict(1), LoadBack(AB), LOADED, Evict(8), EvictHost(16)),
    )
    assert [run.step(operation) for operation in after] == [[]] * len(after)
    assert run.finish() == []
    assert run.judge.abstraction.nodes == {}
    run.close()


BreachesOf = Callable[[Target, Config, Sequence[Operation], int], list[Breach]]


def test_match_says_what_was_expected_and_what_was_seen(
    tampered: Callable[[Deed, int], Target], breaches_of: BreachesOf
) -> None:
    (breach,) = breaches_of(
        tampered(instead("match", shorter), 0), PLAIN, [Insert(AB), Match(AB)], DELTAS
    )[:1]
    assert breach.text == (
        "match [1 2]: expected 2 tokens on device, got 1 token on device, 2 with host; "
        "on the device it ends at token 2, where what is cached of it ends"
    )


def copies_where_there_is_room(system: RadixSystem) -> None:
    """A state is copied only if a slot is free: none is evicted for it."""
    copy = system.copy_state

    def copy_state(anchor: Any) -> int | None:
        slot = system.allocate_state()
        if slot is None:
            return None
        system.free_state(slot)
        return copy(anchor)

    system.copy_state = copy_state  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("windows", "rule"), [(5, "PROGRESS/state-of-best-kept"), (8, "PROGRESS/stopped-early")]
)
def test_progress_of_a_copy_of_a_state(
    tampered: Callable[..., Target], windows: int, rule: str
) -> None:
    """Another name where the state that should have gone is that of the best node, to which the
    request does not get: its window cannot be loaded."""
    config = Config(
        window=3,
        swa_pages=windows,
        mamba_states=3,
        swa_host_pages=16,
        mamba_host_states=16,
    )
    operations: list[Operation] = [
        Arrive("q2", Key((1, 2, 3, 4))),
        Prefill("q2"),
        Prefill("q2", 3),
        Abort("q2"),
        SETTLE,
        Match(AB),
        Arrive("q12", A),
        Decode("q12", (2,)),
        Decode("q12", (3,)),
        Arrive("q14", Key((1, 2, 3, 4)) if windows == 5 else A),
    ]
    run = Run(tampered(copies_where_there_is_room, 0), config, every=1)
    *before, last = [run.step(operation) for operation in operations]
    run.close()
    assert before == [[]] * len(before)
    assert last[0].signature == rule
