"""Sabotage of matches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from radixproof.impl.sabotage.planting import FULL, HOSTED, MAMBA, SWA, Strikes, kind
from radixproof.impl.sabotage.seams import around, instead

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.matching import Match
    from radixproof.impl.radix.node import Node

DEVICE = (
    "The *device* answer is the deepest end that is valid with device state alone; its FULL slots"
    " are what the request is served."
)
BEST = "The *best* answer is the deepest end that is valid when host copies count as well:"
ENOUGH = "A match may end where the run is at least `window`."
SHAPE = (
    "If it ends inside a node, that node is split there (5). So a match changes the shape of the"
    " tree, and recency, but no page's state."
)


@kind("a match ends a node short of what is on the device", "3.3", DEVICE)
def match_a_node_short(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache, "match")
    def short(match: Callable[..., Match], *key: Any) -> Match:
        found = match(*key)
        above = found.device_node.parent
        if above is None or not strikes(FULL):
            return found
        return found._replace(slots=found.slots[: above.end], device_node=above)


@kind("the best answer of a match is a node short", "3.3", BEST, policies=HOSTED)
def best_match_a_node_short(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache, "match")
    def short(match: Callable[..., Match], *key: Any) -> Match:
        found = match(*key)
        above = found.best_node.parent
        deeper = above is not None and above.end >= found.device_node.end
        if above is None or not deeper or not strikes(FULL):
            return found
        return found._replace(best_node=above)


def _window(cache: RadixCache, strikes: Strikes, change: int) -> None:
    """One match believes in another window."""

    @around(cache, "match")
    def wrong(match: Callable[..., Match], *key: Any) -> Match:
        window = cache.config.window
        if window is None or window + change < 1 or not strikes(SWA):
            return match(*key)
        with instead(cache, "config", replace(cache.config, window=window + change)):
            return match(*key)


@kind("a match is content with a token less than a window", "3.2", ENOUGH, (SWA,))
def match_window_a_token_short(cache: RadixCache, strikes: Strikes) -> None:
    _window(cache, strikes, -1)


@kind("a match asks for a token more than a window", "3.2", ENOUGH, (SWA,))
def match_window_a_token_long(cache: RadixCache, strikes: Strikes) -> None:
    _window(cache, strikes, 1)


@kind("a match serves a slot's neighbour", "3.3", DEVICE)
def neighbour_served(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache, "match")
    def beside(match: Callable[..., Match], *key: Any) -> Match:
        found = match(*key)
        if not len(found.slots) or not strikes(FULL):
            return found
        slots = found.slots.copy()
        first = cache.config.page_size
        slots[-1] += -1 if slots[-1] > first else 1
        return found._replace(slots=slots)


@kind("a match splits a node that its key does not reach", "3.1", SHAPE)
def split_unasked(cache: RadixCache, strikes: Strikes) -> None:
    size = cache.config.page_size

    @around(cache, "match")
    def split(match: Callable[..., Match], *key: Any) -> Match:
        found = match(*key)
        long = next((node for node in cache.tree.nodes() if len(node.segment) > size), None)
        if long is not None and strikes(FULL):
            cache.tree.split(long, size)
        return found


@kind(
    "a request gets a copy of another prefix's state",
    "3.6",
    "The copy holds what the prefix's state is: while a load-back is still bringing it, that is"
    " what the host has.",
    (MAMBA,),
)
def state_of_another(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache, "copy_state")
    def another(copy_state: Callable[..., int | None], node: Node) -> int | None:
        others = (
            other
            for other in cache.tree.nodes()
            if other is not node and other.mamba.device is not None and not other.loading
        )
        other = next(others, None)
        return copy_state(other if other is not None and strikes(MAMBA) else node)
