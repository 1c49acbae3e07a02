"""Bugs in MAMBA states: who gets one, where it is put, and how a request takes a copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from radixproof.impl.faults.planting import fault
from radixproof.impl.radix.config import Component
from radixproof.model.verdict import Property

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.insertion import Offer
    from radixproof.impl.radix.locks import Held, Locks, Receipt
    from radixproof.impl.radix.matching import Match
    from radixproof.impl.radix.node import Node
    from radixproof.impl.radix.pools import Slots

MAMBA = Component.MAMBA


def _copy_under(cache: RadixCache) -> Locks:
    """Let the copies of states take locks of their own, not those of the cache; returns these."""
    from radixproof.impl.radix.locks import Locks
    from radixproof.impl.radix.states import copy_state

    locks = Locks(cache.tree, cache.config)

    def copy(node: Node) -> int | None:
        return copy_state(node, cache.memory, locks, cache.device_evictor)

    cache.copy_state = copy  # type: ignore[method-assign]
    return locks


@fault(
    "B02, SGLang pull request 27038",
    "the lock taken while a state is copied is given back without the mark where its window ends: "
    "others lose theirs",
    Property.LOCK,
)
def state_copy_unlocks_too_much(cache: RadixCache) -> None:
    locks = _copy_under(cache)
    lock = locks.lock

    def lock_without_mark(anchor: Node) -> Receipt:
        receipt = lock(anchor)
        receipt.edge = None
        return receipt

    def release_what_counts(receipt: Receipt, held: Held) -> None:
        for node, component in held:
            if node.states[component].locks:
                cache.tree.release(node, component)

    locks.lock = lock_without_mark  # type: ignore[method-assign]
    locks._release = release_what_counts  # type: ignore[method-assign]


@fault(
    "B02, SGLang pull request 27038",
    "the eviction that makes room for the copy of a state may take the state itself, "
    "or what lies above it",
    Property.PROGRESS,
)
def state_copy_evicts_its_source(cache: RadixCache) -> None:
    from radixproof.impl.radix.locks import Receipt

    locks = _copy_under(cache)
    locks.lock = Receipt  # type: ignore[method-assign]
    locks.unlock = lambda receipt: None  # type: ignore[method-assign]


@fault(
    "B72, SGLang pull request 36770",
    "a state that cannot be copied because no slot can be freed is treated as an error",
    Property.NOCRASH,
)
def state_copy_without_room_raises(cache: RadixCache) -> None:
    copy = cache.copy_state

    def copy_surely(node: Node) -> int | None:
        slot = copy(node)
        assert slot is not None
        return slot

    cache.copy_state = copy_surely  # type: ignore[method-assign]


@fault(
    "B53, SGLang pull request 29819 and issue 29812",
    "a state is copied from the device while the load-back that brings it there is still on its "
    "way",
    Property.CONTENT,
)
def state_copied_before_it_has_arrived(cache: RadixCache) -> None:
    copy = cache.copy_state

    def copy_from_device(node: Node) -> int | None:
        loads, node.loads = node.loads, []
        slot = copy(node)
        node.loads = loads
        return slot

    cache.copy_state = copy_from_device  # type: ignore[method-assign]


@fault(
    "B70, SGLang pull requests 16067, 21404",
    "the slot for the copy of a state is not returned when it turns out that the state is still "
    "being loaded",
    Property.PROGRESS,
)
def state_slot_lost_when_given_up(cache: RadixCache) -> None:
    copy, states = cache.copy_state, cache.memory.device.mamba

    def copy_if_settled(node: Node) -> int | None:
        if not node.loading:
            return copy(node)
        assert states is not None
        states.alloc(1)
        return None

    cache.copy_state = copy_if_settled  # type: ignore[method-assign]


@fault(
    "B54, SGLang pull request 32016",
    "a slot for the copy of a state is evicted for even where one is free",
    Property.PROGRESS,
)
def state_copy_always_evicts(cache: RadixCache) -> None:
    copy = cache.copy_state

    def evict_and_copy(node: Node) -> int | None:
        receipt = cache.locks.lock(node)
        cache.device_evictor.evict(0, 0, 1)
        cache.locks.unlock(receipt)
        return copy(node)

    cache.copy_state = evict_and_copy  # type: ignore[method-assign]


@fault(
    "B13, SGLang pull request 29351",
    "a state for a node that has one is neither kept nor handed back",
    Property.MATCH,
)
def second_state_is_lost(cache: RadixCache) -> None:
    inserter, take_state = cache.inserter, cache.inserter._take_state

    def take(node: Node, offer: Offer) -> bool:
        return take_state(node, offer) or (offer.state is not None and not node.is_root)

    inserter._take_state = take  # type: ignore[method-assign]


@fault(
    "B13, SGLang pull request 29351",
    "a state for a node that has one is put in its place, and the old one is never freed",
    Property.MATCH,
)
def second_state_replaces_the_first(cache: RadixCache) -> None:
    inserter, take_state = cache.inserter, cache.inserter._take_state

    def take(node: Node, offer: Offer) -> bool:
        if offer.state is None or node.mamba.device is None:
            return take_state(node, offer)
        cache.tree.swap_device(node, MAMBA, np.array([offer.state], dtype=np.int64))
        return True

    inserter._take_state = take  # type: ignore[method-assign]


@fault(
    "B71, SGLang pull request 38191",
    "a state that comes with a key of less than a page is taken, but there is no node to put it on",
    Property.MATCH,
)
def state_of_an_empty_key_is_lost(cache: RadixCache) -> None:
    inserter, take_state = cache.inserter, cache.inserter._take_state

    def take(node: Node, offer: Offer) -> bool:
        return take_state(node, offer) or (offer.state is not None and node.is_root)

    inserter._take_state = take  # type: ignore[method-assign]


@fault(
    "B30, SGLang pull requests 37584, 39209 and issue 38815",
    "the state of the end of a key is put on the piece where its last window begins",
    Property.MATCH,
)
def state_put_above_its_end(cache: RadixCache) -> None:
    inserter, take_state = cache.inserter, cache.inserter._take_state

    def take(node: Node, offer: Offer) -> bool:
        above = node.parent
        cut = (
            above is not None
            and not above.is_root
            and above.created == node.created
            and above.mamba.device is None
        )
        return take_state(above if cut and above is not None else node, offer)

    inserter._take_state = take  # type: ignore[method-assign]


@fault(
    "B30, SGLang pull requests 37584, 39209 and issue 38815",
    "a split gives the state of the end of a node to its upper half",
    Property.MATCH,
)
def split_moves_state_up(cache: RadixCache) -> None:
    tree, split = cache.tree, cache.tree.split

    def split_with_state(node: Node, length: int) -> Node:
        upper = split(node, length)
        if node.mamba.device is not None and not node.mamba.locks:
            tree.put_device(upper, MAMBA, tree.take_device(node, MAMBA))
        return upper

    tree.split = split_with_state  # type: ignore[method-assign]


@fault(
    "B30, SGLang pull requests 37584, 39209 and issue 38815",
    "a split gives the state of the end of a node to both halves",
    Property.MATCH,
)
def split_shares_state(cache: RadixCache) -> None:
    tree, split = cache.tree, cache.tree.split

    def split_with_state(node: Node, length: int) -> Node:
        upper = split(node, length)
        if node.mamba.device is not None:
            tree.put_device(upper, MAMBA, node.mamba.device)
        return upper

    tree.split = split_with_state  # type: ignore[method-assign]


@fault(
    "SGLang pull request 12111 and issue 12007",
    "a match renews the states of the whole path, not only the one that it uses",
    Property.RECENCY,
)
def match_renews_all_states(cache: RadixCache) -> None:
    match = cache.match

    def match_and_renew(tokens: Sequence[int], namespace: str = "") -> Match:
        found = match(tokens, namespace)
        node, path = found.best_node, []
        while node.parent is not None:
            path.append(node)
            node = node.parent
        for node in reversed(path):
            if node.mamba.device is not None:
                cache.tree.device_order[MAMBA].renew(node)
        return found

    cache.match = match_and_renew  # type: ignore[method-assign]


@fault(
    "B22, SGLang pull request 33639",
    "a state that comes to a node with a host copy of an older one stays in the order of what is "
    "on the host only",
    Property.LEAF,
)
def state_stays_in_the_host_order(cache: RadixCache) -> None:
    tree, put_device = cache.tree, cache.tree.put_device

    def put(node: Node, component: Component, slots: Slots) -> None:
        put_device(node, component, slots)
        if component is MAMBA and node.mamba.host is not None:
            tree.host_order[MAMBA].renew(node)

    tree.put_device = put  # type: ignore[method-assign]
