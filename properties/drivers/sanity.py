"""A static sanity check: what a single observation shows to be wrong, without a model and without
memory.

It is the kind of check that upstream runs on its own tree: structure, counts, sets and sums. It
cannot see anything that is consistent but wrong. It judges the baseline, against which the other
drivers are measured.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from radixproof.impl.observation import ROOT, NodeView, Observation, Whole
from radixproof.model.config import Config, Pool
from radixproof.model.verdict import Breach, Property
from radixproof.properties.judging.applicable import Applicable, Pools, shown
from radixproof.properties.judging.spelling import spell_node
from radixproof.properties.judging.state_checks import leaf_sets, locked_by_count, lru_lists
from radixproof.properties.judging.step_checks import lock_counts

Rows = Sequence[Collection[int]]
"""Per `Pool`: slots that requests hold."""


def sanity(seen: Observation, config: Config, rows: Rows, judged: Applicable) -> list[Breach]:
    """Everything wrong with what is ``seen``, which must be whole, as far as it can be
    ``judged``.
    """
    assert seen.whole is not None
    views = {view.id: view for view in seen.nodes}
    return [
        *_structure(views),
        *_locks(views, judged),
        *_sizes(seen, judged),
        *_owners(seen, seen.whole, config, rows, judged),
        *leaf_sets(_leaf_sets(judged), views, locked_by_count(views), seen.whole),
        *lru_lists(judged.lru_lists, views, seen.whole),
    ]


def _structure(views: Mapping[int, NodeView]) -> Iterator[Breach]:
    """Every node hangs under a node; on device only under one on device; and each is somewhere."""
    for view in views.values():
        if view.parent != ROOT and view.parent not in views:
            text = f"{spell_node(views, view.id)} hangs under a node that is not in the tree"
            yield Breach(Property.DEVPATH, "malformed-node", text)
            continue
        on_device = view.slots[Pool.FULL] is not None
        if not on_device and view.slots[Pool.FULL_HOST] is None:
            text = f"{spell_node(views, view.id)} is on neither tier"
            yield Breach(Property.DEVPATH, "dead-node", text)
        if on_device and view.parent != ROOT and views[view.parent].slots[Pool.FULL] is None:
            text = f"{spell_node(views, view.id)} is on device, but its parent is not"
            yield Breach(Property.DEVPATH, "parent-missing", text)


def _leaf_sets(judged: Applicable) -> Pools:
    """The leaf sets that the shown locks determine: those of the host need both tiers' locks."""
    tiers = {pool.on_host for pool in judged.locks}
    return tuple(pool for pool in judged.leaf_sets if {False, pool.on_host} <= tiers)


def _locks(views: Mapping[int, NodeView], judged: Applicable) -> Iterator[Breach]:
    for view in views.values() if judged.locks else ():
        if min(lock_counts(judged, view)) < 0:
            locks = f"locks {view.locks}, on the host {view.host_locks}"
            text = f"{spell_node(views, view.id)} has {locks}"
            yield Breach(Property.LOCK, "negative", text)


def _sizes(seen: Observation, judged: Applicable) -> Iterator[Breach]:
    """Evictable and protected sizes are the sums over the nodes, where these show their locks."""
    for pool in judged.sizes:
        if pool not in judged.locks:
            continue
        component, sums = pool.component, [0, 0]
        for view in seen.nodes:
            sums[lock_counts(judged, view)[pool] > 0] += len(view.slots[pool] or ())
        sizes = shown(seen.evictable, "evictable sizes"), shown(seen.protected, "protected sizes")
        said = [size[component] for size in sizes]
        if said != sums:
            text = (
                f"{component.name}: the cache says {said} tokens are evictable and protected, "
                f"its nodes sum up to {sums}"
            )
            yield Breach(Property.SIZE, component.name.lower(), text)


def _owners(
    seen: Observation, whole: Whole, config: Config, rows: Rows, judged: Applicable
) -> Iterator[Breach]:
    """Every slot has one owner, and free and owned slots add up to the pool."""
    for pool in judged.free_lists:
        kind, name = Property.OWN_H if pool.on_host else Property.OWN, pool.name.lower()
        owned = [slot for view in seen.nodes for slot in view.slots[pool] or ()] + list(rows[pool])
        free = shown(shown(whole.free, "lists of free slots")[pool], "lists of free slots")
        total = config.slots(pool)
        if len(set(owned)) < len(owned):
            yield Breach(kind, "owned-twice", f"a {pool.name} slot has two owners")
        if len(set(free)) < len(free):
            yield Breach(
                kind, f"{name}-free-twice", f"a {pool.name} slot is in the free list twice"
            )
        if not set(free).isdisjoint(owned):
            yield Breach(kind, f"{name}-free-and-owned", f"a {pool.name} slot is free, and owned")
        if len(owned) + len(free) != total:
            rule = f"{name}-lost" if len(owned) + len(free) < total else f"{name}-too-many"
            yield Breach(
                kind,
                rule,
                f"{pool.name}: {len(owned)} slots are owned and {len(free)} are free, of {total}",
            )
