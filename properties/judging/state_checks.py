"""The whole state, inspected now and then: what no single step shows, and what keeps deltas honest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from radixproof.impl.observation import NodeView, Observation, PerPool, Whole
from radixproof.impl.system import System
from radixproof.model.config import DEVICE, HOST, Component, Pool
from radixproof.model.specification.drawing import spell
from radixproof.model.verdict import Breach, Property
from radixproof.properties.judging.judge import Judge
from radixproof.properties.judging.step_checks import compare_content


def inspect(judge: Judge, seen: Observation, system: System) -> list[Breach]:
    """Every breach that the entire state shows. ``seen`` must be whole, and taken in by the judge already."""
    whole = seen.whole
    assert whole is not None
    views = {view.id: view for view in seen.nodes}
    return [
        *_everything_is_where_the_model_says(judge),
        *_node_ends(judge),
        *_free_lists(judge, seen.free, whole),
        *leaf_sets(views, whole),
        *lru_lists(views, whole),
        *_recency(judge, whole),
        *_map(judge, views, whole),
        *_pending(judge, views),
        *_rows(judge),
        *(judge.announced.all_known(judge.model.copies.flying) if seen.events is not None else ()),
        *_all_bytes(judge, system),
    ]


def _everything_is_where_the_model_says(judge: Judge) -> Iterable[Breach]:
    for page in judge.model.trie.recency:
        there = judge.abstraction.resident_in(page)
        if there != page.resident_in:
            pool = next(pool for pool in judge.config.pools if there[pool] != page.has(pool))
            text = f"{spell([page])} should {'' if page.has(pool) else 'not '}be in {pool.name}: it changed unseen"
            yield Breach(Property.STUTTER, "unseen-change", text)
            return


def _node_ends(judge: Judge) -> Iterable[Breach]:
    """Nodes end where the model has cut, and nowhere else."""
    for placed in judge.abstraction.nodes.values():
        for page in placed.pages:
            if page.cut != (page is placed.pages[-1]):
                text = f"a node {'goes on' if page.cut else 'ends'} after {spell([page])}"
                yield Breach(Property.MATCH, "not-cut" if page.cut else "cut-unasked", text)
                return


def _free_lists(judge: Judge, counts: PerPool, whole: Whole) -> Iterable[Breach]:
    for pool in judge.config.pools:
        free, owned = whole.free[pool], judge.abstraction.owned[pool]
        kind = Property.OWN_H if pool.on_host else Property.OWN
        if len(set(free)) != len(free):
            twice = next(slot for slot in free if free.count(slot) > 1)
            yield Breach(
                kind,
                f"{pool.name.lower()}-free-twice",
                f"{pool.name} slot {twice} is in the free list twice",
            )
        if len(free) != counts[pool]:
            text = f"{pool.name}: {counts[pool]} slots are counted as free, but the free list has {len(free)}"
            yield Breach(kind, f"{pool.name.lower()}-free-miscounted", text)
        used = next((slot for slot in free if slot in owned), None)
        if used is not None:
            text = f"{pool.name} slot {used} is free, and a node owns it"
            yield Breach(kind, f"{pool.name.lower()}-free-and-owned", text)


def is_device_leaf(view: NodeView, parents_on_device: set[int]) -> bool:
    """The definition, on what is seen: on device, no child on device, no component locked (semantics 1.6)."""
    return (
        view.slots[Pool.FULL] is not None
        and view.id not in parents_on_device
        and not any(view.locks)
    )


def leaf_sets(views: dict[int, NodeView], whole: Whole) -> Iterable[Breach]:
    """The sets of evictable leaves hold exactly the nodes that are leaves by definition (semantics 1.6)."""
    parents = {view.parent for view in views.values()}
    device_parents = {view.parent for view in views.values() if view.slots[Pool.FULL] is not None}
    device = {view.id for view in views.values() if is_device_leaf(view, device_parents)}
    host = {
        view.id
        for view in views.values()
        if view.slots[Pool.FULL] is None
        and view.slots[Pool.FULL_HOST] is not None
        and view.id not in parents
        and not any((*view.locks, *(view.host_locks or ())))
    }
    for name, shown, defined in (
        ("device", whole.device_leaves, device),
        ("host", whole.host_leaves, host),
    ):
        if shown is not None and shown != defined:
            text = f"the set of evictable {name} leaves is {sorted(shown)}, by definition it is {sorted(defined)}"
            yield Breach(Property.LEAF, f"{name}-leaves", text)


def lru_lists(views: dict[int, NodeView], whole: Whole) -> Iterable[Breach]:
    """The LRU lists of SWA and MAMBA hold what is on the device, and what is on the host only."""
    for at, (device, host) in enumerate(zip(DEVICE[1:], HOST[1:], strict=True)):
        on_device = {view.id for view in views.values() if view.slots[device] is not None}
        on_host = {
            view.id
            for view in views.values()
            if view.slots[device] is None and view.slots[host] is not None
        }
        for tier, shown, defined in (
            ("device", whole.lru_lists[at], on_device),
            ("host", whole.lru_lists[at + 2], on_host),
        ):
            if shown is not None and (len(shown) != len(set(shown)) or set(shown) != defined):
                name = device.name.lower()
                text = f"the {device.name} {tier} LRU list is {list(shown)}, by definition it holds {sorted(defined)}"
                yield Breach(Property.LEAF, f"{name}-{tier}-list", text)


def _recency(judge: Judge, whole: Whole) -> Iterable[Breach]:
    """The order of use, where a system shows all of it. Elsewhere it shows in what goes first, and is judged then."""
    if not judge.model_adopted and whole.ages is not None:
        yield from _list_order(judge, whole)
        yield from _ages(judge, whole.ages)


def _list_order(judge: Judge, whole: Whole) -> Iterable[Breach]:
    """The lists are in the order of use, on the host of arrival there: not only who is in them, but who goes first (3.5, 7.9)."""
    node_of, trie = judge.abstraction.node_of, judge.model.trie
    orders = (*trie.recency_in[1:], *trie.host_only[1:])
    for pool, order, shown in zip((*DEVICE[1:], *HOST[1:]), orders, whole.lru_lists, strict=True):
        defined = [node_of[page] for page in order if page.cut and page in node_of]
        if shown is not None and set(defined) == set(shown) and defined != list(shown):
            text = (
                f"the {pool.name} LRU list is {list(shown)}, oldest first; by use it is {defined}"
            )
            yield Breach(Property.RECENCY, f"{pool.name.lower()}-list", text)


def _ages(judge: Judge, ages: Mapping[int, int]) -> Iterable[Breach]:
    """Nodes are as old as their use says (semantics 1.7, 3.5)."""
    node_of = judge.abstraction.node_of
    defined = [node_of[page] for page in judge.model.trie.recency if page.cut and page in node_of]
    for older, newer in pairwise(defined):
        if ages[older] > ages[newer]:
            older_text, newer_text = (
                spell(judge.abstraction.nodes[node].pages) for node in (older, newer)
            )
            yield Breach(
                Property.RECENCY,
                "access-time",
                f"{newer_text} was used after {older_text}, but counts as older",
            )
            return


def _map(judge: Judge, views: dict[int, NodeView], whole: Whole) -> Iterable[Breach]:
    if Component.SWA not in judge.config.components:
        return
    expected = dict(judge.abstraction.row_peers)
    for view in views.values():
        full, swa = view.slots[Pool.FULL], view.slots[Pool.SWA]
        if full is not None and swa is not None:
            expected.update(
                zip(full, swa, strict=False)
            )  # a node of another shape is reported as such
    stray = {slot: peer for slot, peer in whole.swa_of.items() if expected.get(slot) != peer}
    missing = next((slot for slot in expected if slot not in whole.swa_of), None)
    if missing is not None:
        text = (
            f"FULL slot {missing} goes with SWA slot {expected[missing]}, but the map has no entry"
        )
        yield Breach(Property.MAP, "entry", text)
    if stray:
        slot, peer = next(iter(stray.items()))
        text = f"the map sends FULL slot {slot} to SWA slot {peer}, by the nodes it should be {expected.get(slot, 'none')}"
        yield Breach(Property.MAP, "stale", text)


def _pending(judge: Judge, views: dict[int, NodeView]) -> Iterable[Breach]:
    """A node is marked as being backed up, or loaded back, while it is (where a system shows all marks), and only then."""
    for load, words in ((False, "backed up"), (True, "loaded back")):
        flying = {
            page for copy in judge.model.copies.flying if copy.load == load for page in copy.node
        }
        for node, view in views.items():
            placed = judge.abstraction.nodes.get(node)
            if placed is None:
                continue
            marked, busy = (
                view.loading if load else view.pending,
                not flying.isdisjoint(placed.pages),
            )
            if marked and not busy:
                text = f"{spell(placed.pages)} is marked as being {words}, but nothing of it is in flight"
                yield Breach(Property.QUIESCE, "mark", text)
            if busy and not marked and view.host_locks is not None:
                text = f"{spell(placed.pages)} is being {words}, but it is not marked, so that nothing keeps it as it is"
                yield Breach(Property.PIN, "unmarked", text)


def _rows(judge: Judge) -> Iterable[Breach]:
    """What requests were given of the tree's slots is still there, as long as they hold the lock."""
    for name, (end, slots) in judge.shared_rows.items():
        if slots != judge.abstraction.path_slots(end, Pool.FULL):
            text = f"request {name} holds slots {slots} of {spell([end])} and above, which have been replaced by others"
            yield Breach(Property.PIN, "row-replaced", text)


def _all_bytes(judge: Judge, system: System) -> Iterable[Breach]:
    waiting = [copy.targets for copy in judge.model.copies.flying if not copy.complete]
    for pool in judge.config.pools:
        coming = {page for targets in waiting for page in targets.get(pool, ())}
        pages = [page for page in judge.model.trie.recency if page.has(pool) and page not in coming]
        yield from compare_content(judge.abstraction, pool, pages, system)
