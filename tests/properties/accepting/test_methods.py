"""What a system must have, and how it must let itself be called."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any, Protocol, cast

import pytest

from radixproof import ONE_TIER, Config, Scope, System, WritingCheck
from radixproof.impl import carrying, fetching
from radixproof.impl import system as protocols
from radixproof.impl.operations import Decode, Prefill
from radixproof.impl.system import (
    AdapterMistake,
    Adopting,
    Closing,
    Complete,
)
from radixproof.properties.accepting.answers import ANSWERS
from radixproof.properties.accepting.methods import called, complete
from toy_adapter import Adapter

PLAIN = Config(host_pages=0)


def without(*names: str, **others: Any) -> System:
    """The adapter of the toy without some methods, and with others."""
    methods = {
        name: method
        for name, method in vars(Adapter).items()
        if name not in (*names, "__dict__", "__weakref__")
    }
    return cast(System, type("Mine", (), methods | others)(PLAIN))


@pytest.mark.parametrize(
    ("mine", "says"),
    [
        (without("evict"), "Mine has no evict, which every system must have"),
        (
            without("available", avaliable=Adapter.available),
            "Mine has no available, which every system must have (is it avaliable?)",
        ),
        (without("reset"), "the scope of Mine calls for reset, which it does not have: leave out"),
        (without(match=None), "Mine has no match, which every system must have"),
        (
            without(insert=lambda self, key, slots: None),
            "Mine.insert cannot be called with (key, slots, protected, evicted, state, priority, "
            "inserted), as it will be",
        ),
        (without(reset=lambda self, hard: None), "Mine.reset cannot be called with ()"),
    ],
)
def test_a_method_that_is_missing_or_cannot_be_called_is_named(mine: System, says: str) -> None:
    with pytest.raises(AdapterMistake) as raised:
        complete(mine, ONE_TIER)
    assert str(raised.value).startswith(says)


def test_what_cannot_be_seen_is_not_refused() -> None:
    mine = without(evict=len, read=lambda self, *anything: [])
    mine.free = print  # type: ignore[method-assign, assignment]
    assert complete(mine, ONE_TIER) is mine


def test_a_scope_calls_for_no_more_than_it_offers() -> None:
    assert set(called(ONE_TIER)) == {name for name in vars(Adapter) if name[0] != "_"}
    assert {"in_flight", "copied", "swa_of", "copy_state", "release_window"} <= set(called(Scope()))
    alone = replace(Scope(), ranks=False)
    assert "copied" not in called(alone)
    assert WritingCheck in alone.offers()


def test_every_protocol_is_a_part_of_the_whole() -> None:
    parts = {
        kind
        for module in (protocols, carrying, fetching)
        for kind in vars(module).values()
        if inspect.isclass(kind)
        and kind.__module__ == module.__name__
        and Protocol in kind.__bases__
    }
    assert parts == {*Complete.__bases__[:-1], Complete}


def test_every_method_is_called_for_by_some_scope() -> None:
    """But not those that a system has if it returns anchors, or holds something."""
    parts = set(Complete.__bases__) - {Adopting, Closing}
    scope = Scope(
        launches=(Prefill, Decode), carries_requests=True, carries_prefetches=True, self_checks=True
    )
    every = called(scope)
    assert set(every) == {name for part in parts for name in vars(part) if name[0] != "_"}


@pytest.mark.parametrize("name", called(Scope()))
def test_every_answer_has_a_form(name: str) -> None:
    """But what says nothing, what is only handed back, and an observation, which is looked at
    wherever it is used.
    """
    answer = inspect.signature(getattr(Complete, name)).return_annotation
    assert (name in ANSWERS) == (answer not in ("None", "Any", "Observation"))
