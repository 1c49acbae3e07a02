"""Sabotage of inserts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from radixproof.impl.radix.config import COMPONENTS
from radixproof.impl.radix.config import Component as Part
from radixproof.impl.sabotage.planting import (
    ALL,
    FULL,
    HOSTED,
    MAMBA,
    SWA,
    Strikes,
    kind,
)
from radixproof.impl.sabotage.seams import around, instead
from radixproof.model.config import Component

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.insertion import Inserted, Offer
    from radixproof.impl.radix.node import Node

BOUNDARY = "In a new leaf pages from `e` on have SWA, those before `e` have none;"
STATE = (
    "The state goes to the node at which the key ends, new or not, unless that has one on the"
    " device: then it stays the caller's."
)
RECOVERS = (
    "*Tombstone on the device: SWA recovers* from the request's slots that are neither below `p`"
    " nor below `e`"
)


def _moved(cache: RadixCache, strikes: Strikes, pages: int) -> None:
    """An insert believes that its SWA begins so many pages further on."""

    @around(cache.inserter, "insert")
    def move(insert: Callable[..., Inserted], offer: Offer) -> Inserted:
        evicted = offer.evicted + pages * cache.config.page_size
        sensible = cache.config.window is not None and 0 <= evicted <= len(offer.units)
        if sensible and evicted >= offer.protected and strikes(SWA):
            offer = replace(offer, evicted=evicted)
        return insert(offer)


@kind("an insert leaves out the first page of its SWA", "4.3", BOUNDARY, (SWA,))
def boundary_a_page_late(cache: RadixCache, strikes: Strikes) -> None:
    _moved(cache, strikes, 1)


@kind("an insert counts a page more as SWA", "4.3", BOUNDARY, (SWA,))
def boundary_a_page_early(cache: RadixCache, strikes: Strikes) -> None:
    _moved(cache, strikes, -1)


@kind(
    "the last piece of a new leaf is a page longer than one window",
    "4.3",
    "A longer part with SWA is split once more, so that its lowest piece is one window,"
    " rounded up to pages",
    (SWA,),
)
def leaf_cut_a_page_off(cache: RadixCache, strikes: Strikes) -> None:
    inserter, size = cache.inserter, cache.config.page_size

    @around(inserter, "_add_leaves")
    def longer(add: Callable[..., list[Node]], parent: Node, offer: Offer) -> list[Node]:
        window = inserter._window
        live = len(offer.units) - max(parent.end, offer.evicted)
        if window is None or live <= window + size or not strikes(SWA):
            return add(parent, offer)
        with instead(inserter, "_window", window + size):
            return add(parent, offer)


@kind("a state that an insert brings is not taken", "4.3", STATE, (MAMBA,))
def state_not_taken(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.inserter, "_take_state")
    def refuse(take: Callable[..., bool], node: Node, offer: Offer) -> bool:
        wanted = offer.state is not None and not node.is_root and node.mamba.device is None
        return False if wanted and strikes(MAMBA) else take(node, offer)


@kind("an insert says of a state that it did not take it", "4.3", STATE, (MAMBA,))
def state_taken_in_silence(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.inserter, "_take_state")
    def deny(take: Callable[..., bool], node: Node, offer: Offer) -> bool:
        taken = take(node, offer)
        return False if taken and strikes(MAMBA) else taken


@kind(
    "what comes back to the device loses its host copy", "4.1", "The host copy stays.", ALL, HOSTED
)
def revived_without_host_copy(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.inserter, "_revive")
    def drop(revive: Callable[..., list[Node]], node: Node, offer: Offer) -> list[Node]:
        pieces = revive(node, offer)
        for component in COMPONENTS:
            piece = pieces[-1]
            if piece.states[component].host is not None and strikes(Component(component)):
                cache.host_evictor._free(piece, component, [0, 0, 0])
        return pieces


@kind(
    "what comes back to the device does not get its window",
    "4.1",
    "From `e` on it also gets SWA from them: all of the node if `e` is at or above `o`;",
    (SWA,),
    HOSTED,
)
def revived_without_window(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.inserter, "_revive")
    def drop(revive: Callable[..., list[Node]], node: Node, offer: Offer) -> list[Node]:
        pieces = revive(node, offer)
        for piece in pieces:
            if piece.swa.device is not None and strikes(SWA):
                cache.device_evictor._make_tombstone(piece, COMPONENTS[SWA], [0, 0, 0])
        return pieces


@kind("a tombstone does not get the window that an insert brings", "4.1", RECOVERS, (SWA,))
def window_not_recovered(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.inserter, "_recover")
    def leave(recover: Callable[..., None], node: Node, slots: Any) -> None:
        if strikes(SWA):
            cache.memory.device.free(slots)
        else:
            recover(node, slots)


@kind(
    "FULL slots that are in use are exchanged",
    "4.1",
    "FULL slots that are locked or being copied, in either direction, stay, and only their SWA is"
    " renewed.",
)
def slots_exchanged_in_use(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.inserter, "_recover")
    def exchange(recover: Callable[..., None], node: Node, slots: Any) -> None:
        if node.full.locks and strikes(FULL):
            with instead(node.full, "locks", 0):
                recover(node, slots)
        else:
            recover(node, slots)


@kind(
    "slots that the device keeps are exchanged for those that an insert brings",
    "4.1",
    "Otherwise a page that stays on the device keeps its slots there, whatever is done",
    (FULL, SWA),
)
def slots_exchanged_unasked(cache: RadixCache, strikes: Strikes) -> None:
    tree, device = cache.tree, cache.memory.device

    @around(cache.inserter, "_overlap")
    def exchange(overlap: Callable[..., list[Node]], node: Node, offer: Offer) -> list[Node]:
        windowed = cache.config.window is not None
        whole = max(offer.protected, offer.evicted if windowed else 0) <= node.start
        lost = windowed and node.swa.device is None
        asked = not whole or lost or node.full.locks or node.swa.locks
        if asked or not strikes(SWA if windowed else FULL):
            return overlap(node, offer)
        slots = offer.part(node.start, node.end)
        device.free(tree.swap_device(node, Part.FULL, slots))
        if windowed:
            tree.swap_device(node, Part.SWA, device.peers(slots))
        return [node]


@kind("a state that the tree has is exchanged for that of an insert", "4.3", STATE, (MAMBA,))
def state_exchanged(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.inserter, "_take_state")
    def exchange(take: Callable[..., bool], node: Node, offer: Offer) -> bool:
        held = node.mamba.device is not None and not node.mamba.locks
        if offer.state is None or not held or not strikes(MAMBA):
            return take(node, offer)
        state = np.array([offer.state], dtype=np.int64)
        cache.memory.device_allocators[Part.MAMBA].free(
            cache.tree.swap_device(node, Part.MAMBA, state)
        )
        return True


@kind(
    "a node does not take the higher priority of an insert",
    "4.1",
    "Every node on it takes the insert's priority if that is higher than its own.",
)
def priority_not_taken(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.inserter, "insert")
    def lose(insert: Callable[..., Inserted], offer: Offer) -> Inserted:
        before = {node: node.priority for node in cache.tree.nodes()}
        done = insert(offer)
        raised = done.node.priority > before.get(done.node, 0)
        if raised and cache.config.eviction_policy == "priority" and strikes(FULL):
            done.node.priority = before.get(done.node, 0)
        return done


@kind(
    "a new node does not know which insert made it",
    "7.2",
    "FIFO by the number of the insert that made the node, FILO by the same, highest first;",
)
def insert_not_numbered(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.tree, "add_leaf")
    def lose(add: Callable[..., Node], *what: Any) -> Node:
        leaf = add(*what)
        if cache.config.eviction_policy in ("fifo", "filo") and strikes(FULL):
            leaf.created = 0 if cache.config.eviction_policy == "fifo" else leaf.created + 100
        return leaf


@kind(
    "an insert says that a page more was there",
    "4.2",
    "Whole pages that the tree does not have yet become a new leaf, always:",
)
def reuse_miscounted(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache, "insert")
    def more(insert: Callable[..., Inserted], *offered: Any) -> Inserted:
        done = insert(*offered)
        if done.node.is_root or not strikes(FULL):
            return done
        return done._replace(reused=done.reused + cache.config.page_size)


@kind(
    "an insert names the node above the one that it ends on",
    "11.2",
    "it locks the node that the insert ended on",
)
def insert_ends_a_node_short(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache, "insert")
    def above(insert: Callable[..., Inserted], *offered: Any) -> Inserted:
        done = insert(*offered)
        unfinished = offered[-1] == 0 and len(offered) > 7
        parent = done.node.parent
        if parent is None or unfinished or not strikes(FULL):
            return done
        return done._replace(node=parent)
