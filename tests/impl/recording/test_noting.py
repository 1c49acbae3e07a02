"""A noted method takes what the method takes, and what it calls itself is no note of its own."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import pytest

from radixproof.impl.recording.noting import TAP, Noting, noted


class Listening:
    """A tap that keeps its notes."""

    busy, ended, request = False, "", "r1"

    def __init__(self) -> None:
        self.notes: list[Any] = []
        self.note = self.notes.append

    def free(self) -> tuple[int, ...]:
        return (7,)

    def fail(self, error: Exception) -> None:
        self.ended = str(error)


def decorated(call: Any) -> Any:
    @functools.wraps(call)
    def outer(*arguments: Any, **named: Any) -> Any:
        return call(*arguments, **named)

    return outer


class Cache:
    left = 3

    def lock(self, node: int, skipped: tuple[str, ...] = ("x",), *, deep: bool = False) -> Any:
        return node, skipped, deep

    @decorated
    def evict(self, wanted: int = 2, /, *more: int, **named: int) -> Any:
        return wanted, more, named, self.lock(wanted)

    def poll(self) -> None:
        self.left -= 1

    def refuse(self) -> None:
        raise KeyError("tokens 1 2 3")


def cache_with(tap: Listening | None, kind: str, noting: Noting, begun: Any = None) -> Any:
    """A cache of a class of its own that has the tap, of which this method is noted."""
    tapped: Any = type("Tapped", (Cache,), {TAP: tap})
    for name in {kind, "lock"}:
        asked = begun or (lambda _: None)
        setattr(tapped, name, noted(getattr(Cache, name), noting._replace(kind=name), asked))
    return tapped()


def given(tap: Any, *arguments: Any) -> tuple[Any, ...]:
    return arguments


def returned(result: Any) -> tuple[Any, ...]:
    return (result,)


SEEN = Noting("", given, returned)


def test_it_takes_what_the_method_takes() -> None:
    tap = Listening()
    cache = cache_with(tap, "lock", SEEN)
    assert cache.lock(1) == Cache().lock(1)
    assert cache.lock(skipped=(), node=2, deep=True) == (2, (), True)
    assert tap.notes == [
        ("lock", "r1", (1, ("x",)), ((1, ("x",), False),), None, None),
        ("lock", "r1", (2, ()), ((2, (), True),), None, None),
    ]
    with pytest.raises(TypeError, match="unexpected keyword argument 'nodes'"):
        cache.lock(nodes=1)
    assert inspect.signature(type(cache).lock) == inspect.signature(Cache.lock)


def test_of_a_decorated_method_the_parameters_are_seen_and_the_decorator_is_called() -> None:
    tap = Listening()
    cache = cache_with(tap, "evict", SEEN._replace(changes_pools=True))
    assert cache.evict() == (2, (), {}, (2, ("x",), False))
    assert cache.evict(4, 5, six=6) == (4, (5,), {"six": 6}, (4, ("x",), False))
    assert [note[:3] for note in tap.notes] == [
        ("evict", "r1", (2,)),
        ("evict", "r1", (4, 5)),
    ], "the lock is a part of it"
    assert {note[4] for note in tap.notes} == {(7,)}


def test_a_poll_is_noted_if_it_lowered_something() -> None:
    tap = Listening()
    cache = cache_with(tap, "poll", SEEN._replace(counted=lambda cache: cache.left))
    cache.poll()
    assert tap.notes == [("poll", "r1", (), (1,), None, None)]
    cache.left = 0
    cache.poll()
    assert len(tap.notes) == 1, "there was nothing to lower"


def test_an_error_is_noted_without_its_text() -> None:
    tap = Listening()
    cache = cache_with(tap, "refuse", SEEN)
    with pytest.raises(KeyError):
        cache.refuse()
    ((kind, _, _, _, _, (error, place)),) = tap.notes
    assert (kind, error) == ("refuse", "KeyError")
    assert place.startswith("test_noting.py:")
    assert place.endswith(" refuse")
    assert not tap.busy


def test_what_cannot_be_described_ends_the_recording_alone() -> None:
    def fails(*_: Any) -> Any:
        raise ValueError("not what was expected")

    for noting in (SEEN._replace(given=fails), SEEN._replace(returned=fails)):
        tap = Listening()
        cache = cache_with(tap, "lock", noting)
        assert cache.lock(1) == (1, ("x",), False)
        assert (tap.ended, tap.notes) == ("not what was expected", [])
        assert cache.lock(2) == (2, ("x",), False)


def test_a_cache_without_a_tap_is_asked_for_one_at_each_call() -> None:
    asked: list[Any] = []
    cache = cache_with(None, "lock", SEEN, asked.append)
    assert cache.lock(1) == (1, ("x",), False)
    assert cache.lock(2) == (2, ("x",), False)
    assert asked == [cache, cache]
