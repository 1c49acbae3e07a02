"""All that can be seen of a system, so that two runs of one history can be compared.

What means nothing is left out: the numbers of slots and nodes (what a slot holds stands for it),
the order of free slots, how much later than another a node was used, and which was used later of a
node and one above it (semantics 1.7), which of several removals in a row is said first, or which of
several nodes left the device first in one step, after which a router knows the same (semantics
1.8), and what is in slots that a copy is still to fill (semantics 17.3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeAlias

from radixproof.impl.observation import ROOT, Event, NodeView, Observation, Whole
from radixproof.impl.operations import History
from radixproof.impl.system import Target
from radixproof.model.config import Pool
from radixproof.properties.performing.outcomes import Crashed
from radixproof.properties.performing.performer import Performer
from radixproof.properties.performing.ranks import Ranks
from radixproof.properties.performing.step import CopyState, Step

Name: TypeAlias = tuple[Any, ...]
"""A node, by what leads to it."""


def seen(target: Target, history: History, since: int) -> Iterator[Any]:
    """What can be seen of a system after every operation, from number ``since`` on."""
    performer = Performer(target, history.config)
    try:
        system = performer.system
        systems: Sequence[Any] = system.systems if isinstance(system, Ranks) else [system]
        for at, operation in enumerate(history.operations):
            steps = []
            for step in performer.perform(operation):
                steps.append((step.outcome, _served(step, systems), list(step.refused)))
            looked = [(one.observe(at >= since), one) for one in systems]
            if at < since:
                continue
            yield steps, [_canonical(view, one) for view, one in looked]
            if isinstance(steps[-1][0], Crashed):
                return
    finally:
        performer.close()


def _served(step: Step, systems: Sequence[Any]) -> Any:
    """The content of the slots that were served, if no copy is still to fill any."""
    if any(one.in_flight() for one in systems):
        return len(step.slots)
    pool = Pool.MAMBA if isinstance(step.operation, CopyState) else Pool.FULL
    return [one.read(pool, list(step.slots)) for one in systems]


def _canonical(view: Observation, system: Any) -> Any:
    whole = view.whole
    assert whole is not None
    names = _names(view.nodes)
    nodes = [(names[node.id], _node(node, system)) for node in view.nodes]
    sizes = view.free, view.evictable, view.protected
    return sorted(nodes, key=repr), sizes, _whole(whole, names, view), _events(view.events or ())


def _names(nodes: Sequence[NodeView]) -> dict[int, Name]:
    """What leads to each node; parents come before children."""
    names: dict[int, Name] = {}
    for node in nodes:
        above = () if node.parent == ROOT else names.get(node.parent, ("?",))
        names[node.id] = (node.namespace, *above, node.segment)
    return names


def _node(node: NodeView, system: Any) -> Any:
    """A node, with the content of its slots in their place."""
    held: list[Any] = []
    for pool, slots in zip(Pool, node.slots, strict=True):
        filled = not (node.pending if pool.on_host else node.loading)
        held.append(system.read(pool, slots) if slots and filled else slots is not None)
    return held, node.locks, node.host_locks, node.pending, node.loading


def _whole(whole: Whole, names: Mapping[int, Name], view: Observation) -> Any:
    named = [
        sorted(map(repr, _named(ids, names))) for ids in (whole.device_leaves, whole.host_leaves)
    ]
    lists = [_named(ids, names) for ids in whole.lru_lists or ()]
    free = [None if slots is None else len(set(slots)) for slots in whole.free or ()]
    return named, lists, free, _order_of_use(whole.ages or {}, names), _map(whole, view)


def _order_of_use(ages: Mapping[int, int], names: Mapping[int, Name]) -> dict[Name, set[Name]]:
    """What was used before each node, but for those above it and below it: in every order of
    eviction a node has its turn when nothing is left below it.
    """
    age = {names.get(node, ("?", node)): used for node, used in ages.items()}
    return {
        one: {other for other in age if age[other] < age[one] and not _related(one, other)}
        for one in age
    }


def _related(one: Name, other: Name) -> bool:
    """Whether one of two nodes is above the other: each name has its parent's inside it."""
    shorter, longer = sorted((one, other), key=len)
    further = (len(longer) - len(shorter)) // 2
    return longer[further : len(longer) - further] == shorter


def _named(ids: Any, names: Mapping[int, Name]) -> list[Name]:
    return [names.get(one, ("?", one)) for one in ids or ()]


def _map(whole: Whole, view: Observation) -> Any:
    """How many entries the map has, and of each node whether they are right."""
    entries = whole.swa_of or {}
    right = []
    for node in view.nodes:
        full, swa = node.slots[Pool.FULL] or (), node.slots[Pool.SWA] or ()
        right.append([entries.get(slot, 0) for slot in full] == list(swa or [0] * len(full)))
    return len(entries), sorted(right)


def _events(events: Sequence[Event]) -> list[Any]:
    """The events in their order; of removals in a row, in any; and of each block that is removed
    from the device, after how many others that name it.
    """
    found: list[Any] = []
    others = (event for event in events if event.kind != "removed" or event.on_host)
    for kind, alike in groupby(others, key=attrgetter("kind")):
        if kind == "removed":
            found.append(sorted(block for event in alike for block in event.blocks))
        else:
            found += alike
    return [found, sorted(_departures(events))]


def _departures(events: Sequence[Event]) -> Iterator[tuple[int, int]]:
    """Blocks that are removed from the device, and how many events named each before."""
    named: Counter[int] = Counter()
    for event in events:
        if event.kind == "removed" and not event.on_host:
            yield from ((block, named[block]) for block in event.blocks)
        named.update((*event.blocks, *([] if event.parent is None else [event.parent])))
