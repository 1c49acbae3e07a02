"""Bugs in where a prefix may end: what is asked of which component, and on which tier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from radixproof.impl.faults.matching import Judge, as_it_should, gated, match_by
from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import CacheConfig
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.matching import Match
    from radixproof.impl.radix.node import Node


@fault(
    "family of B49, SGLang pull request 27291: a window one off",
    "a match asks for a window that is one token too long",
    Property.MATCH,
)
def match_with_a_window_a_token_long(cache: RadixCache) -> None:
    from radixproof.impl.radix.window import Gate

    def judge(config: CacheConfig) -> Judge:
        window = None if config.window is None else config.window + 1
        return gated(Gate(window), Gate(window), config.stateful)

    match_by(cache, judge)


@fault(
    "family of B15, SGLang pull request 29349: less than a window at the end",
    "the window of a match is counted from the tombstone on, not from below it",
    Property.MATCH,
)
def tombstone_counts_for_the_window(cache: RadixCache) -> None:
    from radixproof.impl.radix.window import Gate

    class Inclusive(Gate):
        """Counts the units of a tombstone as if they were below it."""

        def admits(self, node: Node, present: bool) -> bool:
            admitted = super().admits(node, present)
            if not present:
                self.run = len(node.segment)
            return admitted

    match_by(cache, lambda c: gated(Inclusive(c.window), Inclusive(c.window), c.stateful))


@fault(
    "family of B36, SGLang pull request 24943: a walk that stops",
    "a match goes no further than the first node on which no prefix may end",
    Property.MATCH,
)
def match_stops_where_it_may_not_end(cache: RadixCache) -> None:
    def judge_of(config: CacheConfig) -> Judge:
        judge = as_it_should(config)
        refused: list[Node] = []

        def judge_above(node: Node) -> tuple[bool, bool]:
            device, either = judge(node)
            if not either:
                refused.append(node)
            return device and not refused, either and not refused

        return judge_above

    match_by(cache, judge_of)


@fault(
    "family of B30, SGLang pull request 37584 and issue 38815: a state of another length",
    "a prefix may end below a node with a state, as if that were its own",
    Property.MATCH,
)
def state_above_is_enough(cache: RadixCache) -> None:
    from radixproof.impl.radix.window import Gate

    def judge_of(config: CacheConfig) -> Judge:
        judge = gated(Gate(config.window), Gate(config.window), False)
        states: list[Node] = []

        def judge_below(node: Node) -> tuple[bool, bool]:
            device, either = judge(node)
            if node.mamba.device is not None or not config.stateful:
                states.append(node)
            known = bool(states)
            return device and known, either and (known or node.mamba.host is not None)

        return judge_below

    match_by(cache, judge_of)


@fault(
    "family of B76, SGLang issue 38452: what neither answer can serve",
    "a state on the host is as good as one on the device for what a request is served from there",
    Property.MATCH,
)
def state_on_host_served_from_device(cache: RadixCache) -> None:
    def judge_of(config: CacheConfig) -> Judge:
        from radixproof.impl.radix.window import Gate

        judge, on_device = as_it_should(config), Gate(config.window)

        def judge_loosely(node: Node) -> tuple[bool, bool]:
            _, either = judge(node)
            return on_device.admits(node, node.swa.device is not None) and either, either

        return judge_loosely

    match_by(cache, judge_of)


@fault(
    "family of B77, SGLang pull request 39541: a hit that is not seen",
    "a state on the host is not looked at where FULL is on the device",
    Property.PROGRESS,
)
def state_on_host_overlooked_beside_full(cache: RadixCache) -> None:
    def judge_of(config: CacheConfig) -> Judge:
        judge = as_it_should(config)

        def judge_narrowly(node: Node) -> tuple[bool, bool]:
            device, either = judge(node)
            lost = config.stateful and node.mamba.device is None and node.full.device is not None
            return device, either and not lost

        return judge_narrowly

    match_by(cache, judge_of)


@fault(
    "family of B40, SGLang pull request 27391: what a load-back will need",
    "what a match says of windows on the host only is counted along the whole path",
    Property.MATCH,
)
def host_windows_counted_to_the_root(cache: RadixCache) -> None:
    match, config = cache.match, cache.config

    def match_in_the_window(tokens: Sequence[int], namespace: str = "") -> Match:
        cache.config = config
        found = match(tokens, namespace)
        if config.window is not None:
            cache.config = replace(config, window=1 << 30)
        return found

    cache.match = match_in_the_window  # type: ignore[method-assign]
