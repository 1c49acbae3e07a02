"""The whole state, inspected now and then: what no single step shows, and what keeps deltas honest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from radixproof.impl.system import System
from radixproof.model.config import Component, Pool
from radixproof.model.observation import NodeView, Observation, Whole
from radixproof.model.trie import spell
from radixproof.model.verdict import Breach, Property
from radixproof.properties.checks import compare_content
from radixproof.properties.judge import Judge


def inspect(judge: Judge, seen: Observation, system: System) -> list[Breach]:
    """Every breach that the entire state shows. ``seen`` must be whole, and taken in by the judge already."""
    whole = seen.whole
    assert whole is not None
    views = {view.id: view for view in seen.nodes}
    return [
        *_everything_is_where_the_model_says(judge),
        *_free_lists(judge, whole),
        *_leaf_sets(views, whole),
        *_swa_lists(views, whole),
        *_recency(judge, whole),
        *_map(judge, views, whole),
        *_pending(judge, views),
        *_all_bytes(judge, system),
    ]


def _everything_is_where_the_model_says(judge: Judge) -> Iterable[Breach]:
    for page in judge.model.trie.order:
        there = judge.mirror.held_in(page)
        if there != page.held_in:
            pool = next(pool for pool in judge.config.pools if there[pool] != page.has(pool))
            text = f"{spell([page])} should {'' if page.has(pool) else 'not '}be in {pool.name}: it changed unseen"
            yield Breach(Property.STUTTER, "unseen-change", text)
            return


def _free_lists(judge: Judge, whole: Whole) -> Iterable[Breach]:
    for pool in judge.config.pools:
        free, owned = whole.free[pool], judge.mirror.owned[pool]
        kind = Property.OWN_H if pool.on_host else Property.OWN
        if len(set(free)) != len(free):
            twice = next(slot for slot in free if free.count(slot) > 1)
            yield Breach(kind, f"{pool.name.lower()}-free-twice", f"{pool.name} slot {twice} is in the free list twice")
        used = next((slot for slot in free if slot in owned), None)
        if used is not None:
            text = f"{pool.name} slot {used} is free, and a node owns it"
            yield Breach(kind, f"{pool.name.lower()}-free-and-owned", text)


def is_device_leaf(view: NodeView, parents_on_device: set[int]) -> bool:
    """The definition, on what is seen: on device, no child on device, no component locked (semantics 1.6)."""
    return view.slots[Pool.FULL] is not None and view.id not in parents_on_device and not any(view.locks)


def _leaf_sets(views: dict[int, NodeView], whole: Whole) -> Iterable[Breach]:
    parents = {view.parent for view in views.values()}
    device_parents = {view.parent for view in views.values() if view.slots[Pool.FULL] is not None}
    device = {view.id for view in views.values() if is_device_leaf(view, device_parents)}
    host = {
        view.id
        for view in views.values()
        if view.slots[Pool.FULL] is None
        and view.slots[Pool.FULL_HOST] is not None
        and view.id not in parents
        and not any(view.locks)
    }
    for name, shown, defined in (("device", whole.device_leaves, device), ("host", whole.host_leaves, host)):
        if shown is not None and shown != defined:
            text = f"the set of evictable {name} leaves is {sorted(shown)}, by definition it is {sorted(defined)}"
            yield Breach(Property.LEAF, f"{name}-leaves", text)


def _swa_lists(views: dict[int, NodeView], whole: Whole) -> Iterable[Breach]:
    on_device = {view.id for view in views.values() if view.slots[Pool.SWA] is not None}
    on_host = {view.id for view in views.values() if view.slots[Pool.SWA] is None and view.slots[Pool.SWA_HOST] is not None}
    for name, shown, defined in (("device", whole.swa_order, on_device), ("host", whole.swa_host_order, on_host)):
        if shown is not None and (len(shown) != len(set(shown)) or set(shown) != defined):
            text = f"the SWA {name} LRU list is {list(shown)}, by definition it holds {sorted(defined)}"
            yield Breach(Property.LEAF, f"swa-{name}-list", text)


def _recency(judge: Judge, whole: Whole) -> Iterable[Breach]:
    """The order of use, where a system shows all of it. Elsewhere it shows in what goes first, and is judged then."""
    if not judge.gave_in and whole.ages is not None:
        yield from _swa_recency(judge, whole)
        yield from _ages(judge, whole.ages)


def _swa_recency(judge: Judge, whole: Whole) -> Iterable[Breach]:
    """The SWA list is in the order of use: not only who is in it, but who goes first (semantics 3.5)."""
    if whole.swa_order is None or judge.gave_in:
        return
    node_of = judge.mirror.node_of
    defined = [node_of[page] for page in judge.model.trie.swa_order if page.cut and page in node_of]
    if set(defined) == set(whole.swa_order) and defined != list(whole.swa_order):
        text = f"the SWA device LRU list is {list(whole.swa_order)}, oldest first; by use it is {defined}"
        yield Breach(Property.RECENCY, "swa-list", text)


def _ages(judge: Judge, ages: Mapping[int, int]) -> Iterable[Breach]:
    """Nodes are as old as their use says (semantics 1.7, 3.5)."""
    node_of = judge.mirror.node_of
    defined = [node_of[page] for page in judge.model.trie.order if page.cut and page in node_of]
    for older, newer in pairwise(defined):
        if ages[older] > ages[newer]:
            older_text, newer_text = (spell(judge.mirror.nodes[node].pages) for node in (older, newer))
            yield Breach(Property.RECENCY, "access-time", f"{newer_text} was used after {older_text}, but counts as older")
            return


def _map(judge: Judge, views: dict[int, NodeView], whole: Whole) -> Iterable[Breach]:
    if Component.SWA not in judge.config.components:
        return
    expected: dict[int, int] = {}
    for view in views.values():
        full, swa = view.slots[Pool.FULL], view.slots[Pool.SWA]
        if full is not None and swa is not None:
            expected.update(zip(full, swa, strict=True))
    stray = {slot: peer for slot, peer in whole.swa_of.items() if expected.get(slot) != peer}
    missing = next((slot for slot in expected if slot not in whole.swa_of), None)
    if missing is not None:
        text = f"FULL slot {missing} belongs to a node with SWA slot {expected[missing]}, but the map has no entry"
        yield Breach(Property.MAP, "entry", text)
    if stray:
        slot, peer = next(iter(stray.items()))
        text = f"the map sends FULL slot {slot} to SWA slot {peer}, by the nodes it should be {expected.get(slot, 'none')}"
        yield Breach(Property.MAP, "stale", text)


def _pending(judge: Judge, views: dict[int, NodeView]) -> Iterable[Breach]:
    """A node is marked as being backed up exactly while it is."""
    flying = {page for backup in judge.model.in_flight for page in backup.node}
    for node, view in views.items():
        placed = judge.mirror.nodes.get(node)
        if view.pending and placed is not None and placed.pages[-1] not in flying:
            yield Breach(
                Property.QUIESCE, "mark", f"{spell(placed.pages)} is marked as being backed up, but no backup of it is in flight"
            )


def _all_bytes(judge: Judge, system: System) -> Iterable[Breach]:
    waiting = {page for backup in judge.model.in_flight if not backup.copied for page in backup.node}
    for pool in judge.config.pools:
        pages = [page for page in judge.model.trie.order if page.has(pool) and not (pool.on_host and page in waiting)]
        yield from compare_content(judge.mirror, pool, pages, system)
