"""Bugs in insertion: whose slots are kept, whose are freed, and what the request goes on with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from radixproof.impl.faults.planting import INVENTED, fault
from radixproof.impl.radix.config import Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.insertion import Inserted, Offer
    from radixproof.impl.radix.matching import Match
    from radixproof.impl.radix.node import Node
    from radixproof.impl.radix.pools import Slots

FULL, SWA = Component.FULL, Component.SWA


@fault(
    "B12, SGLang pull requests 29350, 30845, 36909",
    "the insert of a request that goes on forgets how far its window has slid, "
    "and takes SWA that is long freed for live",
    Property.MATCH,
)
def insert_forgets_where_swa_begins(cache: RadixCache) -> None:
    insert, device = cache.inserter.insert, cache.memory.device

    def insert_all_live(offer: Offer) -> Inserted:
        return insert(replace(offer, evicted=offer.protected if offer.protected else offer.evicted))

    def peers(full: Slots) -> Slots:
        found: Slots = device.swa_of[full]
        return found

    cache.inserter.insert = insert_all_live  # type: ignore[method-assign]
    device.peers = peers  # type: ignore[method-assign]


@fault(
    "B13, SGLang pull request 29351",
    "a key whose new part has lost all its SWA gets no leaf: the slots are freed, "
    "and a state that comes with it is lost",
    Property.MATCH,
)
def no_leaf_without_swa(cache: RadixCache) -> None:
    inserter, add_leaves, take_state = (
        cache.inserter,
        cache.inserter._add_leaves,
        cache.inserter._take_state,
    )

    def add_live(parent: Node, offer: Offer) -> list[Node]:
        if inserter._window is None or offer.evicted < len(offer.units):
            return add_leaves(parent, offer)
        cache.memory.device.free(offer.part(max(parent.end, offer.protected), len(offer.units)))
        return []

    def take(node: Node, offer: Offer) -> bool:
        return take_state(node, offer) if node.end == len(offer.units) else offer.state is not None

    inserter._add_leaves = add_live  # type: ignore[method-assign]
    inserter._take_state = take  # type: ignore[method-assign]


@fault(
    "B15, SGLang pull requests 29282, 29353, 29349, 40681",
    "a request goes on with what a match of its key finds, "
    "which may be less than what its insert gave away",
    Property.LOCK,
)
def request_adopts_what_a_match_finds(cache: RadixCache) -> None:
    insert = cache.insert

    def insert_and_match(
        tokens: Sequence[int],
        slots: Sequence[int],
        namespace: str = "",
        protected: int = 0,
        evicted: int = 0,
        state: int | None = None,
        priority: int = 0,
        inserted: int = 0,
    ) -> Inserted:
        done = insert(tokens, slots, namespace, protected, evicted, state, priority, inserted)
        return done._replace(node=cache.match(tokens, namespace).device_node)

    cache.insert = insert_and_match  # type: ignore[method-assign]


@fault(
    "B18, SGLang pull request 29860",
    "a new leaf is expected to have SWA at its end, though the window of the request has left it",
    Property.NOCRASH,
)
def new_leaf_expected_to_have_swa(cache: RadixCache) -> None:
    inserter, add_leaves = cache.inserter, cache.inserter._add_leaves

    def add_live(parent: Node, offer: Offer) -> list[Node]:
        leaves = add_leaves(parent, offer)
        assert not leaves or inserter._window is None or leaves[-1].swa.device is not None
        return leaves

    inserter._add_leaves = add_live  # type: ignore[method-assign]


@fault(
    "B19, SGLang pull requests 34823, 34870",
    "where SWA begins is counted in tokens, but keys in pairs of them: "
    "a page of freed SWA is taken for live",
    Property.NOCRASH,
)
def boundary_counted_in_tokens(cache: RadixCache) -> None:
    insert, config = cache.inserter.insert, cache.config

    def insert_by_tokens(offer: Offer) -> Inserted:
        return insert(
            replace(offer, evicted=max(offer.protected, config.floor(max(0, offer.evicted - 1))))
        )

    if config.bigram:
        cache.inserter.insert = insert_by_tokens  # type: ignore[method-assign]


@fault(
    "B44, SGLang pull request 26919",
    "a long new leaf is not cut above its last window, so that a lock keeps all of its SWA",
    Property.MATCH,
)
def long_leaf_stays_whole(cache: RadixCache) -> None:
    inserter = cache.inserter

    def add_leaves(parent: Node, offer: Offer) -> list[Node]:
        leaves: list[Node] = []
        for stop in sorted(
            {min(max(offer.evicted, parent.end), len(offer.units)), len(offer.units)} - {parent.end}
        ):
            slots = offer.part(parent.end, stop)
            leaf = cache.tree.add_leaf(
                parent, offer.namespace, offer.units[parent.end : stop], slots
            )
            leaf.priority = offer.priority
            if inserter._window is not None and parent.end >= offer.evicted:
                cache.tree.put_device(leaf, SWA, cache.memory.device.peers(slots))
            leaves.append(leaf)
            parent = leaf
        return leaves

    inserter._add_leaves = add_leaves  # type: ignore[method-assign]


@fault(
    "B08, SGLang pull request 24972",
    "a node that an insert brings back to the device comes back without its SWA",
    Property.MATCH,
)
def revived_without_swa(cache: RadixCache) -> None:
    revive, inserter = cache.inserter._revive, cache.inserter

    def revive_full(node: Node, offer: Offer) -> list[Node]:
        window, inserter._window = inserter._window, None
        pieces = revive(node, offer)
        inserter._window = window
        if window is not None:
            for piece in pieces:
                assert piece.full.device is not None
                cache.memory.device.free_swa(piece.full.device)
        return pieces

    inserter._revive = revive_full  # type: ignore[method-assign]


@fault(
    "B28, SGLang pull requests 40680, 40712",
    "an insert does not give a tombstone its SWA back",
    Property.MATCH,
)
def tombstone_not_recovered(cache: RadixCache) -> None:
    def overlap(node: Node, offer: Offer) -> list[Node]:
        cache.memory.device.free(offer.part(max(node.start, offer.protected), node.end))
        return [node]

    cache.inserter._overlap = overlap  # type: ignore[method-assign]


@fault(
    "B11, SGLang pull requests 36135, 36381, 36646 and issue 36081",
    "an insert that recovers the SWA of a tombstone replaces its FULL slots, "
    "though a request is using them",
    Property.PIN,
)
def recovery_replaces_slots_in_use(cache: RadixCache) -> None:
    inserter, device = cache.inserter, cache.memory.device

    def recover(node: Node, slots: Slots) -> None:
        device.free(cache.tree.swap_device(node, FULL, slots))
        cache.tree.put_device(node, SWA, device.peers(slots))

    inserter._recover = recover  # type: ignore[method-assign]


@fault(
    "SGLang pull request 24193",
    "slots of the prefix that a request shares are freed as if they were duplicates of its own",
    Property.OWN,
)
def protected_slots_freed(cache: RadixCache) -> None:
    inserter, overlap = cache.inserter, cache.inserter._overlap

    def overlap_all(node: Node, offer: Offer) -> list[Node]:
        pieces = overlap(node, offer)
        shared = offer.part(node.start, min(node.end, offer.protected))
        if len(shared):
            cache.memory.device.free(shared)
        return pieces

    inserter._overlap = overlap_all  # type: ignore[method-assign]


@fault(
    "B79, SGLang issue 35270",
    "the page that a request shares with the tree is counted again when its slots are exchanged",
    Property.SIZE,
)
def exchanged_slots_counted_twice(cache: RadixCache) -> None:
    tree, swap_device = cache.tree, cache.tree.swap_device

    def swap(node: Node, component: Component, slots: Slots) -> Slots:
        (tree.protected if node.states[component].locks else tree.evictable)[component] += len(
            slots
        )
        return swap_device(node, component, slots)

    tree.swap_device = swap  # type: ignore[method-assign]


@fault(
    "SGLang pull requests 18843, 30689",
    "a node that a match finds is counted as hit, and once more when the request inserts it",
    Property.BACKUP,
)
def match_counts_as_hit(cache: RadixCache) -> None:
    find = cache.match

    def match_and_count(tokens: Sequence[int], namespace: str = "") -> Match:
        found = find(tokens, namespace)
        node = found.device_node
        while node.parent is not None:
            node.hits += 1
            node = node.parent
        return found

    cache.match = match_and_count  # type: ignore[method-assign]


@fault(
    "SGLang pull request 30689",
    "an insert of higher priority does not raise that of the nodes that it passes",
    Property.RECENCY,
)
def priority_not_raised(cache: RadixCache) -> None:
    inserter, overlap = cache.inserter, cache.inserter._overlap

    def overlap_plainly(node: Node, offer: Offer) -> list[Node]:
        node.priority = before.pop(node, node.priority)
        return overlap(node, offer)

    def touch_and_note(node: Node) -> None:
        before[node] = node.priority
        touch(node)

    before: dict[Node, int] = {}
    touch = cache.tree.touch
    cache.tree.touch = touch_and_note  # type: ignore[method-assign]
    inserter._overlap = overlap_plainly  # type: ignore[method-assign]


@fault(
    "B51, SGLang pull requests 24371, 28692, 36696",
    "an insert whose key is in the tree already hangs a node without pages under its end",
    Property.NOCRASH,
)
def leaf_without_pages(cache: RadixCache) -> None:
    inserter, add_leaves = cache.inserter, cache.inserter._add_leaves

    def add_always(parent: Node, offer: Offer) -> list[Node]:
        if parent.end < len(offer.units):
            return add_leaves(parent, offer)
        return [cache.tree.add_leaf(parent, offer.namespace, (), offer.part(0, 0))]

    inserter._add_leaves = add_always  # type: ignore[method-assign]


@fault(
    "B71, SGLang pull request 38191",
    "a request whose key was in the tree already goes on at the root, "
    "where the rest of its key is empty",
    Property.LOCK,
)
def insert_without_a_leaf_ends_at_the_root(cache: RadixCache) -> None:
    inserter, insert = cache.inserter, cache.inserter.insert

    def insert_new(offer: Offer) -> Inserted:
        done = insert(offer)
        return done._replace(node=cache.tree.root) if done.reused == len(offer.units) else done

    inserter.insert = insert_new  # type: ignore[method-assign]


@fault(
    "B60, SGLang pull request 38941",
    "the page before the first duplicate, the last one that the request shares with the tree, "
    "is freed with it",
    Property.OWN,
)
def page_before_duplicate_freed(cache: RadixCache) -> None:
    inserter, overlap, size = cache.inserter, cache.inserter._overlap, cache.tree.page_size

    def overlap_wide(node: Node, offer: Offer) -> list[Node]:
        if node.start == offer.protected > 0:
            cache.memory.device.free(offer.part(node.start - size, node.start))
        return overlap(node, offer)

    inserter._overlap = overlap_wide  # type: ignore[method-assign]


@fault(
    "mini-sglang pull request 142",
    "an insert of what is in the tree already frees the slots there, which running requests use, "
    "and keeps its own",
    Property.PIN,
)
def duplicates_replace_slots_in_use(cache: RadixCache) -> None:
    _keep_newest(cache, lambda _: True)


@fault(
    INVENTED,
    "an insert takes its own slots for what the device has already, and frees the tree's, "
    "though it recovers nothing with them",
    Property.STUTTER,
)
def newest_slots_kept(cache: RadixCache) -> None:
    _keep_newest(cache, lambda node: not node.full.locks)


def _keep_newest(cache: RadixCache, where: Callable[[Node], bool]) -> None:
    """Let some nodes take the slots that an insert offers for them, without a window."""
    inserter, overlap = cache.inserter, cache.inserter._overlap

    def overlap_newest(node: Node, offer: Offer) -> list[Node]:
        if inserter._window is not None or offer.protected > node.start or not where(node):
            return overlap(node, offer)
        slots = offer.part(node.start, node.end)
        cache.memory.device.free(cache.tree.swap_device(node, FULL, slots))
        return [node]

    inserter._overlap = overlap_newest  # type: ignore[method-assign]


@fault(
    "family of B01, SGLang pull request 25065: where SWA begins inside a node",
    "a tombstone in the middle of which the live SWA of an insert begins gets none of it",
    Property.MATCH,
)
def straddled_tombstone_not_recovered(cache: RadixCache) -> None:
    cache.inserter._cut = lambda node, position: [node]  # type: ignore[method-assign]


@fault(
    "family of B15, SGLang pull request 24193: what a request may call its own",
    "an insert that recovers the SWA of a tombstone frees the slots it has brought, "
    "not those that it has replaced",
    Property.NOCRASH,
)
def recovery_frees_the_new_slots(cache: RadixCache) -> None:
    tree, swap_device = cache.tree, cache.tree.swap_device

    def swap(node: Node, component: Component, slots: Slots) -> Slots:
        swap_device(node, component, slots)
        return slots

    tree.swap_device = swap  # type: ignore[method-assign]


@fault(
    "family of B29, SGLang pull request 39454: when hits are counted",
    "the nodes of an insert are hit before what it brings for them is in place, "
    "and are backed up without it",
    Property.PROGRESS,
)
def hits_counted_before_the_state_is_there(cache: RadixCache) -> None:
    inserter, backups, take_state, hit = (
        cache.inserter,
        cache.backups,
        cache.inserter._take_state,
        cache.backups.hit,
    )

    def hit_and_take(node: Node, offer: Offer) -> bool:
        hit(node)
        counted.append(node)
        return take_state(node, offer)

    def hit_others(node: Node) -> None:
        if node in counted:
            counted.clear()
        else:
            hit(node)

    counted: list[Node] = []
    inserter._take_state = hit_and_take  # type: ignore[method-assign]
    backups.hit = hit_others  # type: ignore[method-assign]


@fault(
    "SGLang pull request 12111 and issue 12007",
    "an insert renews only the nodes that it makes, not those that it passes",
    Property.RECENCY,
)
def insert_does_not_renew_its_path(cache: RadixCache) -> None:
    inserter, insert, touch = cache.inserter, cache.inserter.insert, cache.tree.touch

    def touch_new(node: Node) -> None:
        if not node.accessed:
            touch(node)

    def insert_quietly(offer: Offer) -> Inserted:
        cache.tree.touch = touch_new  # type: ignore[method-assign]
        done = insert(offer)
        cache.tree.touch = touch  # type: ignore[method-assign]
        return done

    inserter.insert = insert_quietly  # type: ignore[method-assign]


@fault(
    "family of B11, SGLang pull request 36135: where the SWA of a tombstone is recovered from",
    "a tombstone is cut where the SWA of an insert begins, though the request shares more of it",
    Property.MATCH,
)
def tombstone_cut_below_the_protected(cache: RadixCache) -> None:
    inserter, cut, overlap = cache.inserter, cache.inserter._cut, cache.inserter._overlap

    def overlap_cut(node: Node, offer: Offer) -> list[Node]:
        inserter._cut = lambda node, position: cut(node, offer.evicted)  # type: ignore[method-assign]
        pieces = overlap(node, offer)
        inserter._cut = cut  # type: ignore[method-assign]
        return pieces

    inserter._overlap = overlap_cut  # type: ignore[method-assign]
