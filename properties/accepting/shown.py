"""What an observation must be: its form, and that it does not contradict itself.

Whether it is what the cache should look like is not asked here. What a broken cache may well show
(a node below one that has left the tree, too many slots) is left to the properties.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any

from radixproof.impl.observation import ROOT, Event, NodeView, Observation, Whole
from radixproof.impl.sight import Sight
from radixproof.model.config import COMPONENTS, POOLS, Component, Config, Pool
from radixproof.properties.accepting.answers import are_numbers, is_number, spelled


def _named(view: NodeView) -> str:
    return f"node {view.id}"


def _names(members: Iterable[Pool | Component]) -> str:
    return ", ".join(member.name for member in members)


def _is_tuple(values: object, length: int) -> bool:
    return isinstance(values, tuple) and len(values) == length


def _is_row(numbers: object, length: int) -> bool:
    return _is_tuple(numbers, length) and are_numbers(numbers)


def _is_listed(slots: object) -> bool:
    return slots is None or (isinstance(slots, tuple) and are_numbers(slots))


class Watch:
    """One observation of a system after the other."""

    def __init__(self, config: Config, sight: Sight) -> None:
        self.config, self.sight = config, sight
        self.views: dict[int, NodeView] = {}
        """Every node that was ever shown, as it was shown last."""
        self.rooted = False
        """Whether a node under the root was shown."""
        self.slots: dict[Pool, frozenset[int]] = {}
        """All slots of a pool, where a new cache listed them as free."""

    def problem(self, seen: object, whole: bool) -> str:
        """What is wrong with an observation; empty if nothing is."""
        if not isinstance(seen, Observation):
            return f"returned {spelled(seen)}, and must return a radixproof.Observation"
        return next(self._problems(seen, whole), "")

    def problem_of_new(self, seen: Observation) -> str:
        """What is wrong with the first observation of a new cache."""
        if seen.nodes:
            return (
                f"shows {len(seen.nodes)} nodes of a new cache, which has none: leave out the "
                "root, and let build make a new cache each time"
            )
        listed = seen.whole.free if seen.whole else None
        for pool in self.config.pools:
            counts = []
            if seen.free is not None and pool in self.sight.free_counts:
                counts.append(seen.free[pool])
            slots = listed[pool] if listed else None
            if slots is not None and pool in self.sight.free_lists:
                self.slots[pool] = frozenset(slots)
                counts.append(len(self.slots[pool]))
            problem = next(filter(None, (self.miscounted(pool, free) for free in counts)), "")
            if problem:
                return problem
        return ""

    def miscounted(self, pool: Pool, free: int) -> str:
        """What is wrong with the number of free slots of a new cache."""
        size, pages = self.config.slots(pool), self.config.pages(pool)
        if free == size:
            return ""
        return (
            f"says that a new cache has {free} free {pool.name} slots; it must have {size}, since "
            f"it is built with {pages} pages of {self.config.unit(pool)}"
        )

    # -- the parts -----------------------------------------------------------------------------

    def _problems(self, seen: Observation, whole: bool) -> Iterator[str]:
        if not isinstance(seen.nodes, tuple | list):
            yield f"shows {spelled(seen.nodes)} as its nodes, and must show a tuple of NodeViews"
        yield from self._problems_of_nodes(seen.nodes)
        for name, size in (("free", POOLS), ("evictable", COMPONENTS), ("protected", COMPONENTS)):
            numbers = getattr(seen, name)
            if numbers is not None and not _is_row(numbers, len(size)):
                yield (
                    f"shows {name}={spelled(numbers)}, and must show a tuple of {len(size)} plain "
                    f"ints, one for each of {_names(size)}"
                )
        if seen.events is not None:
            yield from _problems_of_events(seen.events)
        if not are_numbers(seen.removed):
            yield f"shows removed={spelled(seen.removed)}, and must show a tuple of ids"
        if whole and not isinstance(seen.whole, Whole):
            yield (
                f"shows whole={spelled(seen.whole)} where it was asked for everything, and must "
                "show a radixproof.Whole then"
            )
        if isinstance(seen.whole, Whole):
            yield from _problems_of_whole(seen.whole, seen.nodes)

    def _problems_of_nodes(self, views: Iterable[NodeView]) -> Iterator[str]:
        here: set[int] = set()
        for view in views:
            if not (isinstance(view, NodeView) and self.views.get(view.id) == view):
                yield from self._problems_of_form(view)
            if view.id in here:
                yield f"shows two nodes with the id {view.id}"
            here.add(view.id)
            self.rooted = self.rooted or view.parent == ROOT
            if view.parent != ROOT and view.parent not in here and view.parent not in self.views:
                yield from self._problems_of_parent(view, views)
            self.views[view.id] = view

    def _problems_of_parent(self, view: NodeView, views: Iterable[NodeView]) -> Iterator[str]:
        """Of a node whose parent has not been shown. A parent that is gone is a breach of the
        cache, unless it seems that it stands for the root.
        """
        if any(other.id == view.parent for other in views):
            yield f"shows {_named(view)} before its parent {view.parent}: parents come first"
        if not self.rooted:
            yield (
                f"shows {_named(view)} below {view.parent}, which it has not shown: the parent of "
                f"what hangs under the root is {ROOT}"
            )

    def _problems_of_form(self, view: NodeView) -> Iterator[str]:
        if not isinstance(view, NodeView):
            yield f"shows {spelled(view)} among its nodes, and must show a radixproof.NodeView"
        if not are_numbers((view.id, view.parent)) or view.id <= ROOT:
            yield (
                f"shows a node with id {spelled(view.id)} and parent {spelled(view.parent)}: both "
                "must be plain ints, and an id positive"
            )
        if not isinstance(view.namespace, str):
            yield f"shows {_named(view)} in the namespace {spelled(view.namespace)}, not a str"
        if not isinstance(view.segment, tuple) or not all(map(self._is_unit, view.segment)):
            units = "pairs of plain ints" if self.config.bigram else "plain ints"
            tokens = spelled(view.segment)
            yield f"shows {_named(view)} with tokens {tokens}, and must show a tuple of {units}"
        for name in ("locks", "host_locks"):
            numbers = getattr(view, name)
            if numbers is not None and not _is_row(numbers, len(COMPONENTS)):
                yield (
                    f"shows {_named(view)} with {name}={spelled(numbers)}, and must show a tuple "
                    f"of plain ints, one for each of {_names(COMPONENTS)}"
                )
        yield from self._problems_of_slots(view)

    def _is_unit(self, unit: object) -> bool:
        if self.config.bigram:
            return isinstance(unit, tuple) and len(unit) == 2 and are_numbers(unit)
        return is_number(unit)

    def _problems_of_slots(self, view: NodeView) -> Iterator[str]:
        if not isinstance(view.slots, tuple) or len(view.slots) != len(POOLS):
            yield (
                f"shows {_named(view)} with slots {spelled(view.slots)}, and must show a tuple of "
                f"{len(POOLS)}, one for each of {_names(POOLS)}"
            )
        for pool, slots in zip(POOLS, view.slots, strict=True):
            if slots is None:
                continue
            name = f"shows {_named(view)} with {pool.name} slots {spelled(slots)}"
            if not isinstance(slots, tuple) or not are_numbers(slots):
                yield f"{name}, and must show a tuple of plain ints, or None"
            if pool not in self.config.pools:
                yield f"{name}, and the cache has no {pool.name}: it must be None there"
            strange = next(
                (slot for slot in slots if slot not in self.slots.get(pool, slots)), None
            )
            if pool in self.sight.slots and strange is not None:
                yield f"{name}, of which a new cache did not list {strange} as free"


_FORMS: tuple[tuple[str, str, Callable[[Any], bool]], ...] = (
    (
        "free",
        f"a tuple of {len(POOLS)}, one for each of {_names(POOLS)}: a tuple of plain ints, or None",
        lambda free: _is_tuple(free, len(POOLS)) and all(map(_is_listed, free)),
    ),
    ("swa_of", "a mapping from ints to ints", lambda peers: isinstance(peers, Mapping)),
    ("device_leaves", "a frozenset of ids", lambda leaves: isinstance(leaves, Set)),
    ("host_leaves", "a frozenset of ids", lambda leaves: isinstance(leaves, Set)),
    (
        "lru_lists",
        "four tuples of ids",
        lambda lists: _is_tuple(lists, 4) and all(map(_is_listed, lists)),
    ),
    ("ages", "a mapping from ids to ints", lambda ages: isinstance(ages, Mapping)),
)
"""What the fields of a `Whole` must be, where they are not None."""


def _problems_of_events(events: object) -> Iterator[str]:
    if not isinstance(events, tuple | list):
        yield f"shows events={spelled(events)}, and must show a tuple of radixproof.Events, or None"
        return
    for event in events:
        well_formed = (
            isinstance(event, Event)
            and isinstance(event.kind, str)
            and isinstance(event.on_host, bool)
            and are_numbers(event.blocks)
            and (event.parent is None or is_number(event.parent))
            and isinstance(event.tokens, tuple | list)
            and isinstance(event.namespace, str)
        )
        if not well_formed:
            yield (
                f"shows the event {spelled(event)}, and must show a radixproof.Event: its blocks "
                "are a tuple of ints, its parent is one, or None, and its tokens are a tuple"
            )


def _problems_of_whole(whole: Whole, views: Iterable[NodeView]) -> Iterator[str]:
    for name, words, fits in _FORMS:
        value = getattr(whole, name)
        if value is not None and not fits(value):
            yield f"shows {name}={spelled(value)} in its Whole, and must show {words}, or None"
    ages = whole.ages
    timeless = None if ages is None else next((one for one in views if one.id not in ages), None)
    if timeless is not None:
        yield f"shows ages of nodes, and none for {_named(timeless)}"
