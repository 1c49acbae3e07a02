"""Sabotage of what is kept in order: uses, lists, leaf sets, duplicates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from radixproof.impl.radix.config import COMPONENTS
from radixproof.impl.sabotage.planting import ALL, FULL, HOSTED, Policy, Strikes, kind
from radixproof.impl.sabotage.seams import MOVING, USING, after, around
from radixproof.model.config import Component

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.node import Node
    from radixproof.impl.radix.recency import RecencyList

PATH = "The path down to the best answer becomes the most recently used, its last node the newest."
NOTHING_ELSE = (
    "Nothing else is renewed: neither nodes below the best answer, nor the part of a split node"
    " that the key does not reach (5.5)."
)
OWN = "SWA and MAMBA have a recency of their own."
ORDER = (
    "SWA and MAMBA each have an order of their own (3.5); what arrives on the device is the newest"
)
ON_HOST = (
    "That it went in the order in which it became host-only (`host_values_in_order`) is asked of"
    " the list, and of what goes."
)
DEVICE_LEAF = (
    "A *device leaf* has FULL on the device, no child with FULL on the device, and no device lock"
    " of any component; host-only children do not matter."
)
HOST_LEAF = (
    "A *host leaf* has FULL on the host only, no child at all, and no lock of any component on"
    " either tier."
)
DUPLICATES = (
    "FULL under write_back: first duplicates, those that are not device leaves before those that"
    " are, each in the configured order"
)
AUX = ALL[1:]


@kind("a use of a node is not noted", "3.5", PATH)
def use_not_noted(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache.tree, "touch")
    def forget(touch: Callable[..., None], node: Node) -> None:
        if not (node.accessed and strikes(FULL)):
            touch(node)


@kind("a match counts as a use of what is below it", "3.5", NOTHING_ELSE)
def use_below_noted(cache: RadixCache, strikes: Strikes) -> None:
    @around(cache, "match")
    def touch(match: Callable[..., Any], *key: Any) -> Any:
        found = match(*key)
        below = next(iter(found.best_node.children.values()), None)
        if below is not None and strikes(FULL):
            cache.tree.touch(below)
        return found


@kind("a use of a window, or a state, is not noted", "3.5", OWN, AUX)
def value_use_not_noted(cache: RadixCache, strikes: Strikes) -> None:
    for part in COMPONENTS[1:]:
        order, component = cache.tree.device_order[part], Component(part)

        @around(order, "renew")
        def forget(
            renew: Callable[..., None],
            node: Node,
            order: RecencyList[Node] = order,
            component: Component = component,
        ) -> None:
            if not (node in order and len(order) > 1 and strikes(component)):
                renew(node)


def _swap(order: RecencyList[Node]) -> None:
    """The two oldest change places."""
    oldest, second = list(order)[:2]
    order.discard(second)
    order.add_older(second, than=oldest)


@kind("two in the order of a component change places", "1.7", ORDER, AUX)
def order_shuffled(cache: RadixCache, strikes: Strikes) -> None:
    def shuffle() -> None:
        for component in COMPONENTS[1:]:
            order = cache.tree.device_order[component]
            if len(order) > 1 and strikes(Component(component)):
                _swap(order)

    after(cache, USING, shuffle)


@kind("two in the order of a component on the host change places", "7.9", ON_HOST, AUX, HOSTED)
def host_order_shuffled(cache: RadixCache, strikes: Strikes) -> None:
    def shuffle() -> None:
        for component in COMPONENTS[1:]:
            order = cache.tree.host_order[component]
            if len(order) > 1 and strikes(Component(component)):
                _swap(order)

    after(cache, USING, shuffle)


@kind("a device leaf is not in the set of them", "1.6", DEVICE_LEAF)
def device_leaf_unlisted(cache: RadixCache, strikes: Strikes) -> None:
    def drop() -> None:
        if cache.tree.device_leaves and strikes(FULL):
            cache.tree.device_leaves.pop(next(iter(cache.tree.device_leaves)))

    after(cache, USING, drop)


@kind("what is no device leaf is in the set of them", "1.6", DEVICE_LEAF)
def device_leaf_invented(cache: RadixCache, strikes: Strikes) -> None:
    tree = cache.tree

    def add() -> None:
        others = (
            node
            for node in tree.nodes()
            if node.full.device is not None and node not in tree.device_leaves
        )
        node = next(others, None)
        if node is not None and strikes(FULL):
            tree.device_leaves[node] = None

    after(cache, USING, add)


@kind("a host leaf is not in the set of them", "1.6", HOST_LEAF, policies=HOSTED)
def host_leaf_unlisted(cache: RadixCache, strikes: Strikes) -> None:
    def drop() -> None:
        if cache.tree.host_leaves and strikes(FULL):
            cache.tree.host_leaves.pop(next(iter(cache.tree.host_leaves)))

    after(cache, USING + MOVING[:1], drop)


@kind("what is no host leaf is in the set of them", "1.6", HOST_LEAF, policies=HOSTED)
def host_leaf_invented(cache: RadixCache, strikes: Strikes) -> None:
    tree = cache.tree

    def add() -> None:
        others = (node for node in tree.nodes() if node.backed and node not in tree.host_leaves)
        node = next(others, None)
        if node is not None and strikes(FULL):
            tree.host_leaves[node] = None

    after(cache, USING, add)


@kind("a duplicate is not in the set of them", "7.9", DUPLICATES, policies=(Policy.WRITE_BACK,))
def duplicate_unlisted(cache: RadixCache, strikes: Strikes) -> None:
    def drop() -> None:
        if cache.tree.duplicates and strikes(FULL):
            cache.tree.duplicates.pop(next(iter(cache.tree.duplicates)))

    after(cache, USING, drop)
