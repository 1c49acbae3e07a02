"""How a kind of sabotage gets between a cache and one of its methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from radixproof.impl.radix.config import COMPONENTS
from radixproof.impl.radix_adapter.refusing import RefusingAllocator

if TYPE_CHECKING:
    from radixproof.impl.radix.allocator import PageAllocator
    from radixproof.impl.radix.cache import RadixCache
    from radixproof.impl.radix.config import Component
    from radixproof.impl.radix.node import Node
    from radixproof.impl.radix.tree import Tree

Wrap = TypeVar("Wrap", bound=Callable[..., Any])
MOVING = ("evict", "insert", "load_back")
"""Operations of a cache after which pages may be elsewhere, so that one more may be overlooked."""
USING = ("match", "insert", "load_back")


def around(of: object, method: str) -> Callable[[Wrap], Wrap]:
    """Let a function stand in for a method of one object; it is given the method first."""

    def stand_in(function: Wrap) -> Wrap:
        setattr(of, method, partial(function, getattr(of, method)))
        return function

    return stand_in


def after(cache: RadixCache, operations: tuple[str, ...], then: Callable[[], None]) -> None:
    """Do something after each of these operations of a cache."""

    def and_then(operation: Callable[..., Any], *arguments: Any) -> Any:
        answer = operation(*arguments)
        then()
        return answer

    for name in operations:
        around(cache, name)(and_then)


def gives(allocator: PageAllocator, tokens: int) -> bool:
    """Whether an allocation of so much has to succeed: it is free, and none was told to fail."""
    told = isinstance(allocator, RefusingAllocator) and allocator.refusing
    return tokens <= allocator.available and not told


@contextmanager
def counted(tree: Tree, method: str) -> Iterator[list[list[Node]]]:
    """The nodes, per component, that one of the tree's ways to count locks is called for."""
    found: list[list[Node]] = [[] for _ in COMPONENTS]
    count = getattr(tree, method)

    def note(node: Node, component: Component) -> None:
        found[component].append(node)
        count(node, component)

    setattr(tree, method, note)
    try:
        yield found
    finally:
        setattr(tree, method, count)


@contextmanager
def instead(of: object, name: str, value: object) -> Iterator[None]:
    """An attribute has another value for a while."""
    before = getattr(of, name)
    setattr(of, name, value)
    try:
        yield
    finally:
        setattr(of, name, before)
