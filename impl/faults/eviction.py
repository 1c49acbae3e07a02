"""Bugs in evicting from the device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import COMPONENTS, Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node
    from radixproof.impl.radix.pools import Slots

FULL, SWA, MAMBA = COMPONENTS


@fault(
    "SGLang pull requests 5499 and 5543",
    "the parent of a leaf that was evicted gets no turn in the same eviction",
    Property.PROGRESS,
)
def parent_never_a_candidate(cache: RadixCache) -> None:
    order = cache.eviction_order

    def once(leaves: dict[Node, None]) -> Iterator[Node]:
        return iter(sorted(leaves, key=order.turn))

    order.take_turns = once  # type: ignore[method-assign]


@fault(
    "B37, SGLang pull request 25068",
    "a node with children on the host only does not count as a device leaf",
    Property.LEAF,
)
def leaf_means_no_children(cache: RadixCache) -> None:
    tree = cache.tree
    sort_leaf = tree._sort_leaf

    def childless(node: Node) -> None:
        sort_leaf(node)
        if node.children:
            tree.device_leaves.pop(node, None)

    tree._sort_leaf = childless  # type: ignore[method-assign]


@fault(
    "SGLang issue 24153 and pull request 23882",
    "a leaf whose window was released early counts as evictable, although its FULL is locked",
    Property.LEAF,
)
def released_leaf_evicted(cache: RadixCache) -> None:
    tree = cache.tree
    sort_leaf = tree._sort_leaf

    def window_alone(node: Node) -> None:
        sort_leaf(node)
        windowed = cache.config.window is not None and not (node.swa.locks or node.mamba.locks)
        if windowed and node.full.device is not None and not node.resident_children:
            tree.device_leaves.setdefault(node)

    tree._sort_leaf = window_alone  # type: ignore[method-assign]


@fault(
    "B69, SGLang pull request 9601",
    "device eviction deletes a leaf on which a host lock is waiting for its prefetch",
    Property.NOCRASH,
)
def host_locked_leaf_deleted(cache: RadixCache) -> None:
    evictor = cache.device_evictor
    evict_leaf = evictor._evict_leaf

    def regardless(leaf: Node, freed: list[int]) -> None:
        if leaf.backed or leaf.children or cache.config.write_back:
            evict_leaf(leaf, freed)
        else:
            evictor._delete(leaf, freed)

    evictor._evict_leaf = regardless  # type: ignore[method-assign]


@fault(
    "B75, SGLang issue 33713",
    "a leaf with a copy on the host is deleted where its window or state has none, and not demoted",
    Property.PROGRESS,
)
def deleted_rather_than_demoted(cache: RadixCache) -> None:
    evictor = cache.device_evictor
    evict_leaf = evictor._evict_leaf

    def unless_complete(leaf: Node, freed: list[int]) -> None:
        if leaf.children or leaf.host_locked or not cache.backups._missing(leaf):
            evict_leaf(leaf, freed)
        else:
            evictor._delete(leaf, freed)

    evictor._evict_leaf = unless_complete  # type: ignore[method-assign]


@fault(
    "SGLang pull requests 18843 and 30689",
    "leaves go by last use, whatever the policy is",
    Property.RECENCY,
)
def policy_ignored(cache: RadixCache) -> None:
    def by_last_use(node: Node) -> tuple[int, ...]:
        return node.accessed, node.end

    cache.eviction_order.turn = by_last_use


@fault(
    "family of SGLang pull request 30689: least frequently used",
    "leaves with more hits go first",
    Property.RECENCY,
)
def most_frequent_first(cache: RadixCache) -> None:
    def by_hits(node: Node) -> tuple[int, ...]:
        return -node.hits, node.accessed, node.end

    if cache.config.eviction_policy == "lfu":
        cache.eviction_order.turn = by_hits


@fault(
    "family of SGLang pull request 30689: segmented LRU",
    "one hit is enough to be protected",
    Property.RECENCY,
)
def protected_at_first_hit(cache: RadixCache) -> None:
    def segmented(node: Node) -> tuple[int, ...]:
        return node.hits >= 1, node.accessed, node.end

    if cache.config.eviction_policy == "slru":
        cache.eviction_order.turn = segmented


@fault(
    "family of SGLang pull request 30689: priorities",
    "what has the highest priority goes first",
    Property.RECENCY,
)
def priority_upside_down(cache: RadixCache) -> None:
    def by_priority(node: Node) -> tuple[int, ...]:
        return -node.priority, node.accessed, node.end

    if cache.config.eviction_policy == "priority":
        cache.eviction_order.turn = by_priority


@fault(
    "family of SGLang pull request 30689: first in, first out, and first in, last out",
    "the age of a node begins with its last use",
    Property.RECENCY,
)
def age_renewed_by_use(cache: RadixCache) -> None:
    tree = cache.tree
    touch = tree.touch

    def renew(node: Node) -> None:
        touch(node)
        node.created = tree._inserts

    tree.touch = renew  # type: ignore[method-assign]


@fault(
    "B55, SGLang pull request 33091",
    "SWA and MAMBA are evicted as asked for, whatever has been freed of them with the leaves",
    Property.PROGRESS,
)
def cascade_does_not_stop_the_walk(cache: RadixCache) -> None:
    evictor = cache.device_evictor
    evict = evictor.evict

    def one_by_one(full: int, swa: int, mamba: int) -> tuple[int, int, int]:
        parts = evict(full, 0, 0), evict(0, swa, 0), evict(0, 0, mamba)
        a, b, c = map(sum, zip(*parts, strict=True))
        return a, b, c

    evictor.evict = one_by_one  # type: ignore[method-assign]


@fault(
    "B55, SGLang pull request 36713",
    "room for states is never made by evicting leaves",
    Property.RECENCY,
)
def states_of_leaves_stay(cache: RadixCache) -> None:
    evictor, tree = cache.device_evictor, cache.tree
    evict = evictor.evict

    def spare_leaves(full: int, swa: int, mamba: int) -> tuple[int, int, int]:
        freed = list(evict(full, swa, 0))
        for node in tree.device_order[MAMBA]:
            if freed[MAMBA] < mamba and not node.mamba.locks and node not in tree.device_leaves:
                evictor._make_tombstone(node, MAMBA, freed)
        return freed[FULL], freed[SWA], freed[MAMBA]

    if not cache.config.write_back:
        evictor.evict = spare_leaves  # type: ignore[method-assign]


@fault(
    "family of B55, SGLang pull request 33091: counting",
    "what a leaf frees of SWA is not counted",
    Property.SIZE,
)
def cascade_not_counted(cache: RadixCache) -> None:
    evictor = cache.device_evictor
    clear = evictor._clear

    def without_swa(node: Node, freed: list[int]) -> None:
        before = freed[SWA]
        clear(node, freed)
        freed[SWA] = before

    evictor._clear = without_swa  # type: ignore[method-assign]


@fault(
    "SGLang pull request 10637",
    "the evictable size shrinks by the length of a node's key instead of by its value when its "
    "state goes",
    Property.SIZE,
)
def size_shrinks_by_the_key(cache: RadixCache) -> None:
    tree = cache.tree
    take = tree.take_device

    def by_key(node: Node, component: Component) -> Slots:
        slots = take(node, component)
        if component is MAMBA:
            tree.evictable[component] += len(slots) - len(node.segment)
        return slots

    tree.take_device = by_key  # type: ignore[method-assign]


@fault(
    "B16, SGLang pull request 28161",
    "taking a state off an interior node takes its window along, locked or not",
    Property.PIN,
)
def state_takes_the_window_along(cache: RadixCache) -> None:
    evictor = cache.device_evictor
    make_tombstone = evictor._make_tombstone

    def whole(node: Node, component: Component, freed: list[int]) -> None:
        make_tombstone(node, SWA if node.swa.device is not None else component, freed)

    evictor._make_tombstone = whole  # type: ignore[method-assign]


@fault(
    "family of B16, SGLang pull request 28161: priorities in a cascade",
    "taking the window off an interior node leaves its state there",
    Property.SIZE,
)
def window_leaves_the_state(cache: RadixCache) -> None:
    evictor = cache.device_evictor
    make_tombstone = evictor._make_tombstone

    def alone(node: Node, component: Component, freed: list[int]) -> None:
        state, spared = node.mamba.device, component is SWA and node.resident_children > 0
        node.mamba.device = None if spared else state
        make_tombstone(node, component, freed)
        if spared:
            node.mamba.device = state

    evictor._make_tombstone = alone  # type: ignore[method-assign]


@fault(
    "taco-project/FlexKV pull request 195",
    "a leaf that is demoted loses FULL and its window, and its state stays behind on the device",
    Property.PROGRESS,
)
def state_left_without_full(cache: RadixCache) -> None:
    evictor = cache.device_evictor
    clear = evictor._clear

    def without_state(node: Node, freed: list[int]) -> None:
        state = node.mamba.device
        node.mamba.device = None if node.backed else state
        clear(node, freed)
        if node.backed:
            node.mamba.device = state

    evictor._clear = without_state  # type: ignore[method-assign]


@fault(
    "B83, a guard in SGLang 0.5.17",
    "an eviction that reaches FULL from another component frees its slots, "
    "but leaves the node its value",
    Property.RECENCY,
)
def freed_value_left_in_place(cache: RadixCache) -> None:
    evictor, tree = cache.device_evictor, cache.tree
    evict, clear, take = evictor.evict, evictor._clear, tree.take_device

    def keep_full(node: Node, component: Component) -> Slots:
        if component is not FULL:
            return take(node, component)
        assert node.full.device is not None
        return node.full.device

    def clear_all_but_full(node: Node, freed: list[int]) -> None:
        tree.take_device = keep_full if node.backed else take  # type: ignore[method-assign]
        clear(node, freed)
        tree.take_device = take  # type: ignore[method-assign]

    def from_others(full: int, swa: int, mamba: int) -> tuple[int, int, int]:
        evictor._clear = clear if full else clear_all_but_full  # type: ignore[method-assign]
        return evict(full, swa, mamba)

    evictor.evict = from_others  # type: ignore[method-assign]


@fault(
    "B16, SGLang pull request 28161: the early release",
    "an early release of a window drops it from nodes that others still build on",
    Property.PROGRESS,
)
def released_window_dropped_above_others(cache: RadixCache) -> None:
    evictor = cache.device_evictor

    def drop_all(nodes: Iterable[Node]) -> None:
        for node in nodes:
            if node.swa.device is not None and not node.swa.locks:
                evictor._make_tombstone(node, SWA, [0, 0, 0])

    evictor.drop_windows = drop_all  # type: ignore[method-assign]


@fault(
    "taco-project/FlexKV pull request 195",
    "a hit does not renew the windows that it uses",
    Property.RECENCY,
)
def window_not_renewed(cache: RadixCache) -> None:
    order = cache.tree.device_order[SWA]
    renew = order.renew

    def only_if_new(member: Node) -> None:
        if member not in order:
            renew(member)

    order.renew = only_if_new  # type: ignore[method-assign]


@fault(
    "SGLang pull request 12111",
    "a window that stays behind on the host becomes the oldest there instead of the newest",
    Property.RECENCY,
)
def demoted_window_oldest(cache: RadixCache) -> None:
    order = cache.tree.host_order[SWA]
    renew = order.renew

    def to_the_old_end(member: Node) -> None:
        order.discard(member)
        oldest = next(iter(order), None)
        if oldest is None:
            renew(member)
        else:
            order.add_older(member, than=oldest)

    order.renew = to_the_old_end  # type: ignore[method-assign]


@fault(
    "family of B35, SGLang pull request 39980",
    "a window that stays behind on the host is missing in the order in which it would be evicted "
    "there",
    Property.LEAF,
)
def demoted_window_not_listed(cache: RadixCache) -> None:
    order = cache.tree.host_order[SWA]

    def forget(member: Node) -> None:
        order.discard(member)

    order.renew = forget  # type: ignore[method-assign]
