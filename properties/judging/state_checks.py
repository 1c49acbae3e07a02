"""The whole state, inspected now and then: what no single step shows, and what keeps deltas honest.

What a check needs beyond nodes and residency is declared in `applicable`: it is made for the pools
that are `Applicable` to it, and for no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import NamedTuple

from radixproof.impl.observation import NodeView, Observation, Slots, Whole
from radixproof.impl.system import Complete
from radixproof.model.config import DEVICE, HOST, Pool
from radixproof.model.specification.drawing import spell
from radixproof.model.verdict import Breach, Property, Witness
from radixproof.properties.judging.applicable import AUX, Moment, Pools, shown
from radixproof.properties.judging.content_checks import compare_content
from radixproof.properties.judging.judge import Judge
from radixproof.properties.judging.spelling import prefix_of, spell_difference, spell_nodes
from radixproof.properties.judging.step_checks import marks


def inspect(judge: Judge, seen: Observation, system: Complete) -> list[Breach]:
    """Every breach that the entire state shows. ``seen`` must be whole, and taken in by
    the judge already.
    """
    whole, judged = seen.whole, judge.applicable
    assert whole is not None
    judge.pass_over(Moment.INSPECTION)
    views = {view.id: view for view in seen.nodes}
    return [
        *_everything_is_where_the_model_says(judge),
        *_node_ends(judge),
        *_free_lists(judge, seen, whole),
        *leaf_sets(judged.leaf_sets, views, _locked(judge, views), whole),
        *lru_lists(judged.lru_lists, views, whole, _unlisted(judge, views)),
        *_recency(judge, whole),
        *_map(judge, views, whole),
        *marks(judged, judge.model, judge.abstraction.nodes.values()),
        *(_rows(judge) if judged.rows else ()),
        *_all_events(judge, seen),
        *_all_bytes(judge, system),
    ]


def _everything_is_where_the_model_says(judge: Judge) -> Iterable[Breach]:
    for page in judge.model.trie.recency:
        there = judge.abstraction.resident_in(page)
        if there != page.resident_in:
            pool = next(pool for pool in judge.config.pools if there[pool] != page.has(pool))
            text = (
                f"{spell([page])} should {'' if page.has(pool) else 'not '}be in {pool.name}: "
                "it changed unseen"
            )
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


def _free_lists(judge: Judge, seen: Observation, whole: Whole) -> Iterable[Breach]:
    for pool in judge.applicable.free_lists:
        free = shown(shown(whole.free, "lists of free slots")[pool], "lists of free slots")
        owned = judge.abstraction.owned[pool] | judge.ledger.rows[pool]
        kind = Property.OWN_H if pool.on_host else Property.OWN
        if len(set(free)) != len(free):
            twice = next(slot for slot in free if free.count(slot) > 1)
            yield Breach(
                kind,
                f"{pool.name.lower()}-free-twice",
                f"{pool.name} slot {twice} is in the free list twice",
            )
        counted = (
            seen.free[pool] if seen.free and pool in judge.applicable.free_counts else len(free)
        )
        if len(free) != counted:
            text = (
                f"{pool.name}: {counted} slots are counted as free, but the free list has "
                f"{len(free)}"
            )
            yield Breach(kind, f"{pool.name.lower()}-free-miscounted", text)
        used = next((slot for slot in free if slot in owned), None)
        if used is not None:
            text = f"{pool.name} slot {used} is free, and a node or a request owns it"
            yield Breach(kind, f"{pool.name.lower()}-free-and-owned", text)


class LockedNodes(NamedTuple):
    """Ids of nodes that are locked on the device, and on the host."""

    device: AbstractSet[int]
    host: AbstractSet[int]


def locked_by_count(views: Mapping[int, NodeView]) -> LockedNodes:
    """What is locked, as the nodes show it; nothing where they do not."""
    return LockedNodes(
        {node for node, view in views.items() if any(view.locks or ())},
        {node for node, view in views.items() if any(view.host_locks or ())},
    )


def _locked(judge: Judge, views: Mapping[int, NodeView]) -> LockedNodes:
    """The same; by the model's receipts on a tier where no locks are shown."""
    shown_device, shown_host = locked_by_count(views)
    nodes = judge.abstraction.nodes.items()
    return LockedNodes(
        shown_device
        if judge.sight.locks
        else {node for node, placed in nodes if any(page.locked for page in placed.pages)},
        shown_host
        if judge.sight.host_locks
        else {node for node, placed in nodes if any(page.host_locked for page in placed.pages)},
    )


def is_device_leaf(
    view: NodeView, parents_on_device: AbstractSet[int], locked: LockedNodes
) -> bool:
    """The definition, on what is seen: on device, no child on device, no component locked (1.6)."""
    return (
        view.slots[Pool.FULL] is not None
        and view.id not in parents_on_device
        and view.id not in locked.device
    )


def is_host_leaf(view: NodeView, parents: AbstractSet[int], locked: LockedNodes) -> bool:
    """The same on the host: on the host only, no child, no component locked on either tier
    (semantics 1.6).
    """
    return (
        view.slots[Pool.FULL] is None
        and view.slots[Pool.FULL_HOST] is not None
        and view.id not in parents
        and view.id not in locked.device
        and view.id not in locked.host
    )


def leaf_sets(
    pools: Pools, views: Mapping[int, NodeView], locked: LockedNodes, whole: Whole
) -> Iterable[Breach]:
    """The sets of evictable leaves hold exactly the nodes that are leaves by definition (1.6)."""
    parents = {view.parent for view in views.values()}
    on_device = {view.parent for view in views.values() if view.slots[Pool.FULL] is not None}
    for pool in pools:
        if pool.on_host:
            name, found = "host", whole.host_leaves
            defined = {view.id for view in views.values() if is_host_leaf(view, parents, locked)}
        else:
            name, found = "device", whole.device_leaves
            defined = {
                view.id for view in views.values() if is_device_leaf(view, on_device, locked)
            }
        if shown(found, f"sets of evictable {name} leaves") != defined:
            difference = spell_difference(views, found or (), defined)
            text = f"the set of evictable {name} leaves {difference}"
            witness = _leaf(views, pool, found or (), defined)
            yield Breach(Property.LEAF, f"{name}-leaves", text, witness)


def _leaf(
    views: Mapping[int, NodeView], pool: Pool, found: Iterable[int], defined: Iterable[int]
) -> Witness | None:
    """A node that the set of evictable leaves lacks, or should not hold."""
    missing, strange = sorted(set(defined) - set(found)), sorted(set(found) - set(defined))
    node = next((node for node in (*missing, *strange) if node in views), None)
    if node is None:
        return None
    return Witness(prefix_of(views, node), pool, leaf=node in missing)


def _unlisted(judge: Judge, views: Mapping[int, NodeView]) -> AbstractSet[int]:
    """Nodes that an LRU list of the host may lack: a system that shows no host locks may list
    nothing that is locked there, for which nobody looks (semantics 1.6).
    """
    return set() if judge.sight.host_locks else _locked(judge, views).host


def lru_lists(
    pools: Pools,
    views: Mapping[int, NodeView],
    whole: Whole,
    unlisted: AbstractSet[int] = frozenset(),
) -> Iterable[Breach]:
    """The LRU lists of SWA and MAMBA hold what is on the device, and what is on the host only, but
    maybe not what is ``unlisted`` there.
    """
    for pool, listed in _lists(pools, whole):
        device, host = DEVICE[pool.component], HOST[pool.component]
        defined = {
            view.id
            for view in views.values()
            if view.slots[pool] is not None and (pool is device or view.slots[device] is None)
        }
        spared = unlisted - set(listed) if pool is host else frozenset[int]()
        defined -= spared
        if len(listed) != len(set(listed)) or set(listed) != defined:
            name, tier = device.name.lower(), "host" if pool is host else "device"
            difference = spell_difference(views, listed, defined)
            text = f"the {device.name} {tier} LRU list {difference}"
            yield Breach(Property.LEAF, f"{name}-{tier}-list", text)


def _lists(pools: Pools, whole: Whole) -> Iterable[tuple[Pool, Slots]]:
    """The LRU lists of these pools."""
    if pools:
        lists = shown(whole.lru_lists, "LRU lists")
        yield from ((pool, lists[AUX.index(pool)]) for pool in pools)


def _recency(judge: Judge, whole: Whole) -> Iterable[Breach]:
    """The order of use, where a system shows all of it. Otherwise it shows in what goes first, and
    is judged then.
    """
    if not judge.model_adopted:
        yield from _list_order(judge, whole)
        if judge.applicable.ages:
            yield from _ages(judge, shown(whole.ages, "when nodes were last used"))


def _list_order(judge: Judge, whole: Whole) -> Iterable[Breach]:
    """The lists are in the order of use, on the host in that of arrival, where a refusal has not
    hidden that: not only who is in them, but who goes first (3.5, 7.9, 14.10).
    """
    node_of, trie = judge.abstraction.node_of, judge.model.trie
    unordered = {node_of[page] for page in judge.unordered if page in node_of}
    views = {node: placed.view for node, placed in judge.abstraction.nodes.items()}
    for pool, listed in _lists(judge.applicable.recency_lists, whole):
        order = (trie.host_only if pool.on_host else trie.recency_in)[pool.component]
        defined = [node_of[page] for page in order if page.cut and page in node_of]
        hidden = unordered if pool.on_host else set[int]()
        wanted = [node for node in defined if node not in hidden]
        seen = [node for node in listed if node not in hidden]
        if set(wanted) == set(seen) and wanted != seen:
            lists = (spell_nodes(views, nodes) for nodes in (seen, wanted))
            text = "the {} LRU list is {}, oldest first; by use it is {}".format(pool.name, *lists)
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


def _map(judge: Judge, views: Mapping[int, NodeView], whole: Whole) -> Iterable[Breach]:
    if not judge.applicable.map:
        return
    swa_of = shown(whole.swa_of, "the full→SWA map")
    expected = dict(judge.ledger.peers)
    for view in views.values():
        full, swa = view.slots[Pool.FULL], view.slots[Pool.SWA]
        if full is not None and swa is not None:
            expected.update(
                zip(full, swa, strict=False)
            )  # a node of another shape is reported as such
    stray = {slot: peer for slot, peer in swa_of.items() if expected.get(slot) != peer}
    missing = next((slot for slot in expected if slot not in swa_of), None)
    if missing is not None:
        text = f"FULL slot {missing} has SWA peer {expected[missing]}, but the map has no entry"
        yield Breach(Property.MAP, "entry", text)
    if stray:
        slot, peer = next(iter(stray.items()))
        text = (
            f"the map sends FULL slot {slot} to SWA slot {peer}, by the nodes it should be "
            f"{expected.get(slot, 'none')}"
        )
        yield Breach(Property.MAP, "stale", text)


def _all_events(judge: Judge, seen: Observation) -> Iterable[Breach]:
    """By the events, everything is where it is; a missing stream is a breach of the step."""
    if judge.applicable.events and seen.events is not None:
        yield from judge.announced.all_known(judge.model.copies.flying)


def _rows(judge: Judge) -> Iterable[Breach]:
    """The tree's slots that requests were given stay in place as long as they hold the lock."""
    trie = judge.model.trie
    for name, (prefix, slots) in judge.ledger.shared.items():
        path = trie.walk(prefix)
        end = path[-1] if path else trie.root(prefix.namespace)
        if slots != judge.abstraction.path_slots(end, Pool.FULL):
            text = f"request {name} holds slots {slots} of {prefix}, since replaced by others"
            yield Breach(Property.PIN, "row-replaced", text)


def _all_bytes(judge: Judge, system: Complete) -> Iterable[Breach]:
    waiting = [copy.targets for copy in judge.model.copies.flying if not copy.complete]
    for pool in judge.applicable.content:
        coming = {page for targets in waiting for page in targets.get(pool, ())}
        pages = [page for page in judge.model.trie.recency if page.has(pool) and page not in coming]
        yield from compare_content(judge.abstraction, pool, pages, system)
