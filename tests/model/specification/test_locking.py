"""Locks of both tiers, their receipts, and the window that is given back early (semantics 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import DEVICE, HOST, POOLS, Component, Pool
from radixproof.model.dialect import Dialect

Start = Callable[..., Any]

NEVER = 99
"""A threshold that keeps backups out of a test."""


# -- on the device ---------------------------------------------------------------------------------


def test_a_lock_covers_the_path_in_full_and_a_window_in_swa(start: Start) -> None:
    cache = start(window=2, threshold=NEVER)
    cache.put("1 2 3")
    for text in ("1", "1 2"):
        cache.match(text)
    assert cache.lock("r1", "1 2 3 4") == 3
    assert cache.holders(Pool.FULL) == {"1": {"r1"}, "1 2": {"r1"}, "1 2 3": {"r1"}}
    assert cache.holders(Pool.SWA) == {"1 2": {"r1"}, "1 2 3": {"r1"}}


def put_in_one_piece(cache: Any, text: str) -> None:
    """A node longer than the window: a new one is cut, one whose window comes later is not."""
    cache.put(text, evicted=len(text.split()))
    cache.put(text)


def test_a_lock_covers_whole_nodes(start: Start) -> None:
    cache = start(window=2, threshold=NEVER)
    put_in_one_piece(cache, "1 2 3")
    cache.lock("r1", "1 2 3")
    assert cache.holders(Pool.SWA) == {"1": {"r1"}, "1 2": {"r1"}, "1 2 3": {"r1"}}


def test_a_receipt_survives_splits(start: Start) -> None:
    cache = start(window=2, threshold=NEVER)
    put_in_one_piece(cache, "1 2 3 4")
    cache.lock("r1", "1 2 3 4")
    for text in ("1", "1 2", "1 2 3"):
        cache.match(text)
    cache.lock("r2", "1 2 3 4")
    both, first = {"r1", "r2"}, {"r1"}
    assert cache.holders(Pool.SWA) == {"1": first, "1 2": first, "1 2 3": both, "1 2 3 4": both}
    cache.unlock("r1")
    assert set(cache.holders(Pool.FULL)) == {"1", "1 2", "1 2 3", "1 2 3 4"}
    assert cache.holders(Pool.SWA) == {"1 2 3": {"r2"}, "1 2 3 4": {"r2"}}
    cache.unlock("r2")
    assert not any(cache.holders(pool) for pool in POOLS)


@pytest.mark.parametrize(
    ("segments", "covered"), [(True, {"1 2 3", "1 2 3 4"}), (False, {"1 2", "1 2 3 4"})]
)
def test_a_tombstone_under_a_lock(start: Start, segments: bool, covered: set[str]) -> None:
    """It counts, or it is passed over and covers nothing; a value that arrives later does not
    change the receipt."""
    cache = start(window=2, threshold=NEVER, dialect=Dialect(segment_locks=segments))
    cache.put("1 2 3", evicted=3)
    cache.match("1")
    cache.match("1 2")
    cache.put("1 2", evicted=1)
    cache.put("1 2 3 4", evicted=3)
    assert cache.tree() == {"1": "F|", "1 2": "FS|", "1 2 3": "F|", "1 2 3 4": "FS|"}
    cache.lock_page("r1", "1 2 3 4")
    assert set(cache.holders(Pool.SWA)) == covered
    cache.put("1 2 3 4")
    assert cache.tree()["1 2 3"] == "FS|"
    assert set(cache.holders(Pool.SWA)) == covered
    cache.unlock("r1")
    assert not any(page.locked for page in cache.all_pages())


def test_an_empty_match_locks_nothing(start: Start) -> None:
    cache = start(window=2, mamba=True)
    assert cache.lock("r1", "1") == 0
    assert [holder.name for holder in cache.cache.receipts] == ["r1"]
    cache.unlock("r1")
    assert cache.cache.receipts == {}


def test_of_states_a_lock_covers_that_of_its_anchor(start: Start) -> None:
    cache = start(mamba=True, threshold=NEVER)
    cache.put("1", state=True)
    cache.put("1 2", state=True)
    cache.lock("r1", "1 2")
    assert cache.holders(Pool.MAMBA) == {"1 2": {"r1"}}
    cache.unlock("r1")
    assert cache.holders(Pool.MAMBA) == {}


@pytest.mark.parametrize(("segments", "held"), [(True, {"1 2": {"r1"}}), (False, {})])
def test_a_state_that_comes_under_a_lock_is_protected(
    start: Start, segments: bool, held: dict[str, set[str]]
) -> None:
    """The lock counts whether a state is there or not; before 0.5.20 an absent one got no lock
    (semantics 6.1)."""
    cache = start(mamba=True, threshold=NEVER, dialect=Dialect(segment_locks=segments))
    cache.put("1 2")
    cache.lock_page("r1", "1 2")
    assert cache.put("1 2", state=True).taken
    assert cache.holders(Pool.MAMBA) == held
    assert cache.evict(mamba=1)[2] == (0 if segments else 1)


# -- given back early ------------------------------------------------------------------------------


def test_a_window_given_back_is_freed_where_nothing_hangs_below_it(start: Start) -> None:
    """With the state of its end; the host copies stay, and FULL stays locked until the receipt is
    given back (semantics 6.4)."""
    cache = start(window=2, mamba=True)
    cache.put("1 2", state=True)
    cache.put("1 2 3 4", state=True)
    cache.settle()
    cache.lock("r1", "1 2 3 4")
    cache.release_window("r1")
    assert cache.tree() == {"1": "FSfs", "1 2": "FSMfsm|", "1 2 3": "Ffs", "1 2 3 4": "Ffsm|"}
    assert set(cache.holders(Pool.FULL)) == {"1", "1 2", "1 2 3", "1 2 3 4"}
    assert not any(cache.holders(pool) for pool in (Pool.SWA, Pool.MAMBA))
    cache.unlock("r1")
    assert not any(cache.holders(pool) for pool in POOLS)


def test_a_window_given_back_stays_where_something_on_the_device_hangs_below_it(
    start: Start,
) -> None:
    cache = start(window=2, mamba=True)
    cache.put("1 2", state=True)
    cache.put("1 2 3 4", state=True)
    cache.settle()
    cache.lock("r1", "1 2")
    cache.release_window("r1")
    assert cache.tree()["1 2"] == "FSMfsm|"
    cache.lock("r2", "1 2")
    cache.evict(full=2)
    assert cache.tree()["1 2 3 4"] == "fsm|"
    cache.release_window("r2")
    assert cache.tree()["1 2"] == "Ffsm|", "what hangs below on the host only needs no window"


def test_a_window_that_another_lock_covers_stays(start: Start) -> None:
    cache = start(window=2, threshold=NEVER)
    put_in_one_piece(cache, "1 2 3")
    cache.lock("r1", "1 2 3")
    cache.match("1")
    cache.lock("r2", "1 2 3")
    assert cache.holders(Pool.SWA) == {"1": {"r1"}, "1 2": {"r1", "r2"}, "1 2 3": {"r1", "r2"}}
    cache.release_window("r1")
    assert cache.tree() == {"1": "FS|", "1 2": "FS", "1 2 3": "FS|"}
    cache.release_window("r2")
    assert cache.tree() == {"1": "FS|", "1 2": "F", "1 2 3": "F|"}


def test_a_released_window_without_a_host_copy_is_lost(start: Start) -> None:
    cache = start(window=2, threshold=NEVER)
    cache.put("1 2")
    cache.lock("r1", "1 2")
    cache.release_window("r1")
    assert cache.tree() == {"1": "F", "1 2": "F|"}
    assert cache.flying() == []


def test_older_releases_keep_a_released_window_until_it_is_evicted(start: Start) -> None:
    cache = start(window=2, threshold=NEVER, dialect=Dialect(release_frees_leaf=False))
    cache.put("1 2")
    cache.lock("r1", "1 2")
    cache.release_window("r1")
    assert cache.tree() == {"1": "FS", "1 2": "FS|"}
    assert cache.evict(swa=2) == (0, 2, 0), (
        "FULL is still locked, so that it goes as an interior node does"
    )


def test_a_window_is_given_back_once(start: Start) -> None:
    cache = start(window=2)
    cache.put("1 2")
    cache.lock("r1", "1 2")
    assert cache.may_release("r1")
    cache.release_window("r1")
    assert not cache.may_release("r1")


@pytest.mark.parametrize(
    ("shape", "early"), [({}, False), ({"window": 2}, True), ({"mamba": True}, True)]
)
def test_a_lock_of_full_alone_has_nothing_to_give_back_early(
    start: Start, shape: dict[str, Any], early: bool
) -> None:
    cache = start(**shape)
    cache.put("1", state="mamba" in shape)
    cache.lock("r1", "1")
    assert cache.may_release("r1") is early


def test_without_a_window_the_state_is_given_back_and_stays(start: Start) -> None:
    cache = start(mamba=True, threshold=NEVER)
    cache.put("1", state=True)
    cache.lock("r1", "1")
    cache.release_window("r1")
    assert cache.tree() == {"1": "FM|"}
    assert cache.evict(mamba=1) == (0, 0, 1)
    assert cache.tree() == {"1": "F|"}


def test_a_state_is_given_back_alone_once(start: Start) -> None:
    """The window stays, and what follows gives back the rest; another lock of it stays, too."""
    cache = start(window=2, mamba=True, threshold=NEVER)
    cache.put("1 2", state=True)
    cache.lock("r1", "1 2")
    cache.lock("r2", "1 2")
    cache.release_state("r1")
    assert cache.holders(Pool.MAMBA) == {"1 2": {"r2"}}
    assert cache.holders(Pool.SWA) == {"1": {"r1", "r2"}, "1 2": {"r1", "r2"}}
    assert cache.evict(mamba=1) == (0, 0, 0)
    cache.release_state("r2")
    assert cache.evict(mamba=1) == (0, 0, 1)
    assert cache.tree() == {"1": "FS", "1 2": "FS|"}
    cache.release_window("r2")
    assert cache.holders(Pool.SWA) == {"1": {"r1"}, "1 2": {"r1"}}
    cache.unlock("r2")
    cache.unlock("r1")
    assert not any(cache.holders(pool) for pool in POOLS)


# -- on the host -----------------------------------------------------------------------------------


def test_a_host_lock_covers_one_node_one_window_and_one_state(start: Start) -> None:
    cache = start(window=3, mamba=True)
    cache.demote("1", "1 2", "1 2 3 4")
    assert cache.lock_host("r1", "1 2 3 4") == 4
    assert cache.holders(Pool.FULL_HOST) == {"1 2 3": {"r1"}, "1 2 3 4": {"r1"}}
    assert set(cache.holders(Pool.SWA_HOST)) == {"1 2", "1 2 3", "1 2 3 4"}
    assert cache.holders(Pool.MAMBA_HOST) == {"1 2 3 4": {"r1"}}
    assert not any(cache.holders(pool) for pool in DEVICE)
    cache.unlock("r1")
    assert not any(cache.holders(pool) for pool in HOST)


def test_a_host_lock_counts_where_there_is_no_host_copy(start: Start) -> None:
    cache = start(window=2, mamba=True, threshold=NEVER)
    cache.put("1 2", state=True)
    cache.lock_host("r1", "1 2")
    assert [set(cache.holders(pool)) for pool in HOST] == [{"1", "1 2"}, {"1", "1 2"}, {"1 2"}]


def test_a_host_lock_of_nothing_found_locks_nothing(start: Start) -> None:
    cache = start(window=2, mamba=True)
    assert cache.lock_host("r1", "1") == 0
    assert not any(cache.holders(pool) for pool in HOST)
    cache.unlock("r1")


def test_a_host_lock_survives_splits(start: Start) -> None:
    """Of FULL it covers both halves, of a state the lower one (semantics 6.6)."""
    cache = start(mamba=True)
    cache.demote("1 2 3")
    cache.lock_host("r1", "1 2 3")
    cache.match("1")
    cache.match("1 2")
    assert set(cache.holders(Pool.FULL_HOST)) == {"1", "1 2", "1 2 3"}
    assert set(cache.holders(Pool.MAMBA_HOST)) == {"1 2 3"}
    assert cache.evict_host(9) == 0
    cache.unlock("r1")
    assert cache.evict_host(9) == 3


def test_a_host_lock_keeps_nothing_on_the_device(start: Start) -> None:
    cache = start(window=2, mamba=True)
    cache.put("1 2", state=True)
    cache.settle()
    cache.lock_host("r1", "1 2")
    assert cache.evict(full=1) == (2, 2, 1)
    assert cache.tree() == {"1": "fs", "1 2": "fsm|"}
    assert [cache.evict_host(9, component) for component in Component] == [0, 0, 0]
