"""Sabotage of the events that tell what is cached where."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

from radixproof.impl.radix.events import Event, Events
from radixproof.impl.sabotage.planting import FULL, HOSTED, Strikes, kind
from radixproof.impl.sabotage.seams import around

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node

STORED = '"stored" when a page gets device slots, or when its bytes are on the host (8.4, 10.3);'
REMOVED = '"removed" when it loses its slots on a tier;'
ONCE = "Slots that are replaced, and splits, are not spoken of, and nothing is said twice."
PARENT = "what is stored names the page above as its parent, none under the root."
KNOWS = "A router that hears all events knows exactly what is resident, but for backups in flight."
NAME = (
    "A page's name depends on its tokens, those before it and the namespace, and on nothing else;"
)


def _events(cache: RadixCache) -> Events:
    assert cache.tree.events is not None
    return cache.tree.events


@kind("what is stored is not announced", "1.8", STORED)
def stored_event_missing(cache: RadixCache, strikes: Strikes) -> None:
    @around(_events(cache), "stored")
    def in_silence(stored: Callable[..., None], node: Node, on_host: bool) -> None:
        if not strikes(FULL):
            stored(node, on_host)


@kind("what is removed is not announced", "1.8", REMOVED)
def removed_event_missing(cache: RadixCache, strikes: Strikes) -> None:
    @around(_events(cache), "removed")
    def in_silence(removed: Callable[..., None], node: Node, on_host: bool) -> None:
        if not strikes(FULL):
            removed(node, on_host)


@kind("what is stored is announced twice", "1.8", ONCE)
def stored_event_doubled(cache: RadixCache, strikes: Strikes) -> None:
    @around(_events(cache), "stored")
    def twice(stored: Callable[..., None], node: Node, on_host: bool) -> None:
        stored(node, on_host)
        if strikes(FULL):
            stored(node, on_host)


@kind("what is removed is announced twice", "1.8", ONCE)
def removed_event_doubled(cache: RadixCache, strikes: Strikes) -> None:
    @around(_events(cache), "removed")
    def twice(removed: Callable[..., None], node: Node, on_host: bool) -> None:
        removed(node, on_host)
        if strikes(FULL):
            removed(node, on_host)


@kind("what is stored is announced for the other tier", "1.8", STORED, policies=HOSTED)
def stored_event_on_other_tier(cache: RadixCache, strikes: Strikes) -> None:
    @around(_events(cache), "stored")
    def elsewhere(stored: Callable[..., None], node: Node, on_host: bool) -> None:
        stored(node, on_host != strikes(FULL))


@kind("what is removed is announced for the other tier", "1.8", REMOVED, policies=HOSTED)
def removed_event_on_other_tier(cache: RadixCache, strikes: Strikes) -> None:
    @around(_events(cache), "removed")
    def elsewhere(removed: Callable[..., None], node: Node, on_host: bool) -> None:
        removed(node, on_host != strikes(FULL))


def _told(cache: RadixCache, change: Callable[[list[Event]], None]) -> None:
    """Let ``change`` see what was said since the last time, right before it is handed out."""
    events = _events(cache)

    @around(events, "drain")
    def changed(drain: Callable[..., tuple[Event, ...]]) -> tuple[Event, ...]:
        change(events._events)
        return drain()


def _child_first(cache: RadixCache, strikes: Strikes, on_host: bool) -> None:
    def swap(events: list[Event]) -> None:
        for at, (above, below) in enumerate(pairwise(events)):
            tiers = above.on_host == below.on_host == on_host
            hangs = below.kind == above.kind == "stored" and below.parent in above.blocks
            if tiers and hangs and strikes(FULL):
                events[at : at + 2] = below, above
                return

    _told(cache, swap)


@kind("a child is announced before its parent", "1.8", PARENT)
def child_announced_first(cache: RadixCache, strikes: Strikes) -> None:
    _child_first(cache, strikes, on_host=False)


@kind("the pieces of a backup are announced from below", "1.8", PARENT, policies=HOSTED)
def host_child_announced_first(cache: RadixCache, strikes: Strikes) -> None:
    _child_first(cache, strikes, on_host=True)


@kind("a removal is announced before what was stored right before it", "1.8", KNOWS)
def removal_announced_first(cache: RadixCache, strikes: Strikes) -> None:
    def swap(events: list[Event]) -> None:
        for at, (one, other) in enumerate(pairwise(events)):
            same = one.blocks == other.blocks and one.on_host == other.on_host
            if same and {one.kind, other.kind} == {"stored", "removed"} and strikes(FULL):
                events[at : at + 2] = other, one
                return

    _told(cache, swap)


def _replaced(cache: RadixCache, strikes: Strikes, other: Callable[[Event], Event | None]) -> None:
    """One stored event is told otherwise, where that makes a difference."""

    def replace(events: list[Event]) -> None:
        for at, event in enumerate(events):
            wrong = other(event) if event.kind == "stored" else None
            if wrong is not None and strikes(FULL):
                events[at] = wrong
                return

    _told(cache, replace)


@kind("what is stored is announced under the root, not under its parent", "1.8", PARENT)
def stored_event_under_root(cache: RadixCache, strikes: Strikes) -> None:
    _replaced(cache, strikes, lambda event: event._replace(parent=None) if event.parent else None)


@kind("what is stored is announced under another page than its parent", "1.8", PARENT)
def stored_event_under_another(cache: RadixCache, strikes: Strikes) -> None:
    def another(event: Event) -> Event | None:
        blocks = (node.block for node in cache.tree.nodes())
        known = (one for one in blocks if one is not None)
        other = next((one for one in known if one not in (event.parent, *event.blocks)), None)
        return None if other is None else event._replace(parent=other)

    _replaced(cache, strikes, another)


@kind("what is stored is announced in another namespace", "1.8", NAME)
def stored_event_in_another_namespace(cache: RadixCache, strikes: Strikes) -> None:
    _replaced(cache, strikes, lambda event: event._replace(namespace=event.namespace + "?"))


@kind("what is stored is announced by the name of another page", "1.8", NAME)
def stored_event_misnamed(cache: RadixCache, strikes: Strikes) -> None:
    _replaced(
        cache,
        strikes,
        lambda event: event._replace(blocks=(*event.blocks[:-1], event.blocks[-1] ^ 1)),
    )
