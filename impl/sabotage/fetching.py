"""Sabotage of inserts on the host, of what was fetched from a store beyond it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from radixproof.impl.radix.config import Component as Part
from radixproof.impl.sabotage.backing_up import hits_matter
from radixproof.impl.sabotage.planting import FULL, HOSTED, MAMBA, SWA, THROUGH, Strikes, kind
from radixproof.impl.sabotage.seams import around, instead
from radixproof.model.config import Component

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node

REFILLED = (
    "a walked node beyond `start` without a host copy takes the slots offered for it, if its parent"
    " has one or is the root"
)
ATTACHED = (
    "the end takes the state, and each node of the window, which is split where this begins within"
    " it, takes its part of it, if it has no host copy of that yet."
)
URGENT = (
    "A new node is as urgent as what it hangs under, and below the root its priority is 0, that of"
    " a request that names none."
)
BELOW = "and the rest of the key becomes a host-only node under the same condition."
USED = (
    "the path from the node that ends at `start` on becomes the most recently used; it counts no"
    " hit and starts no backup."
)


@kind(
    "what was fetched for the rest of a key is not taken",
    "10.3",
    BELOW,
    policies=HOSTED,
)
def fetched_leaf_refused(cache: RadixCache, strikes: Strikes) -> None:
    inserter = cache.host_inserter

    @around(inserter, "_add_leaf")
    def refuse(add: Callable[..., Node | None], *what: Any) -> Node | None:
        parent, _, segment, slots = what
        wanted = inserter._write_back or parent.is_root or parent.backed
        taken = bool(segment) and len(slots) >= len(segment) and wanted
        if not (taken and strikes(FULL)):
            return add(*what)
        inserter._free(slots)
        return None


@kind("what was fetched for a node is not taken", "10.3", REFILLED, policies=THROUGH)
def refill_refused(cache: RadixCache, strikes: Strikes) -> None:
    inserter = cache.host_inserter

    @around(inserter, "_refill")
    def refuse(refill: Callable[..., int], node: Node, slots: Any) -> int:
        parent = node.parent
        hangs = parent is not None and (parent.is_root or parent.backed)
        taken = not node.backed and hangs and len(slots) >= len(node.segment)
        return inserter._free(slots) if taken and strikes(FULL) else refill(node, slots)


@kind("a host insert says that it took a page more", "10.3", REFILLED, policies=HOSTED)
def fetched_miscounted(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache, "insert_host")
    def more(insert: Callable[..., int], *offered: Any) -> int:
        kept = insert(*offered)
        return kept + cache.config.page_size if kept and strikes(FULL) else kept


@kind(
    "a window, or a state, that was fetched is not taken",
    "10.3",
    ATTACHED,
    (SWA, MAMBA),
    HOSTED,
)
def fetched_value_refused(cache: RadixCache, strikes: Strikes) -> None:
    inserter = cache.host_inserter

    @around(inserter, "_attach")
    def refuse(attach: Callable[..., None], node: Node, component: Part, slots: Any) -> None:
        taken = len(slots) > 0 and node.states[component].host is None
        if taken and strikes(Component(component)):
            inserter._free(slots, component)
        else:
            attach(node, component, slots)


@kind(
    "what was fetched hangs under a node without a host copy",
    "10.3",
    BELOW,
    policies=THROUGH,
)
def fetched_in_the_air(cache: RadixCache, strikes: Strikes) -> None:
    inserter = cache.host_inserter

    @around(inserter, "_add_leaf")
    def take(add: Callable[..., Node | None], *what: Any) -> Node | None:
        parent, _, segment, slots = what
        refused = not (parent.is_root or parent.backed)
        if not (refused and segment and len(slots) >= len(segment) and strikes(FULL)):
            return add(*what)
        with instead(inserter, "_write_back", value=True):
            return add(*what)


@kind("what was fetched is more urgent than what it hangs under", "10.3", URGENT, policies=HOSTED)
def fetched_leaf_urgent(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.host_inserter, "_add_leaf")
    def raised(add: Callable[..., Node | None], *what: Any) -> Node | None:
        leaf = add(*what)
        if leaf is not None and cache.config.eviction_policy == "priority" and strikes(FULL):
            leaf.priority += 9
        return leaf


@kind("a host insert does not count as a use of a node", "10.3", USED, policies=HOSTED)
def fetched_use_not_noted(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache, "insert_host")
    def forget(insert: Callable[..., int], *offered: Any) -> int:
        tree = cache.tree
        touch = tree.touch
        with instead(tree, "touch", lambda node: None if strikes(FULL) else touch(node)):
            return insert(*offered)


@kind("a host insert is counted as a hit", "10.3", USED, policies=HOSTED)
def hit_by_fetch(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.host_inserter, "_refill")
    def count(refill: Callable[..., int], node: Node, slots: Any) -> int:
        if hits_matter(cache) and strikes(FULL):
            node.hits += 1
        return refill(node, slots)
