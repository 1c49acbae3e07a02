"""Sabotage of locks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from radixproof.impl.radix.config import COMPONENTS
from radixproof.impl.sabotage.planting import Strikes, kind
from radixproof.model.config import Component

if TYPE_CHECKING:
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.locks import Receipt
    from radixproof.impl.radix.node import Node
    from radixproof.impl.radix.tree import Tree

ALL = tuple(Component)


@contextmanager
def counted(tree: Tree, method: str) -> Iterator[list[list[Node]]]:
    """The nodes, per component, that one of the tree's ways to count locks is called for."""
    found: list[list[Node]] = [[], [], []]
    count = getattr(tree, method)

    def note(node: Node, component: int) -> None:
        found[component].append(node)
        count(node, component)

    setattr(tree, method, note)
    try:
        yield found
    finally:
        setattr(tree, method, count)


@kind(
    "a lock leaves out the topmost node that it has to cover",
    "6.1",
    "FULL is locked on every node from the anchor to the root.",
    ALL,
)
def lock_a_node_short(cache: RadixCache, strikes: Strikes) -> None:
    lock, tree = cache.locks.lock, cache.tree

    def short(anchor: Node) -> Receipt:
        with counted(tree, "hold") as held:
            receipt = lock(anchor)
        for component in COMPONENTS:
            if held[component] and strikes(Component(component)):
                tree.release(held[component][-1], component)
        return receipt

    cache.locks.lock = short  # type: ignore[method-assign]
