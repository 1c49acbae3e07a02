"""Whether a system loads back, and what goes for it: judged, and adopted (semantics 9.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from radixproof.model.config import POOLS, Pool
from radixproof.model.dialect import Dialect
from radixproof.model.key import Key

Start = Callable[..., Any]


def judged(
    cache: Any, text: str, loaded: bool, gone: dict[str, list[str]] | None = None, sure: bool = True
) -> list[str]:
    """A load-back of a system that loaded, or refused, and took this off the device: what is wrong
    with it."""
    loading = cache.cache.load_back(cache.page(text), None)
    assert not loading.refused
    return [
        breach.signature
        for breach in cache.follower.finish_load(loading, loaded, cache.choice(gone, sure=sure))
    ]


@pytest.mark.parametrize(
    ("loaded", "gone", "wrong"),
    [
        (True, ["7", "7 8"], []),
        (True, [], ["PROGRESS/stopped-early"]),
        (False, [], ["PROGRESS/load-refused"]),
        (False, ["7", "7 8"], ["PROGRESS/load-refused"]),
    ],
)
def test_a_load_back_that_has_room_is_not_refused(
    full_device: Start, loaded: bool, gone: list[str], wrong: list[str]
) -> None:
    cache = full_device(locked=False)
    assert judged(cache, "1 2", loaded, {"F": gone}) == wrong
    assert cache.tree()["1 2"] == ("Ff|" if loaded else "f|")
    assert bool(cache.flying()) is loaded


def test_a_load_back_without_room_is_rightly_refused(full_device: Start) -> None:
    assert judged(full_device(locked=True), "1 2", loaded=False) == []


def test_a_load_back_may_fail_with_an_allocation_that_was_told_to(full_device: Start) -> None:
    """Once, and when it has made its room (semantics 9.3, 17.4)."""
    cache = full_device(locked=False)
    cache.cache.refuse(Pool.FULL)
    assert judged(cache, "1 2", loaded=False, sure=False) == ["PROGRESS/load-refused"]
    assert judged(cache, "1 2", False, {"F": ["7", "7 8"]}, sure=False) == []
    assert not cache.cache.refusing, "it is over"
    assert judged(cache, "1 2", loaded=False) == ["PROGRESS/load-refused"]


@pytest.mark.parametrize("pool", [pool for pool in POOLS if pool is not Pool.FULL])
def test_a_refusal_of_what_a_load_back_does_not_take_is_no_excuse(
    full_device: Start, pool: Pool
) -> None:
    cache = full_device(locked=False)
    cache.cache.refuse(pool)
    gone = {"F": ["7", "7 8"]}
    assert judged(cache, "1 2", False, gone) == ["PROGRESS/load-refused"]


def test_room_that_a_host_lock_keeps_from_being_made_is_an_excuse(start: Start) -> None:
    """A leaf without a host copy would be deleted, and is locked on the host: it counts as
    evictable and cannot go."""
    cache = start(device_pages=3, threshold=2)
    cache.demote("1 2", "1 2")
    cache.put("7 8")
    cache.lock_host("r1", "7 8")
    assert judged(cache, "1 2", loaded=False) == []


def test_releases_that_make_room_for_full_alone_may_refuse(full_device: Start) -> None:
    cache = full_device(locked=False, dialect=Dialect(room_before_load=False))
    assert judged(cache, "1 2", loaded=False) == []


@pytest.mark.parametrize(
    ("loaded", "gone", "wrong"),
    [
        (True, {}, []),
        (False, {}, ["PROGRESS/load-refused"]),
        (True, {"F": ["7"]}, ["PROGRESS/load-freed-too-much"]),
    ],
)
def test_what_fits_is_loaded_and_nothing_goes_for_it(
    start: Start, loaded: bool, gone: dict[str, list[str]], wrong: list[str]
) -> None:
    """Whatever else a release evicts to make room: here there is room."""
    cache = start(device_pages=4, dialect=Dialect(room_before_load=False))
    cache.demote("1 2")
    cache.put("7")
    cache.settle()
    assert judged(cache, "1 2", loaded=loaded, gone=gone) == wrong


def test_a_release_may_refuse_what_another_load_back_is_about(start: Start) -> None:
    cache = start(device_pages=4, dialect=Dialect(room_before_load=False))
    cache.demote("1 2")
    cache.demote("7")
    assert judged(cache, "7", loaded=True) == []
    assert judged(cache, "1 2", loaded=False) == []


def one_short(start: Start, **shape: Any) -> Any:
    """A cache with a page of room, in which two are to be loaded back and two others could go."""
    cache = start(device_pages=3, **shape)
    cache.demote("1 2")
    cache.put("7")
    cache.put("8")
    cache.settle()
    return cache


def test_victims_of_a_load_back_go_in_order(start: Start) -> None:
    cache = one_short(start)
    cache.cache.match(Key((1, 2)))
    assert judged(cache, "1 2", loaded=True, gone={"F": ["8"]}) == ["RECENCY/access-time"]


def test_a_load_back_takes_no_more_than_it_needs(start: Start) -> None:
    cache = one_short(start)
    gone = {"F": ["7", "8"]}
    assert judged(cache, "1 2", loaded=True, gone=gone) == ["PROGRESS/load-freed-too-much"]


def test_a_load_back_that_went_ahead_has_evicted_what_it_lacked(start: Start) -> None:
    cache = one_short(start, dialect=Dialect(room_before_load=False))
    gone = {"F": ["7", "8"]}
    assert judged(cache, "1 2", loaded=True, gone=gone) == ["PROGRESS/load-freed-too-much"]


def test_a_window_that_went_along_for_a_load_back_was_more_than_it_lacked(start: Start) -> None:
    """The state beside it had to go, and goes alone (semantics 7.6, 9.3)."""
    cache = start(window=1, mamba=True, swa_pages=3, mamba_states=1)
    cache.demote("1 2")
    cache.put("7")
    cache.put("7 8", state=True)
    cache.put("7 8 9")
    cache.settle()
    gone = {"S": ["7", "7 8"], "M": ["7 8"]}
    assert judged(cache, "1 2", loaded=True, gone=gone) == ["PROGRESS/load-freed-too-much"]


def test_an_allocation_that_was_made_to_fail_hides_how_much_had_to_go(start: Start) -> None:
    cache = one_short(start, dialect=Dialect(room_before_load=False))
    assert judged(cache, "1 2", loaded=True, gone={"F": ["7", "8"]}, sure=False) == []
