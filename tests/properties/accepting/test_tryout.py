"""A scope that says too much is found out before anything is blamed on the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

import radixproof
from radixproof import ONE_TIER, Config, EvictionPolicy, Key, Lookup, Observation, Target
from radixproof.impl.observation import PerComponent
from radixproof.impl.system import AdapterMistake, System
from radixproof.properties.accepting.tryout import tried_out
from toy_adapter import Adapter, target

TWO = [Config(host_pages=0, page_size=size, device_pages=4 + size) for size in (1, 2)]
EVERY_ORDER = replace(ONE_TIER, eviction_policies=tuple(EvictionPolicy))


class Looks(Adapter):
    """It looks the root up for observing it, which renews the first node."""

    def observe(self, whole: bool) -> Observation:
        self.cache.match((1,))
        return super().observe(whole)


class OtherIds(Adapter):
    """It names parents otherwise than nodes."""

    def observe(self, whole: bool) -> Observation:
        seen = super().observe(whole)
        seen.nodes = tuple(
            view._replace(parent=view.parent and view.parent + 50) for view in seen.nodes
        )
        return seen


class Ordered(Adapter):
    """It looks at the order only when it evicts, and at namespaces when it matches."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.config = config

    def match(self, key: Key) -> Lookup:
        assert isinstance(key.namespace, str)
        return super().match(key)

    def evict(self, full: int, *_: object) -> tuple[int, int, int]:
        assert self.config.eviction_policy in EvictionPolicy
        return super().evict(full)


def played(mine: Target, configs: Sequence[Config]) -> int:
    """How many caches got as far as their last call, the eviction, when a target was tried out."""
    evicted: list[Config] = []

    def build(config: Config) -> System:
        system = mine.build(config)
        evict = system.evict

        def noted(full: int, swa: int, mamba: int) -> PerComponent:
            evicted.append(config)
            return evict(full, swa, mamba)

        system.evict = noted  # type: ignore[method-assign]
        return system

    tried_out(replace(mine, build=build), configs)
    return len(evicted)


def says(mine: Target) -> str:
    with pytest.raises(AdapterMistake) as raised:
        radixproof.check(mine, steps=100)
    return str(raised.value)


@pytest.mark.parametrize(
    ("scope", "unread"),
    [
        (EVERY_ORDER, "config.eviction_policy is never read; pass it on, or write eviction_pol"),
        (replace(ONE_TIER, namespaces=True), "key.namespace is never read; pass it on, or write"),
    ],
)
def test_what_may_differ_must_be_looked_at(scope: radixproof.Scope, unread: str) -> None:
    text = says(replace(target, scope=scope))
    assert text.startswith("the scope of toy allows more than its adapter looks at: ")
    assert unread in text


def test_what_is_looked_at_late_is_looked_at() -> None:
    mine = replace(target, build=Ordered, scope=replace(EVERY_ORDER, namespaces=True))
    assert played(mine, TWO) == len(TWO)


def test_what_does_not_differ_need_not_be_looked_at() -> None:
    assert played(target, TWO[:1]) == 1
    assert played(target, TWO) == len(TWO)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Looks, "observe changes what it looks at: ages is {"),
        (OtherIds, "observe shows a node 2 below 51, which it does not show"),
    ],
)
def test_two_looks_that_contradict_each_other(kind: type[Adapter], text: str) -> None:
    assert text in says(replace(target, build=kind))


def test_what_is_raised_is_left_to_the_search() -> None:
    def raises(self: Adapter, *_: Any) -> tuple[int, int, int]:
        raise RuntimeError

    mine = replace(target, build=type("Mine", (Adapter,), {"evict": raises}), scope=EVERY_ORDER)
    tried_out(mine, TWO)
